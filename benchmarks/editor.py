"""An editor on the other end of `trigger lsp`: as much of the Language Server Protocol as measuring needs."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from benchmarks.figures import BenchmarkFailed

_ANSWER_S: Final = 120.0
_STOP_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Diagnostics that came.

    Attributes:
        path: the file they are about.
        version: of its text; None when it is not open.
        codes: of the rules, in their order.
        at: when they came, on the clock of :func:`time.perf_counter`.
    """

    path: Path
    version: int | None
    codes: tuple[str, ...]
    at: float


class Editor:
    """Opens and edits files, and takes the diagnostics that come."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._input: BinaryIO = process.stdin  # type: ignore[assignment]  # is one, without text mode
        self._published: queue.Queue[Published | None] = queue.Queue()
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._versions: dict[Path, int] = {}
        self._sent = 0
        self._writing = threading.Lock()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def start(self, root: Path) -> None:
        """Say hello."""
        abilities = {
            "textDocument": {"publishDiagnostics": {"relatedInformation": True, "versionSupport": True}},
            "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}},
        }
        folders = [{"uri": root.as_uri(), "name": root.name}]
        self._request(
            "initialize",
            {"processId": None, "rootUri": root.as_uri(), "capabilities": abilities, "workspaceFolders": folders},
        )
        self._notify("initialized", {})

    def open(self, path: Path) -> Published:
        """Open a file; return its diagnostics."""
        self._versions[path] = 1
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text()}
        self._notify("textDocument/didOpen", {"textDocument": document})
        return self._of_version(path)

    def close(self, path: Path) -> None:
        """Close a file."""
        del self._versions[path]
        self._notify("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})

    def replace(self, path: Path, start: tuple[int, int], end: tuple[int, int], text: str) -> float:
        """Put a text in the place of another, from and to a line and a column; return when it was sent."""
        self._versions[path] += 1
        document = {"uri": path.as_uri(), "version": self._versions[path]}
        span = {
            "start": {"line": start[0], "character": start[1]},
            "end": {"line": end[0], "character": end[1]},
        }
        sent_at = time.perf_counter()
        change = {"textDocument": document, "contentChanges": [{"range": span, "text": text}]}
        self._notify("textDocument/didChange", change)
        return sent_at

    def until(self, is_enough: Callable[[list[Published]], bool], what: str) -> list[Published]:
        """Take diagnostics until there are enough; return all that came.

        Raises:
            BenchmarkFailed: they did not come.
        """
        taken: list[Published] = []
        deadline = time.perf_counter() + _ANSWER_S
        while not is_enough(taken):
            try:
                published = self._published.get(timeout=max(0.0, deadline - time.perf_counter()))
            except queue.Empty:
                published = None
            if published is None:
                raise BenchmarkFailed(f"waited in vain for {what}; there came {taken}")
            taken.append(published)
        return taken

    def of_text(self, path: Path) -> Callable[[list[Published]], bool]:
        """Return whether diagnostics of a file's text as it is are among some."""
        version = self._versions[path]
        return lambda taken: any(one.path == path and one.version == version for one in taken)

    def drop(self) -> None:
        """Forget what came unasked."""
        while not self._published.empty():
            self._published.get_nowait()

    def stop(self) -> None:
        """Say goodbye."""
        self._request("shutdown", None)
        self._notify("exit", None)

    def _of_version(self, path: Path) -> Published:
        return self.until(self.of_text(path), f"diagnostics of {path.name}")[-1]

    def _request(self, method: str, params: object) -> object:
        self._sent += 1
        self._send({"id": self._sent, "method": method, "params": params})
        try:
            answer = self._answers.get(timeout=_ANSWER_S)
        except queue.Empty:
            answer = None
        if answer is None or "error" in answer:
            raise BenchmarkFailed(f"trigger lsp did not answer {method}: {answer}")
        return answer["result"]

    def _notify(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._writing:
            self._input.write(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))
            self._input.flush()

    # --- the thread that reads ----------------------------------------------------------------------------------------

    def _read(self, output: BinaryIO) -> None:
        for message in _messages(output):
            at = time.perf_counter()
            if message.get("method") == "textDocument/publishDiagnostics":
                self._published.put(_published(message["params"], at))
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "result": None})  # whatever it wants registered
            elif "id" in message:
                self._answers.put(message)
        self._published.put(None)
        self._answers.put(None)


def _messages(output: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield the messages of a server, until it has ended."""
    length = 0
    while line := output.readline():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif not line.strip():
            yield json.loads(output.read(length))


def _published(params: dict[str, Any], at: float) -> Published:
    codes = tuple(str(diagnostic.get("code", "")) for diagnostic in params["diagnostics"])
    path = Path.from_uri(params["uri"]) if hasattr(Path, "from_uri") else Path(params["uri"].removeprefix("file://"))
    return Published(path=path, version=params.get("version"), codes=codes, at=at)


@contextmanager
def editor(root: Path, log: Path, environment: Mapping[str, str]) -> Iterator[Editor]:
    """Start `trigger lsp` for a project; it is ended with the block."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trigger_cli", "lsp"],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        one = Editor(process)
        one.start(root)
        yield one
        one.stop()
        process.wait(_STOP_S)
    except (BenchmarkFailed, OSError, AssertionError, subprocess.TimeoutExpired) as error:
        raise BenchmarkFailed(f"trigger lsp: {error}\n{log.read_text(errors='replace')[-2000:]}") from error
    finally:
        process.kill()
        process.wait()
