"""The server's life: its start, its end, what it answers when, and what it survives."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.analyzer.language_server.conftest import StartEditor
from tests.fakes.checked_project import CheckedProject
from tests.fakes.editor import TRIGGER, Editor
from tests.fakes.editor_protocol import capabilities

JOB = 'import time\n\nfrom trigger_sdk import job\n\n\n@job(id="a")\nasync def a(x: int) -> None:\n    time.sleep(x)\n'


class Wire:
    """A server, and messages byte for byte."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def open(cls) -> "Wire":
        """Start a server."""
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*TRIGGER, stdin=pipe, stdout=pipe, stderr=pipe))

    def send(self, message: Any, *, header: str = "Content-Length: {}\r\n\r\n") -> None:
        """Send a message: JSON, or bytes as they are."""
        body = message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(header.format(len(body)).encode() + body)

    async def receive(self) -> dict[str, Any]:
        """Return the next message."""
        stream = self.process.stdout
        assert stream is not None
        header = await asyncio.wait_for(stream.readuntil(b"\r\n\r\n"), 20)
        length = next(int(line.split(b":")[1]) for line in header.splitlines() if line.lower().startswith(b"content-l"))
        message: dict[str, Any] = json.loads(await stream.readexactly(length))
        return message

    async def answer(self, number: int) -> dict[str, Any]:
        """Return the answer to a request."""
        while True:
            message = await self.receive()
            if message.get("id") == number and "method" not in message:
                return message

    async def end(self) -> tuple[int, bytes]:
        """Close its input; return its exit code, and what came on standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        _, noise = await asyncio.wait_for(self.process.communicate(), 20)
        assert self.process.returncode is not None
        return self.process.returncode, noise


INITIALIZE = {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}}


async def test_capabilities(editor: Editor) -> None:
    """What the server can do is what it says; it does not offer to be pulled for what it pushes."""
    can = editor.result.capabilities
    assert can.hover_provider
    assert can.inlay_hint_provider
    assert can.implementation_provider
    assert can.definition_provider is None
    assert can.diagnostic_provider is None
    assert can.notebook_document_sync is None
    assert isinstance(can.code_action_provider, types.CodeActionOptions)
    assert can.code_action_provider.resolve_provider
    assert isinstance(can.text_document_sync, types.TextDocumentSyncOptions)
    assert can.text_document_sync.change is types.TextDocumentSyncKind.Incremental
    assert editor.result.server_info is not None
    assert editor.result.server_info.name == "trigger"


async def test_shutdown_and_exit_end_it_well(editor: Editor, project: CheckedProject) -> None:
    """Exit code 0, and not a word on standard error."""
    project.write({"jobs/a.py": JOB})
    await editor.diagnostics(editor.open(project.root / "jobs/a.py"), ["TRG107"])
    assert await editor.stop() == 0
    assert editor.noise == b""


async def test_exit_without_shutdown_is_no_good_end(editor: Editor) -> None:
    """Exit code 1, as the protocol has it."""
    editor.client.exit(None)
    assert await editor.ended() == 1


async def test_closed_input_ends_it() -> None:
    """A client that went without a word leaves nobody behind, whether it had begun or not."""
    for messages in ([], [INITIALIZE, {"method": "initialized", "params": {}}]):
        wire = await Wire.open()
        for message in messages:
            wire.send(message)
        code, noise = await wire.end()
        assert (code, noise) == (1, b"")


async def test_death_of_the_parent_ends_it(start_editor: StartEditor) -> None:
    """Also when somebody else holds its pipes open."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import sys; sys.stdin.read()", stdin=asyncio.subprocess.PIPE
    )
    editor = await start_editor(process_id=parent.pid)
    assert parent.stdin is not None
    parent.stdin.close()
    await parent.wait()
    assert await editor.ended() == 1


async def test_parent_of_another_machine_does_not_end_it(start_editor: StartEditor) -> None:
    """A number that is nobody's here, as from outside a container, says nothing."""
    editor = await start_editor(process_id=2**22 - 1)
    assert await editor.hover(editor.open("untitled:a", "x"), "x") == ""
    assert await editor.stop() == 0


async def test_killed_server_leaves_nothing(
    editor: Editor, project: CheckedProject, read: Callable[[str], str]
) -> None:
    """It has no children, and a new one takes up the project and its cache."""
    project.write({"jobs/a.py": JOB})
    await editor.diagnostics(editor.open(project.root / "jobs/a.py"), ["TRG107"])
    assert not read(f"/proc/{editor.process.pid}/task/{editor.process.pid}/children").split()
    editor.process.kill()
    await editor.ended()
    successor = await Editor().start(capabilities=capabilities())
    await successor.diagnostics(successor.open(project.root / "jobs/a.py"), ["TRG107"])
    assert await successor.stop() == 0


async def test_requests_are_answered_in_every_state() -> None:
    """Before `initialize` and after `shutdown` they are refused, a second `initialize` too; unknown ones always."""
    wire = await Wire.open()
    hover = {"textDocument": {"uri": "untitled:a"}, "position": {"line": 0, "character": 0}}
    wire.send({"id": 7, "method": "textDocument/hover", "params": hover})
    assert (await wire.answer(7))["error"]["code"] == -32002
    wire.send({"method": "textDocument/didSave", "params": {"textDocument": {"uri": "untitled:a"}}})
    wire.send(INITIALIZE)
    assert "result" in await wire.answer(1)
    wire.send({**INITIALIZE, "id": 2})
    assert (await wire.answer(2))["error"]["code"] == -32600
    wire.send({"method": "initialized", "params": {}})
    wire.send({"id": 3, "method": "trigger/nothing", "params": {}})
    assert (await wire.answer(3))["error"]["code"] == -32601
    wire.send({"id": 4, "method": "textDocument/hover", "params": {"textDocument": 5}})
    assert (await wire.answer(4))["error"]["code"] == -32602
    wire.send({"id": 5, "method": "shutdown"})
    assert (await wire.answer(5))["result"] is None
    wire.send({"id": 6, "method": "textDocument/hover", "params": hover})
    assert (await wire.answer(6))["error"]["code"] == -32600
    wire.send({"method": "exit"})
    assert (await wire.end())[0] == 0


@pytest.mark.parametrize(
    "header",
    [
        "content-length: {}\r\n\r\n",
        "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
        "X-Nothing: 1\r\n\r\nContent-Length:{}\r\n\r\n",
    ],
)
async def test_headers_of_any_form_are_read(header: str) -> None:
    """Any case, any order; a header without a length is skipped."""
    wire = await Wire.open()
    wire.send(INITIALIZE, header=header)
    assert "result" in await wire.answer(1)
    await wire.end()


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b"3", b'{"jsonrpc": "1.0"}', b'{"no": "method"}'])
async def test_nonsense_is_survived(body: bytes) -> None:
    """A message that is none does not end the conversation."""
    wire = await Wire.open()
    wire.send(INITIALIZE)
    await wire.answer(1)
    wire.send(body)
    wire.send({"id": 9, "method": "shutdown"})
    assert (await wire.answer(9))["result"] is None
    wire.send({"method": "exit"})
    assert (await wire.end())[0] == 0


async def test_request_can_be_cancelled(editor: Editor, project: CheckedProject) -> None:
    """One that waits for a check is answered with the protocol's word for it."""
    project.write({"jobs/a.py": JOB})
    uri = editor.open(project.root / "jobs/a.py")
    parameters = types.HoverParams(
        text_document=types.TextDocumentIdentifier(uri=uri), position=types.Position(line=0, character=0)
    )
    request = editor.client.protocol.send_request_async(types.TEXT_DOCUMENT_HOVER, parameters, msg_id="hover-1")
    editor.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id="hover-1"))
    with pytest.raises(Exception, match="cancel"):
        await editor.soon(request)
    await editor.diagnostics(uri, ["TRG107"])


async def test_edit_of_a_document_that_is_not_open_is_survived(editor: Editor, project: CheckedProject) -> None:
    """So is closing it twice."""
    project.write({"jobs/a.py": JOB})
    ghost = (project.root / "jobs/ghost.py").as_uri()
    identifier = types.VersionedTextDocumentIdentifier(uri=ghost, version=3)
    changes = [types.TextDocumentContentChangeWholeDocument(text="x")]
    editor.client.text_document_did_change(
        types.DidChangeTextDocumentParams(text_document=identifier, content_changes=changes)
    )
    editor.client.text_document_did_close(
        types.DidCloseTextDocumentParams(text_document=types.TextDocumentIdentifier(uri=ghost))
    )
    await editor.diagnostics(editor.open(project.root / "jobs/a.py"), ["TRG107"])


async def test_log_goes_to_a_file(start_editor: StartEditor, project: CheckedProject, tmp_path: Path) -> None:
    """With `--log-file` and `--verbose` every message is in it, and standard error stays clean."""
    log = tmp_path / "lsp.log"
    editor = await start_editor(arguments=["--verbose", "--log-file", str(log)])
    project.write({"jobs/a.py": JOB})
    await editor.diagnostics(editor.open(project.root / "jobs/a.py"), ["TRG107"])
    assert await editor.stop() == 0
    assert "TRG107" in log.read_text()
    assert editor.noise == b""


async def test_client_process_id_is_taken(start_editor: StartEditor) -> None:
    """Clients made with vscode-languageclient add it without being asked."""
    editor = await start_editor(arguments=[f"--clientProcessId={os.getpid()}"])
    assert await editor.stop() == 0
