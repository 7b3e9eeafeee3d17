"""What a place that images are written to does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bundler.image.model import Bundle
from bundler.model import Progress


class Output(Protocol):
    """A place that a bundle can be written to."""

    async def write(self, bundle: Bundle, *, tags: Sequence[str], progress: Progress) -> str:
        """Write a bundle, or as much of it as is not there yet.

        Args:
            bundle: what is written.
            tags: names for it, ``v1``; a repository is not in them.
            progress: hears how far it is, by the name of each layer.

        Returns:
            By what it can be had from now on: ``host/name@sha256:…``, a path with the digest, the id of an image.
        """
