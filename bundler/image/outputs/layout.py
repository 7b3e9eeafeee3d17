"""Into a folder as OCI lays it out; one that is there is added to, and appears at once when it is new."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bundler.image.errors import OutputFailed, OutputInvalid
from bundler.image.model import Bundle
from bundler.image.outputs.archive import LAYOUT, REF_NAME, entries_of, index_json, place_of
from bundler.image.outputs.reading import LayerReader, counted, ordered, pieces_of, told
from bundler.image.outputs.sbom_artifact import EMPTY, sbom_artifact
from bundler.image.outputs.tarball import UNNAMED
from bundler.model import Blob, Digest, Progress

_MARK: Final = "oci-layout"
_INDEX: Final = "index.json"
_PARTIAL: Final = ".partial"
_MOST_JSON: Final = 1 << 24


class LayoutOutput:
    """A folder as OCI lays it out.

    A new one is made beside its place and moved there when it is complete. In one that is there, blobs appear whole,
    and then the index is replaced; what others have put there stays, but for the tags that are given anew. What a
    build that was ended has left is used by the next.

    Args:
        folder: the folder.
        reader: gives the layers of the base.
    """

    def __init__(self, folder: Path, *, reader: LayerReader) -> None:
        self._folder = folder
        self._reader = reader

    async def write(self, bundle: Bundle, *, tags: Sequence[str], progress: Progress) -> str:
        """Write the folder and return its path with the digest; see :class:`bundler.image.outputs.output.Output`."""
        await asyncio.to_thread(self._check)
        images = ordered(bundle)
        blobs = await self._reader.blobs(images, progress)
        if bundle.index is not None:
            blobs[bundle.index.digest] = bundle.index
        entries = entries_of(bundle.top, tags or UNNAMED)
        if tags:  # tools that are given no tag want to find one image alone
            for image in images:
                artifact = sbom_artifact(image)
                if artifact is not None:
                    blobs |= {blob.digest: blob for blob in (EMPTY, artifact.content, artifact.manifest)}
                    entries.append(artifact.entry())
        with told(progress, self._folder.name, sum(blob.size for blob in blobs.values())) as advance:
            await asyncio.to_thread(self._write, blobs, entries, advance)
        return f"{self._folder}@{bundle.digest}"

    def _check(self) -> bool:
        """Tell whether a layout is there already; OutputInvalid for anything else."""
        with _reported(self._folder):
            if not self._folder.exists() and not self._folder.is_symlink():
                return False
            if not self._folder.is_dir():
                raise OutputInvalid(f"'{self._folder.name}' is no folder", where=str(self._folder))
            if not any(self._folder.iterdir()):
                return False
            version = _read_json(self._folder / _MARK).get("imageLayoutVersion")
        if not isinstance(version, str) or not version.startswith("1."):
            raise OutputInvalid(
                f"'{self._folder.name}' is a folder with other things in it, and no OCI layout",
                hint="Name a folder that is new or empty, or an OCI layout.", where=str(self._folder),
            )  # fmt: skip
        return True

    def _write(
        self, blobs: Mapping[Digest, Blob], entries: Sequence[Mapping[str, Any]], advance: Callable[[int], None]
    ) -> None:
        with _reported(self._folder):
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            while True:
                is_there = self._check()
                target = self._folder if is_there else self._folder.with_name(f".{self._folder.name}{_PARTIAL}")
                with _locked(target, makes=not is_there) as is_same:
                    if not is_same or self._check() != is_there:
                        continue  # another build was faster: it has moved the folder, or made it
                    if not is_there:
                        _forget(target, blobs)
                    _fill(target, blobs, entries, advance)
                    if not is_there:
                        target.rename(self._folder)
                    return


def _forget(folder: Path, blobs: Mapping[Digest, Blob]) -> None:
    """Take out of a layout that was never finished what this build has not."""
    (folder / _INDEX).unlink(missing_ok=True)
    for path in folder.glob("blobs/sha256/*"):
        if f"sha256:{path.name}" not in blobs:
            path.unlink()


def _fill(
    folder: Path,
    blobs: Mapping[Digest, Blob],
    entries: Sequence[Mapping[str, Any]],
    advance: Callable[[int], None],
) -> None:
    """Put blobs into a layout, and then what makes them known."""
    (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    for path in (*folder.glob(f".*{_PARTIAL}"), *folder.glob(f"blobs/sha256/.*{_PARTIAL}")):
        path.unlink()  # left by a build that was ended: nobody else writes while the folder is locked
    for digest, blob in blobs.items():
        path = folder / place_of(digest)
        if _is_whole(path, blob):
            advance(blob.size)
        else:
            _replace(path, counted(pieces_of(blob), advance))
    if not (folder / _MARK).exists():
        _replace(folder / _MARK, iter((LAYOUT,)))
    known = _read_json(folder / _INDEX).get("manifests")
    _replace(folder / _INDEX, iter((index_json(_merged(known if isinstance(known, list) else [], entries)),)))


def _merged(known: Sequence[Mapping[str, Any]], added: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what an index lists afterwards: a tag means one image, and nothing is listed twice."""
    tags = {_tag(entry) for entry in added} - {""}
    untagged = {entry["digest"] for entry in added if not _tag(entry)}
    kept = [
        entry
        for entry in known
        if isinstance(entry, dict) and _tag(entry) not in tags and (_tag(entry) or entry.get("digest") not in untagged)
    ]
    return [*kept, *added]


def _tag(entry: Mapping[str, Any]) -> str:
    annotations = entry.get("annotations")
    return str(annotations.get(REF_NAME, "")) if isinstance(annotations, dict) else ""


def _is_whole(path: Path, blob: Blob) -> bool:
    """Tell whether a blob is there, every byte of it."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size != blob.size:
            return False
        with path.open("rb") as stream:
            return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}" == blob.digest
    except OSError:
        return False


def _replace(path: Path, pieces: Iterator[bytes]) -> None:
    """Write a file beside its place and move it there; the folder is locked, so that nobody else does."""
    partial = path.with_name(f".{path.name}{_PARTIAL}")
    try:
        with partial.open("wb") as out:
            out.writelines(pieces)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _read_json(path: Path) -> Mapping[str, Any]:
    """Return the JSON object in a file, an empty one when there is none."""
    try:
        with path.open("rb") as stream:
            found = json.loads(stream.read(_MOST_JSON))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


@contextmanager
def _locked(folder: Path, *, makes: bool) -> Iterator[bool]:
    """Hold the lock of a folder; gives whether it is still that folder when the lock is held.

    Args:
        folder: the folder.
        makes: whether it is made when it is not there.
    """
    if makes:
        folder.mkdir(exist_ok=True)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            now = folder.stat().st_ino
        except FileNotFoundError:
            now = 0
        yield now == os.fstat(descriptor).st_ino
    finally:
        os.close(descriptor)


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        fault = error.strerror or str(error)
        raise OutputFailed(f"'{folder.name}' cannot be written: {fault}", where=str(folder)) from error
