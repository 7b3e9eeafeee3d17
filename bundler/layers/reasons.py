"""Why a layer was made anew: what it is made of, held against what it was made of the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.cache import Cache

_KIND: Final = "parts"
_NAMED: Final = 3


def reason(cache: Cache, history: str, slot: str, parts: Mapping[str, str], *, is_found: bool) -> str:
    """Return why a layer is made anew, empty when it is there; what it is made of is remembered.

    Args:
        cache: holds what it was made of.
        history: names the project among those that share the cache; empty for none.
        slot: names the layer in the image: ``project``, ``wheel numpy``.
        parts: what it is made of, by name, as texts that differ when they differ.
        is_found: whether the cache has the layer.
    """
    key = f"{history}\0{slot}"
    earlier = cache.recall(_KIND, key) if history else None
    if history and earlier != dict(parts):
        cache.remember(_KIND, key, parts)
    if is_found:
        return ""
    if earlier is None:
        return "not in the cache"
    changes = _changes(earlier, parts)
    if not changes:
        return "its entry in the cache was missing or damaged"
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return ", ".join(changes[:_NAMED]) + more


def _changes(earlier: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    changes = []
    for name in sorted({*earlier, *now}):
        before, after = earlier.get(name), now.get(name)
        if before is None:
            changes.append(f"{name} added")
        elif after is None:
            changes.append(f"{name} removed")
        elif before != after:
            versions = [text.partition(" ")[0] for text in (before, after)]
            is_version = " " in before and versions[0] != versions[1]
            changes.append(f"{name} {versions[0]} to {versions[1]}" if is_version else f"{name} changed")
    return changes
