"""One round: every project that a change may matter to is checked, and its outcome delivered. Runs in the worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from analyzer.errors import CheckStale
from analyzer.language_server.addresses import uri_of
from analyzer.language_server.continuity import broken_files, carried, carried_jobs, without_absences
from analyzer.language_server.diagnostics import Presentation, of_problem
from analyzer.language_server.projects import OpenProject, Projects, problems_of
from analyzer.language_server.snapshot import FileFindings, Finding, Outcome
from analyzer.language_server.texts import Texts
from trigger_sdk.protocol.errors import ProjectInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from lsprotocol import types

    from analyzer.language_server.documents import Document
    from analyzer.language_server.positions import Encoding
    from analyzer.language_server.snapshot import Snapshot
    from analyzer.model import Diagnostic, Job, Report
    from trigger_sdk.protocol.problem import Problem


class Listener(Protocol):
    """Hears of rounds, in the worker's thread."""

    def delivered(self, outcome: Outcome) -> None:
        """Take what is known of a project now."""

    def failed(self, root: Path | None, error: Exception) -> None:
        """Take the error, a bug of ours, that ended a check."""

    def finished(self, number: int) -> None:
        """Hear that all that a snapshot asked for has been delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What matters of the client to how diagnostics are shown.

    Attributes:
        encoding: what it counts in.
        related: whether it shows related places.
        tags: whether it shows what is unnecessary.
        pages: whether it links codes to pages.
    """

    encoding: Encoding
    related: bool
    tags: bool
    pages: bool


class Rounds:
    """Checks what is open.

    Args:
        client: what the client can show.
        environ: environment variables.
        listener: hears what comes out.
    """

    def __init__(self, client: Client, environ: Mapping[str, str], listener: Listener) -> None:
        self._client = client
        self._listener = listener
        self._projects = Projects(environ)
        self._texts = Texts(client.encoding)
        self._last: dict[Path, Outcome] = {}
        self._uris: dict[Path, str] = {}
        self._presentation = Presentation(
            lines=self._texts.lines,
            uri=lambda path: self._uris.get(path) or uri_of(path),
            related=client.related,
            tags=client.tags,
            pages=client.pages,
        )

    def run(self, snapshot: Snapshot, is_stale: Callable[[], bool]) -> None:
        """Check the projects of a snapshot's documents; stops when it is out of date."""
        try:
            shown = self._show(snapshot.documents)
            if snapshot.is_moved:
                self._projects.forget_places()
            open_projects = self._projects.of_files(shown)
            for root in [root for root in self._last if root not in open_projects]:
                del self._last[root]
                self._listener.delivered(Outcome(root=root, is_dropped=True))
            for project in open_projects.values():
                project.is_dirty = project.is_dirty or project.is_touched(snapshot.changed)
        except Exception as error:  # noqa: BLE001 - a bug of ours, or a disk's; the next round may go well
            self._listener.failed(None, error)
            open_projects, shown = {}, {}
        for project in open_projects.values():
            if not self._check(project, shown, is_stale):
                return
        self._listener.finished(snapshot.number)

    def checked_with(self, root: Path, texts: Mapping[Path, str]) -> Report | None:
        """Check a project with texts in the place of what is open; None when it cannot be checked."""
        project = self._projects.get(root)
        if project is None or project.session is None:
            return None
        project.is_dirty = True
        shown = {path: self._texts.lines(path).text for path in self._uris}
        return project.session.check(texts={**shown, **texts})

    def _show(self, documents: Iterable[Document]) -> dict[Path, Document]:
        """Return the open modules by file, and take their texts and URIs for those of the files."""
        shown = {document.path: document for document in documents if document.path and document.is_python}
        self._texts.show({path: document.lines for path, document in shown.items()})
        self._uris = {path: document.uri for path, document in shown.items()}
        return shown

    def _check(self, project: OpenProject, shown: Mapping[Path, Document], is_stale: Callable[[], bool]) -> bool:
        """Check a project that needs it. Returns False when the round is out of date."""
        try:
            project.refresh()
            if not project.is_dirty:
                return True
            self._deliver(self._outcome_of_open(project, shown, is_stale))
            outcome = self._outcome(project, shown, is_stale)
        except CheckStale:
            return False
        except Exception as error:  # noqa: BLE001 - a bug of ours: what was known of the project stays
            project.is_dirty = False
            self._listener.failed(project.root, error)
            return True
        project.is_dirty = False
        self._deliver(outcome)
        return True

    def _deliver(self, outcome: Outcome) -> None:
        self._last[outcome.root] = outcome
        self._listener.delivered(outcome)

    def _outcome_of_open(
        self, project: OpenProject, shown: Mapping[Path, Document], is_stale: Callable[[], bool]
    ) -> Outcome:
        """Check only what can be seen, for it must not wait for all that a change in shared code reaches."""
        before = self._last.get(project.root, Outcome(root=project.root))
        within = [path for path in shown if path.is_relative_to(project.root)]
        if project.session is None or not within:
            return before
        texts = {path: document.lines.text for path, document in shown.items()}
        try:
            report = project.session.check(texts=texts, paths=within, is_stale=is_stale)
        except ProjectInvalid:
            return before  # the whole check says so
        files, jobs = self._files(report.diagnostics, report.jobs, before, shown)
        return replace(
            before,
            files={path: found for path, found in before.files.items() if path not in within}
            | {path: found for path, found in files.items() if path in within},
            jobs=(*(job for job in before.jobs if job.location.file not in within), *jobs),
            revisions={path: document.revision for path, document in shown.items()},
        )

    def _outcome(self, project: OpenProject, shown: Mapping[Path, Document], is_stale: Callable[[], bool]) -> Outcome:
        problems = list(project.problems)
        report: Report | None = None
        found: tuple[Diagnostic, ...] = ()
        jobs: tuple[Job, ...] = ()
        if project.session is not None:
            texts = {path: document.lines.text for path, document in shown.items()}
            try:
                report = project.session.check(texts=texts, is_stale=is_stale)
                found, jobs = report.diagnostics, report.jobs
                unsaved = project.unsaved_job_files(shown)
                if unsaved:
                    further = project.session.check(texts=texts, paths=unsaved, is_stale=is_stale)
                    found += tuple(diagnostic for diagnostic in further.diagnostics if diagnostic not in found)
                    jobs += tuple(job for job in further.jobs if job not in jobs)
            except ProjectInvalid as error:
                problems += problems_of(error)
        before = self._last.get(project.root, Outcome(root=project.root))
        files, jobs = self._files(found, jobs, before, shown)
        return Outcome(
            root=project.root,
            files=files,
            jobs=jobs,
            revisions={path: document.revision for path, document in shown.items()},
            configuration=self._configuration(project, problems),
        )

    def _files(
        self, found: tuple[Diagnostic, ...], jobs: tuple[Job, ...], before: Outcome, shown: Mapping[Path, Document]
    ) -> tuple[dict[Path, FileFindings], tuple[Job, ...]]:
        broken = broken_files(found, shown)
        kept: list[Diagnostic] = []
        if broken:
            found = without_absences(found, before.files)
            kept = carried(before.files, found, broken, self._texts.lines)
            jobs = carried_jobs(before.jobs, jobs, broken)
        by_file: dict[Path, list[Finding]] = {}
        for diagnostics, is_carried in ((found, False), (kept, True)):
            for diagnostic in diagnostics:
                finding = Finding(
                    diagnostic=diagnostic,
                    shown=self._presentation.shown(diagnostic),
                    effect=self._presentation.effect(diagnostic),
                    is_carried=is_carried,
                )
                by_file.setdefault(diagnostic.location.file, []).append(finding)
        files = {
            path: FileFindings(
                lines=self._texts.lines(path),
                findings=tuple(sorted(findings, key=lambda finding: finding.diagnostic.location)),
            )
            for path, findings in by_file.items()
        }
        return files, jobs

    def _configuration(
        self, project: OpenProject, problems: Iterable[Problem]
    ) -> dict[Path, tuple[types.Diagnostic, ...]]:
        file = project.configuration
        lines = self._texts.lines(file)
        shown = tuple(of_problem(problem, lines) for problem in problems)
        return {file: shown} if shown else {}
