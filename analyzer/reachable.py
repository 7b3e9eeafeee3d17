"""What can be reached in a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

T = TypeVar("T", bound="Hashable")


def reachable(starts: Iterable[T], following: Callable[[T], Iterable[T]]) -> list[T]:
    """Return what can be reached from the starts, these first, each once; in the same order each time.

    Args:
        starts: where to begin.
        following: gives what one step leads to.
    """
    found = dict.fromkeys(starts)
    pending = list(found)
    while pending:
        for other in following(pending.pop()):
            if other not in found:
                found[other] = None
                pending.append(other)
    return list(found)
