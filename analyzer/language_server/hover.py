"""Hover: what is known of a job, a task, a step, and why a finding matters. Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.language_server.diagnostics import chain_lines
from analyzer.language_server.outline import TASK, enclosing, outline
from analyzer.rules.addresses import is_absolute
from analyzer.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsprotocol import types

    from analyzer.language_server.documents import Document
    from analyzer.language_server.snapshot import Finding
    from analyzer.model import Diagnostic, Job


def findings_at(findings: Sequence[Finding], position: types.Position) -> list[Finding]:
    """Return the findings that a position lies in, the narrowest first."""
    place = (position.line, position.character)
    inside = [
        finding
        for finding in findings
        if (finding.shown.range.start.line, finding.shown.range.start.character)
        <= place
        <= (finding.shown.range.end.line, finding.shown.range.end.character)
    ]
    return sorted(inside, key=lambda finding: _size(finding.shown.range))


def _size(stretch: types.Range) -> tuple[int, int]:
    return stretch.end.line - stretch.start.line, stretch.end.character - stretch.start.character


def hover_text(
    document: Document, position: types.Position, jobs: Sequence[Job], findings: Sequence[Finding]
) -> str | None:
    """Return what to show at a position, or None."""
    parts = [*_of_function(document, position, jobs)]
    if not parts:
        parts += _of_step(document, position, jobs)
    parts += [_of_finding(finding.diagnostic) for finding in findings_at(findings, position)]
    return "\n\n---\n\n".join(dict.fromkeys(parts)) or None


def _of_function(document: Document, position: types.Position, jobs: Sequence[Job]) -> list[str]:
    """Return what is known of the function on whose decorators or ``def`` the position is."""
    row = position.line + 1
    function = enclosing(outline(document.lines.text), row)
    if function is None or not function.first_row <= row <= function.def_row:
        return []
    of_file = [job for job in jobs if job.location.file == document.path]
    declared = [job for job in of_file if job.location.row == function.def_row]
    if declared:
        return [job_text(job) for job in declared]
    if TASK not in function.sdk:
        return []
    users = [job for job in jobs if function.name in job.steps]
    return [_task_text(function.name, function.declaration, users)]


def _of_step(document: Document, position: types.Position, jobs: Sequence[Job]) -> list[str]:
    """Return what is known of the step of a job that the word at the position asks for."""
    row, column = document.lines.place(position)
    word = _word(document.lines.line(position.line), column - 1)
    for job in jobs:
        for place in job.step_places:
            inside = place.file == document.path and (place.row, place.column) <= (row, column) <= (
                place.end_row,
                place.end_column,
            )
            step = next((step for step in job.steps if word and step.rpartition(".")[2] == word), None)
            if inside and step is not None:
                of_job = f"**{_code(step)}** is a step of the job {_code(job.id or job.qualname)}"
                return [f"{of_job}: its result is written down, and comes back on replay."]
    return []


def _word(line: str, index: int) -> str:
    start = end = min(index, len(line))
    while start > 0 and (line[start - 1].isalnum() or line[start - 1] == "_"):
        start -= 1
    while end < len(line) and (line[end].isalnum() or line[end] == "_"):
        end += 1
    return line[start:end]


def job_text(job: Job) -> str:
    """Return what is known of a job."""
    name = _code(job.id) if job.id else f"{_code(job.qualname)} (its id is computed)"
    kind = "async" if job.is_async else "sync"
    rows = [
        f"**job** {name} — {kind} body, queue {_code(job.queue) if job.queue else 'of its own'}",
        f"Steps: {' → '.join(_code(step) for step in job.steps)}" if job.steps else "Steps: none",
    ]
    if job.effects:
        named = [f"{code} {RULES[code].name}" if code in RULES else code for code in job.effects]
        rows.append("Found in its body: " + ", ".join(named))
    else:
        rows.append("Nothing found in its body.")
    return "  \n".join(rows)


def _task_text(name: str, declaration: str, users: Sequence[Job]) -> str:
    text = (
        f"**task** {_code(name)}: runs once for each call in a body; its result is written down, and comes back on"
        " replay."
    )
    if users:
        text += "  \nA step of " + ", ".join(_code(job.id or job.qualname) for job in users)
    return f"{text}\n\n```python\n{declaration}\n```"


def _of_finding(diagnostic: Diagnostic) -> str:
    parts = [f"**{diagnostic.code}** {diagnostic.name}: {diagnostic.message}"]
    if diagnostic.chain:
        parts.append("```text\n" + "\n".join(chain_lines(diagnostic)) + "\n```")
    if diagnostic.code in RULES:
        parts.append(RULES[diagnostic.code].page.strip())
    if is_absolute(diagnostic.url):
        parts.append(f"<{diagnostic.url}>")
    return "\n\n".join(parts)


def _code(text: str) -> str:
    """Return a text as Markdown code, whatever backticks it has."""
    fence = "`" if "`" not in text else "``"
    return f"{fence}{text}{fence}"
