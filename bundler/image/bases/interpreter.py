"""The Python in a base: where it is, and whether programs for this platform and GNU's C library run there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bundler.image.bases.layer_contents import LayerContents
from bundler.image.config import environment_of
from bundler.image.errors import BaseUnsuitable
from bundler.model import Platform

_OFFICIAL: Final = "/usr/local/bin"
_TRACES: Final = frozenset(("GPG_KEY", "PYTHON_PIP_VERSION", "PYTHON_SHA256"))
"""What the official images set beside their version; other images set that alone, and have Python elsewhere."""
_USUAL: Final = ("/usr/local/bin", "/usr/bin", "/bin")
_OPTIONAL: Final = re.compile(r"/opt/(?:[^/]+/){1,3}bin/[^/]+")
_MUSL_TRACES: Final = re.compile(r"\bapk\s+(?:add|--)|alpine-minirootfs")
_GLIBC: Final = {"buster": (2, 28), "bullseye": (2, 31), "bookworm": (2, 36), "trixie": (2, 41), "forky": (2, 42)}
"""Releases of Debian that official images were made of, and their C libraries."""
_DEBIAN: Final = re.compile(rf"\b(?:{'|'.join(_GLIBC)})\b")
_VERSION: Final = re.compile(r"(\d{1,2})\.(\d{1,3})(?:[.\w+-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python in a base.

    Attributes:
        path: absolute.
        glibc: version of the C library beside it; None when it was not looked for.
    """

    path: str
    glibc: tuple[int, int] | None = None


def stated_interpreter(config: Mapping[str, Any], python: tuple[int, int], where: str) -> Interpreter | None:
    """Return the interpreter that an image has by its own words, as the official ones do; None when it must be looked.

    Raises:
        BaseUnsuitable: by its own words it has another version.
    """
    env = environment_of(config)
    found = _VERSION.fullmatch(env.get("PYTHON_VERSION", ""))
    if found is None or not _TRACES & env.keys() or _OFFICIAL not in env.get("PATH", "").split(":"):
        return None
    version = int(found[1]), int(found[2])
    if version != python:
        raise _no_interpreter(where, python, [f"{version[0]}.{version[1]}"])
    steps = _steps(config)
    if _MUSL_TRACES.search(steps):
        return None
    named = _DEBIAN.search(steps) or _DEBIAN.search(where)
    return Interpreter(path=f"{_OFFICIAL}/{_name(python)}", glibc=_GLIBC[named[0]] if named else None)


def found_interpreter(
    config: Mapping[str, Any],
    layers: Sequence[LayerContents],
    *,
    python: tuple[int, int],
    platform: Platform,
    where: str,
    path: str = "",
) -> Interpreter:
    """Return the interpreter that is in the layers of an image.

    Args:
        config: its config.
        layers: what they hold, from the bottom up.
        python: the version that is wanted.
        platform: what it must run on.
        where: names the image, for errors.
        path: where it is by the word of the user; empty to look for it.

    Raises:
        BaseUnsuitable: there is none, it is for another machine, or the C library is another.
    """
    merged = _merged(layers)
    if merged.has_musl and not merged.glibc:
        raise BaseUnsuitable(
            f"{where} has musl as its C library, and wheels are chosen for GNU's",
            hint="Choose a base with glibc: an image of Debian, Ubuntu, Fedora or Wolfi, not of Alpine.",
        )
    if not path:
        path = _first(_in_order(merged.interpreters, config), _name(python))
        if not path:
            versions = {name.rpartition("/python")[2] for name in merged.interpreters}
            raise _no_interpreter(where, python, sorted(versions, key=_numbers))
    architecture = merged.architectures.get(path.lstrip("/"), platform.architecture)
    if architecture != platform.architecture:
        raise BaseUnsuitable(f"{path} in {where} is not for {platform}, but for {platform.os}/{architecture}")
    glibc = (merged.glibc[0], merged.glibc[1]) if merged.glibc else None
    return Interpreter(path=path, glibc=glibc)


def _merged(layers: Sequence[LayerContents]) -> LayerContents:
    """Return what is left of all when each layer has taken away what it does."""
    interpreters: dict[str, None] = {}
    architectures: dict[str, str] = {}
    has_musl, glibc = False, ()
    for layer in layers:
        for name in list(interpreters):
            if _is_gone(name, layer):
                del interpreters[name]
        for name in layer.interpreters:
            interpreters[name] = None
            architectures.pop(name, None)
        architectures.update(layer.architectures)
        has_musl = has_musl or layer.has_musl
        glibc = layer.glibc or glibc  # type: ignore[assignment]  # a tuple of two, or none
    return LayerContents(
        diff_id="", size=0, interpreters=tuple(interpreters), architectures=architectures, has_musl=has_musl,
        glibc=glibc,
    )  # fmt: skip


def _is_gone(name: str, layer: LayerContents) -> bool:
    return any(name == gone or name.startswith(f"{gone}/") for gone in layer.removed) or any(
        not folder or name.startswith(f"{folder}/") for folder in layer.emptied
    )


def _in_order(interpreters: Sequence[str], config: Mapping[str, Any]) -> list[str]:
    """Return absolute paths: first those on PATH, then those in the usual places."""
    known = {f"/{name}" for name in interpreters}
    folders = dict.fromkeys([*environment_of(config).get("PATH", "").split(":"), *_USUAL])
    listed = [path for folder in folders for path in sorted(known) if path.rpartition("/")[0] == folder.rstrip("/")]
    optional = sorted(path for path in known if _OPTIONAL.fullmatch(path))
    return [*listed, *optional]


def _first(paths: Sequence[str], name: str) -> str:
    return next((path for path in paths if path.rpartition("/")[2] == name), "")


def _steps(config: Mapping[str, Any]) -> str:
    """Return how an image was made, a line each."""
    history = config.get("history")
    return "\n".join(str(step.get("created_by", "")) for step in history or () if isinstance(step, Mapping))


def _name(python: tuple[int, int]) -> str:
    return f"python{python[0]}.{python[1]}"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _no_interpreter(where: str, python: tuple[int, int], versions: Sequence[str]) -> BaseUnsuitable:
    wanted = f"{python[0]}.{python[1]}"
    has = f"; it has {' and '.join(versions)}" if versions else ""
    return BaseUnsuitable(
        f"{where} has no Python {wanted}{has}",
        hint=f'Choose a base with Python {wanted}, or say where it is: python = "/opt/python/bin/python{wanted}".',
    )
