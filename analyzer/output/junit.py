"""JUnit XML: a suite for each file, a failed test for each finding, a passed one for each job without any."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from analyzer.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.model import Diagnostic, Job, Report
    from analyzer.output.view import View

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a reference."""


def render(report: Report, view: View) -> str:
    """Return the report as JUnit XML."""
    failed = [diagnostic for diagnostic in report.diagnostics if diagnostic.severity is not Severity.HINT]
    at_fault = {(diagnostic.location.file, diagnostic.job) for diagnostic in failed}
    passed = [job for job in report.jobs if (job.location.file, job.id) not in at_fault]
    files = sorted({*(diagnostic.location.file for diagnostic in failed), *(job.location.file for job in passed)})
    failures = {
        file: list(found)
        for file, found in groupby(
            sorted(failed, key=lambda diagnostic: diagnostic.location.file),
            key=lambda diagnostic: diagnostic.location.file,
        )
    }
    tests = len(failed) + len(passed)
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines.append(f'<testsuites name="trigger check" tests="{tests}" failures="{len(failed)}" errors="0">')
    for file in files:
        path = view.path(file)
        found = failures.get(file, [])
        sound = [job for job in passed if job.location.file == file]
        head = f'name={_attribute(path)} tests="{len(found) + len(sound)}" failures="{len(found)}" errors="0"'
        lines.append(f"  <testsuite {head}>")
        for diagnostic in found:
            lines += _failure(diagnostic, path, view)
        lines += [_pass(job, path) for job in sound]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _failure(diagnostic: Diagnostic, path: str, view: View) -> Iterator[str]:
    row, column = diagnostic.location.row, diagnostic.location.column
    name = f"{diagnostic.code} {diagnostic.name} at {row}:{column}"
    chain = [f"-> {view.path(link.location.file)}:{link.location.row} {link.what}" for link in diagnostic.chain]
    body = "\n".join([f"{path}:{row}:{column}: {diagnostic.message}", *chain])
    yield f"    <testcase {_case(name, path, row)}>"
    kind = f"{diagnostic.severity.value} {diagnostic.code}"
    attributes = f"message={_attribute(diagnostic.message)} type={_attribute(kind)}"
    yield f"      <failure {attributes}>{escape(_clean(body))}</failure>"
    yield "    </testcase>"


def _pass(job: Job, path: str) -> str:
    name = f"job {job.id or job.qualname}"
    return f"    <testcase {_case(name, path, job.location.row)}/>"


def _case(name: str, path: str, row: int) -> str:
    return f'name={_attribute(name)} classname={_attribute(path)} file={_attribute(path)} line="{row}"'


def _attribute(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)
