"""Modules of user code that come, change and go while a test runs."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

Define = Callable[[str, str], Any]


@pytest.fixture
def define() -> Iterator[Define]:
    """Put source text into a module of a name, in place of what it held; the modules are gone after the test."""
    names: set[str] = set()

    def put(name: str, source: str) -> Any:
        module = ModuleType(name)
        names.add(name)
        sys.modules[name] = module
        exec(compile(textwrap.dedent(source), f"{name}.py", "exec"), module.__dict__)  # noqa: S102 - plays the user
        return module

    yield put
    for name in names:
        sys.modules.pop(name, None)
