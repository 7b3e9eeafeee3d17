"""The folder that a server keeps its things in: private, and of one server at a time."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from executor.serving.errors import DataFolderInUse, DataFolderInvalid

LOCK: Final = "server.lock"
NAME: Final = "executor-name"

_NAME: Final = re.compile(r"executor-[0-9a-f]{12}")
_OTHERS: Final = 0o077


class DataFolder:
    """A folder in use by this process; the system frees it when the process dies.

    Attributes:
        path: the folder, absolute.
        name: this server's name among those on its database, the same at every start.
    """

    def __init__(self, path: Path, name: str, lock: IO[bytes]) -> None:
        self.path = path
        self.name = name
        self._lock = lock

    @classmethod
    def take(cls, path: Path) -> Self:
        """Make the folder where there is none, and lock it. DataFolderInUse, DataFolderInvalid."""
        path = path.absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.stat().st_mode & _OTHERS:
                path.chmod(0o700)
            lock = (path / LOCK).open("a+b")
        except OSError as error:
            raise DataFolderInvalid(
                f"the data folder cannot be used: {error.strerror}",
                hint="Name a folder that this user can write to: --data DIR",
                where=str(path),
            ) from error
        try:
            hold(lock, "the data folder is in use by {}", path)
            return cls(path, _name_of(path), lock)
        except BaseException:
            lock.close()
            raise

    def release(self) -> None:
        """Give the folder free."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder_of(path: Path) -> str:
    """Return the pid of the server that uses a folder, or an empty text. Locks nothing."""
    try:
        with (path / LOCK).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return lock.read(32).decode(errors="replace").strip() or "unknown"
    except OSError:
        return ""
    return ""


def hold(lock: IO[bytes], message: str, path: Path) -> None:
    """Lock an open file for this process; DataFolderInUse with ``message`` about whose it is."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        pid = lock.read(32).decode(errors="replace").strip()
        owner = f"process {pid}" if pid else "another process"
        raise DataFolderInUse(message.format(owner), where=str(path)) from error
    lock.truncate(0)
    lock.write(str(os.getpid()).encode())
    lock.flush()


def _name_of(path: Path) -> str:
    """Return the server's name, made at the first start."""
    file = path / NAME
    try:
        name = file.read_text().strip() if file.exists() else ""
        if not _NAME.fullmatch(name):
            name = f"executor-{secrets.token_hex(6)}"
            fresh = file.with_suffix(".new")
            fresh.write_text(name)
            fresh.replace(file)
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderInvalid(f"the data folder cannot be used: {error}", where=str(path)) from error
    return name
