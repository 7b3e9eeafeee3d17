"""Instrumented bytecode on disk, beside the interpreter's own in ``__pycache__``, so that a start costs no rewriting.

A file is found by the source's path and valid for one source text, one version of Python and one of the
instrumentation. Anything else in its place - old, cut off, damaged - is ignored and replaced. It is written whole,
under another name first, so that workers that start at the same time do not disturb each other.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import sys
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Final

from trigger_sdk._runtime import bindings, rewrite
from trigger_sdk.protocol.recorded import TERMINAL_NAMES

_MAGIC: Final = b"trigger\n"
_DIGEST_BYTES: Final = 16


@cache
def _version() -> bytes:
    """Return what distinguishes the bytecode of this interpreter and this instrumentation from any other."""
    digest = hashlib.blake2b(importlib.util.MAGIC_NUMBER, digest_size=_DIGEST_BYTES)
    for module in (rewrite, bindings):
        digest.update(_own_source(module.__file__))
    for name in sorted(TERMINAL_NAMES):
        digest.update(name.encode() + b"\0")
    return digest.digest()


def _own_source(file: str | None) -> bytes:
    try:
        return Path(file or "").read_bytes()
    except OSError:
        from trigger_sdk.protocol.version import VERSION  # installed without sources: the release tells

        return VERSION.encode()


def cache_path(source_path: str) -> str:
    """Return where the bytecode of a source file is kept: ``jobs/__pycache__/a.cpython-311.opt-trigger.pyc``."""
    level = sys.flags.optimize or ""
    return importlib.util.cache_from_source(source_path, optimization=f"trigger{level}")


def pack(code: CodeType, source: bytes) -> bytes:
    """Return the content of a cache file."""
    body = marshal.dumps(code)
    return b"".join((_MAGIC, _key(source), _digest(body), body))


def unpack(data: bytes, source: bytes, source_path: str) -> CodeType | None:
    """Return the code that a cache file holds for ``source``, or None when it does not (any more)."""
    head = _MAGIC + _key(source)
    start = len(head) + _DIGEST_BYTES
    if not data.startswith(head):
        return None
    body = data[start:]
    # Unmarshalling damaged bytes can take the interpreter down with it, so they are checked first.
    if data[len(head) : start] != _digest(body):
        return None
    code = marshal.loads(body)  # noqa: S302 - we wrote it, and its digest fits
    return _at_path(code, source_path) if isinstance(code, CodeType) else None


def _key(source: bytes) -> bytes:
    digest = hashlib.blake2b(_version(), digest_size=_DIGEST_BYTES)
    digest.update(bytes((sys.flags.optimize,)))
    digest.update(source)
    return digest.digest()


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _at_path(code: CodeType, path: str) -> CodeType:
    """Return the code with ``path`` as its file: the project may have been moved since it was compiled."""
    if code.co_filename == path:
        return code
    constants = tuple(_at_path(item, path) if isinstance(item, CodeType) else item for item in code.co_consts)
    return code.replace(co_filename=path, co_consts=constants)
