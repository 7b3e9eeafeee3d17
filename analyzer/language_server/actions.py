"""Code actions: fixes, suppressions, the explanation of a rule, the way to the effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from analyzer.fixes import fix_for
from analyzer.fixes.suppress import suppress
from analyzer.language_server.outline import enclosing, outline
from analyzer.model import Edit, Location
from analyzer.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from analyzer.language_server.edits import Edits
    from analyzer.language_server.positions import Lines
    from analyzer.language_server.snapshot import Finding
    from analyzer.model import Diagnostic, Fix, Job

FIX_ALL: Final = "source.fixAll.trigger"
"""The kind of the action that makes all safe fixes of a document."""

EXPLAIN: Final = "trigger.explainRule"
"""The command that shows a rule's explanation; its argument is the code."""

SHOW_EFFECT: Final = "trigger.showEffect"
"""The command that shows a place; its arguments are a URI and a range."""

_OF_THE_CHECK: Final = "TRG9"
"""How codes about the check itself begin, which no suppression silences."""


def is_wanted(kind: str, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Tell whether a client that asks for certain kinds wants this one."""
    names = [str(getattr(wanted, "value", wanted)) for wanted in only or ()]
    return only is None or any(not name or kind == name or kind.startswith(f"{name}.") for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What code actions are made with.

    Attributes:
        lines: gives the lines of a file.
        edits: makes edits of the workspace.
        can_show: whether the client shows a place when it is asked to.
        others: what was found in the document, by which fixes know what variables hold.
        jobs: the document's jobs.
    """

    lines: Callable[[Path], Lines]
    edits: Edits
    can_show: bool
    others: tuple[Diagnostic, ...] = ()
    jobs: tuple[Job, ...] = ()

    def for_findings(self, findings: Iterable[Finding]) -> list[types.CodeAction]:
        """Return the actions for findings, fixes first."""
        chosen = list(findings)
        fixes = [action for finding in chosen for action in self._fixes(finding)]
        others = [action for finding in chosen for action in self._others(finding)]
        return [*fixes, *others]

    def _fixes(self, finding: Finding) -> list[types.CodeAction]:
        diagnostic = finding.diagnostic
        text = self.lines(diagnostic.location.file).text
        fix = diagnostic.fix or fix_for(diagnostic, text, jobs=self.jobs, others=self.others)
        if fix is None:
            return []
        is_safe = fix.applicability == "safe"
        return [
            types.CodeAction(
                title=fix.title if is_safe else f"{fix.title} (look it over)",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[finding.shown],
                is_preferred=is_safe or None,
                edit=self.edits.of_check(fix.edits),
            )
        ]

    def _others(self, finding: Finding) -> list[types.CodeAction]:
        diagnostic = finding.diagnostic
        actions = []
        if not diagnostic.code.startswith(_OF_THE_CHECK):
            actions += self._suppressions(finding)
        if finding.effect is not None and self.can_show:
            link = diagnostic.chain[-1]
            title = f"Go to the effect: {link.what} ({link.location.file.name}:{link.location.row})"
            arguments = [finding.effect.uri, finding.effect.range]
            actions.append(
                types.CodeAction(
                    title=title,
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[finding.shown],
                    command=types.Command(title=title, command=SHOW_EFFECT, arguments=arguments),
                )
            )
        if diagnostic.code in RULES:
            title = f"Explain {diagnostic.code} ({RULES[diagnostic.code].name})"
            actions.append(
                types.CodeAction(
                    title=title,
                    kind=types.CodeActionKind.QuickFix,
                    diagnostics=[finding.shown],
                    command=types.Command(title=title, command=EXPLAIN, arguments=[diagnostic.code]),
                )
            )
        return actions

    def _suppressions(self, finding: Finding) -> list[types.CodeAction]:
        """Return what silences a finding: at its line, in its function, in the function that has the effect."""
        diagnostic = finding.diagnostic
        location = diagnostic.location
        text = self.lines(location.file).text
        choices: list[tuple[str, tuple[Edit, ...]]] = []
        comment = f"# trigger: ignore[{diagnostic.code}]"
        here = suppress(text, location.row, [diagnostic.code], file=location.file)
        if here is not None:
            choices.append((f"Silence {diagnostic.code} on this line: {comment}", here.edits))
        places = [location]
        if diagnostic.chain:
            places.append(diagnostic.chain[-1].location)
        for place, of_effect in zip(places, (False, True), strict=False):
            found = self._on_function(place, comment)
            if found is not None and all(found[1] not in edits for _, edits in choices):
                name, edit = found
                whom = f", where the effect is, for all that call it ({place.file.name})" if of_effect else ""
                choices.append((f"Silence {diagnostic.code} in {name}(){whom}", (edit,)))
        return [
            types.CodeAction(
                title=title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[finding.shown],
                edit=self.edits.of_check(edits),
            )
            for title, edits in choices
        ]

    def _on_function(self, place: Location, comment: str) -> tuple[str, Edit] | None:
        """Return a function's name, and the edit that puts a comment above it; None when the place is in none."""
        text = self.lines(place.file).text
        function = enclosing(outline(text), place.row)
        if function is None:
            return None
        newline = "\r\n" if "\r\n" in text else "\n"
        row = function.first_row
        above = Location(file=place.file, row=row, column=1, end_row=row, end_column=1)
        return function.name, Edit(location=above, content=f"{function.indent}{comment}{newline}")


def safe_fixes(diagnostics: Iterable[Diagnostic], path: Path, text: str) -> list[Fix]:
    """Return the safe fixes of a file's diagnostics."""
    here = [diagnostic for diagnostic in diagnostics if diagnostic.location.file == path]
    found = (diagnostic.fix or fix_for(diagnostic, text, others=here) for diagnostic in here)
    return [fix for fix in found if fix is not None and fix.applicability == "safe"]
