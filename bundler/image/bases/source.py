"""What a place that has base images does."""

from __future__ import annotations

from typing import Protocol

from bundler.image.model import BaseImage
from bundler.model import Platform


class BaseSource(Protocol):
    """A place that has an image to build upon."""

    async def image(self, platform: Platform, python: tuple[int, int]) -> BaseImage:
        """Return the image for a platform, with an interpreter of that version.

        Nothing is unpacked, and of a registry's layers nothing is read unless the interpreter must be looked for.

        Raises:
            BaseUnsuitable: it is for another platform, has no such interpreter, or another C library.
            BaseInvalid: it contradicts itself.
            BaseUnreadable: it cannot be read.
        """
