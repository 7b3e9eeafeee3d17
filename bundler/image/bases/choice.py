"""Which source of base images a text means."""

from __future__ import annotations

from pathlib import Path

from bundler.cache import Cache
from bundler.docker.engine import Engine
from bundler.image.bases.engine import EngineBase
from bundler.image.bases.layout import LayoutBase
from bundler.image.bases.registry import RegistryBase
from bundler.image.bases.source import BaseSource
from bundler.image.bases.tarball import TarballBase
from bundler.image.errors import BaseUnreadable
from bundler.registry.client import RegistryClient
from bundler.registry.reference import Reference


def base_source(
    text: str,
    *,
    client: RegistryClient,
    cache: Cache,
    folder: Path,
    engine: Engine | None = None,
    interpreter: str = "",
) -> BaseSource:
    """Return the source of base images that a text means.

    Args:
        text: ``host/name:tag``, ``oci:DIR``, ``oci:DIR:TAG``, ``tar:FILE``, ``tar:FILE:NAME:TAG`` or ``docker:NAME``;
            empty for the slim image of the Python that will be asked for.
        client: asks registries.
        cache: keeps what is found.
        folder: what relative paths are relative to.
        engine: for ``docker:NAME``; None when there is none.
        interpreter: absolute path of the Python in the image; empty to find it.

    Raises:
        ReferenceInvalid: it names no image.
        BaseUnreadable: there is no such file, no such folder, or no engine.
    """
    kind, colon, rest = text.partition(":")
    if colon and kind in {"oci", "tar", "docker"} and not rest:
        raise BaseUnreadable(f"'{text}' does not say which image")
    if kind == "oci" and colon:
        path, tag = _split(folder, rest)
        return LayoutBase(path, tag, cache=cache, interpreter=interpreter)
    if kind == "tar" and colon:
        path, tag = _split(folder, rest)
        return TarballBase(path, tag, cache=cache, interpreter=interpreter)
    if kind == "docker" and colon:
        if engine is None:
            raise BaseUnreadable(f"'{text}' needs a Docker engine, and there is none")
        return EngineBase(rest, engine=engine, cache=cache, interpreter=interpreter)
    reference = Reference.parse(text) if text else None
    return RegistryBase(reference, client=client, cache=cache, interpreter=interpreter)


def _split(folder: Path, text: str) -> tuple[Path, str]:
    """Return path and tag: the longest path that there is, and what stands behind it."""
    parts = text.split(":")
    for count in range(len(parts), 0, -1):
        path = folder / ":".join(parts[:count])
        if path.exists():
            return path, ":".join(parts[count:])
    raise BaseUnreadable(f"there is no file or folder '{text}'", where=str(folder / text))
