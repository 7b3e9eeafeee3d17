"""Findings in bodies to diagnostics: which effect of a call is told, and the chain of calls down to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.facts.spans import location_of, row_of
from analyzer.graph.frames import DURABLE, SENDS, Frame, Leaf, Step
from analyzer.model import Diagnostic, Link, Location, Severity
from analyzer.rules.registry import RULES

if TYPE_CHECKING:
    from analyzer.facts.spans import Span
    from analyzer.graph.moves import Moves
    from analyzer.settings import CheckSettings

_PSEUDO: Final = frozenset((DURABLE, SENDS))
_LONGEST_CHAIN: Final = 64
_LONGEST_WAY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where diagnostics may stand.

    Attributes:
        root: the project's folder, to which patterns of settings are relative.
        settings: what is reported, and how.
    """

    root: Path
    settings: CheckSettings

    def wants(self, code: str, path: Path | None) -> bool:
        """Tell whether a code is reported in a file."""
        if path is None:
            return False
        relative = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        return self.settings.reports_in(code, relative)

    def diagnostic(
        self,
        code: str,
        path: Path | None,
        at: Span,
        message: str,
        *,
        chain: tuple[Link, ...] = (),
        job: str = "",
        subject: str = "",
    ) -> Diagnostic:
        """Return a diagnostic with what its rule says of it."""
        rule = RULES[code]
        return Diagnostic(
            code=code,
            name=rule.name,
            severity=self.severity(code),
            message=message,
            location=location(path, at),
            chain=chain,
            job=job,
            url=rule.address,
            subject=subject,
        )

    def severity(self, code: str) -> Severity:
        """Return the severity of a code in this project."""
        return self.settings.severity_of(code, RULES[code].severity)


def location(path: Path | None, at: Span) -> Location:
    """Return a place in a file."""
    return location_of(at, path or Path())


def of_body(frame: Frame, place: Place, job: str, moves: Moves) -> list[Diagnostic]:
    """Return the diagnostics of a job's body: one for each call, the worst of its effects, the first of the worst.

    Args:
        frame: the body.
        place: where diagnostics may stand.
        job: the job's id.
        moves: tells what speaks against making a call a task.
    """
    path = frame.home.source.path
    best: dict[tuple[int, str], tuple[Span, Step]] = {}
    for at, by_code in frame.sites.items():
        steps = [step for code, step in by_code.items() if code not in _PSEUDO and place.wants(code, path)]
        if not steps:
            continue
        step = min(steps, key=lambda step: (place.severity(step.leaf.code).rank, step.order))
        # `os.environ` in `os.environ["X"]`, and each call of a chain, begin alike: they are one to the reader.
        key = (_begin(at), step.leaf.code)
        if key not in best or step.order < best[key][1].order:
            best[key] = (at, step)
    return [_diagnostic(place, frame, at, step, job, moves) for at, step in best.values()]


def _begin(at: Span) -> int:
    return at >> 26  # row and column


def _diagnostic(place: Place, frame: Frame, at: Span, step: Step, job: str, moves: Moves) -> Diagnostic:
    leaf = step.leaf
    message = RULES[leaf.code].describe(
        leaf.subject,
        is_code=leaf.is_code,
        remedy=leaf.remedy,
        through=through(step, frame),
        source=leaf.source,
        is_async=frame.is_async,
    )
    found = place.diagnostic(
        leaf.code,
        frame.home.source.path,
        at,
        message,
        chain=chain_of(step),
        job=job,
        subject=leaf.subject,
    )
    return replace(
        found,
        leads_to_steps=not _PSEUDO.isdisjoint(frame.sites[at]),
        gives_object=moves.gives_object(frame, at),
        changes_body=moves.changes_body(frame, at, step),
    )


def through(step: Step, frame: Frame) -> str:
    """Return by which function a frame comes to an effect, code in backticks; empty when by none."""
    if step.callee is None:
        return ""
    name = shown_name(step.callee, frame)
    return name if _is_lambda(step.callee) else f"`{name}`"


def shown_name(frame: Frame, caller: Frame) -> str:
    """Return what people call a function: a lambda by its line, and by its file when the caller is in another."""
    function = frame.function
    if function is None:
        return frame.name
    if _is_lambda(frame):
        row, path = row_of(function.facts.at), frame.home.source.path
        if path is None or path == caller.home.source.path:
            return f"the lambda in line {row}"
        return f"the lambda in {path.name}:{row}"
    return function.facts.qualname


def _is_lambda(frame: Frame) -> bool:
    return frame.function is not None and frame.function.facts.name == "<lambda>"


def chain_of(step: Step, code: str = "") -> tuple[Link, ...]:
    """Return the way from a call down to its effect, without the call itself."""
    links: list[Link] = []
    wanted = code or step.leaf.code
    current = step
    while current.callee is not None and len(links) < _LONGEST_WAY:
        following = current.callee.steps.get(wanted)
        if following is None:
            break
        what = (
            leaf_text(following.leaf)
            if following.callee is None
            else f"calls {shown_name(following.callee, current.callee)}"
        )
        links.append(Link(location=location(current.callee.home.source.path, following.at), what=what))
        current = following
    if len(links) > _LONGEST_CHAIN:
        left_out = len(links) - _LONGEST_CHAIN
        last = links[-1]
        kept = links[: _LONGEST_CHAIN - 1]
        links = [*kept, Link(location=last.location, what=f"and after {left_out} more calls {last.what}")]
    if links and current.leaf.chain:
        links += [Link(location=links[-1].location, what=f"calls {name}") for name in current.leaf.chain]
    return tuple(links)


def leaf_text(leaf: Leaf) -> str:
    """Return what happens at the end of a chain."""
    if leaf.code.startswith(("TRG10", "TRG20", "TRG21")) and leaf.code != "TRG108":
        return f"calls {leaf.subject}"
    subject = leaf.subject.replace("`", "")
    return f"changes {subject}" if leaf.code == "TRG108" else subject
