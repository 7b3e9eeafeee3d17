"""An image whose parts are on this machine: each is hashed before it is believed, and each layer looked into once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bundler.cache import Cache
from bundler.image.bases.contents import Stored
from bundler.image.bases.description import LayerDescription, platform_of
from bundler.image.bases.interpreter import Interpreter, found_interpreter, stated_interpreter
from bundler.image.bases.layer_contents import LayerContents, layer_contents
from bundler.image.bases.selection import fits
from bundler.image.errors import BaseInvalid, BaseUnsuitable
from bundler.image.inflating import GZIP, ZSTD
from bundler.image.model import BaseImage, BaseLayer
from bundler.model import Digest, Platform

_TAR: Final = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of a base.

    Attributes:
        platform: what it must run on.
        python: version of the interpreter that it must have.
        interpreter: where that is by the word of the user; empty to look for it.
    """

    platform: Platform
    python: tuple[int, int]
    interpreter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of an image.

    Attributes:
        name: for people.
        digest: by which it is known.
        config: its config.
        layers: what is said of each, and its bytes; None for one that may not be distributed.
    """

    name: str
    digest: Digest
    config: Mapping[str, Any]
    layers: Sequence[tuple[LayerDescription, Stored | None]]


def local_image(parts: Parts, wanted: Wanted, cache: Cache) -> BaseImage:
    """Return an image of which all is on this machine.

    Raises:
        BaseInvalid: a layer is not what the config says.
        BaseUnsuitable: jobs of this project cannot run on it.
    """
    if not fits(parts.config, wanted.platform):
        stated = "/".join(part for part in platform_of(parts.config) if part) or "no platform that it tells"
        raise BaseUnsuitable(f"{parts.name} is not for {wanted.platform}, but for {stated}")
    contents = [
        _looked_into(description, stored, cache, f"layer {number} of {parts.name}")
        for number, (description, stored) in enumerate(parts.layers, 1)
    ]
    interpreter = _interpreter(parts, contents, wanted)
    return BaseImage(
        name=parts.name, reference="", digest=parts.digest, config=parts.config,
        layers=tuple(_layer(description, stored) for description, stored in parts.layers),
        platform=wanted.platform, python=interpreter.path, glibc=interpreter.glibc,
    )  # fmt: skip


def described(stored: Stored, diff_id: Digest) -> LayerDescription:
    """Return the description of a layer of which nothing but its bytes is known; they say how they are packed."""
    with stored.open() as stream:
        head = stream.read(len(ZSTD))
    packing = "+gzip" if head.startswith(GZIP) else "+zstd" if head == ZSTD else ""
    return LayerDescription(digest=stored.digest, size=stored.size, media_type=_TAR + packing, diff_id=diff_id, urls=())


def _looked_into(
    description: LayerDescription, stored: Stored | None, cache: Cache, where: str
) -> LayerContents | None:
    """Return what is in a layer, None for one that cannot be looked into."""
    if stored is None or description.media_type.endswith("+zstd"):
        return None
    found = layer_contents(description.digest, stored.open, cache, where)
    if found.diff_id != description.diff_id:
        raise BaseInvalid(f"{where} unpacks to {found.diff_id}, where the config says {description.diff_id}")
    return found


def _interpreter(parts: Parts, contents: Sequence[LayerContents | None], wanted: Wanted) -> Interpreter:
    known = [each for each in contents if each is not None]
    if len(known) == len(contents):
        return found_interpreter(
            parts.config, known, python=wanted.python, platform=wanted.platform, where=parts.name,
            path=wanted.interpreter,
        )  # fmt: skip
    if wanted.interpreter:
        return Interpreter(path=wanted.interpreter)
    stated = stated_interpreter(parts.config, wanted.python, parts.name)
    return stated if stated is not None else cannot_be_seen(parts.name, wanted.python)


def cannot_be_seen(name: str, python: tuple[int, int]) -> Interpreter:
    """Raise the problem that the layers of an image are packed in a way that cannot be read here."""
    raise BaseUnsuitable(
        f"{name} has layers that cannot be looked into here, and does not say which Python is in it",
        hint=f'Say where the interpreter is: python = "/usr/bin/python{python[0]}.{python[1]}"; or pack it with gzip.',
    )


def _layer(description: LayerDescription, stored: Stored | None) -> BaseLayer:
    return BaseLayer(
        digest=description.digest, size=description.size, media_type=description.media_type,
        diff_id=description.diff_id, urls=description.urls, open=stored.open if stored is not None else None,
    )  # fmt: skip
