"""Suppressions: where a comment stands, what it covers, and which silence nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tests.fakes.checked_project import CheckedProject, Finding

Make = Callable[[Mapping[str, str | bytes]], CheckedProject]

_HEAD = "import os\nimport requests\nfrom trigger_sdk import job, task\n\n\n"
_FIRST = _HEAD.count("\n") + 1


def told(project: Make, text: str, head: str = _HEAD) -> list[tuple[int, str]]:
    """Return row, counted from the line after the imports, and code of each finding in a job file."""
    found: list[Finding] = project({"jobs/a.py": head + text}).findings()
    first = head.count("\n") + 1
    return [(row - first + 1, code) for _, row, code in found]


_BODY = '@job(id="a")\ndef a(p):\n'
_INVALID = [(3, "TRG102"), (3, "TRG903")]
"""Nothing is silenced, and that is told."""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("os.remove(p)", [(3, "TRG102")]),
        ("os.remove(p)  # trigger: ignore", _INVALID),
        ("os.remove(p)  # trigger: ignore a lock of this worker", _INVALID),
        ("os.remove(p)  # trigger: ignore TRG102 a lock", _INVALID),
        ("os.remove(p)  # trigger: ignore[TRG102 a lock", _INVALID),
        ("os.remove(p)  # trigger: ingore[TRG102] a lock", _INVALID),
        ("os.remove(p)  # Trigger: Ignore[TRG102] a lock", _INVALID),
        ("os.remove(p)  # trigger: ignore[trg102] a lock", _INVALID),
        ("os.remove(p)  # trigger: file-ignore", _INVALID),
        ("os.remove(p)  # Trigger: ignore what the database says", [(3, "TRG102")]),
        ("os.remove(p)  # trigger: ignore[TRG102]", []),
        ("os.remove(p)  # trigger: ignore[TRG102] why", []),
        ("os.remove(p)  # trigger: ignore[TRG1] why", []),
        ("os.remove(p)  # trigger: ignore[TRG] why", []),
        ("os.remove(p)  # trigger: ignore [ TRG102 ] why", []),
        ("os.remove(p)  #trigger:ignore[TRG102]", []),
        ("os.remove(p)  # noqa: S108  # trigger: ignore[TRG102]", []),
        ("os.remove(p)  # trigger: ignore[TRG102]  # noqa", []),
        ("os.remove(p)  # type: ignore[arg-type]  # trigger: ignore[TRG102]", []),
        ("os.remove(p); requests.get(p)  # trigger: ignore[TRG101,TRG102]", []),
        ("os.remove(p); requests.get(p)  # trigger: ignore[TRG102]", [(3, "TRG101")]),
        ("os.remove(p)  # trigger: ignore[TRG101]", [(3, "TRG102"), (3, "TRG902")]),
        ("os.remove(p)  # trigger: ignore[TRG102, TRG101]", [(3, "TRG902")]),
        ("os.remove(p)  # trigger: ignore[TRG999]", [(3, "TRG102"), (3, "TRG903")]),
        ("os.remove(p)  # trigger: ignore[102]", [(3, "TRG102"), (3, "TRG903")]),
        ("os.remove(p)  # trigger: ignore[]", _INVALID),
        ("os.remove(p)  # trigger ignore[TRG102]", [(3, "TRG102")]),
        ("os.remove(p)  # trigger: ignored", [(3, "TRG102")]),
        ("os.remove(p)  # trigger: noqa", [(3, "TRG102")]),
        ("os.remove(p)  # see trigger: ignore[TRG102]", [(3, "TRG102")]),
        ("os.remove('# trigger: ignore[TRG102]')", [(3, "TRG102")]),
        ("os.remove('''\n# trigger: ignore[TRG102]\n''')", [(3, "TRG102")]),
        ("os.remove(f'{p}# trigger: ignore[TRG102]')", [(3, "TRG102")]),
        ("print(p)  # trigger: ignore[TRG102] why", [(3, "TRG902")]),
        ("print(p)  # trigger: ignore", [(3, "TRG903")]),
        ("# trigger: ignore[TRG102] why\n    os.remove(p)", []),
        ("# trigger: ignore[TRG102] why\n    # and more\n\n    os.remove(p)", []),
        ("# trigger: ignore[TRG102] why\n    print(p)\n    os.remove(p)", [(3, "TRG902"), (5, "TRG102")]),
        ("# trigger: ignore[TRG102]\n    print(\n        1,\n        os.remove(p),\n    )", []),
        ("print(\n        1,\n        os.remove(p),  # trigger: ignore[TRG102]\n    )", []),
        ("print(  # trigger: ignore[TRG102]\n        os.remove(p),\n    )", [(3, "TRG902"), (4, "TRG102")]),
        ("os.remove(  # trigger: ignore[TRG102]\n        p,\n    )", []),
        ("os.remove(\n        p,\n    )  # trigger: ignore[TRG102]", []),
        ("if p:  # trigger: ignore[TRG102]\n        os.remove(p)", [(3, "TRG902"), (4, "TRG102")]),
        ("é = 1; os.remove(p)  # trigger: ignore[TRG102] größe", []),
    ],
)
def test_comment_on_or_above_a_line(project: Make, line: str, expected: list[tuple[int, str]]) -> None:
    """What is silenced, what is left, and what silences nothing."""
    assert told(project, f"{_BODY}    {line}\n") == expected


@pytest.mark.parametrize(
    "definition",
    [
        "def drop(name):  # trigger: ignore[TRG102] why\n    os.remove(name)\n",
        "# trigger: ignore[TRG102] why\ndef drop(name):\n    os.remove(name)\n",
        "def drop(\n    name,\n):\n    os.remove(name)  # trigger: ignore[TRG102] why\n",
        "def drop(name):\n    os.remove(name)  # trigger: ignore[TRG102] why\n",
        "def same(fn):\n    return fn\n\n\n@same  # trigger: ignore[TRG102]\ndef drop(name):\n    os.remove(name)\n",
        "def same(fn):\n    return fn\n\n\n# trigger: ignore[TRG1]\n@same\ndef drop(name):\n    os.remove(name)\n",
        "def drop(name):\n    def inner():  # trigger: ignore[TRG102]\n        os.remove(name)\n\n    inner()\n",
        "def drop(name):  # trigger: ignore[TRG102]\n    def inner():\n        os.remove(name)\n\n    inner()\n",
        "def drop(name):  # trigger: ignore[TRG102]\n    return [os.remove(each) for each in [name]]\n",
        "def deep(name):\n    os.remove(name)\n\n\ndef drop(name):  # trigger: ignore[TRG102]\n    deep(name)\n",
        "def deep(name):\n    os.remove(name)\n\n\ndef drop(name):\n    deep(name)  # trigger: ignore[TRG102]\n",
        "class C:\n    def m(self, name):  # trigger: ignore[TRG102]\n        os.remove(name)\n\n\ndrop = C().m\n",
        "async def run(name):  # trigger: ignore[TRG102]\n    os.remove(name)\n\n\ndef drop(name):\n    run(name)\n",
    ],
)
def test_suppression_in_a_function_silences_its_callers(project: Make, definition: str) -> None:
    """What a function is allowed, its callers are not told of; nothing is unused."""
    assert told(project, f"{definition}\n\n{_BODY}    drop(p)\n") == []


def test_suppression_of_one_function_leaves_others(project: Make) -> None:
    """A second way to the same effect is told."""
    text = "def one(p):  # trigger: ignore[TRG102]\n    os.remove(p)\n\n\ndef two(p):\n    os.remove(p)\n\n\n"
    assert told(project, f"{text}{_BODY}    one(p)\n    two(p)\n") == [(12, "TRG102")]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("# trigger: ignore[TRG102] all of it\n", []),
        ('"""Docstring."""\n# trigger: file-ignore[TRG102] all of it\n', []),
        ("#!/usr/bin/env python\n# coding: utf-8\n# trigger: ignore[TRG]\n", []),
        ("# trigger: ignore[TRG101] all of it\n", ["TRG902", "TRG102"]),
    ],
)
def test_suppression_of_a_file(project: Make, head: str, expected: list[str]) -> None:
    """Before the first statement, or as file-ignore anywhere, it is for the whole file."""
    found = told(project, f"{_BODY}    os.remove(p)\n", head + _HEAD)
    assert [code for _, code in found] == expected


def test_file_ignore_at_the_end_covers_what_is_above(project: Make) -> None:
    """``file-ignore`` may stand behind code, and below it."""
    assert told(project, f"{_BODY}    os.remove(p)\n\n\nX = 1  # trigger: file-ignore[TRG102]\n") == []


def test_suppression_on_a_job_covers_its_body(project: Make) -> None:
    """On the ``def`` of a job, all of the body; on its decorator, the same."""
    assert told(project, '@job(id="a")\ndef a(p):  # trigger: ignore[TRG102]\n    os.remove(p)\n') == []
    assert told(project, '@job(id="a")  # trigger: ignore[TRG102]\ndef a(p):\n    os.remove(p)\n') == []


def test_suppression_of_a_declaration(project: Make) -> None:
    """Findings about declarations are silenced at their decorator."""
    assert told(project, '@job(id="a b")  # trigger: ignore[TRG503] old name\ndef a(p):\n    print(p)\n') == []


def test_unused_suppression_is_told_where_the_check_looked(project: Make) -> None:
    """In a function that no job reaches, it may have a purpose."""
    text = "def never(p):\n    os.remove(p)  # trigger: ignore[TRG102]\n    print(p)  # trigger: ignore[TRG101]\n\n\n"
    assert told(project, f"{text}{_BODY}    print(p)\n") == []


def test_unused_suppression_is_not_told_when_its_code_is_ignored(project: Make) -> None:
    """A code that is not selected cannot be found, so its suppressions are left alone."""
    made = project(
        {
            "jobs/a.py": f"{_HEAD}{_BODY}    print(p)  # trigger: ignore[TRG102]\n",
            "trigger.toml": 'dirs = ["jobs"]\n[check]\nignore = ["TRG102"]\n',
        }
    )
    assert made.findings() == []


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("trigger: ignore", "`# trigger: ignore` silences nothing: name the codes in brackets"),
        ("trigger: ignore[TRG101 why", "`# trigger: ignore[` silences nothing: close the brackets"),
        ("trigger: ingore[TRG101]", "`# trigger: ingore` is no suppression: write `# trigger: ignore`"),
        ("Trigger: File-Ignore[TRG101]", "`# Trigger: File-Ignore` is no suppression: write `# trigger: file-ignore`"),
        ("trigger: ignore[trg101]", "there is no rule `trg101`: write its code: TRG101"),
        ("trigger: ignore[network-outside-task]", "there is no rule `network-outside-task`: write its code: TRG101"),
    ],
)
def test_message_of_an_invalid_suppression(project: Make, comment: str, words: str) -> None:
    """It says what to write."""
    (told,) = project({"jobs/a.py": f"{_HEAD}{_BODY}    print(p)  # {comment}\n"}).check().diagnostics
    assert told.message.startswith(words)


def test_suppression_with_windows_line_ends(project: Make) -> None:
    """CRLF changes nothing."""
    text = (
        f"{_HEAD}{_BODY}    os.remove(p)  # trigger: ignore[TRG102] why\n    # trigger: ignore[TRG1]\n    os.stat(p)\n"
    )
    assert project({"jobs/a.py": text.replace("\n", "\r\n")}).findings() == []
