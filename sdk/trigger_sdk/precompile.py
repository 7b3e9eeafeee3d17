"""Compiles a project's modules ahead of time, as the worker would on first import.

``python -m trigger_sdk.precompile`` is for builders of images, which keep the result beside the sources. The worker
takes what fits its version of Python, its SDK and the source's text, and ignores anything else: this is never wrong, at
worst in vain.

Standard input is a sequence of pairs of frames, the path that a source will have and its text; a frame is its length
(four bytes, the highest first) and its bytes. Standard output is a sequence of such pairs for those that compile: the
path of the cache file, and its content.
"""

from __future__ import annotations

import struct
import sys
import warnings
from typing import TYPE_CHECKING, Final

from trigger_sdk._runtime import bytecode_cache
from trigger_sdk._runtime.instrument import compile_instrumented

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH: Final = struct.Struct(">L")


def precompiled(pairs: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the cache files of sources, given as path and text; none for those with errors."""
    for path, source in pairs:
        try:
            code = compile_instrumented(source, path)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            continue  # whoever imports it gets the error
        yield bytecode_cache.cache_path(path), bytecode_cache.pack(code, source)


def main() -> None:
    """Read everything, compile, write everything."""
    warnings.simplefilter("ignore")
    sys.pycache_prefix = None
    frames = _frames(sys.stdin.buffer.read())
    pairs = ((path.decode(), source) for path, source in zip(frames, frames, strict=True))
    for path, content in precompiled(pairs):
        for frame in (path.encode(), content):
            sys.stdout.buffer.write(_LENGTH.pack(len(frame)) + frame)


def _frames(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        (size,) = _LENGTH.unpack_from(data, at)
        yield data[at + _LENGTH.size : at + _LENGTH.size + size]
        at += _LENGTH.size + size


if __name__ == "__main__":
    main()
