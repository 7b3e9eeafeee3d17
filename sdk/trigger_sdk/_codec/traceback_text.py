"""Renders an exception with everything that led to it, as text that reads well after a journey through the journal."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

from trigger_sdk._codec.errors import OriginalTraceback
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES

_MACHINERY: Final = (
    str(Path(__file__).resolve().parent.parent) + "/",
    str(Path(os.__file__).parent / "concurrent" / "futures") + "/",  # sync tasks are called in its threads
)
"""Folders of what calls the user's code."""

_CAUSE: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"
_AGAIN: Final = "\nThe above exception was read from the journal, and raised again here:\n\n"
_MAX_TEXT: Final = BIG_VALUE_BYTES // 2


def traceback_text(error: BaseException) -> str:
    """Return the traceback of an exception, those of its causes first, as the interpreter prints it.

    Frames above the user's code, of the SDK and of its threads, are left out. An exception that was read back and not
    raised since has the text that it came with.
    """
    if error.__traceback__ is None and isinstance(error.__cause__, OriginalTraceback):
        return error.__cause__.text
    try:
        return cut(_chain(error), _MAX_TEXT)
    except Exception as failure:  # noqa: BLE001 - formatting runs code of the user's exception
        return f"(the traceback of {type(error).__name__} cannot be printed: {type(failure).__name__})\n"


def cut(text: str, limit: int) -> str:
    """Return the text, without its middle when it is longer than ``limit`` characters."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n... {len(text) - limit} characters left out ...\n{text[-limit // 2 :]}"


def _chain(error: BaseException) -> str:
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OriginalTraceback):
            parts[-1] = _AGAIN
            parts.append(current.text)
            break
        if isinstance(current, BaseExceptionGroup):  # its members have chains of their own
            parts.append(_one(current, chain=True))
            break
        parts.append(_one(current, chain=False))
        if current.__cause__ is not None:
            parts.append(_CAUSE)
            current = current.__cause__
        elif current.__context__ is not None and not current.__suppress_context__:
            parts.append(_CONTEXT)
            current = current.__context__
        else:
            break
    if parts[-1] in {_CAUSE, _CONTEXT}:  # the chain is a circle
        parts.pop()
    return "".join(reversed(parts))


def _one(error: BaseException, *, chain: bool) -> str:
    frames = _from_users_code(error.__traceback__)
    return "".join(traceback.TracebackException(type(error), error, frames, compact=True).format(chain=chain))


def _from_users_code(frames: TracebackType | None) -> TracebackType | None:
    inner = frames
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_MACHINERY):
        inner = inner.tb_next
    return inner if inner is not None else frames
