"""Files and functions stay small enough to be read in one go."""

import pytest

from tests.architecture.source import Module

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

LONG_FILES: dict[str, str] = {}
"""Path to the reason why this file may be longer."""

LONG_FUNCTIONS: dict[str, str] = {}
"""``path:qualified name`` to the reason why this function may be longer."""


@pytest.fixture(scope="module")
def long_files(modules: list[Module]) -> dict[str, int]:
    """Return the files over the limit with their number of lines."""
    lines = {str(module.path): module.source.count("\n") for module in modules}
    return {path: count for path, count in lines.items() if count > MAX_FILE_LINES}


@pytest.fixture(scope="module")
def long_functions(modules: list[Module]) -> dict[str, int]:
    """Return the functions over the limit with their number of lines, decorators not counted."""
    lines = {
        f"{module.path}:{name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for module in modules
        for name, node in module.functions()
    }
    return {place: count for place, count in lines.items() if count > MAX_FUNCTION_LINES}


def test_files_are_short(long_files: dict[str, int]) -> None:
    """No file is over the limit but those listed with a reason."""
    assert {path: count for path, count in long_files.items() if path not in LONG_FILES} == {}


def test_functions_are_short(long_functions: dict[str, int]) -> None:
    """No function is over the limit but those listed with a reason."""
    assert {place: count for place, count in long_functions.items() if place not in LONG_FUNCTIONS} == {}


def test_exceptions_are_not_stale(long_files: dict[str, int], long_functions: dict[str, int]) -> None:
    """What is listed as an exception is one, and says why."""
    assert set(LONG_FILES) <= set(long_files)
    assert set(LONG_FUNCTIONS) <= set(long_functions)
    assert all([*LONG_FILES.values(), *LONG_FUNCTIONS.values()])
