"""What the engine needs of a database; SQLite is one driver, PostgreSQL can be another."""

from __future__ import annotations

from typing import Protocol


class Store(Protocol):
    """A database that is not yet open."""
