"""Garbage collection in the pauses of the user's work, not while a check runs.

A check of a large project holds millions of objects; looking through them all for cycles takes longer than the check of
one edit, and would come at every third one.
"""

from __future__ import annotations

import gc
from typing import Final

IDLE_S: Final = 2.0
"""How long nothing must happen before it is a pause."""

_WHOLE_EVERY: Final = 20
"""How many pauses go by until one is used to look through what is old, too."""


class Tidying:
    """Collects garbage when told to. The process has switched off that it happens by itself."""

    def __init__(self) -> None:
        self._pauses = 0

    def in_pause(self) -> None:
        """Collect what came up since the last pause. What is left is old, and looked at rarely."""
        self._pauses += 1
        if self._pauses % _WHOLE_EVERY == 0:
            gc.unfreeze()
        gc.collect()
        gc.freeze()
