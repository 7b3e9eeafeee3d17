"""Random programs, of which it is known by construction what is reported in their bodies."""

from __future__ import annotations

import ast
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analyzer.fuzz import ways
from tests.analyzer.fuzz.grammar import Growth
from tests.analyzer.fuzz.known import KNOWN
from tests.analyzer.fuzz.programs import LOUD_LEAVES, PURE_LEAVES, Callee, Expected, Program, mistakes
from tests.analyzer.fuzz.ways import Way
from tests.fakes.checked_project import CheckedProject

_EXAMPLES: Final = 250
_SOAK_SEEDS: Final = 20_000
_REMOVE: Final = LOUD_LEAVES[0]
_GET: Final = next(leaf for leaf in LOUD_LEAVES if leaf.name == "requests.get")
_PURE: Final = next(leaf for leaf in PURE_LEAVES if leaf.name == "os.path.basename")


def wrong(files: dict[str, str], expected: Sequence[Expected]) -> list[str]:
    """Check a program; return what is not as expected, with the program's text when there is anything."""
    for place, text in files.items():
        ast.parse(text, place)
    with tempfile.TemporaryDirectory() as folder:
        project = CheckedProject(root=Path(folder).resolve())
        project.write(files)
        lines = mistakes(expected, project.findings(), files)
    shown = [f"=== {place}\n{text}" for place, text in files.items()]
    return [*lines, *shown] if lines else []


def _params(*groups: Sequence[Way]) -> list[object]:
    return [
        pytest.param(
            way,
            id=way.name,
            marks=[pytest.mark.xfail(reason=KNOWN[way.name], strict=True)] if way.name in KNOWN else [],
        )
        for group in groups
        for way in group
    ]


def _alone(build: Callable[[Program], None], *, is_async: bool) -> list[str]:
    # Which names are imported how is drawn by the seed: each way meets each style somewhere.
    program = Program(random.Random(len(repr(build))).choice)
    build(program)
    return wrong(*program.files(is_async=is_async))


@pytest.mark.parametrize("way", _params(ways.PLAIN, ways.TWO, ways.QUIET))
def test_effects_pass_through_a_definition(way: Way) -> None:
    """A call of what is defined is reported when, and only when, it has the effects of what it is defined over."""

    def build(program: Program) -> None:
        program.add(ways.LOUD[0], program.define(way, _REMOVE, _GET))

    assert _alone(build, is_async=False) == []


@pytest.mark.parametrize("way", [*ways.PLAIN, *ways.TWO, *ways.QUIET], ids=lambda way: way.name)
def test_pure_function_stays_pure_through_a_definition(way: Way) -> None:
    """What is defined over functions without effects has none."""

    def build(program: Program) -> None:
        program.add(ways.LOUD[0], program.define(way, _PURE, _PURE))

    assert _alone(build, is_async=False) == []


@pytest.mark.parametrize("way", _params(ways.ASYNC, ways.ASYNC_OVER_ASYNC, ways.TASKS))
def test_effects_pass_through_an_async_definition(way: Way) -> None:
    """As above for async functions; tasks have no effects on the body."""

    def build(program: Program) -> None:
        inner = program.define(ways.ASYNC[0], _REMOVE) if way.takes_async else _REMOVE
        program.add(ways.LOUD_OVER_ASYNC[0], program.define(way, inner))

    assert _alone(build, is_async=True) == []


@pytest.mark.parametrize("through", [False, True], ids=["direct", "through"])
@pytest.mark.parametrize("way", _params(ways.LOUD, ways.SILENT))
def test_site_in_any_body_is_reported_or_silent(way: Way, through: bool) -> None:
    """A piece of a sync and of an async body is reported at its mark, or not at all."""

    def build(program: Program) -> None:
        program.add(way, program.define(ways.PLAIN[0], _REMOVE) if through else _REMOVE)

    assert _alone(build, is_async=False) == []
    assert _alone(build, is_async=True) == []


@pytest.mark.parametrize(
    "way", _params(ways.LOUD_IN_ASYNC, ways.SILENT_IN_ASYNC, ways.LOUD_OVER_ASYNC, ways.SILENT_OVER_ASYNC)
)
def test_site_in_an_async_body_is_reported_or_silent(way: Way) -> None:
    """A piece of an async body is reported at its mark, or not at all."""

    def build(program: Program) -> None:
        callee = program.define(ways.PLAIN[0], _REMOVE)
        program.add(way, program.define(ways.ASYNC[0], callee) if way.takes_async else callee)

    assert _alone(build, is_async=True) == []


@pytest.mark.parametrize("leaf", LOUD_LEAVES, ids=lambda leaf: leaf.name)
def test_leaf_has_the_effect_that_programs_rely_on(leaf: Callee) -> None:
    """Each function of a library that programs are built over is reported when a body calls it."""
    assert _alone(lambda program: program.add(ways.LOUD[0], leaf), is_async=True) == []


@settings(max_examples=_EXAMPLES, derandomize=True)  # what is drawn at random is the soak's
@given(data=st.data())
def test_random_program_is_reported_where_it_has_effects(data: st.DataObject) -> None:
    """A program of many definitions and pieces is reported on exactly the lines that have effects outside tasks."""

    def choose(options: Sequence[object]) -> object:
        return options[data.draw(st.integers(0, len(options) - 1))]

    assert wrong(*Growth(choose).program()) == []


@pytest.mark.soak
def test_many_random_programs_are_reported_where_they_have_effects() -> None:
    """As above, for very many seeds; the seeds that fail are named."""
    failed = {}
    for seed in range(_SOAK_SEEDS):
        lines = wrong(*Growth(random.Random(seed).choice).program())
        if lines:
            failed[seed] = lines[0]
    assert failed == {}
