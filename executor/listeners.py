"""Finds out which process listens on a port, where the system tells (Linux, for processes of the same user)."""

from __future__ import annotations

from pathlib import Path

_LISTEN = "0A"
_LONGEST_COMMAND = 120


def who_listens(port: int, proc: Path = Path("/proc")) -> list[str]:
    """Return the processes that listen on a TCP port, each as ``process 123 (command line)``; empty when unknown.

    Args:
        port: the port.
        proc: where the kernel shows its processes.
    """
    inodes = _inodes(port, proc)
    if not inodes:
        return []
    wanted = {f"socket:[{inode}]" for inode in inodes}
    found = []
    for process in sorted(proc.glob("[0-9]*"), key=lambda path: int(path.name)):
        if _holds(process, wanted):
            command = _command(process)
            found.append(f"process {process.name} ({command})" if command else f"process {process.name}")
    return found


def _inodes(port: int, proc: Path) -> set[str]:
    inodes = set()
    for table in ("net/tcp", "net/tcp6"):
        try:
            lines = (proc / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(fields[9])
    return inodes


def _holds(process: Path, wanted: set[str]) -> bool:
    try:
        for descriptor in (process / "fd").iterdir():
            try:
                if str(descriptor.readlink()) in wanted:
                    return True
            except OSError:
                continue
    except OSError:
        return False
    return False


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    return " ".join(word for word in words if word)[:_LONGEST_COMMAND]
