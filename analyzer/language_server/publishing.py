"""Publishes diagnostics: each file's newest, with the version of the text that they are about, and nothing twice.

Diagnostics are pushed. Every client takes those, they reach files that are not open, and a client that also pulled them
would show each one twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from analyzer.language_server.addresses import uri_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.language_server.documents import Document, Documents
    from analyzer.language_server.snapshot import FileFindings, Outcome

Sent = tuple[int | None, tuple[types.Diagnostic, ...]]


class Publisher:
    """Knows what is known of each project, and what the client has been told. Belongs to the event loop.

    Args:
        documents: what is open.
        send: sends diagnostics to the client.
    """

    def __init__(self, documents: Documents, send: Callable[[types.PublishDiagnosticsParams], None]) -> None:
        self._documents = documents
        self._send = send
        self._outcomes: dict[Path, Outcome] = {}
        self._sent: dict[Path, dict[str, Sent]] = {}
        self.is_enabled = True

    def take(self, outcome: Outcome) -> None:
        """Take what is known of a project, and tell the client what is new."""
        if outcome.is_dropped:
            self._outcomes.pop(outcome.root, None)
        else:
            self._outcomes[outcome.root] = outcome
        members = (path for path in outcome.revisions if path.is_relative_to(outcome.root))
        touched = {*self._sent, *outcome.files, *outcome.configuration, *members}
        for path in touched:
            self.publish(path)

    def publish_all(self) -> None:
        """Tell the client all that is known and that it has not been told."""
        paths = set(self._sent)
        for outcome in self._outcomes.values():
            paths.update(outcome.files, outcome.configuration)
        for path in paths:
            self.publish(path)

    def publish(self, path: Path) -> None:
        """Tell the client the diagnostics of one file, unless a check of a newer text is on its way."""
        documents = self._documents.of_path(path)
        if any(self._is_behind(document) for document in documents):
            return
        diagnostics = self._diagnostics(path) if self.is_enabled else ()
        states: dict[str, Sent] = {document.uri: (document.version, diagnostics) for document in documents}
        if not states:
            states[uri_of(path)] = (None, diagnostics)
        known = self._sent.get(path, {})
        for uri in known.keys() - states.keys():
            if known[uri][1]:
                self._tell(uri, (None, ()))
        for uri, state in states.items():
            # A file that is not open is not worth a word when nothing was and nothing is said of it.
            if known.get(uri) != state and (documents or state[1] or known.get(uri, state)[1]):
                self._tell(uri, state)
        if documents or diagnostics:
            self._sent[path] = states
        else:
            self._sent.pop(path, None)

    def outcomes_of(self, path: Path) -> list[Outcome]:
        """Return what is known of the projects that a file is part of, the innermost first."""
        found = [
            outcome for root, outcome in self._outcomes.items() if path.is_relative_to(root) or path in outcome.files
        ]
        return sorted(found, key=lambda outcome: len(outcome.root.parts), reverse=True)

    def findings_of(self, document: Document) -> FileFindings | None:
        """Return the findings in a document's text as it is; None when they are about another state of it."""
        path = document.path
        if path is None:
            return None
        for outcome in self.outcomes_of(path):
            if outcome.revisions.get(path) == document.revision and path in outcome.files:
                return outcome.files[path]
        return None

    def _is_behind(self, document: Document) -> bool:
        """Tell whether what is known of a document is about a state that is gone."""
        if document.path is None:
            return False
        known = [outcome.revisions.get(document.path) for outcome in self.outcomes_of(document.path)]
        checked = [revision for revision in known if revision is not None]
        return bool(checked) and any(revision < document.revision for revision in checked)

    def _diagnostics(self, path: Path) -> tuple[types.Diagnostic, ...]:
        sources: list[tuple[types.Diagnostic, ...]] = []
        for outcome in self._outcomes.values():
            file = outcome.files.get(path)
            if file is not None:
                sources.append(tuple(finding.shown for finding in file.findings))
            sources.append(outcome.configuration.get(path, ()))
        told = [diagnostics for diagnostics in sources if diagnostics]
        if len(told) <= 1:
            return told[0] if told else ()
        # What two projects say of a file that both import is said once.
        return tuple({repr(diagnostic): diagnostic for diagnostics in told for diagnostic in diagnostics}.values())

    def _tell(self, uri: str, state: Sent) -> None:
        version, diagnostics = state
        self._send(types.PublishDiagnosticsParams(uri=uri, version=version, diagnostics=list(diagnostics)))
