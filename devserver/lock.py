"""One dev server per project: a lock that is held for life, and a file that tells clients where the server is.

In the project's ``.trigger`` folder:

* ``dev.lock``: held by ``flock``, so that the kernel frees it however the process ends; it holds the pid;
* ``dev.json``: url, pid and token of the running server, readable by its user only;
* ``.gitignore``: keeps all of it out of the repository.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from devserver.errors import DevAlreadyRunning, StateFolderUnusable
from trigger_sdk.protocol.dev_info import INFO_FILE

LOCK_FILE: Final = "dev.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevInfo:
    """What clients need to find a running dev server.

    Attributes:
        url: where the API is, ``http://127.0.0.1:8734``.
        pid: the dev server's process.
        token: bearer token of worker sessions.
    """

    url: str
    pid: int
    token: str


def read_info(folder: Path) -> DevInfo | None:
    """Return what the server that runs, or ran last, wrote into ``folder``; None when there is nothing to read."""
    try:
        data = json.loads((folder / INFO_FILE).read_bytes())
        return DevInfo(url=str(data["url"]), pid=int(data["pid"]), token=str(data["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


class DevLock:
    """The right to be the project's dev server. Freed by :meth:`release`, or by the end of the process."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self._folder = folder
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, folder: Path) -> DevLock:
        """Take the lock of a project's ``.trigger`` folder, which is created when it is missing.

        Raises:
            DevAlreadyRunning: another process has it.
            StateFolderUnusable: the folder or the files in it cannot be written.
        """
        try:
            folder.mkdir(exist_ok=True)
            ignore = folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
            # Not inheritable: a worker that outlived us would hold the lock.
            descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable(folder, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            raise _running(folder, holder) from None
        except OSError as error:
            os.close(descriptor)
            raise unusable(folder, error) from error
        return cls(folder, descriptor)

    def publish(self, info: DevInfo) -> None:
        """Write ``dev.json``: at once and as a whole, so that no client reads half of it.

        Raises:
            StateFolderUnusable: it cannot be written.
        """
        target = self._folder / INFO_FILE
        draft = target.with_suffix(f".{info.pid}")
        try:
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(asdict(info), file)
            draft.replace(target)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise unusable(self._folder, error) from error

    def release(self) -> None:
        """Remove ``dev.json`` and free the lock. Does nothing the second time."""
        if self._descriptor < 0:
            return
        with suppress(OSError):  # a folder that became read-only: clients find that nobody listens
            (self._folder / INFO_FILE).unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1


def unusable(folder: Path, error: OSError) -> StateFolderUnusable:
    """Return the error for a ``.trigger`` folder in which something cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "Make room on that disk; what runs had completed is kept."
    elif error.errno == errno.EROFS:
        hint = "Make the project's folder writable, or work on a copy of it."
    elif error.errno in (errno.EEXIST, errno.ENOTDIR):
        hint = f"Move {folder} away: the dev server keeps its database in a folder of that name."
    else:
        hint = f"Let your user write there: {folder}"
    reason = os.strerror(error.errno) if error.errno else str(error)
    return StateFolderUnusable(f"{folder} cannot be written: {reason}", hint=hint, where=str(folder))


def _running(folder: Path, holder: str) -> DevAlreadyRunning:
    info = read_info(folder)
    if info is not None and (not holder or str(info.pid) == holder):
        return DevAlreadyRunning(
            f"a dev server runs in this project already: {info.url} (pid {info.pid})",
            hint=f"Use that one, or stop it: kill {info.pid}",
            where=str(folder.parent),
        )
    pid = f" (pid {holder})" if holder else ""
    return DevAlreadyRunning(
        f"a dev server is starting in this project already{pid}",
        hint=f"Use that one, or stop it: kill {holder}" if holder else "Use that one, or stop it.",
        where=str(folder.parent),
    )
