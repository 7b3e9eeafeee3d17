"""The features of the server: what the client may ask, and what it tells."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import converters, types
from pygls.lsp.server import LanguageServer

from analyzer.language_server.action_requests import register
from analyzer.language_server.effects import effects_at
from analyzer.language_server.hover import hover_text
from analyzer.language_server.inlay_hints import hints
from analyzer.language_server.options import SECTION, Options
from analyzer.language_server.parent import wait_for_end
from analyzer.language_server.protocol import Protocol
from analyzer.language_server.service import Service
from trigger_sdk.protocol.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

WATCHED: Final = ("**/*.py", "**/trigger.toml", "**/pyproject.toml")
"""Files whose changes outside the editor matter."""


class TriggerServer(LanguageServer):
    """The server, once for each client."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            name="trigger",
            version=VERSION,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            protocol_cls=Protocol,
            converter_factory=converters.get_converter,
        )
        self.on_parent_end: Callable[[], None] | None = None
        self._service: Service | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def service(self) -> Service:
        """The state, there since `initialize`."""
        if self._service is None:
            message = "the server is not initialized"
            raise RuntimeError(message)
        return self._service

    def begin(self, params: types.InitializeParams) -> None:
        """Make the state for a client, and watch over its life."""
        encoding = types.PositionEncodingKind(self.workspace.position_encoding or types.PositionEncodingKind.Utf16)
        options = Options().updated(params.initialization_options)
        self._service = Service(self, params.capabilities, encoding, options)
        if params.process_id is not None:
            self.spawn(self._watch_parent(params.process_id))

    def spawn(self, work: Any) -> None:
        """Run a coroutine beside the conversation."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """End what runs beside the conversation."""
        for task in self._tasks:
            task.cancel()
        if self._service is not None:
            self._service.worker.stop()

    async def _watch_parent(self, pid: int) -> None:
        await wait_for_end(pid)
        logger.warning("the editor (process %s) has ended", pid)
        if self.on_parent_end is not None:
            self.on_parent_end()

    async def settle_in(self) -> None:
        """Ask the client for its settings, and to tell of changes on disk, as far as it can."""
        service = self.service
        try:
            if service.can("workspace.did_change_watched_files.dynamic_registration"):
                await self.client_register_capability_async(types.RegistrationParams(registrations=[_watching()]))
            if service.can("workspace.did_change_configuration.dynamic_registration"):
                registration = types.Registration(
                    id="trigger-settings",
                    method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                    register_options=types.DidChangeConfigurationRegistrationOptions(section=SECTION),
                )
                await self.client_register_capability_async(types.RegistrationParams(registrations=[registration]))
            await self.ask_settings()
        except Exception:  # a client that refuses goes without
            logger.exception("the client refused")

    async def ask_settings(self) -> None:
        """Ask the client for its settings, if it has them to give."""
        if self.service.can("workspace.configuration"):
            item = types.ConfigurationItem(section=SECTION)
            answers = await self.workspace_configuration_async(types.ConfigurationParams(items=[item]))
            if answers:
                self.service.configure(answers[0])


def _watching() -> types.Registration:
    watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in WATCHED]
    return types.Registration(
        id="trigger-files",
        method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
    )


def make_server() -> TriggerServer:
    """Return a server with all its features."""
    server = TriggerServer()
    _follow_client(server)
    _follow_documents(server)
    _answer(server)
    register(server)
    return server


def _follow_client(server: TriggerServer) -> None:
    """Follow the client's life and settings."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        server.begin(params)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        server.service.worker.start()
        # Something to do at once: it imports the check before the first document comes.
        server.service.schedule.changed([])
        server.spawn(server.settle_in())

    @server.feature(types.SHUTDOWN)
    def shutdown(_: None) -> None:
        server.service.worker.stop()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        if params.settings:
            server.service.configure(params.settings)
        else:
            server.spawn(server.ask_settings())

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        server.service.touch_files(change.uri for change in params.changes)


def _follow_documents(server: TriggerServer) -> None:
    """Follow what is open in the editor."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.service.touch(server.service.documents.open(params.text_document), is_moved=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        name = params.text_document
        document = server.service.documents.change(name.uri, name.version, params.content_changes)
        if document is None:
            logger.warning("an edit of a document that is not open: %s", name.uri)
        elif document.is_python:
            server.service.touch(document)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        server.service.touch_files([params.text_document.uri])

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.service.touch(server.service.documents.close(params.text_document.uri), is_moved=True)


def _answer(server: TriggerServer) -> None:
    """Answer what the client asks of a text."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        known = await server.service.findings(params.text_document.uri)
        if known is None:
            return None
        document, findings = known
        text = hover_text(document, params.position, server.service.jobs_of(document), findings)
        if text is None:
            return None
        return types.Hover(contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=text))

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    async def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint]:
        if not server.service.options.inlay_hints:
            return []
        known = await server.service.findings(params.text_document.uri)
        return [] if known is None else hints(known[1], params.range)

    @server.feature(types.TEXT_DOCUMENT_IMPLEMENTATION)
    async def implementation(
        params: types.ImplementationParams,
    ) -> list[types.LocationLink] | list[types.Location] | None:
        known = await server.service.findings(params.text_document.uri)
        links = [] if known is None else effects_at(known[1], params.position)
        if not links:
            return None
        if server.service.can("text_document.implementation.link_support"):
            return links
        return [types.Location(uri=link.target_uri, range=link.target_selection_range) for link in links]
