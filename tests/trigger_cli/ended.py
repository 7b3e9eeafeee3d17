"""How a command ended, as the tests see it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """Exit code and what was written."""

    code: int
    out: str
    err: str


Trigger = Callable[..., Ended]
"""Runs a command line given as words."""
