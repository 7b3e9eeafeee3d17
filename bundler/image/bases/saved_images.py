"""An image in the archive that ``docker save`` and ``podman save`` write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bundler.cache import Cache
from bundler.image.bases.contents import Contents, Stored
from bundler.image.bases.description import MOST_CONFIG, diff_ids_of, json_object, platform_of
from bundler.image.bases.local_image import Parts, Wanted, described, local_image
from bundler.image.bases.selection import fits
from bundler.image.errors import BaseInvalid, BaseUnsuitable
from bundler.image.model import BaseImage

_MOST_MANIFEST: Final = 1 << 22


def saved_image(contents: Contents, tag: str, wanted: Wanted, cache: Cache, name: str) -> BaseImage:
    """Return the image for a platform in an archive.

    Args:
        contents: the files of the archive.
        tag: which of several images, ``host/name:tag``; empty for the only one.
        wanted: what is wanted of it.
        cache: keeps what is found in layers.
        name: of the image, for people.

    Raises:
        BaseInvalid: it is no such archive, contradicts itself, or has several images and no tag says which.
        BaseUnsuitable: it has none for that platform.
    """
    listed = [entry for entry in _entries(contents, name) if not tag or _is_called(entry, tag)]
    if not listed:
        raise BaseInvalid(f"{name} has no image called {tag!r}" if tag else f"{name} has no image")
    configs = [(entry, _file(contents, entry.get("Config"), name)) for entry in listed]
    read = [
        (entry, stored, json_object(stored.read(MOST_CONFIG, name), f"the config of {name}"))
        for entry, stored in configs
    ]
    found = {stored.digest: (entry, config) for entry, stored, config in read if fits(config, wanted.platform)}
    if not found:
        platforms = sorted({"/".join(part for part in platform_of(config) if part) for _, _, config in read})
        raise BaseUnsuitable(f"{name} is not for {wanted.platform}, but for {', '.join(platforms)}")
    if len(found) > 1:
        names = ", ".join(sorted(tag for entry in listed for tag in entry.get("RepoTags") or ()))
        raise BaseInvalid(
            f"{name} has {len(found)} images for {wanted.platform}", detail=names, hint="Say which: tar:FILE:NAME:TAG."
        )
    ((digest, (entry, config)),) = found.items()
    files = entry.get("Layers")
    if not isinstance(files, list) or not files:
        raise BaseInvalid(f"{name} has no layers")
    stored_layers = [_file(contents, file, name) for file in files]
    diff_ids = diff_ids_of(config, len(files), name)
    layers = [(described(stored, diff_id), stored) for stored, diff_id in zip(stored_layers, diff_ids, strict=True)]
    return local_image(Parts(name=name, digest=digest, config=config, layers=layers), wanted, cache)


def _entries(contents: Contents, name: str) -> list[Mapping[str, Any]]:
    stored = contents.find("manifest.json")
    try:
        entries = json.loads(stored.read(_MOST_MANIFEST, "manifest.json")) if stored is not None else None
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BaseInvalid(f"{name} has no list of images")
    return entries


def _file(contents: Contents, file: object, name: str) -> Stored:
    stored = contents.find(file) if isinstance(file, str) else None
    if stored is None:
        raise BaseInvalid(f"{name} is not complete: it lacks {str(file)[:200]!r}")
    return stored


def _is_called(entry: Mapping[str, Any], tag: str) -> bool:
    names = entry.get("RepoTags")
    return isinstance(names, list) and tag in names
