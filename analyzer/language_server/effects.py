"""Go to the effect: from a call in a body to where, further down, it does what it must not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from analyzer.language_server.hover import findings_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.language_server.snapshot import Finding


def effects_at(findings: Sequence[Finding], position: types.Position) -> list[types.LocationLink]:
    """Return where the effects of the call at a position are, one for each finding that has a way down to one."""
    links = []
    for finding in findings_at(findings, position):
        last = finding.effect
        if last is not None:
            links.append(
                types.LocationLink(
                    target_uri=last.uri,
                    target_range=last.range,
                    target_selection_range=last.range,
                    origin_selection_range=finding.shown.range,
                )
            )
    return links
