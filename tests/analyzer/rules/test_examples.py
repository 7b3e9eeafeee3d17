"""Every rule's examples: what is marked in the bad ones is found, and nothing else; in the good ones nothing is."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final, Literal

import pytest

import trigger_sdk
from analyzer.check import check
from analyzer.rules.registry import RULES
from analyzer.rules.rule import Example, Rule
from analyzer.settings import CheckSettings
from trigger_sdk.protocol.project import load_project

_MARK: Final = re.compile(r"# <- (TRG\d{3})$")
_PLACE: Final = "jobs/example.py"
Found = set[tuple[str, int, str]]


def _examples(kind: Literal["bad", "good"]) -> list[object]:
    return [
        pytest.param(rule, example, id=f"{code}-{number}")
        for code, rule in RULES.items()
        for number, example in enumerate(rule.bad if kind == "bad" else rule.good)
    ]


def marked(example: Example) -> Found:
    """Return what an example marks, as (file, row, code)."""
    return {
        (place, row, mark[1])
        for place, text in {_PLACE: example.code, **example.files}.items()
        for row, line in enumerate(text.splitlines(), start=1)
        if (mark := _MARK.search(line)) is not None
    }


def found(example: Example, root: Path) -> Found:
    """Return what the check finds in an example, a project of its own."""
    (root / "trigger.toml").write_text('dirs = ["jobs"]\n', encoding="utf-8")
    for place, text in {_PLACE: example.code, **example.files}.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text, encoding="utf-8")
    report = check(load_project(root), CheckSettings())
    assert report.problems == ()
    return {
        (diagnostic.location.file.relative_to(root).as_posix(), diagnostic.location.row, diagnostic.code)
        for diagnostic in report.diagnostics
    }


@pytest.mark.parametrize(("rule", "example"), _examples("bad"))
def test_bad_example_has_what_it_marks(rule: Rule, example: Example, tmp_path: Path) -> None:
    """The marked lines are found, by this rule, and no others."""
    expected = marked(example)
    assert {code for _, _, code in expected} == {rule.code}
    assert found(example, tmp_path.resolve()) == expected


@pytest.mark.parametrize(("rule", "example"), _examples("good"))
def test_good_example_has_no_finding(rule: Rule, example: Example, tmp_path: Path) -> None:
    """Nothing is found, by this rule or another."""
    assert rule.code in RULES
    assert marked(example) == set()
    assert found(example, tmp_path.resolve()) == set()


@pytest.mark.parametrize(("rule", "example"), [*_examples("bad"), *_examples("good")])
def test_example_is_valid_python(rule: Rule, example: Example) -> None:
    """Readers can run the examples, but for the one about broken files."""
    for place, text in {_PLACE: example.code, **example.files}.items():
        if rule.code == "TRG901" and marked(example):
            with pytest.raises(SyntaxError):
                compile(text, place, "exec")
        elif place.endswith(".py"):
            ast.parse(text, place)
        assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(("rule", "example"), [*_examples("bad"), *_examples("good")])
def test_example_uses_what_the_sdk_has(rule: Rule, example: Example) -> None:
    """It can be pasted today, unless the rule says that it is about something to come; and then it is about that."""
    if rule.code == "TRG901":
        return
    names = {
        alias.name
        for text in (example.code, *example.files.values())
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module == "trigger_sdk"
        for alias in node.names
    }
    missing = {name for name in names if not hasattr(trigger_sdk, name)}
    assert bool(missing) == bool(rule.planned)
    assert all(f"`{name}`" in rule.planned for name in missing)


def test_what_is_to_come_is_said_where_the_rule_is_explained() -> None:
    """In the terminal, in the reference, in editors, in SARIF: all show the page."""
    rule = RULES["TRG504"]
    assert rule.page.startswith("Not in this release: the SDK has no `cron`")
    assert RULES["TRG101"].page == RULES["TRG101"].explanation
