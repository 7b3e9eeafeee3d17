"""An open store for the conformance suite: every driver must pass the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from engine.store.interface import OpenStore, Store


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Iterator[OpenStore]:
    """Return an open, empty store."""
    opened = make_store().open("normal")
    yield opened
    opened.close()
