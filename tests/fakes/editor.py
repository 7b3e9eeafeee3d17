"""An editor: a real client of the Language Server Protocol, with documents, that starts `trigger lsp`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.fakes.editor_protocol import edits_by_file, make_converter

DEADLINE_S = 20.0
"""How long anything is waited for; what comes in time comes in milliseconds."""

TRIGGER = (sys.executable, "-P", "-m", "trigger_cli", "lsp", "--stdio")
"""The command line of the server."""


class Editor:
    """One editor with its server. Positions are given by what stands there.

    Attributes:
        published: all diagnostics by URI, in the order in which they came.
        told: what was shown to the user.
        logged: what went into the log.
        shown: places and pages that the server asked to show.
        registered: methods that the server asked to be told of.
        refreshes: how often the server asked to fetch inlay hints again.
        settings: the user's settings of our section.
    """

    def __init__(self) -> None:
        self.client = LanguageClient("editor", "1", converter_factory=make_converter)
        self.published: dict[str, list[types.PublishDiagnosticsParams]] = {}
        self.told: list[str] = []
        self.logged: list[str] = []
        self.shown: list[types.ShowDocumentParams] = []
        self.registered: list[str] = []
        self.refreshes = 0
        self.settings: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.noise = b""
        self._news = asyncio.Condition()
        self._noise_task: asyncio.Task[None] | None = None
        self.result: types.InitializeResult
        self._listen()

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(
        self,
        *,
        capabilities: types.ClientCapabilities,
        process_id: int | None = None,
        options: Any = None,
        arguments: Sequence[str] = (),
        initialize: bool = True,
        **variables: str,
    ) -> Self:
        """Start a server and make it ready."""
        command, *rest = [*TRIGGER, *arguments]
        await self.client.start_io(command, *rest, env={**os.environ, **variables})
        self._noise_task = asyncio.create_task(self._take_noise())
        if initialize:
            await self.initialize(capabilities, process_id, options)
        return self

    async def initialize(
        self, capabilities: types.ClientCapabilities, process_id: int | None = None, options: Any = None
    ) -> types.InitializeResult:
        """Shake hands."""
        parameters = types.InitializeParams(
            capabilities=capabilities, process_id=process_id, initialization_options=options
        )
        self.result = await self.soon(self.client.initialize_async(parameters))
        self.client.initialized(types.InitializedParams())
        result: types.InitializeResult = self.result
        return result

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The server's process."""
        process = self.client._server
        assert process is not None
        return process

    async def stop(self) -> int:
        """End the server in the proper way; return its exit code."""
        if self.process.returncode is None:
            await self.soon(self.client.shutdown_async(None))
            self.client.exit(None)
        return await self.ended()

    async def ended(self) -> int:
        """Return the server's exit code when it has ended."""
        code: int = await self.soon(self.process.wait())
        await self.soon(self.client.stop())  # type: ignore[no-untyped-call]  # pygls' own
        if self._noise_task is not None:
            await self.soon(self._noise_task)
        return code

    async def abandon(self) -> None:
        """End the server in any way, after a test that failed or did so itself."""
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()

    async def soon(self, work: Any) -> Any:
        """Await something, with a deadline."""
        return await asyncio.wait_for(work, DEADLINE_S)

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for news that make a condition true; return its value."""

        async def wait() -> Any:
            async with self._news:
                return await self._news.wait_for(condition)

        return await self.soon(wait())

    # --- documents ----------------------------------------------------------------------------------------------------

    def open(self, path: Path | str, text: str | None = None, *, language: str = "python") -> str:
        """Open a file, or a URI, with the text on disk unless another is given; return its URI."""
        uri = path if isinstance(path, str) else path.as_uri()
        if text is None:
            text = Path(path).read_bytes().decode()
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return uri

    def type(self, uri: str, old: str, new: str) -> None:
        """Replace the one place where ``old`` stands, as an edit of that stretch."""
        text = self.texts[uri]
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {text!r}"
        start = text.index(old)
        change = types.TextDocumentContentChangePartial(
            range=types.Range(start=self.position(uri, start), end=self.position(uri, start + len(old))), text=new
        )
        self._changed(uri, text.replace(old, new), [change])

    def replace(self, uri: str, text: str) -> None:
        """Replace the whole text."""
        self._changed(uri, text, [types.TextDocumentContentChangeWholeDocument(text=text)])

    def save(self, uri: str, path: Path) -> None:
        """Write the text to disk, and say so."""
        path.write_text(self.texts[uri], newline="")
        identifier = types.TextDocumentIdentifier(uri=uri)
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(text_document=identifier))

    def close(self, uri: str) -> None:
        """Close a document; what is not saved is gone."""
        del self.texts[uri], self.versions[uri]
        identifier = types.TextDocumentIdentifier(uri=uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(text_document=identifier))

    def changed_on_disk(self, *paths: Path) -> None:
        """Say that files changed, came or went outside the editor."""
        changes = [
            types.FileEvent(
                uri=path.as_uri(), type=types.FileChangeType.Changed if path.exists() else types.FileChangeType.Deleted
            )
            for path in paths
        ]
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(changes=changes))

    def apply(self, edit: types.WorkspaceEdit) -> None:
        """Make an edit of the server: in open documents, which are then another version, and in files."""
        for uri, version, edits in edits_by_file(edit):
            if version is not None:
                assert version == self.versions[uri], "an edit for a version that is gone"
            if uri in self.texts:
                self.replace(uri, self._edited(uri, self.texts[uri], edits))
            else:
                path = Path(uri.removeprefix("file://"))
                path.write_text(self._edited(uri, path.read_text(), edits))

    # --- questions ----------------------------------------------------------------------------------------------------

    async def diagnostics(
        self,
        uri: str,
        codes: Sequence[str] | None = None,
        *,
        version: int | None = None,
    ) -> list[types.Diagnostic]:
        """Wait until the newest diagnostics of a document have these codes, and return them.

        Args:
            uri: the document.
            codes: what is waited for, in any order; None waits for the version alone.
            version: the version that they must be about; by default the newest that is open.
        """
        wanted = self.versions.get(uri) if version is None else version

        def newest() -> types.PublishDiagnosticsParams | None:
            last = self.published[uri][-1] if self.published.get(uri) else None
            if last is None or (wanted is not None and last.version != wanted):
                return None
            found = sorted(str(diagnostic.code) for diagnostic in last.diagnostics)
            return last if codes is None or found == sorted(codes) else None

        try:
            found = await self.until(newest)
        except TimeoutError:
            last = self.published.get(uri, [])[-1:]
            message = f"waited for {codes} of version {wanted}, and the last was {last}; server: {self.noise!r}"
            raise AssertionError(message) from None
        return list(found.diagnostics)

    async def quiet(self, uri: str) -> None:
        """Wait until all that was said so far has been worked off: a question is answered after that."""
        await self.hints(uri)

    async def hover(self, uri: str, at: str, *, inside: int = 0) -> str:
        """Return what is shown at the place where ``at`` stands; empty when nothing is."""
        parameters = types.HoverParams(text_document=self._name(uri), position=self.place(uri, at, inside=inside))
        found = await self.soon(self.client.text_document_hover_async(parameters))
        return "" if found is None else found.contents.value

    async def hints(self, uri: str) -> list[types.InlayHint]:
        """Return all inlay hints of a document."""
        whole = types.Range(start=types.Position(line=0, character=0), end=types.Position(line=10_000, character=0))
        parameters = types.InlayHintParams(text_document=self._name(uri), range=whole)
        return list(await self.soon(self.client.text_document_inlay_hint_async(parameters)) or [])

    async def implementations(self, uri: str, at: str) -> Any:
        """Return where the effects of the call at a place are."""
        parameters = types.ImplementationParams(text_document=self._name(uri), position=self.place(uri, at))
        return await self.soon(self.client.text_document_implementation_async(parameters))

    async def actions(self, uri: str, at: str, *, only: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Return the code actions at a place, as JSON."""
        place = self.place(uri, at)
        parameters = types.CodeActionParams(
            text_document=self._name(uri),
            range=types.Range(start=place, end=place),
            context=types.CodeActionContext(
                diagnostics=self.published[uri][-1].diagnostics if uri in self.published else [], only=only
            ),
        )
        found = await self.soon(self.client.text_document_code_action_async(parameters)) or []
        converter = self.client.protocol._converter
        return [converter.unstructure(action) for action in found]

    async def resolve(self, action: dict[str, Any]) -> types.CodeAction:
        """Return an action with its edit."""
        structured = self.client.protocol._converter.structure(action, types.CodeAction)
        resolved: types.CodeAction = await self.soon(self.client.code_action_resolve_async(structured))
        return resolved

    def edit_of(self, action: dict[str, Any]) -> types.WorkspaceEdit:
        """Return an action's edit."""
        edit = self.client.protocol._converter.structure(action["edit"], types.WorkspaceEdit)
        assert isinstance(edit, types.WorkspaceEdit)
        return edit

    async def run(self, command: dict[str, Any]) -> None:
        """Run the command of an action."""
        parameters = types.ExecuteCommandParams(command=command["command"], arguments=command.get("arguments"))
        await self.soon(self.client.workspace_execute_command_async(parameters))

    # --- positions, by the standard library's encoders ----------------------------------------------------------------

    def position(self, uri: str, offset: int) -> types.Position:
        """Return the position of an index into a document's text, in what the server counts in."""
        before = self.texts[uri][:offset].replace("\r\n", "\n")
        line = before.rpartition("\n")[2]
        return types.Position(line=before.count("\n"), character=self.units(line))

    def place(self, uri: str, at: str, *, inside: int = 0) -> types.Position:
        """Return the position where a text stands for the first time."""
        return self.position(uri, self.texts[uri].index(at) + inside)

    def text_in(self, uri: str, stretch: types.Range) -> str:
        """Return the text in a range of a document."""
        text = self.texts[uri]
        return text[self._offset(text, stretch.start) : self._offset(text, stretch.end)]

    def units(self, text: str) -> int:
        """Return the length of a text in what the server counts in."""
        encoding = self.result.capabilities.position_encoding or "utf-16"
        name = getattr(encoding, "value", encoding)
        width = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[name]
        return len(text.encode({"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[name])) // width

    def _offset(self, text: str, position: types.Position) -> int:
        starts = [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]
        start, length = starts[position.line], 0
        while self.units(text[start : start + length]) < position.character:
            length += 1
        return start + length

    # --- inside -------------------------------------------------------------------------------------------------------

    def _edited(self, uri: str, text: str, edits: Sequence[types.TextEdit]) -> str:
        pieces = sorted(
            (
                (self._offset(text, edit.range.start), self._offset(text, edit.range.end), edit.new_text)
                for edit in edits
            ),
            reverse=True,
        )
        for start, end, content in pieces:
            text = text[:start] + content + text[end:]
        return text

    def _changed(self, uri: str, text: str, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        self.texts[uri] = text
        self.versions[uri] += 1
        identifier = types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri])
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=identifier, content_changes=changes)
        )

    def _name(self, uri: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(uri=uri)

    async def _take_noise(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        while data := await stream.read(1 << 16):
            self.noise += data

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _listen(self) -> None:
        async def published(params: types.PublishDiagnosticsParams) -> None:
            self.published.setdefault(params.uri, []).append(params)
            await self._tell()

        async def told(params: types.ShowMessageParams) -> None:
            self.told.append(params.message)
            await self._tell()

        async def logged(params: types.LogMessageParams) -> None:
            self.logged.append(params.message)
            await self._tell()

        async def shown(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            self.shown.append(params)
            await self._tell()
            return types.ShowDocumentResult(success=True)

        async def registered(params: types.RegistrationParams) -> None:
            self.registered += [registration.method for registration in params.registrations]
            await self._tell()

        async def refreshed(_: None) -> None:
            self.refreshes += 1
            await self._tell()

        async def configuration(params: types.ConfigurationParams) -> list[Any]:
            return [self.settings for _ in params.items]

        handlers = {
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: published,
            types.WINDOW_SHOW_MESSAGE: told,
            types.WINDOW_LOG_MESSAGE: logged,
            types.WINDOW_SHOW_DOCUMENT: shown,
            types.CLIENT_REGISTER_CAPABILITY: registered,
            types.WORKSPACE_INLAY_HINT_REFRESH: refreshed,
            types.WORKSPACE_CONFIGURATION: configuration,
        }
        for method, handler in handlers.items():
            self.client.feature(method)(handler)
