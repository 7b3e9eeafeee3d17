"""The server's log: one JSON object a line, in which no secret stands."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

from executor.access.keys import mask_keys

_BEARER: Final = re.compile(r"(?i)\b(bearer\s+)(?!tr_)[^\s\"'\\,]+")
_PASSWORD: Final = re.compile(r"(://[^\s:/@\"]*:)[^\s@\"]+(@)")
_WORD: Final = re.compile(r"(?i)\b(password\s*=\s*)[^\s\"'\\]+")


class JsonLines(logging.Formatter):
    """Formats records as JSON: ``time``, ``level``, ``logger``, ``message``, and ``error`` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= fields
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return mask(json.dumps(line, ensure_ascii=False, default=str))


def mask(text: str) -> str:
    """Return a text without API keys, bearer tokens and passwords of addresses; of keys, what names them stays."""
    text = _BEARER.sub(r"\1***", mask_keys(text))
    return _WORD.sub(r"\1***", _PASSWORD.sub(r"\1***\2", text))


def log_to(handler: logging.Handler, level: str) -> None:
    """Send what the server and its libraries log to a handler, from a level upwards; libraries from warnings."""
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("trigger").setLevel(level.upper())
