"""Reads a request's body: its size, its type, its JSON, and the keys it may have."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
from starlette.types import Receive, Scope

from executor.errors import BodyTooLarge, JsonInvalid, NotJson, RequestInvalid

T = TypeVar("T")

MIB = 1024 * 1024
_decode = msgspec.json.Decoder().decode
_BYTE = re.compile(r"\(byte (\d+)\)")


class ClientGone(Exception):
    """The client closed the connection before it had sent all."""


async def read_body(receive: Receive, scope: Scope, limit: int) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it is over ``limit`` bytes; what follows was not read.
        ClientGone: it never came.
    """
    length = _header(scope, b"content-length")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    event = await receive()
    if event["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = event.get("body", b"")
    if not event.get("more_body"):
        if len(body) > limit:
            raise _too_large(limit)
        return body
    chunks, size = [body], len(body)
    while event.get("more_body"):
        if size > limit:
            raise _too_large(limit)
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(event.get("body", b""))
        size += len(chunks[-1])
    if size > limit:
        raise _too_large(limit)
    return b"".join(chunks)


async def read_object(receive: Receive, scope: Scope, limit: int) -> dict[str, Any]:
    """Return the JSON object that the body is; an empty body without a content type is an empty object.

    Raises:
        NotJson: the content type is another. A page's form could send that without asking the browser's permission.
        BodyTooLarge, JsonInvalid, RequestInvalid: as their names say.
    """
    kind = _header(scope, b"content-type")
    if kind:
        require_json(kind)
    body = await read_body(receive, scope, limit)
    if not kind:
        if body:
            raise NotJson("the request has a body, and no content type")
        return {}
    value = parse_json(body)
    if not isinstance(value, dict):
        raise RequestInvalid(f"the body is {kind_of(value)}, and an object is expected")
    return value


def require_json(content_type: bytes) -> None:
    """Raise NotJson for any type but JSON in UTF-8."""
    essence, _, parameters = content_type.decode("latin-1").lower().partition(";")
    if essence.strip() != "application/json":
        raise NotJson(f"the request's content type is '{essence.strip()[:80]}', and 'application/json' is expected")
    charset = re.search(r"charset\s*=\s*\"?([\w-]+)", parameters)
    if charset and charset[1] not in {"utf-8", "utf8", "us-ascii"}:
        raise NotJson(f"the request is in the character set {charset[1]}, and UTF-8 is expected")


def parse_json(body: bytes) -> object:
    """Return what a JSON text says: ints of any size, the last of several equal keys.

    Raises:
        JsonInvalid: it is not JSON, naming line and column where they are known.
    """
    try:
        return _decode(body)
    except RecursionError as error:
        raise JsonInvalid("the body is nested too deeply", hint="Send a flatter value.") from error
    except UnicodeDecodeError as error:
        raise JsonInvalid(f"the body is not UTF-8: {error.reason}") from error
    except msgspec.DecodeError as error:
        if not body.strip():
            raise JsonInvalid("the body is empty, and JSON is expected") from error
        reason, place = _explain(body, error)
        at = f" at {place}" if place else ""
        raise JsonInvalid(f"the body is not JSON: {reason}{at}", hint=_json_hint(body), where=place) from error


def _explain(body: bytes, error: msgspec.DecodeError) -> tuple[str, str]:
    """Return the reason and the place; the standard library's parser says more exactly where it stopped."""
    try:
        json.loads(body.decode("utf-8", "replace"))
    except json.JSONDecodeError as found:
        return _lower(found.msg), f"line {found.lineno} column {found.colno}"
    except (ValueError, RecursionError):
        pass
    text = str(error)
    offset = _BYTE.search(text)
    reason = _lower(_BYTE.sub("", text).removeprefix("JSON is malformed: ").strip())
    return reason, _place(body, int(offset[1])) if offset else ""


def _place(body: bytes, offset: int) -> str:
    before = body[:offset]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    line = before.count(b"\n") + 1
    return f"line {line} column {column}"


def _json_hint(body: bytes) -> str:
    if b"\\ud8" in body.lower() or b"\\ud9" in body.lower():
        return "Send a text's surrogates in pairs, or as the character itself; a lone one is no character."
    if b"NaN" in body or b"Infinity" in body:
        return "JSON has no NaN and no Infinity; send null or a text."
    return ""


def check_keys(data: Mapping[str, object], known: Collection[str], where: str) -> None:
    """Raise RequestInvalid for a key that is not among ``known``; ``where`` is the place of ``data``, or empty."""
    for key in data:
        if key not in known:
            place = f"{where}.{key}" if where else key
            raise RequestInvalid(
                f"{where or 'the body'} has the unknown key {key!r}"[:300],
                hint=did_you_mean(key, known) or f"Use any of: {', '.join(sorted(known))}.",
                where=place[:300],
            )


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return a hint that names what resembles ``word``, or an empty text."""
    near = get_close_matches(word[:200], known, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(repr(one) for one in near)}?" if near else ""


def convert(data: object, kind: type[T], where: str) -> T:
    """Return ``data`` as a msgspec Struct.

    Raises:
        RequestInvalid: a field is of the wrong kind or missing; ``where`` names it.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        place = f"{where}{path.rstrip('`')}".lstrip(".")
        message = f"{place}: {_lower(reason)}" if place else _lower(reason)
        raise RequestInvalid(message, where=place) from error


def text_field(data: Mapping[str, object], key: str, *, longest: int) -> str:
    """Return a text that must be there and not be empty. Raises RequestInvalid."""
    value = data.get(key)
    if not isinstance(value, str) or not value:
        found = f"is {kind_of(value)}" if value != "" else "is empty"
        raise RequestInvalid(f"{key} {found if key in data else 'is missing'}, and a text is expected", where=key)
    if len(value) > longest:
        raise RequestInvalid(f"{key} has {len(value)} characters; the limit is {longest}", where=key)
    return value


def kind_of(value: object) -> str:
    """Return what a JSON value is, with its article."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _header(scope: Scope, name: bytes) -> bytes:
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {limit / MIB:.1f} MiB")
