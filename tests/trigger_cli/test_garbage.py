"""When a process of the command line looks for garbage."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("argv", "is_looking"), [(["check", "--help"], False), (["runs", "--help"], True)])
def test_a_check_looks_for_no_garbage(argv: list[str], is_looking: bool) -> None:
    """It ends before there would be any; other commands may live long."""
    program = (
        "import gc, sys; sys.argv[:] = ['trigger', *sys.argv[1:]]\n"
        "from trigger_cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\nLOOKS', gc.isenabled())"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program, *argv], capture_output=True, text=True, check=True)
    assert done.stdout.endswith(f"\nLOOKS {is_looking}\n")
