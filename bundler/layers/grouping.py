"""Which wheels share a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bundler.errors import TooManyLayers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model import Wheel

MOST_LAYERS: Final = 127
"""Layers that engines can stack on each other."""

BUDGET: Final = 10
"""Layers for dependencies, unless the settings say otherwise."""

_LARGE: Final = 1 << 20
"""A wheel below that size (1 MiB) gets no layer of its own. Were it to depend on the others only, then each small
addition to a lock would push another wheel out of its layer."""


def group(wheels: Sequence[Wheel], budget: int = BUDGET, *, taken: int = 0) -> list[tuple[Wheel, ...]]:
    """Return the wheels of each layer: the largest have one each, by name; the rest shares the last.

    Args:
        wheels: the locked wheels.
        budget: layers that they may take; at least one.
        taken: layers that the image has anyway: those of the base, the SDK and the project.

    Raises:
        TooManyLayers: nothing is left for dependencies.
    """
    if not wheels:
        return []
    room = min(max(budget, 1), MOST_LAYERS - taken)
    if room < 1:
        raise TooManyLayers(f"the image has {taken} layers without its dependencies; engines can stack {MOST_LAYERS}")
    sizes = {wheel.sha256: wheel.path.stat().st_size for wheel in wheels}
    by_size = sorted(wheels, key=lambda wheel: (-sizes[wheel.sha256], wheel.name))
    large = [wheel for wheel in by_size if sizes[wheel.sha256] >= _LARGE]
    own = large[: room if len(large) == len(wheels) <= room else room - 1]
    alone = sorted(own, key=lambda wheel: wheel.name)
    rest = tuple(sorted((wheel for wheel in wheels if wheel not in own), key=lambda wheel: wheel.name))
    return [*((wheel,) for wheel in alone), *([rest] if rest else [])]
