"""What the system tells of processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from benchmarks.process import children, cpu_seconds, memory


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
