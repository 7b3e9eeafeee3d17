"""The output formats by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from analyzer.model import Report
    from analyzer.output.view import View

FORMATS: Final = ("text", "concise", "json", "github", "gitlab", "sarif", "junit")
"""Every format; each is a module of this package with a function ``render``."""

FOR_PEOPLE: Final = frozenset(("text", "concise"))
"""Formats that may be coloured, and whose paths are relative to the working folder."""


def render(format: str, report: Report, view: View) -> str:
    """Return a report in a format, with a newline at its end."""
    output: str = import_module(f"analyzer.output.{format}").render(report, view)
    return output
