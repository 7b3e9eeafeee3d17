"""Calls of dozens of functions at once, and methods of dozens of objects: their effects reach whoever calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_COUNT: Final = 40
_HEAD: Final = "import os\nfrom trigger_sdk import job, task\n\n\n"
_JOB: Final = '@job(id="a")\ndef a(p):\n'
_TABLE: Final = (
    "".join(f"def f{i}(p):\n    return {i}\n\n\n" for i in range(_COUNT))
    + "def gone(p):\n    os.remove(p)\n\n\n"
    + f"TABLE = {{{', '.join(f'{i}: f{i}' for i in range(_COUNT))}, 'x': gone}}\n\n\n"
)
_CALL: Final = "def call(k, p):\n    return TABLE[k](p)\n\n\n"


def test_effect_of_one_of_many_functions_is_told_with_its_way(project: Make) -> None:
    """The chain leads through the functions that are written, from the body to the effect."""
    report = project({"jobs/a.py": f"{_HEAD}{_TABLE}{_CALL}{_JOB}    call(p, p)\n"}).check()
    (found,) = report.diagnostics
    lines = [each.location.row for each in found.chain]
    text = f"{_HEAD}{_TABLE}{_CALL}"
    assert found.code == "TRG102"
    assert lines[-1] == text[: text.index("os.remove")].count("\n") + 1
    assert text[: text.index("TABLE[k]")].count("\n") + 1 in lines


def test_each_caller_of_many_functions_has_their_effects(project: Make) -> None:
    """Two helpers and a body call the same functions."""
    other = _CALL.replace("def call", "def again")
    body = "    call(1, p)\n    again(p, p)\n    TABLE[p](p)\n"
    report = project({"jobs/a.py": f"{_HEAD}{_TABLE}{_CALL}{other}{_JOB}{body}"}).check()
    assert [each.code for each in report.diagnostics] == ["TRG102"] * 3


def test_what_many_functions_are_given_reaches_them(project: Make) -> None:
    """A function that is passed to all of them is called by each."""
    table = _TABLE.replace("return 1\n", "return p(1)\n").replace("    os.remove(p)\n", "    return p\n")
    passed = "def drop(n):\n    os.remove(n)\n\n\n"
    report = project({"jobs/a.py": f"{_HEAD}{passed}{table}{_CALL}{_JOB}    call(p, drop)\n"}).check()
    assert [each.code for each in report.diagnostics] == ["TRG102"]


def test_what_many_functions_return_reaches_their_callers(project: Make) -> None:
    """A function that one of them returns is called by the body."""
    table = _TABLE.replace("    os.remove(p)\n", "    return os.remove\n")
    report = project({"jobs/a.py": f"{_HEAD}{table}{_CALL}{_JOB}    call(p, p)(p)\n"}).check()
    assert [each.code for each in report.diagnostics] == ["TRG102"]


def test_many_functions_in_a_task_are_silent(project: Make) -> None:
    """Effects in tasks are what tasks are for, however they are reached."""
    body = "    work(p)\n"
    work = "@task\ndef work(p):\n    call(p, p)\n\n\n"
    assert project({"jobs/a.py": f"{_HEAD}{_TABLE}{_CALL}{work}{_JOB}{body}"}).findings() == []


@pytest.mark.parametrize(
    "use", ["x[p]", "x + 1", "1 + x", "x == 1", "p in x", "-x", "1 if x else 2", "f'{x}'"], ids=range(8)
)
def test_operators_of_very_many_objects_are_called(project: Make, use: str) -> None:
    """Dozens of instances of one class, made at dozens of places, of which one keeps what removes a file."""
    names = ("getitem", "add", "radd", "eq", "contains", "neg", "bool", "format")
    methods = "".join(f"    def __{name}__(self, *other):\n        return self.act('x')\n" for name in names)
    cls = f"class C:\n    def __init__(self, act):\n        self.act = act\n\n{methods}\n\n"
    made = "".join(f"    if p == {i}:\n        x = C(len)\n" for i in range(_COUNT))
    text = f"{_HEAD}{cls}{_JOB}    x = C(os.remove)\n{made}    print({use})\n"
    found = project({"jobs/a.py": text}).findings()
    assert [(row, code) for _, row, code in found] == [(text.count("\n"), "TRG102")]
