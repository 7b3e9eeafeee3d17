"""The log: JSON, and without secrets."""

from __future__ import annotations

import json
import logging
import random

import pytest

from executor.access.keys import id_of, make_key
from executor.serving.logs import JsonLines, mask

KEY = make_key("prod", random.Random(3).randbytes)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"key {KEY}", f"key {id_of(KEY)}***"),
        (f"Authorization: Bearer {KEY}", f"Authorization: Bearer {id_of(KEY)}***"),
        ("authorization: bearer abc.def-1", "authorization: bearer ***"),
        ("postgresql://u:p4ss@host/db", "postgresql://u:***@host/db"),
        ("host=h password=p4ss user=u", "host=h password=*** user=u"),
        ("http://127.0.0.1:8734/a", "http://127.0.0.1:8734/a"),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    """Keys keep what names them."""
    assert mask(text) == masked


def test_a_record_is_one_line_of_json_without_secrets() -> None:
    """Arguments, fields and tracebacks are masked as well."""
    with pytest.raises(ValueError, match="no") as caught:
        int(f"no {KEY}, nor postgresql://u:p4ss@h/d")
    error = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("trigger.x", logging.ERROR, "f.py", 1, "with %s", (KEY,), error)
    record.fields = {"route": "/a", "shown": KEY}
    line = JsonLines().format(record)
    assert "\n" not in line
    assert KEY not in line
    assert "p4ss" not in line
    parsed = json.loads(line)
    assert (parsed["level"], parsed["logger"], parsed["route"]) == ("error", "trigger.x", "/a")
    assert parsed["message"] == f"with {id_of(KEY)}***"
    assert "ValueError" in parsed["error"]
