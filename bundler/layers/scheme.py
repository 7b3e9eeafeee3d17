"""Where the parts of a wheel go in the image."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

_USUAL: Final = ("bin", "etc", "include", "lib", "lib64", "man", "sbin", "share", "src")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Folders in the image, without a slash in front or behind.

    Attributes:
        purelib: for modules of Python.
        platlib: for modules with machine code.
        scripts: for programs.
        headers: for headers of C, a folder for each distribution is made in it.
        data: for everything else.
        interpreter: absolute path of the image's interpreter, for the first lines of scripts.
        existing: folders that the base image has. Layers leave them alone: an entry for one would replace a link that
            may stand in its place, and its mode.
    """

    purelib: str
    platlib: str
    scripts: str
    headers: str
    data: str
    interpreter: str
    existing: frozenset[str] = frozenset()

    @classmethod
    def of_prefix(cls, prefix: str, python: tuple[int, int], *, interpreter: str = "") -> Scheme:
        """Return the scheme of an interpreter that is installed under a prefix, as in the official images.

        Args:
            prefix: ``/usr/local``.
            python: its version.
            interpreter: its path where it is not ``PREFIX/bin/pythonX.Y``.
        """
        root = prefix.strip("/")
        version = f"python{python[0]}.{python[1]}"
        site = f"{root}/lib/{version}/site-packages"
        existing = {*_and_above(site), *(f"{root}/{name}" for name in _USUAL), f"{root}/include/{version}"}
        return cls(
            purelib=site,
            platlib=site,
            scripts=f"{root}/bin",
            headers=f"{root}/include/{version}",
            data=root,
            interpreter=interpreter or f"/{root}/bin/{version}",
            existing=frozenset(existing),
        )

    @classmethod
    def of_environment(cls, prefix: str, python: tuple[int, int]) -> Scheme:
        """Return the scheme of a virtual environment that the layers make themselves, of which the base has nothing.

        Engines give folders that no layer has an entry for a mode of their own (Docker 20.10: one that only root may
        enter), so every layer has entries for all of them.

        Args:
            prefix: ``/opt/trigger``.
            python: version of its interpreter, which is at ``PREFIX/bin/python``.
        """
        root = prefix.strip("/")
        site = f"{root}/lib/python{python[0]}.{python[1]}/site-packages"
        return cls(
            purelib=site,
            platlib=site,
            scripts=f"{root}/bin",
            headers=f"{root}/include/site/python{python[0]}.{python[1]}",
            data=root,
            interpreter=f"/{root}/bin/python",
        )

    @classmethod
    def of_folder(cls, folder: str, interpreter: str, *, existing: frozenset[str] = frozenset()) -> Scheme:
        """Return the scheme of a folder of its own that is put on ``sys.path``, like that of ``pip --target``.

        Args:
            folder: ``/opt/app/lib``; programs go into its ``bin``.
            interpreter: absolute path of the image's interpreter.
            existing: folders above it that the base image has.
        """
        root = folder.strip("/")
        return cls(
            purelib=root, platlib=root, scripts=f"{root}/bin", headers=f"{root}/include", data=root,
            interpreter=interpreter, existing=existing,
        )  # fmt: skip

    def identity(self) -> str:
        """Return a text that differs when a layer would."""
        return json.dumps({**asdict(self), "existing": sorted(self.existing)}, sort_keys=True)


def _and_above(folder: str) -> set[str]:
    parts = folder.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
