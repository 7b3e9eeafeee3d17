"""Whether there is room: on the disk, and within what a repository and an environment may have."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
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

    def admit(self, upload: Upload, more: int) -> None:
        """Let an upload grow by some bytes, or raise ContentTooLarge, DiskFull or QuotaExceeded."""
        check_size(upload.offset + more, self._limits.blob_bytes)
        self.check(upload.repository, more)

    def check(self, repository: str, more: int) -> None:
        """Let a repository grow by some bytes, or raise DiskFull or QuotaExceeded."""
        disk = os.statvfs(self._folder)
        if disk.f_bavail * disk.f_frsize - more < self._limits.spare_bytes:
            raise DiskFull(f"the disk has no room for {more} bytes more")
        most, most_of_all = self._limits.repository_bytes, self._limits.environment_bytes
        if most is None and most_of_all is None:
            return
        environment = self._limits.environment_of(repository)
        kept, kept_of_all = self._index.usage(repository)
        for upload in self._uploads():
            kept += upload.offset if upload.repository == repository else 0
            kept_of_all += upload.offset if self._limits.environment_of(upload.repository) == environment else 0
        if most is not None and kept + charge(more) > most:
            raise QuotaExceeded(
                f"repository '{repository}' has {kept} of the {most} bytes it may have, and {more} more would come"
            )
        if most_of_all is not None and kept_of_all + charge(more) > most_of_all:
            raise QuotaExceeded(
                f"environment '{environment}' has {kept_of_all} of the {most_of_all} bytes it may have, "
                f"and {more} more would come"
            )
