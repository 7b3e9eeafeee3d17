"""The server's state: documents, checks, what is known.

It belongs to the event loop; the worker's news come over to it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from typing import TYPE_CHECKING, Final

from lsprotocol import types
from pygls.capabilities import get_capability

from analyzer.language_server.addresses import path_of, uri_of
from analyzer.language_server.documents import Documents
from analyzer.language_server.inlay_hints import hints
from analyzer.language_server.options import Options
from analyzer.language_server.positions import Encoding, Lines
from analyzer.language_server.publishing import Publisher
from analyzer.language_server.schedule import Schedule
from analyzer.language_server.tidying import IDLE_S, Tidying
from analyzer.language_server.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pygls.lsp.server import LanguageServer

    from analyzer.language_server.documents import Document
    from analyzer.language_server.rounds import Rounds
    from analyzer.language_server.snapshot import Finding, Outcome, Snapshot
    from analyzer.model import Diagnostic, Job, Report

logger = logging.getLogger(__name__)

WAIT_S: Final = 10.0
"""How long a request waits for the check of what it is about. The client may cancel it before."""


class Service:
    """What the features of the server work with.

    Args:
        server: sends to the client.
        capabilities: what the client can do.
        encoding: what it counts in.
        options: what its settings say.
    """

    def __init__(
        self, server: LanguageServer, capabilities: types.ClientCapabilities, encoding: Encoding, options: Options
    ) -> None:
        self.capabilities = capabilities
        self.encoding = encoding
        self.options = options
        self.documents = Documents(encoding)
        self.publisher = Publisher(self.documents, server.text_document_publish_diagnostics)
        self.publisher.is_enabled = options.check
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._rounds: Rounds | None = None
        self.worker = Worker(self._round, in_pause=Tidying().in_pause, idle=IDLE_S)
        self.schedule = Schedule(self.worker, self.documents.all)
        self._hints: dict[Path, tuple[int, list[types.InlayHint]]] = {}
        self._has_apologized = False

    def can(self, capability: str) -> bool:
        """Tell whether the client can do something, by the dotted name of the capability."""
        return bool(get_capability(self.capabilities, capability, default=False))

    # --- changes ------------------------------------------------------------------------------------------------------

    def touch(self, document: Document | None, *, is_moved: bool = False) -> None:
        """Check what a change of a document's text may matter to."""
        if document is not None and document.path is not None:
            self.schedule.changed([document.path], is_moved=is_moved)

    def touch_files(self, uris: Iterable[str]) -> None:
        """Check what changes on disk may matter to."""
        paths = [path for path in map(path_of, uris) if path is not None]
        if paths:
            self.schedule.changed(paths)

    def configure(self, settings: object) -> None:
        """Take the client's settings."""
        before, self.options = self.options, self.options.updated(settings)
        if self.options.check != before.check:
            self.publisher.is_enabled = self.options.check
            self.publisher.publish_all()
        if self.options != before:
            self._refresh_hints()

    # --- what is known ------------------------------------------------------------------------------------------------

    async def findings(self, uri: str) -> tuple[Document, tuple[Finding, ...]] | None:
        """Return a document and what was found in its text as it is now; None when that is not known.

        Waits for the check of what has changed.
        """
        if not await self.schedule.settled(WAIT_S):
            return None
        document = self.documents.get(uri)
        if document is None or not document.is_python:
            return None
        found = self.publisher.findings_of(document)
        return document, () if found is None else found.findings

    def jobs_of(self, document: Document) -> tuple[Job, ...]:
        """Return the jobs of the projects that a document belongs to."""
        outcomes = self.publisher.outcomes_of(document.path) if document.path else []
        return tuple(job for outcome in outcomes for job in outcome.jobs)

    async def checked_with(self, path: Path, text: str) -> tuple[Diagnostic, ...]:
        """Return what would be found in a file of a project if its text were another."""
        outcomes = self.publisher.outcomes_of(path)
        rounds = self._rounds
        if not outcomes or rounds is None:
            return ()
        root = outcomes[0].root

        def check() -> Report | None:
            return rounds.checked_with(root, {path: text})

        report = await asyncio.wrap_future(self.worker.ask(check))
        return () if report is None else report.diagnostics

    def lines(self, path: Path) -> Lines:
        """Return a file's lines: those in the editor, else those on disk."""
        document = self.document_of(path)
        if document is not None:
            return document.lines
        try:
            # As it is on disk, line ends included: edits are made for it.
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
        return Lines(text, self.encoding)

    def document_of(self, path: Path) -> Document | None:
        """Return the open document of a file, or None."""
        shown = self.documents.of_path(path)
        return shown[-1] if shown else None

    def uri_of(self, path: Path) -> str:
        """Return the URI by which the client knows a file."""
        document = self.document_of(path)
        return uri_of(path) if document is None else document.uri

    # --- the worker: these run in its thread --------------------------------------------------------------------------

    def _round(self, snapshot: Snapshot, is_stale: Callable[[], bool]) -> None:
        try:
            if self._rounds is None:
                self._rounds = self._make_rounds()
            self._rounds.run(snapshot, is_stale)
        except Exception as error:  # noqa: BLE001 - the thread goes on whatever happens
            self.failed(None, error)
            self.finished(snapshot.number)

    def _make_rounds(self) -> Rounds:
        # Imported here: the check takes longer to import than the answer to `initialize` may.
        from analyzer.language_server.rounds import Client, Rounds  # noqa: PLC0415 - as said

        client = Client(
            encoding=self.encoding,
            related=self.can("text_document.publish_diagnostics.related_information"),
            tags=self.can("text_document.publish_diagnostics.tag_support"),
            pages=self.can("text_document.publish_diagnostics.code_description_support"),
        )
        return Rounds(client, os.environ, self)

    def delivered(self, outcome: Outcome) -> None:
        """Pass an outcome on to the loop."""
        self._call(self._take, outcome)

    def failed(self, root: Path | None, error: Exception) -> None:
        """Pass an error on to the loop."""
        self._call(self._apologize, root, "".join(traceback.format_exception(error)))

    def finished(self, number: int) -> None:
        """Pass the end of a round on to the loop."""
        self._call(self.schedule.finished, number)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is closed: the server ends
            logger.debug("news after the end: %s", function)

    # --- the loop again -----------------------------------------------------------------------------------------------

    def _take(self, outcome: Outcome) -> None:
        self.publisher.take(outcome)
        changed = False
        for path, revision in outcome.revisions.items():
            document = self.document_of(path)
            if document is None or document.revision != revision:
                continue
            file = outcome.files.get(path)
            now = hints(file.findings) if file is not None else []
            known = self._hints.get(path)
            # After an edit of its own the client asks anyway; what another file's edit changed it cannot know.
            changed = changed or (known is not None and known[0] == revision and known[1] != now)
            self._hints[path] = (revision, now)
        if changed:
            self._refresh_hints()

    def _refresh_hints(self) -> None:
        if self.can("workspace.inlay_hint.refresh_support"):
            self._server.workspace_inlay_hint_refresh(None)

    def _apologize(self, root: Path | None, trace: str) -> None:
        where = f" of {root}" if root is not None else ""
        logger.error("the check%s failed\n%s", where, trace)
        self._server.window_log_message(
            types.LogMessageParams(type=types.MessageType.Error, message=f"trigger: the check{where} failed\n{trace}")
        )
        if not self._has_apologized:
            self._has_apologized = True
            last = trace.strip().rsplit("\n", 1)[-1]
            message = f"trigger has a bug, and may miss findings: {last}. The traceback is in the log of this server."
            self._server.window_show_message(types.ShowMessageParams(type=types.MessageType.Error, message=message))
