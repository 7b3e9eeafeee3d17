"""The SQLite driver."""

from __future__ import annotations

from pathlib import Path


class SqliteStore:
    """A database in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
