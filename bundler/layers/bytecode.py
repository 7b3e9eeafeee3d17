"""Ahead-of-time bytecode, made by an interpreter of the image's version in a process of its own.

Dependencies get plain bytecode that is never held against its source (``unchecked-hash``): nobody edits an image. The
project's modules get what the worker would make on first import, instrumented; the SDK makes it (``python -m
trigger_sdk.precompile``), since how it instruments is its own affair. Either speaks in frames, see
:mod:`bundler.layers.in_interpreter.compile_sources`.

Bytecode ties the digest of a layer to the interpreter that made it, and to zlib: with other ones, other bytes.
"""

from __future__ import annotations

import os
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bundler.errors import BytecodeFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.interpreter import Interpreter
    from bundler.model import Target

_SCRIPT: Final = Path(__file__).parent / "in_interpreter" / "compile_sources.py"
_LENGTH: Final = struct.Struct(">L")
_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytecode:
    """A module's bytecode.

    Attributes:
        place: its path in the image, without a slash in front.
        content: what is in the file.
        stream: the content as a raw deflate stream.
    """

    place: str
    content: bytes
    stream: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Nothing is compiled ahead of time.

    Attributes:
        reason: why, for people.
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """An interpreter that compiles.

    Attributes:
        interpreter: its path.
        identity: text that differs when its bytecode may.
    """

    interpreter: Path
    identity: str

    def plain(self, sources: Sequence[tuple[str, bytes]]) -> list[Bytecode]:
        """Return the bytecode of sources, given with their places; of those that do not compile, none."""
        return self._compile(["-S", str(_SCRIPT)], sources, {"PYTHONPATH"})

    def instrumented(self, sources: Sequence[tuple[str, bytes]]) -> list[Bytecode]:
        """Return the bytecode of the project's sources, as the worker would make it."""
        return self._compile(["-m", "trigger_sdk.precompile"], sources, set())

    def _compile(self, arguments: list[str], sources: Sequence[tuple[str, bytes]], without: set[str]) -> list[Bytecode]:
        if not sources:
            return []
        keep = {"PYTHONPATH"} - without
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON") or key in keep}
        asked = b"".join(_frame(f"/{place}".encode()) + _frame(source) for place, source in sources)
        answer = _run([str(self.interpreter), "-P", *arguments], asked, {**environment, "PYTHONHASHSEED": "0"})
        return list(_bytecodes(_frames(answer)))


def compiler_for(target: Target, interpreter: Interpreter) -> Compiler | Skipped:
    """Return what compiles for a target, or why nothing does: bytecode is of one version of Python alone.

    Args:
        target: what the image has.
        interpreter: of the project.
    """
    wanted = ".".join(map(str, target.python))
    if interpreter.implementation != "cpython" or interpreter.version != target.python:
        found = f"{interpreter.implementation} {'.'.join(map(str, interpreter.version))}"
        return Skipped(reason=f"no bytecode: the image has Python {wanted}, and {interpreter.path} is {found}")
    identity = f"{interpreter.build}\0{interpreter.magic}\0zlib {zlib.ZLIB_RUNTIME_VERSION}"
    return Compiler(interpreter=interpreter.path, identity=identity)


def _run(command: list[str], asked: bytes, environment: dict[str, str]) -> bytes:
    try:
        done = subprocess.run(command, input=asked, capture_output=True, check=False, env=environment, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BytecodeFailed(f"{command[0]} cannot be run: {error}", where=command[0]) from error
    if done.returncode:
        detail = done.stderr.decode(errors="replace")[-2_000:]
        raise BytecodeFailed(f"{command[0]} ended with code {done.returncode}", detail=detail, where=command[0])
    return done.stdout


def _frame(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


def _frames(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        if len(data) - at < _LENGTH.size:
            raise BytecodeFailed("the compiling interpreter broke off")
        (size,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size + size
        if at > len(data):
            raise BytecodeFailed("the compiling interpreter broke off")
        yield data[at - size : at]


def _bytecodes(frames: Iterable[bytes]) -> Iterator[Bytecode]:
    iterator = iter(frames)
    for place in iterator:
        content = next(iterator, None)
        if content is None:
            raise BytecodeFailed("the compiling interpreter broke off")
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        yield Bytecode(
            place=place.decode().lstrip("/"), content=content, stream=packer.compress(content) + packer.flush()
        )
