"""Runs to draw, and snapshots to compare drawings with."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.fixture
def matches_snapshot(request: pytest.FixtureRequest) -> Callable[[Sequence[str]], None]:
    """Return a function that compares lines with the test's snapshot; UPDATE_SNAPSHOTS=1 writes it."""

    def compare(lines: Sequence[str]) -> None:
        path = SNAPSHOTS / f"{request.node.name.replace('[', '-').rstrip(']')}.txt"
        text = "\n".join(lines) + "\n"
        if os.environ.get("UPDATE_SNAPSHOTS") == "1":
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare
