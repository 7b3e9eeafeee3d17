"""Inlay hints: `recorded` behind the calls whose result the runtime writes down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lsprotocol import types

from analyzer.language_server.diagnostics import RECORDED
from analyzer.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.language_server.snapshot import Finding

LABEL: Final = "recorded"


def hints(findings: Iterable[Finding], within: types.Range | None = None) -> list[types.InlayHint]:
    """Return the hints for findings, those in a range when one is given.

    A project that made the recorded calls errors has none: there they are no comfort.
    """
    found: dict[tuple[int, int], types.InlayHint] = {}
    for finding in findings:
        end = finding.shown.range.end
        if (
            finding.diagnostic.code.startswith(RECORDED)
            and finding.diagnostic.severity is Severity.HINT
            and (within is None or within.start.line <= end.line <= within.end.line)
        ):
            found.setdefault(
                (end.line, end.character),
                types.InlayHint(position=end, label=LABEL, padding_left=True, tooltip=finding.diagnostic.message),
            )
    return list(found.values())
