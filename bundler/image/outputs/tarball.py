"""Into one file, which ``docker load``, ``podman load`` and skopeo read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from bundler.image.errors import OutputFailed, OutputInvalid
from bundler.image.model import Bundle
from bundler.image.outputs.archive import archive_pieces, entries_of
from bundler.image.outputs.reading import LayerReader, counted, ordered, told
from bundler.model import Progress

UNNAMED = ("latest",)
"""What a bundle is called for which no tag is given, as Docker does."""


class TarballOutput:
    """A file; one that is there is replaced when the new one is complete.

    Args:
        file: the file.
        repository: ``host/name`` for its names; empty for an archive without names.
        reader: gives the layers of the base.
    """

    def __init__(self, file: Path, *, repository: str, reader: LayerReader) -> None:
        self._file = file
        self._repository = repository
        self._reader = reader

    async def write(self, bundle: Bundle, *, tags: Sequence[str], progress: Progress) -> str:
        """Write the file and return its path with the digest; see :class:`bundler.image.outputs.output.Output`."""
        if self._file.is_dir():
            raise OutputInvalid(
                f"'{self._file.name}' is a folder", hint="Name a file: tar:FILE.", where=str(self._file)
            )
        images = ordered(bundle)
        blobs = await self._reader.blobs(images, progress)
        if bundle.index is not None:
            blobs[bundle.index.digest] = bundle.index
        tags = tags or UNNAMED
        names = [f"{self._repository}:{tag}" for tag in tags] if self._repository else []
        entries = entries_of(bundle.top, tags, repository=self._repository)
        pieces = archive_pieces(images, blobs, entries, names)
        with told(progress, self._file.name, sum(blob.size for blob in blobs.values())) as advance:
            await asyncio.to_thread(replace_file, self._file, counted(pieces, advance))
        return f"{self._file}@{bundle.digest}"


def replace_file(file: Path, pieces: Iterable[bytes]) -> None:
    """Write a file beside its place, and move it there when it is complete.

    Raises:
        OutputFailed: there is no space, or no permission.
    """
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as out:
                out.writelines(pieces)
            partial.replace(file)
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
    except OSError as error:
        raise OutputFailed(f"'{file.name}' cannot be written: {error.strerror or error}", where=str(file)) from error
