"""What the system tells of a process: its children, memory and CPU time. Linux."""

from __future__ import annotations

import time
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
