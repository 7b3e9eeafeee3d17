"""Payloads as they are given on the command line: JSON, `@file`, or `-` for standard input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from trigger_cli.errors import BadPayload

STDIN = "-"


def read_payload(text: str | None, read_stdin: Callable[[], str]) -> object:
    """Return the value that ``--payload`` means; None when it is not given.

    Args:
        text: the option's value.
        read_stdin: returns all of standard input.

    Raises:
        BadPayload: not JSON (says where), or a file that cannot be read.
    """
    if text is None:
        return None
    if text == STDIN:
        return _parse(read_stdin(), "standard input", "")
    if text.startswith("@"):
        path = Path(text[1:])
        try:
            return _parse(path.read_text(encoding="utf-8-sig"), str(path), str(path))
        except OSError as error:
            raise BadPayload(f"Cannot read the payload from {path}: {error.strerror}", where=str(path)) from None
        except UnicodeDecodeError as error:
            raise BadPayload(f"{path} is not text in UTF-8: {error.reason}", where=str(path)) from None
    return _parse(text, "--payload", "")


def _parse(text: str, source: str, where: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        shown = text.splitlines()[error.lineno - 1] if text.strip() and error.lineno <= len(text.splitlines()) else ""
        start = max(0, error.colno - 1 - 30)
        window = shown[start : start + 70]
        marker = f"{window}\n{' ' * (error.colno - 1 - start)}^" if window else ""
        raise BadPayload(
            f"The payload from {source} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})",
            detail=marker,
            where=f"{where}:{error.lineno}:{error.colno}" if where else "",
            hint="""quote it for the shell: --payload '{"key": "value"}', or read a file: --payload @payload.json""",
        ) from None


def _refuse_constant(name: str) -> NoReturn:
    raise BadPayload(f"The payload contains {name}, which is not JSON", hint="use null, or a string")
