"""The virtual environment that everything installed in an image lies in, but for what is installed: its frame.

The interpreter is the base image's: ``bin/python`` leads to it, and ``pyvenv.cfg`` beside it makes it look for packages
here and not in the base. So nothing that the base has installed for itself can get between a job and its lock.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bundler.layers.layer_writer import LayerWriter
    from bundler.layers.scheme import Scheme

_VERSION: Final = re.compile(r"/python(\d+\.\d+)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment in an image.

    Attributes:
        scheme: where things go; its ``data`` is the environment's folder.
        base_python: absolute path of the base image's interpreter: ``/usr/local/bin/python3.11``.
    """

    scheme: Scheme
    base_python: str

    def __post_init__(self) -> None:
        if not self.base_python.startswith("/") or not self.base_python.isprintable():
            message = f"the base's interpreter is an absolute path, not {self.base_python!r}"
            raise ValueError(message)

    def add_to(self, writer: LayerWriter) -> None:
        """Add the folders above, ``pyvenv.cfg`` and the links to the interpreter."""
        version = self._version
        lines = (
            f"home = {posixpath.dirname(self.base_python)}",
            "include-system-site-packages = false",
            f"version = {version}",
        )
        writer.file(f"{self.scheme.data}/pyvenv.cfg", "".join(f"{line}\n" for line in lines).encode())
        writer.link(f"{self.scheme.scripts}/python", self.base_python)
        for name in ("python3", f"python{version}"):
            writer.link(f"{self.scheme.scripts}/{name}", "python")

    @property
    def _version(self) -> str:
        found = _VERSION.search(f"/{self.scheme.purelib}/")
        if found is None:
            message = f"{self.scheme.purelib} is no folder of a Python version"
            raise ValueError(message)
        return found[1]
