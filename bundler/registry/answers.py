"""What an answer means: its body within limits, and the errors it tells of."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from bundler.errors import BundlerError
from bundler.registry.connection import REDIRECTS, failure_of
from bundler.registry.errors import (
    RegistryNotFound,
    RegistryRefused,
    RegistryUnauthorized,
    RegistryUnreachable,
    RegistryUnusable,
)
from bundler.registry.retrying import Transient
from bundler.registry.secrets import Secrets, place

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may work a moment later."""

_MAX_ERROR = 64 * 1024
_NUMBER = re.compile(r"[0-9]{1,18}")
_UNAUTHORIZED = frozenset({401, 403})
_NOT_FOUND = 404


async def read(response: httpx.Response, limit: int, *, check: bool = True) -> bytes:
    """Return the body of an answer and close it.

    Args:
        response: whose body nobody has read.
        limit: in bytes.
        check: whether more than that is an error (RegistryUnusable); else the body is cut.
    """
    content = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > limit:
                break
    except httpx.TransportError as error:
        raise failure_of(error, response.request.url) from None
    except httpx.DecodingError:
        raise RegistryUnusable(f"{place(response.request.url)} gave a body that its encoding does not fit") from None
    finally:
        await response.aclose()
    if check and len(content) > limit:
        raise RegistryUnusable(f"{place(response.request.url)} gave more than {limit // 1024} KiB")
    return bytes(content[:limit])


async def refusal(response: httpx.Response, secrets: Secrets, content: bytes | None = None) -> BundlerError | Transient:
    """Return what to raise for an answer that is none of those expected, and close it; ``content`` is its read body."""
    request, status = response.request, response.status_code
    if content is None:
        content = await read_refusal(response)
    words = secrets.strike(_words(content, response.headers.get("Content-Type", "")))
    host = request.url.netloc.decode("ascii", "replace")
    what = f"'{request.method} {place(request.url)}'"
    if status in _UNAUTHORIZED:
        return RegistryUnauthorized(f"'{host}' does not let us {what} ({status})", detail=words)
    if status == _NOT_FOUND:
        return RegistryNotFound(f"'{host}' has nothing for {what} ({status})", detail=words)
    if status in TRANSIENT:
        error = RegistryUnreachable(f"'{host}' answers {what} with {status} again and again", detail=words)
        return Transient(error, after=retry_after(response))
    if status < 400 or status in REDIRECTS:  # noqa: PLR2004  # HTTP's own border between answers and refusals
        return RegistryUnusable(f"'{host}' answers {what} with {status}, which means nothing there")
    return RegistryRefused(f"'{host}' refuses {what} ({status})", detail=words)


async def read_refusal(response: httpx.Response) -> bytes:
    """Return the body of a refusal as far as there is one, and close the answer."""
    try:
        return await read(response, _MAX_ERROR, check=False)
    except (BundlerError, Transient):
        return b""


def retry_after(response: httpx.Response) -> float | None:
    """Return how many seconds an answer asks to wait; None when it does not say. Dates are compared with its own."""
    text = response.headers.get("Retry-After", "").strip()
    seconds = number(text)
    if seconds is not None:
        return float(seconds)
    until, now = _date(text), _date(response.headers.get("Date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def number(text: str) -> int | None:
    """Return the number that a header is; None when it is none, or none that counts anything."""
    return int(text) if _NUMBER.fullmatch(text) else None


def error_codes(content: bytes) -> set[str]:
    """Return the codes in the body of a refusal: ``DIGEST_INVALID``."""
    return {code for code, _ in _errors(content)}


def _date(text: str) -> datetime | None:
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        found = parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _words(content: bytes, content_type: str) -> str:
    """Return what a registry says in words: its list of errors, else its text, unless that is a page for browsers."""
    if errors := _errors(content):
        return "\n".join(f"{code}: {message}" if message else code for code, message in errors)
    text = content.decode(errors="replace").strip()
    return "" if "html" in content_type or text[:1] == "<" else text


def _errors(content: bytes) -> list[tuple[str, str]]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return []
    listed = data.get("errors") if isinstance(data, dict) else None
    found = []
    for error in listed if isinstance(listed, list) else []:
        if isinstance(error, dict):
            message, detail = str(error.get("message") or ""), error.get("detail")
            if detail:
                message += f" ({detail if isinstance(detail, str) else json.dumps(detail)})"
            found.append((str(error.get("code") or "UNKNOWN"), message))
    return found
