"""Whether there is room: on the disk, and within what a repository and an environment may have."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from executor.registry.errors import DiskFull, QuotaExceeded
from executor.registry.store.index import Index
from executor.registry.store.limits import Limits, charge
from executor.registry.store.uploads import Upload, check_size


class Room:
    """Decides on what is to be added.

    Args:
        folder: on the disk in question.
        limits: what may be kept.
        index: what is kept.
        uploads: gives what is open.
    """

    def __init__(self, folder: Path, *, limits: Limits, index: Index, uploads: Callable[[], Iterable[Upload]]) -> None:
        self._folder = folder
        self._limits = limits
        self._index = index
        self._uploads = uploads
        self._lock = threading.Lock()
        self._promised: Counter[str] = Counter()

    def admit(self, upload: Upload, more: int) -> None:
        """Let an upload grow by some bytes, or raise ContentTooLarge, DiskFull or QuotaExceeded."""
        check_size(upload.offset + more, self._limits.blob_bytes)
        with self._lock:
            self._check(upload.repository, charge(upload.offset + more) - charge(upload.offset))
            upload.admitted = upload.offset + more

    @contextlib.contextmanager
    def promised(self, repository: str, more: int) -> Iterator[None]:
        """Keep room for some bytes of a repository until they are in the index, or raise DiskFull or QuotaExceeded."""
        with self._lock:
            self._check(repository, charge(more))
            self._promised[repository] += charge(more)
        try:
            yield
        finally:
            with self._lock:
                self._promised[repository] -= charge(more)

    def check(self, repository: str) -> None:
        """Raise DiskFull or QuotaExceeded where not even the smallest thing has room."""
        with self._lock:
            self._check(repository, charge(0))

    def _check(self, repository: str, more: int) -> None:
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize - more < self._limits.spare_bytes:
            raise DiskFull(f"the disk has no room for {more} bytes more")
        most, most_of_all = self._limits.repository_bytes, self._limits.environment_bytes
        if most is None and most_of_all is None:
            return
        environment = self._limits.environment_of(repository)
        kept, kept_of_all = self._index.usage(repository)
        coming = [(upload.repository, charge(upload.admitted)) for upload in self._uploads()]
        for name, size in (*coming, *self._promised.items()):
            kept += size if name == repository else 0
            kept_of_all += size if self._limits.environment_of(name) == environment else 0
        if most is not None and kept + more > most:
            raise QuotaExceeded(
                f"repository '{repository}' has {kept} of the {most} bytes it may have, and {more} more would come"
            )
        if most_of_all is not None and kept_of_all + more > most_of_all:
            raise QuotaExceeded(
                f"environment '{environment}' has {kept_of_all} of the {most_of_all} bytes it may have, "
                f"and {more} more would come"
            )
