"""Conditions: which branches are left out, because all is known of what they ask about; and which are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.checked_project import CheckedProject

_HEAD = """\
import functools
import os
import typing
from dataclasses import dataclass

import unknown_library
from trigger_sdk import job


def loud(y):
    os.remove(y)
    return y


def quiet(y):
    return y


"""
_JOB = """

@job(id="case")
def case(p: str):
    use(p)
"""
_NEVER = {
    "default-none-is-not-none": "def use(y, call=None):\n    if call is not None:\n        loud(y)\n",
    "default-none-in-an-or": "def inner(y, call=None):\n    (call or quiet)(y)\n\n\ndef use(y):\n    inner(y)\n",
    "default-false": "def use(y, is_loud=False):\n    if is_loud:\n        loud(y)\n",
    "default-true-negated": "def use(y, is_quiet=True):\n    if not is_quiet:\n        loud(y)\n",
    "default-none-with-and": "def use(y, call=None):\n    if call is not None and y:\n        loud(y)\n",
    "passed-on": (
        "def inner(y, call):\n    if call:\n        loud(y)\n\n\ndef use(y, call=None):\n    inner(y, call)\n"
    ),
    "passed-function-is-none": (
        "def inner(y, call):\n    if call is None:\n        loud(y)\n\n\ndef use(y):\n    inner(y, quiet)\n"
    ),
    "conditional-expression": "def use(y, call=None):\n    return y if call is None else loud(y)\n",
    "kept-in-a-variable": "def use(y, call=None):\n    has = call is not None\n    if has:\n        loud(y)\n",
    "closure": (
        "def make(hook=None):\n    def run(y):\n        if hook:\n            loud(y)\n    return run\n\n\n"
        "use = make()\n"
    ),
    "attribute-of-an-instance": (
        "class A:\n    def __init__(self, call=None):\n        self.call = call\n\n"
        "    def run(self, y):\n        if self.call is not None:\n            loud(y)\n\n\n"
        "def use(y):\n    A().run(y)\n"
    ),
    "field-of-a-dataclass": (
        "@dataclass\nclass A:\n    is_loud: bool = False\n\n    def run(self, y):\n        if self.is_loud:\n"
        "            loud(y)\n\n\ndef use(y):\n    A().run(y)\n"
    ),
    "field-hides-the-default": (
        "@dataclass\nclass A:\n    call: typing.Any = loud\n\n    def run(self, y):\n        self.call(y)\n\n\n"
        "def use(y):\n    A(quiet).run(y)\n"
    ),
    "loop-that-is-never-entered": "def use(y, go=False):\n    while go:\n        loud(y)\n",
    "equal-constants": "def use(y):\n    mode = 0\n    if mode == 1:\n        loud(y)\n",
}
"""Programs in which the loud function is never called."""

_MAYBE = {
    "default-and-passed": (
        "def inner(y, call=None):\n    if call is not None:\n        loud(y)\n\n\n"
        "def use(y):\n    inner(y)\n    inner(y, unknown_library.call)\n"
    ),
    "variable-that-may-be-set": (
        "def use(y):\n    found = None\n    if y:\n        found = unknown_library.call\n"
        "    if found is not None:\n        loud(y)\n"
    ),
    "variable-that-a-loop-sets": (
        "def use(y):\n    found = None\n    for item in y:\n        if found is not None:\n            loud(y)\n"
        "        found = item\n"
    ),
    "variable-that-a-try-sets": (
        "def use(y):\n    found = None\n    try:\n        found = unknown_library.call()\n    except ValueError:\n"
        "        pass\n    if found is not None:\n        loud(y)\n"
    ),
    "variable-that-an-inner-function-sets": (
        "def use(y):\n    found = None\n\n    def fill():\n        nonlocal found\n        found = y\n\n    fill()\n"
        "    if found is not None:\n        loud(y)\n"
    ),
    "constant-of-the-module": "DEBUG = False\n\n\ndef use(y):\n    if DEBUG:\n        loud(y)\n",
    "global-that-is-filled": (
        "MADE = None\n\n\ndef made():\n    global MADE\n    MADE = unknown_library.call()\n\n\n"
        "def use(y):\n    if MADE is not None:\n        loud(y)\n    made()\n"
    ),
    "class-attribute-that-is-set": (
        "class A:\n    call = None\n\n    def start(self, call):\n        self.call = call\n\n"
        "    def run(self, y):\n        if self.call is not None:\n            loud(y)\n\n\n"
        "def use(y):\n    a = A()\n    a.start(y)\n    a.run(y)\n"
    ),
    "attribute-that-another-method-sets": (
        "class A:\n    def __init__(self):\n        self.made = None\n\n    def fill(self):\n"
        "        self.made = unknown_library.call()\n\n    def run(self, y):\n        self.fill()\n"
        "        if self.made is not None:\n            loud(y)\n\n\ndef use(y):\n    A().run(y)\n"
    ),
    "attribute-that-setattr-sets": (
        "class A:\n    def __init__(self, options):\n        self.call = None\n"
        "        for name, value in options.items():\n            setattr(self, name, value)\n\n"
        "    def run(self, y):\n        if self.call is not None:\n            loud(y)\n\n\n"
        "def use(y):\n    A({'call': y}).run(y)\n"
    ),
    "looked-up-in-a-table": (
        "TABLE = {'a': quiet}\n\n\ndef use(y):\n    call = TABLE.get(y)\n    if call is None:\n        loud(y)\n"
    ),
    "given-back-by-a-function": (
        "def find(y):\n    for item in y:\n        return quiet\n\n\n"
        "def use(y):\n    if find(y) is None:\n        loud(y)\n"
    ),
    "decorated-by-a-library": (
        "@unknown_library.inject\ndef use(y, session=None):\n    if session is not None:\n        loud(y)\n"
    ),
    "annotated-as-optional": (
        "class A:\n    pass\n\n\ndef find() -> A | None:\n    return unknown_library.call()\n\n\n"
        "def use(y):\n    if find() is None:\n        loud(y)\n"
    ),
    "instance-with-a-truth-of-its-own": (
        "class A:\n    def __bool__(self):\n        return unknown_library.call()\n\n\n"
        "def use(y):\n    if not A():\n        loud(y)\n"
    ),
    "empty-or-not": "def use(y):\n    rows = []\n    rows.extend(y)\n    if rows:\n        loud(y)\n",
}
"""Programs in which the loud function may be called."""


def _is_reported(folder: Path, text: str) -> bool:
    project = CheckedProject(root=folder.resolve())
    whole = f"{_HEAD}{text}{_JOB}"
    project.write({"jobs/case.py": whole})
    last = whole.rstrip("\n").count("\n") + 1
    found = project.findings()
    assert found in ([], [("jobs/case.py", last, "TRG102")])
    return bool(found)


@pytest.mark.parametrize("name", _NEVER)
def test_branch_that_is_never_taken_has_no_effects(tmp_path: Path, name: str) -> None:
    """What is known to be none, false or a function decides, through calls, closures, attributes and operators."""
    assert not _is_reported(tmp_path, _NEVER[name])


@pytest.mark.parametrize("name", _MAYBE)
def test_branch_that_may_be_taken_has_its_effects(tmp_path: Path, name: str) -> None:
    """What may be anything else as well decides nothing."""
    assert _is_reported(tmp_path, _MAYBE[name])


def test_parameters_of_a_job_decide_nothing(tmp_path: Path) -> None:
    """The defaults of a job's parameters are not what its runs are given."""
    project = CheckedProject(root=tmp_path.resolve())
    body = '@job(id="case")\ndef case(p: dict, is_loud: bool = False):\n    if is_loud:\n        loud("a")\n'
    project.write({"jobs/case.py": f"{_HEAD}{body}"})
    assert [code for _, _, code in project.findings()] == ["TRG102"]
