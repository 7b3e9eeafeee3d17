"""Output of user code: ``logging``, ``print`` and what goes to stderr, attributed to run and step, shown once.

Everything becomes a :class:`LogLine` and goes to the server over the session. A line of a body carries its ordinal, so
that a replay does not show it again.
"""

from __future__ import annotations

import io
import logging
import sys
import time
import traceback
from typing import TYPE_CHECKING, Literal

from trigger_sdk._runtime.scope import Scope, current_scope
from trigger_sdk.protocol.messages import LogLine

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

LONGEST_LINE = 32 * 1024
"""Characters of one line that are kept."""

Emit = "Callable[[LogLine], None]"


class LineHandler(logging.Handler):
    """The root logger's handler in a worker."""

    def __init__(self, emit: Callable[[LogLine], None]) -> None:
        super().__init__()
        self._emit_line = emit
        self.setFormatter(_TextFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record; a broken one is told like the standard handlers do."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - logging must not break the caller
            self.handleError(record)
            return
        line = make_line(text, level=record.levelno, logger=record.name, stream="log")
        if line is not None:
            self._emit_line(line)


class _TextFormatter(logging.Formatter):
    """The message and its traceback; time, level and logger travel beside it."""

    def __init__(self) -> None:
        super().__init__("%(message)s")


class LineStream(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr: whole lines become log lines."""

    def __init__(self, stream: Literal["stdout", "stderr"], emit: Callable[[LogLine], None]) -> None:
        super().__init__()
        self._stream: Literal["stdout", "stderr"] = stream
        self._emit_line = emit
        self._open: dict[tuple[str, str], str] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Always UTF-8."""
        return "utf-8"

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return False: there is no terminal at this end."""
        return False

    def fileno(self) -> int:
        """Return the process's own descriptor, for code that writes past Python."""
        return 1 if self._stream == "stdout" else 2

    def write(self, text: str) -> int:
        """Take text; complete lines are sent, the rest waits for its end."""
        if self._stream == "stderr" and _from_a_propagated_record(sys._getframe(1)):  # noqa: SLF001
            return len(text)  # the root handler has shown this record
        scope = current_scope.get()
        key = (scope.run_id, scope.step_id) if scope is not None else ("", "")
        whole = self._open.pop(key, "") + text
        *lines, rest = whole.split("\n")
        for line in lines:
            self._send(line)
        if len(rest) > LONGEST_LINE:
            self._send(rest)
        elif rest:
            self._open[key] = rest
        return len(text)

    def flush(self) -> None:
        """Do nothing: a line is sent when it ends."""

    def end_line(self) -> None:
        """Send what the current scope has written after its last whole line: it will write no more."""
        scope = current_scope.get()
        rest = self._open.pop((scope.run_id, scope.step_id), "") if scope is not None else ""
        if rest:
            self._send(rest)

    def _send(self, text: str) -> None:
        level = logging.WARNING if self._stream == "stderr" else logging.INFO
        line = make_line(text, level=level, logger="", stream=self._stream)
        if line is not None:
            self._emit_line(line)


def make_line(
    text: str,
    *,
    level: int,
    logger: str,
    stream: Literal["log", "stdout", "stderr"],
    scope: Scope | None = None,
) -> LogLine | None:
    """Return a line with its place in the run; None for one of a replayed body that was shown before."""
    scope = scope or current_scope.get()
    run = step = ""
    ordinal = 0
    if scope is not None:
        run, step, ordinal = scope.run_id, scope.step_id, scope.next_line_ordinal()
        if ordinal < 0:
            return None
    text = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}… ({len(text)} characters)"
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return LogLine(run, step, ordinal, time.time(), level, logger, text, stream)


def end_lines() -> None:
    """Send the unfinished lines of the current scope, whose body or task is at its end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, LineStream):
            stream.end_line()


def capture(emit: Callable[[LogLine], None]) -> None:
    """Send the output of this process through ``emit`` from now on."""
    sys.stdout = LineStream("stdout", emit)
    sys.stderr = LineStream("stderr", emit)
    root = logging.getLogger()
    root.addHandler(LineHandler(emit))
    if root.level in (logging.NOTSET, logging.WARNING):
        root.setLevel(logging.INFO)
    for noisy in ("asyncio", "websockets", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    sys.excepthook = _show_unhandled


def _show_unhandled(kind: type[BaseException], error: BaseException, tb: TracebackType | None) -> None:
    text = "".join(traceback.format_exception(kind, error, tb))
    logging.getLogger("trigger").error(text.rstrip())


def _from_a_propagated_record(frame: FrameType | None) -> bool:
    """Tell whether a write to stderr is some StreamHandler showing a record that the root handler shows as well."""
    for _ in range(4):
        if frame is None:
            return False
        if frame.f_code is logging.StreamHandler.emit.__code__:
            handler = frame.f_locals.get("self")
            record = frame.f_locals.get("record")
            return isinstance(record, logging.LogRecord) and _reaches_root(record.name, handler)
        frame = frame.f_back
    return False


def _reaches_root(name: str, _handler: object) -> bool:
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None and logger.parent is not None:
        if not logger.propagate:
            return False
        logger = logger.parent
    return True
