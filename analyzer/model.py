"""Values of the check: places, diagnostics, fixes, jobs, the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final, Literal

from trigger_sdk.protocol.problem import Problem

Applicability = Literal["safe", "unsafe"]
"""``safe`` keeps what the program does but for the finding; ``unsafe`` wants a look."""


FILE_UNREADABLE: Final = "file-unreadable"
"""Code of the problem that a file of the project could not be read."""


class Severity(Enum):
    """How much a diagnostic matters. Hints do not change the exit code."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"

    @property
    def rank(self) -> int:
        """0 for errors, which come first."""
        return _RANKS[self]


_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.HINT: 2}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Location:
    """A stretch of source text.

    Attributes:
        file: absolute path.
        row: line of the first character, from 1.
        column: column of the first character, in characters, from 1.
        end_row: line of the character after the last.
        end_column: its column.
    """

    file: Path
    row: int
    column: int
    end_row: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One step of the way from a call in a body down to the effect.

    Attributes:
        location: where it stands.
        what: what stands there: ``calls fetch_rates``, ``calls requests.get``.
    """

    location: Location
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replaces the text at ``location`` with ``content``."""

    location: Location
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change that makes a diagnostic go away.

    Attributes:
        applicability: whether it may be made unseen.
        title: what it does, in the imperative: ``Wrap the call in task.run``.
        edits: the changes, which do not overlap.
    """

    applicability: Applicability
    title: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A finding.

    Attributes:
        code: the rule's code, ``TRG101``.
        name: the rule's name in words, ``network-outside-task``.
        severity: how much it matters.
        message: one sentence: what, why it matters on replay, what to write instead.
        location: the call in the body.
        chain: the steps from that call down to the effect, which is the last. Empty when the call itself is it.
        job: id of the job in whose body it stands; empty when it is not about one.
        fix: a change that removes it, or None.
        url: where the rule is explained, as a path in the repository until that has a public home.
        subject: what it is about, as the message names it: ``requests.get``; the code, for a suppression.
        leads_to_steps: the call also leads to tasks or waits, so that it cannot be made a task itself.
        gives_object: what the call gives is not known to be storable: a client, a file, an instance of a plain class.
        changes_body: what is called changes what belongs to the body, which would be lost in a task.
    """

    code: str
    name: str
    severity: Severity
    message: str
    location: Location
    chain: tuple[Link, ...] = ()
    job: str = ""
    fix: Fix | None = None
    url: str = ""
    subject: str = ""
    leads_to_steps: bool = False
    gives_object: bool = False
    changes_body: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the source declares it.

    Attributes:
        id: its id; empty when it is not a literal.
        qualname: dotted name of its function, module included: ``jobs.orders.process``.
        location: the ``def`` line's name.
        is_async: whether the body is ``async def``.
        queue: the name of its queue; empty when it has its own or a computed one.
        steps: names of the tasks and waits that its body asks for, in source order, each once.
        effects: codes of the diagnostics in its body.
        step_places: where its body asks for tasks and waits, itself or through what it calls, in source order.
        objects: its variables that may hold what is not known to be storable, by name.
    """

    id: str
    qualname: str
    location: Location
    is_async: bool
    queue: str = ""
    steps: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    step_places: tuple[Location, ...] = ()
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found.

    Attributes:
        diagnostics: findings, by file, row and column.
        jobs: the jobs that were checked, by file and row.
        files: how many files were read.
        functions: how many functions the jobs reach, their own bodies included.
        problems: what kept the check from seeing all: unreadable files, no jobs.
    """

    diagnostics: tuple[Diagnostic, ...]
    jobs: tuple[Job, ...] = ()
    files: int = 0
    functions: int = 0
    problems: tuple[Problem, ...] = field(default=())

    @property
    def has_errors(self) -> bool:
        """Whether something would go wrong in a run: a deployment stops on that, and where :attr:`is_blind`."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)

    @property
    def has_findings(self) -> bool:
        """Whether there are errors or warnings; hints ask for no action."""
        return any(diagnostic.severity is not Severity.HINT for diagnostic in self.diagnostics)

    @property
    def is_blind(self) -> bool:
        """Whether a file could not be read, so that the absence of errors says nothing."""
        return any(problem.code == FILE_UNREADABLE for problem in self.problems)
