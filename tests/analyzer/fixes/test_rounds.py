"""Every case of the corpus and every example of the rules: fixed until stable, without anything new to find."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from analyzer.fixes.registry import MAKERS
from analyzer.rules.registry import RULES
from tests.analyzer.corpus.reading import Case, cases
from tests.fakes.fixing import counted, fix_project

_WITHOUT = frozenset(
    ("TRG108", "TRG109", "TRG201", "TRG202", "TRG203", "TRG302", "TRG403", "TRG406", "TRG407", "TRG901")
)
"""Rules whose findings want a decision, or are hints that want nothing; declarations and TRG903 as well."""


def _examples() -> list[Case]:
    return [
        Case(name=f"rule/{rule.code}-{number}", files={"jobs/example.py": example.code, **example.files})
        for rule in RULES.values()
        for number, example in enumerate((*rule.bad, *rule.good))
    ]


_ALL = [*cases(), *_examples()]


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
@pytest.mark.parametrize("case", _ALL, ids=lambda case: case.name)
def test_fixing_until_stable_leaves_valid_files_and_nothing_new(case: Case, unsafe: bool, tmp_path: Path) -> None:
    """Files parse, no code is found more often than before, what was fixed is gone, other lines are as they were."""
    root = tmp_path.resolve()
    case.write(root)
    before = {path: path.read_bytes().decode("utf-8") for path in root.rglob("*.py")}
    fixed = fix_project(root, unsafe=unsafe)
    assert not counted(fixed.after, root) - counted(fixed.before, root)
    assert len(fixed.after.diagnostics) <= len(fixed.before.diagnostics) - bool(fixed.first)
    for path, text in fixed.texts.items():
        ast.parse(text)
        assert unbound(text) <= unbound(before[path]) or "del " in text  # a deleted name was bound all the same
        assert text.count("\r\n") == (text.count("\n") if "\r\n" in before[path] else 0)


def unbound(text: str) -> Counter[str]:
    """Return what is said of names that are read and nowhere bound, by a linter."""
    ruff = [str(Path(sys.executable).parent / "ruff"), "check", "--isolated", "--no-cache", "--quiet"]
    rules = ["--select", "F821,F823", "--output-format", "json", "--target-version", "py314", "-"]
    done = subprocess.run([*ruff, *rules], input=text, capture_output=True, text=True, timeout=60, check=False)
    return Counter(str(row["message"]) for row in json.loads(done.stdout))


def test_registry_decides_for_every_rule() -> None:
    """Each rule has a fix, or is known to have none."""
    declared = {code for code in RULES if code.startswith("TRG5")} | {"TRG903"}
    assert set(MAKERS) | _WITHOUT | declared == set(RULES)
    assert not set(MAKERS) & (_WITHOUT | declared)


@pytest.mark.parametrize(
    "code", ["TRG101", "TRG102", "TRG103", "TRG104", "TRG105", "TRG107", "TRG301", "TRG401", "TRG902"]
)
def test_examples_of_rules_with_fixes_are_clean_in_the_end(code: str, tmp_path: Path) -> None:
    """The bad examples of a rule are without its finding once fixed, unsafe fixes included."""
    root = tmp_path.resolve()
    for number, example in enumerate(RULES[code].bad):
        folder = root / str(number)
        Case(name=code, files={"jobs/example.py": example.code, **example.files}).write(folder)
        fixed = fix_project(folder, unsafe=True)
        assert code not in {each.code for each in fixed.after.diagnostics}
