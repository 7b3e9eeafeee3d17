"""How much a registry keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB
BLOCK: Final = 4096


def first_component(repository: str) -> str:
    """Return the first part of a repository's name: ``prod`` of ``prod/app``."""
    return repository.partition("/")[0]


def charge(size: int) -> int:
    """Return the bytes that something counts for: even the smallest takes a block of the disk."""
    return max(size, BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one registry; None is no limit. Open uploads count as what they have so far.

    Attributes:
        repository_bytes: most bytes of one repository.
        environment_bytes: most bytes of all repositories of one environment; what several have counts once.
        environment_of: which environment a repository belongs to.
        blob_bytes: most bytes of one blob.
        manifest_bytes: most bytes of one manifest; the protocol asks for 4 MiB at least.
        spare_bytes: free bytes of the disk below which nothing more is taken, so that a database beside can go on.
        uploads: most uploads of one environment that are open at once.
        upload_ttl_s: seconds without a byte after which an upload is given up.
        stall_s: seconds that a request may send nothing.
        grace_s: seconds that what nothing refers to is kept since it was pushed, or a client was told that it is there.
    """

    repository_bytes: int | None = None
    environment_bytes: int | None = None
    environment_of: Callable[[str], str] = first_component
    blob_bytes: int = 16 * GIB
    manifest_bytes: int = 4 * MIB
    spare_bytes: int = 64 * MIB
    uploads: int = 256
    upload_ttl_s: float = 3600.0
    stall_s: float = 60.0
    grace_s: float = 3600.0
