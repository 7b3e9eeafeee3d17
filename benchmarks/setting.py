"""What a family of benchmarks is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dev_server import DevServer, dev_server
from benchmarks.figures import Figure
from benchmarks.limits import Limits
from benchmarks.scale import Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and how large.

    Attributes:
        folder: a folder for projects and databases.
        scale: sizes of the loads.
        limits: measures the raw limits.
    """

    folder: Path
    scale: Scale
    limits: Limits

    def dev_server(self, name: str) -> AbstractContextManager[DevServer]:
        """Start `trigger dev` on a fresh project called ``name``, for the time of a block."""
        return dev_server(self.folder, name)


Family = Callable[[Setting], Iterator[Figure]]
"""Measures, and yields figures as they are known."""
