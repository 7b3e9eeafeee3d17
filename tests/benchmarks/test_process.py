"""What the system tells of processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.process import as_installed, children, cpu_seconds, memory, run_to_end


def test_cpu_time_is_that_of_the_process() -> None:
    """The clock of another process's id is the one that it reads of itself."""
    assert cpu_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.05)


def test_memory_is_resident_and_shared_in_parts() -> None:
    """An interpreter has some megabytes; its share of them is not larger."""
    held = memory(os.getpid())
    assert 5 < held.pss <= held.rss


def test_children_are_found_by_their_command_line_while_they_live() -> None:
    """Those that ended are not, even while nobody has waited for them."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()", "the-mark"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert children(os.getpid(), "the-mark") == [child.pid]
        assert children(os.getpid(), "another-mark") == []
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert children(os.getpid(), "the-mark") == []


def test_what_a_process_took_is_its_own(tmp_path: Path) -> None:
    """Exit code, output of both streams, CPU time and memory; the time of its end is that of the whole."""
    program = "import sys, time\nwhile time.process_time() < 0.2: pass\nprint('said', file=sys.stderr)\nsys.exit(3)"
    ended = run_to_end([sys.executable, "-c", program], tmp_path, os.environ)
    assert (ended.code, ended.output) == (3, "said\n")
    assert 0.2 <= ended.cpu < 2
    assert ended.wall >= 0.2
    assert ended.memory > 5


def test_the_product_is_compiled_as_when_it_is_installed(tmp_path: Path) -> None:
    """Into a folder of the benchmark's own, even where this process compiles nothing."""
    program = [sys.executable, "-c", "import this_module"]
    (tmp_path / "this_module.py").write_text("")
    ended = run_to_end(program, tmp_path, as_installed(tmp_path))
    assert ended.code == 0, ended.output
    assert list(tmp_path.glob("compiled/**/this_module.*.pyc"))
    assert not (tmp_path / "__pycache__").exists()
