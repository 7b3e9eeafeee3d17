"""The project's interpreter, as far as a build depends on it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bundler.errors import InterpreterUnusable

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.cache import Cache

_KIND: Final = "interpreter"
_SECONDS: Final = 60.0
_ASKED: Final = (
    "import sys, json, importlib.util as u;"
    "print(json.dumps([list(sys.version_info[:2]), sys.implementation.name, sys.version, u.MAGIC_NUMBER.hex()]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python interpreter of this machine.

    Attributes:
        path: the executable; of a virtual environment, the link in it.
        version: ``(3, 11)``.
        implementation: ``cpython``.
        build: the whole text of ``sys.version``.
        magic: number of its bytecode, in hexadecimal digits.
    """

    path: Path
    version: tuple[int, int]
    implementation: str
    build: str
    magic: str


def read_interpreter(path: Path, cache: Cache) -> Interpreter:
    """Ask an interpreter what it is; what it said is remembered until its file changes.

    Raises:
        InterpreterUnusable: it cannot be run.
    """
    place = path.resolve()
    try:
        stat = place.stat()
    except OSError as error:
        raise InterpreterUnusable(f"{path} cannot be run: {error.strerror}", where=str(path)) from error
    # The link's own path: an environment's interpreter is one file with the interpreter that it was made of.
    key = f"{path}\0{place}\0{stat.st_mtime_ns}\0{stat.st_size}"
    known = cache.recall(_KIND, key)
    if known is None:
        version, name, full, magic = json.loads(_answer(path))
        known = {"version": version, "name": name, "full": full, "magic": magic}
        cache.remember(_KIND, key, known)
    major, minor = known["version"]
    return Interpreter(
        path=path, version=(major, minor), implementation=known["name"], build=known["full"], magic=known["magic"]
    )


def _answer(path: Path) -> bytes:
    try:
        done = subprocess.run(
            [str(path), "-I", "-S", "-c", _ASKED], capture_output=True, check=False, timeout=_SECONDS,
            stdin=subprocess.DEVNULL, env=dict(os.environ),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InterpreterUnusable(f"{path} cannot be run: {error}", where=str(path)) from error
    if done.returncode:
        detail = done.stderr.decode(errors="replace")[-2_000:]
        raise InterpreterUnusable(f"{path} ended with code {done.returncode}", detail=detail, where=str(path))
    return done.stdout
