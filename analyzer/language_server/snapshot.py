"""What a round of checks works on, and what comes out of it: values that pass between the loop and the worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lsprotocol import types

    from analyzer.language_server.documents import Document
    from analyzer.language_server.positions import Lines
    from analyzer.model import Diagnostic, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The open documents at one moment.

    Attributes:
        number: how many changes there had been.
        documents: their states, the last one of a file last.
        changed: files that changed since the snapshot before; None when anything may have.
        is_moved: files may have come or gone, so that the roots of projects are looked for anew.
    """

    number: int
    documents: tuple[Document, ...]
    changed: frozenset[Path] | None
    is_moved: bool = True

    def after(self, missed: Snapshot | None) -> Snapshot:
        """Return this snapshot, with the changes of one that nobody worked on."""
        if missed is None:
            return self
        whole = self.changed is None or missed.changed is None
        return Snapshot(
            number=self.number,
            documents=self.documents,
            changed=None if whole else (self.changed or frozenset()) | (missed.changed or frozenset()),
            is_moved=self.is_moved or missed.is_moved,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A diagnostic, and how the client is shown it.

    Attributes:
        diagnostic: the check's.
        shown: the protocol's.
        effect: the last place on the way down to the effect; None when the call itself is it.
        is_carried: it was found before a file on its way was broken by what is being typed.
    """

    diagnostic: Diagnostic
    shown: types.Diagnostic
    effect: types.Location | None = None
    is_carried: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFindings:
    """The findings in one file, and the text that they were found in."""

    lines: Lines
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of a project.

    Attributes:
        root: the project's folder.
        files: findings by file; files without any are missing.
        jobs: its jobs.
        revisions: the state of each open document that was checked.
        configuration: diagnostics on the files that configure it, by file.
        is_dropped: no file of it is open any more.
    """

    root: Path
    files: Mapping[Path, FileFindings] = field(default_factory=dict)
    jobs: tuple[Job, ...] = ()
    revisions: Mapping[Path, int] = field(default_factory=dict)
    configuration: Mapping[Path, tuple[types.Diagnostic, ...]] = field(default_factory=dict)
    is_dropped: bool = False
