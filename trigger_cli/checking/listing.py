"""`--show-jobs` and `--statistics`: the report as a table."""

from __future__ import annotations

from collections import Counter
from typing import Any

from analyzer.model import Job, Report
from analyzer.output.view import View
from trigger_cli.rendering.tables import Cell, Column, render_table
from trigger_cli.terminal import Terminal


def job_lines(report: Report, view: View, terminal: Terminal) -> list[str]:
    """Return the jobs as the lines of a table."""
    head = [
        Column(title="JOB"),
        Column(title="FUNCTION"),
        Column(title="WHERE"),
        Column(title="QUEUE"),
        Column(title="STEPS", flexible=True),
        Column(title="FINDINGS"),
    ]
    rows = [
        [
            Cell(text=text)
            for text in (
                job.id or "(computed)",
                job.qualname,
                f"{view.path(job.location.file)}:{job.location.row}",
                job.queue,
                ", ".join(job.steps),
                ", ".join(job.effects),
            )
        ]
        for job in report.jobs
    ]
    return _table(head, rows, terminal)


def job_objects(report: Report) -> list[dict[str, Any]]:
    """Return the jobs for JSON."""
    return [_job_object(job) for job in report.jobs]


def _job_object(job: Job) -> dict[str, Any]:
    return {
        "id": job.id or None,
        "function": job.qualname,
        "filename": str(job.location.file),
        "location": {"row": job.location.row, "column": job.location.column},
        "is_async": job.is_async,
        "queue": job.queue or None,
        "steps": list(job.steps),
        "findings": list(job.effects),
    }


def statistics_objects(report: Report) -> list[dict[str, Any]]:
    """Return how often each rule was found, the most frequent first."""
    counts = Counter(diagnostic.code for diagnostic in report.diagnostics)
    fixable = Counter(diagnostic.code for diagnostic in report.diagnostics if diagnostic.fix is not None)
    kinds = {diagnostic.code: diagnostic for diagnostic in report.diagnostics}
    return [
        {
            "code": code,
            "name": kinds[code].name,
            "severity": kinds[code].severity.value,
            "count": count,
            "fixable": fixable[code],
        }
        for code, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def statistics_lines(report: Report, terminal: Terminal) -> list[str]:
    """Return the same as the lines of a table; none when nothing was found."""
    head = [
        Column(title="COUNT", right=True),
        Column(title="CODE"),
        Column(title="NAME"),
        Column(title="SEVERITY"),
        Column(title="FIXABLE", right=True),
    ]
    keys = ("count", "code", "name", "severity", "fixable")
    rows = [[Cell(text=str(row[key])) for key in keys] for row in statistics_objects(report)]
    return _table(head, rows, terminal) if rows else []


def _table(head: list[Column], rows: list[list[Cell]], terminal: Terminal) -> list[str]:
    width = terminal.width if terminal.live else None
    return render_table(head, rows, width=width, palette=terminal.palette, ellipsis=terminal.glyphs.ellipsis)
