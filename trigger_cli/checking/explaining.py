"""The explanation of a rule: a page for people, an object for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from analyzer.fixes.registry import MAKERS
from analyzer.rules.rule import Example, Rule
from trigger_cli.rendering.tables import Cell, Column, render_table
from trigger_cli.terminal import Terminal


def rule_list(rules: Iterable[Rule], terminal: Terminal) -> list[str]:
    """Return all rules as the lines of a table."""
    head = [
        Column(title="CODE"),
        Column(title="NAME"),
        Column(title="SEVERITY"),
        Column(title="FINDS", flexible=True),
    ]
    rows = [[Cell(text=text) for text in (rule.code, rule.name, rule.severity.value, rule.summary)] for rule in rules]
    width = terminal.width if terminal.live else None
    return render_table(head, rows, width=width, palette=terminal.palette, ellipsis=terminal.glyphs.ellipsis)


def rule_page(rule: Rule, terminal: Terminal) -> list[str]:
    """Return the explanation of a rule as lines."""
    ink = terminal.palette
    lines = [f"{ink.bold(f'{rule.code} {rule.name}')} ({rule.severity.value})", "", rule.summary, ""]
    if is_fixable(rule.code):
        lines += ["Where `trigger check` says so, `trigger check --fix` corrects it.", ""]
    lines += [ink.bold(line.lstrip("# ")) if line.startswith("#") else line for line in rule.page.splitlines()]
    for title, examples in (("Example", rule.bad), ("Written so that nothing is found", rule.good)):
        for example in examples:
            lines += ["", ink.bold(title), "", *_example(example)]
    lines += ["", ink.bold("To silence it"), "", *how_to_silence(rule.code)]
    return lines


def _example(example: Example) -> Iterator[str]:
    files = {"": example.code} if not example.files else {**example.files, "jobs/example.py": example.code}
    for number, (name, code) in enumerate(files.items()):
        if number:
            yield ""
        if name:
            yield f"    # {name}"
        yield from (f"    {line}".rstrip() for line in code.splitlines())


def is_fixable(code: str) -> bool:
    """Tell whether some findings of a rule can be fixed."""
    return code in MAKERS


def how_to_silence(code: str) -> list[str]:
    """Return the lines that say how to silence a rule."""
    return [
        f"At a line, or on a `def` for all that calls it:  # trigger: ignore[{code}] reason",
        f'In files:  [tool.trigger.check.per-file-ignores]  "jobs/legacy/**" = ["{code}"]',
        f'Everywhere:  [tool.trigger.check]  ignore = ["{code}"]',
    ]


def rule_object(rule: Rule) -> dict[str, Any]:
    """Return everything about a rule for JSON."""
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity.value,
        "summary": rule.summary,
        "fixable": is_fixable(rule.code),
        "explanation": rule.explanation,
        "planned": rule.planned or None,
        "url": rule.address,
        "bad": [_example_object(example) for example in rule.bad],
        "good": [_example_object(example) for example in rule.good],
    }


def _example_object(example: Example) -> dict[str, Any]:
    return {"code": example.code, "files": dict(example.files)}
