"""Effort: what reaches too much is evaluated coarsely, then not to its end; it is told, and all else is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_HEAD: Final = "import os\nfrom trigger_sdk import job, task\n\n\n"
_METHODS: Final = 1500
_ENDLESS: Final = (
    "class C:\n"
    + "".join(
        f"    def m{i}(self, p):\n        self.a{i} = self.m{i + 1}(p)\n        return self.a{i * 7 % _METHODS}\n"
        for i in range(_METHODS)
    )
    + f"    def m{_METHODS}(self, p):\n        return self\n\n\n"
)
"""Methods that give each other all that the others give."""


def _job(name: str, body: str) -> str:
    return f'@job(id="{name}")\ndef {name}(p):\n    {body}\n\n\n'


def _many(count: int) -> str:
    """Return functions that call each other, told apart by what they are given."""
    return "".join(
        f"def f{i}(p, n):\n    f{(i * 7 + 1) % count}(p, {i})\n    f{(i * 11 + 3) % count}(p, n)\n"
        for i in range(count)
    )


def test_job_that_reaches_too_much_is_named_and_others_are_checked(project: Make) -> None:
    """The report says which job was not looked at to its end, and where; the next one is."""
    text = _HEAD + _ENDLESS + _job("large", "C().m0(p)") + _job("small", "os.remove(p)")
    report = project({"jobs/a.py": text}).check()
    row = text[: text.index("def large")].count("\n") + 1
    assert [problem.code for problem in report.problems] == ["check-incomplete"]
    assert "`large`" in report.problems[0].message
    assert report.problems[0].where.endswith(f"a.py:{row}")
    assert [(each.code, each.job) for each in report.diagnostics] == [("TRG102", "small")]


def test_call_that_stands_after_one_that_reaches_too_much_is_followed(project: Make) -> None:
    """A body is looked at to its end, and so are the functions that it calls."""
    text = _HEAD + _ENDLESS + "def drop(p):\n    os.remove(p)\n\n\n" + _job("large", "C().m0(p); drop(p); os.remove(p)")
    report = project({"jobs/a.py": text}).check()
    assert [each.code for each in report.diagnostics] == ["TRG102", "TRG102"]


def test_task_that_reaches_too_much_is_told_with_its_module(project: Make) -> None:
    """Tasks of a module are looked at together."""
    text = _HEAD + _ENDLESS + "@task\ndef work(p):\n    C().m0(p)\n"
    report = project({"jobs/a.py": text}).check()
    assert [problem.message.split(" reaches")[0] for problem in report.problems] == ["a task of `jobs.a`"]


def test_job_that_takes_too_much_in_detail_is_complete_all_the_same(project: Make) -> None:
    """Ten thousand functions that call each other, told apart by what they are given, end with their finding."""
    text = _HEAD + _many(10_000) + "def f5(p, n):\n    os.remove(p)\n\n\n" + _job("large", "f0(p, 1)")
    report = project({"jobs/a.py": text}).check()
    assert report.problems == ()
    assert [each.code for each in report.diagnostics] == ["TRG102"]


def test_modules_that_do_too_much_on_import_are_told(project: Make) -> None:
    """What functions give on import is not known to its end; jobs are looked at."""
    text = _HEAD + _many(20_000) + "X = f0('x', 1)\n\n\n" + _job("small", "os.remove(p)")
    report = project({"jobs/a.py": text}).check()
    assert [problem.code for problem in report.problems] == ["check-incomplete"]
    assert "when they are imported" in report.problems[0].message
    assert [each.code for each in report.diagnostics] == ["TRG102"]
