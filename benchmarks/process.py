"""What the system tells of a process: its children, memory, CPU time, and what it took until its end. Linux."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_KB = 1024
_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of a process in MB (10^6 bytes).

    Attributes:
        rss: resident, pages that are shared with others counted in full.
        pss: resident, shared pages divided among those who share them.
    """

    rss: float
    pss: float


def memory(pid: int) -> Memory:
    """Return what a process holds now."""
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in ("Rss", "Pss"):
            found[name] = int(rest.split()[0]) * _KB / _MB
    return Memory(rss=found["Rss"], pss=found["Pss"])


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that all threads of a process have used, in seconds."""
    return time.clock_gettime(_cpu_clock(pid))


def _cpu_clock(pid: int) -> int:
    """Return the kernel's clock of a process's CPU time: what clock_getcpuclockid(3) computes."""
    return (~pid << 3) | 2


def children(pid: int, command: str) -> list[int]:
    """Return the living children of a process with ``command`` in their command line, oldest first."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # gone meanwhile
        if int(fields[1]) == pid and command in line:  # a zombie has no command line
            found.append(int(folder.name))
    return sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process that ran to its end.

    Attributes:
        code: its exit code.
        output: what it wrote to standard output and standard error.
        wall: seconds from its start to its end.
        cpu: seconds of CPU time of all its threads, in user and in system mode.
        memory: the most that was resident, in MB (10^6 bytes).
    """

    code: int
    output: str
    wall: float
    cpu: float
    memory: float


def as_installed(folder: Path) -> dict[str, str]:
    """Return an environment in which the product is as installed: compiled, whatever this process may write.

    Args:
        folder: keeps the compiled code between processes.
    """
    ours = {key: value for key, value in os.environ.items() if not key.startswith("TRIGGER_")}
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def run_to_end(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Ended:
    """Run a command in a folder, and tell what it took."""
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Ended(
        code=process.returncode,
        output=text,
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss * _KB / _MB,
    )
