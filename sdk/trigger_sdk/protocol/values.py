"""Encoded values without user code: the envelope and its limits, plain JSON in, plain JSON out, problems and errors.

The engine, the API and the terminal use this module; the worker encodes and decodes live objects with
``trigger_sdk._codec``, which writes the same format (:mod:`trigger_sdk.protocol.value_kinds`).
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec
from msgspec.msgpack import Ext

from trigger_sdk.protocol import value_kinds as kinds
from trigger_sdk.protocol.errors import NotEncodable, ValueCorrupt, ValueTooLarge
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES, MAX_VALUE_BYTES
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.value_json import read_json

_PLAIN: Final = bytes((kinds.PLAIN,))
_ZLIB: Final = bytes((kinds.ZLIB,))
_encode = msgspec.msgpack.Encoder().encode
_outermost = msgspec.msgpack.Decoder().decode


def seal(data: bytes, what: str) -> bytes:
    """Put msgpack into an envelope: compressed when it is big, refused when it is too large.

    Args:
        data: msgpack with the extension types of this format.
        what: what the value is, for the message: ``result of charge``.

    Raises:
        ValueTooLarge: ``data`` has more than MAX_VALUE_BYTES.
    """
    size = len(data)
    if size <= BIG_VALUE_BYTES:
        return _PLAIN + data
    if size > MAX_VALUE_BYTES:
        raise ValueTooLarge(f"{what} has {_mib(size)} encoded; the limit is {_mib(MAX_VALUE_BYTES)}")
    packed = zlib.compress(data, 1)
    return _ZLIB + packed if len(packed) < size else _PLAIN + data


def unseal(value: bytes) -> bytes | memoryview:
    """Return the msgpack in an envelope.

    Raises:
        ValueCorrupt: there is no envelope, or its content is damaged or larger than any value may be.
    """
    if not value:
        raise ValueCorrupt("an encoded value is empty")
    envelope = value[0]
    if envelope == kinds.PLAIN:
        return memoryview(value)[1:]
    if envelope != kinds.ZLIB:
        raise ValueCorrupt(f"an encoded value begins with the unknown envelope byte {envelope}")
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(memoryview(value)[1:], MAX_VALUE_BYTES + 1)
    except zlib.error as error:
        raise ValueCorrupt(f"a compressed value is damaged: {error}") from error
    if len(data) > MAX_VALUE_BYTES or not unpacker.eof or unpacker.unused_data:
        raise ValueCorrupt("a compressed value is cut off, followed by other data, or larger than any value may be")
    return data


def encode_json(plain: object, what: str = "payload") -> bytes:
    """Encode a value as a JSON parser gives it: None, bool, int, float, str, list, dict with str keys.

    Raises:
        NotEncodable: it is nested too deeply, contains itself, or holds something JSON does not have.
        ValueTooLarge: it is larger than MAX_VALUE_BYTES.
    """
    return seal(_encode(_plain(plain, what, 0)), what)


def encode_problem(problem: Problem) -> bytes:
    """Encode a problem as the error of a run or step that no exception in user code caused."""
    return seal(_encode(Ext(kinds.PROBLEM, _encode(_plain(problem.to_dict(), "problem", 0)))), "problem")


def to_json(value: bytes) -> object:
    """Render an encoded value as plain JSON data, for reading: lossy, without importing any class.

    Dates are ISO strings; Decimal, UUID and path are strings; bytes are base64; sets and tuples are lists; an object is
    the map of its fields; an enum is its value; keys are strings; NaN and infinities are strings; secrets are masked.

    Raises:
        ValueCorrupt: the bytes are not an encoded value.
    """
    return read_json(unseal(value))


def error_to_json(value: bytes) -> dict[str, Any]:
    """Render an encoded exception or problem.

    Returns:
        ``type``, ``message`` and ``traceback`` (str, possibly empty), and where it has them: ``code``, ``hint``,
        ``where``, ``detail`` (str), ``notes`` (list of str), ``attributes`` (map), ``errors`` (list of the same, for a
        group).

    Raises:
        ValueCorrupt: the bytes are not an encoded exception or problem.
    """
    data = unseal(value)
    rendered = read_json(data)
    outermost = _outermost(data)
    is_error = isinstance(outermost, Ext) and outermost.code in {kinds.EXCEPTION, kinds.PROBLEM}
    if not is_error or not isinstance(rendered, dict):
        raise ValueCorrupt("an encoded value is not an error")
    return rendered


def _plain(value: object, what: str, depth: int) -> object:
    """Return what msgpack can encode: the same tree, with extension types for big ints and invalid Unicode."""
    kind = type(value)
    if kind in {bool, float, type(None)}:
        return value
    if kind is str:
        return _text(value)  # type: ignore[arg-type]
    if kind is int:
        return _integer(value)  # type: ignore[arg-type]
    if depth >= kinds.MAX_DEPTH:
        raise NotEncodable(f"{what} is nested more than {kinds.MAX_DEPTH} levels deep", hint="send a flatter value")
    if kind is list:
        return [_plain(item, what, depth + 1) for item in value]  # type: ignore[attr-defined]
    if kind is dict:
        return _plain_dict(value, what, depth)  # type: ignore[arg-type]
    raise NotEncodable(f"{what} holds a {kind.__name__}, which JSON does not have")


def _plain_dict(value: dict[object, object], what: str, depth: int) -> object:
    for key in value:
        if type(key) is not str:
            raise NotEncodable(f"{what} has the key {key!r}; keys in JSON are strings")
    if all(type(_text(key)) is str for key in value):  # type: ignore[arg-type]
        return {key: _plain(item, what, depth + 1) for key, item in value.items()}
    pairs: list[object] = []
    for key, item in value.items():
        pairs += (_text(key), _plain(item, what, depth + 1))  # type: ignore[arg-type]
    return Ext(kinds.PAIRS, _encode(pairs))


def _text(value: str) -> str | Ext:
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return Ext(kinds.SURROGATES, value.encode("utf-8", "surrogatepass"))
    return value


def _integer(value: int) -> int | Ext:
    if -(2**63) <= value < 2**64:
        return value
    return Ext(kinds.BIGINT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def _mib(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"
