"""Fingerprints: what stays the same of a finding when lines are added above it."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Diagnostic
    from analyzer.output.view import View


def fingerprints(diagnostics: Sequence[Diagnostic], view: View) -> list[str]:
    """Return a fingerprint for each finding: unique, and made of the file, the code and the source text, not of rows.

    Findings that are alike in all of these are told apart by their order.
    """
    seen: Counter[str] = Counter()
    found = []
    for diagnostic in diagnostics:
        location = diagnostic.location
        last = min(location.end_row, location.row + _MOST_LINES)
        source = [view.sources.line(location.file, row).strip() for row in range(location.row, last + 1)]
        key = "\0".join([view.path(location.file), diagnostic.code, diagnostic.job, *source])
        found.append(_digest(f"{key}\0{seen[key]}"))
        seen[key] += 1
    return found


_MOST_LINES = 20
"""Lines of a finding that count."""


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
