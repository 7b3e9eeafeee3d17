"""The start-up promise: what is imported, not how long it takes (that is the benchmark's)."""

import subprocess
import sys

import pytest

HEAVY = {
    "rich", "httpx", "pydantic", "sqlalchemy", "alembic", "starlette", "uvicorn", "watchfiles", "libcst",
    "asyncio", "msgspec",     "engine", "executor", "devserver", "analyzer", "bundler",
}  # fmt: skip


def modules_after(*argv: str) -> set[str]:
    """Return the names of the modules that a command line has imported when it ends."""
    program = (
        "import sys; sys.argv[:] = ['trigger', *sys.argv[1:]]\n"
        "from trigger_cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\nMODULES', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program, *argv], capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("\nMODULES ", 1)[1].split())


def test_version_imports_nothing_beyond_itself() -> None:
    """`trigger --version` is answered before typer is imported."""
    modules = modules_after("--version")
    assert not {"typer", "trigger_cli.app", "trigger_cli.outcome"} & modules
    assert {name for name in modules if name.startswith("trigger_cli")} == {"trigger_cli", "trigger_cli.main"}


@pytest.mark.parametrize("argv", [["--help"], ["runs", "--help"], ["run", "--help"], ["dev", "--help"]])
def test_help_imports_nothing_heavy(argv: list[str]) -> None:
    """Help needs typer and the command's signature, and no library that a command works with."""
    assert not HEAVY & modules_after(*argv)


def test_root_help_imports_no_command() -> None:
    """The overview comes from a table."""
    modules = modules_after("--help")
    assert {name for name in modules if name.startswith("trigger_cli.commands.")} == set()


def test_short_commands_import_no_http_library(server_free_port: int) -> None:
    """A command that only asks the server does without httpx, rich and asyncio."""
    modules = modules_after("runs", "list", "--url", f"http://127.0.0.1:{server_free_port}")
    assert not HEAVY & modules


@pytest.fixture
def server_free_port() -> int:
    """Return a port on which nothing listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
