"""What findings say: variables by their names, words without the quotes of code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.fakes.checked_project import CheckedProject

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_HEAD = """\
from trigger_sdk import job, task

from jobs.store import DEEP, pick

CACHE = {}
COUNT = 0


class Shop:
    seen = []
    count = 0


@task
def one(x):
    return x


def put(x):
    CACHE[x] = 1


def collect(x, found=[]):
    found.append(x)


@job(id="a")
async def a(p):
    global COUNT
    names = {"a", p}
    got = []
    @task
    def inner(v):
        got.append(v)
"""
_STORE = "pick = lambda path: open(path)\nDEEP = {'a': []}\n"


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("CACHE[p] = 1", "`CACHE` is changed, though"),
        ("CACHE.update(p)", "`CACHE` is changed, though"),
        ("put(p)", "`put` leads to `CACHE`, which is changed, though"),
        ("COUNT = 1", "the global variable `COUNT` is changed"),
        ("Shop.seen.append(p)", "`Shop.seen` is changed"),
        ("Shop.count = 1", "the class attribute `Shop.count` is changed"),
        ("DEEP['a'].append(p)", "a shared list is changed"),
        ("collect(p)", "`collect` leads to a shared list (`found`), which is changed"),
        ("pick(p)", "the lambda in store.py:1 leads to `builtins.open`, which touches"),
        ("near = lambda: open(p)\n    near()", "the lambda in line 35 leads to `builtins.open`, which touches"),
        ("for x in names:\n        await one(x)", "the order of the set `names` decides"),
        ("return [await one(x) for x in names]", "the order of the set `names` decides"),
        ("return list(names)", "the order of the set `names` decides"),
        ("return list({p, 'a'})", "the order of a set decides"),
        ("await inner(p)", "`got` belongs to the body and is changed inside a task"),
        ("one(p)", "`one` is not awaited"),
        ("while True:\n        await one(p)", "an endless loop asks for steps without end"),
        ("try:\n        await one(p)\n    finally:\n        return p", "a `finally` that ends with `return`"),
    ],
)
def test_message_names_the_variable_and_quotes_only_code(project: Make, code: str, begins: str) -> None:
    """What is known by a name is called so; what is words stands in no quotes."""
    found = project({"jobs/a.py": f"{_HEAD}    {code}\n", "jobs/store.py": _STORE}).check().diagnostics
    assert any(each.message.startswith(begins) for each in found), [each.message for each in found]


def test_chain_says_what_is_changed(project: Make) -> None:
    """The last link names the variable."""
    found = project({"jobs/a.py": f"{_HEAD}    put(p)\n", "jobs/store.py": _STORE}).check().diagnostics
    assert [link.what for link in found[0].chain] == ["changes CACHE"]
