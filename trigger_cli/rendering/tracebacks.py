"""Tracebacks as their reader wants them: the project's own frames, without those of the SDK between them."""

from __future__ import annotations

import re

_FRAME = re.compile(r'^(?P<indent>\s+)File "(?P<file>[^"]+)", line \d+')
_OURS = re.compile(r"[/\\\\]trigger_sdk[/\\\\]")


def without_our_frames(traceback: str) -> str:
    """Return a traceback without the frames of `trigger_sdk`; unchanged when there are no others."""
    kept: list[str] = []
    theirs = False
    hiding = -1
    for line in traceback.splitlines():
        frame = _FRAME.match(line)
        if frame:
            ours = bool(_OURS.search(frame["file"]))
            hiding = len(frame["indent"]) if ours else -1
            theirs = theirs or not ours
        elif hiding >= 0 and line.strip() and len(line) - len(line.lstrip()) <= hiding:
            # No source line of the hidden frame any more.
            hiding = -1
        if hiding < 0:
            kept.append(line)
    return "\n".join(kept) if theirs else traceback
