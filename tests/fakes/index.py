"""A package index on this machine, whose wheels are made here, and which can misbehave."""

import base64
import contextlib
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote, urlsplit

from tests.fakes.zips import wheel_entries, zip_bytes


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up: interrupted fetches are what some tests are about."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A file that an index offers: its project, its name, its bytes, and on which address it says it is."""

    project: str
    filename: str
    content: bytes
    url: str = ""
    requires: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Return the hash of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(kw_only=True)
class FakeIndex:
    """An index with the simple API in HTML on a port of its own.

    Attributes:
        files: what it offers, by filename.
        login: ``user:password`` that it wants; empty for none.
        answers: by path, what it answers before it is right: a status, or bytes that are sent as the file.
        requests: what it was asked, with the login that came along.
        agents: which program asked for what.
        host: under which name it is reached.
        redirect: origin that files are looked for at; empty for here.
        stall: paths whose second half is sent when they are no longer here.
    """

    files: dict[str, Offered] = field(default_factory=dict)
    login: str = ""
    answers: dict[str, list[int | bytes]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    agents: list[tuple[str, str]] = field(default_factory=list)
    host: str = "127.0.0.1"
    redirect: str = ""
    stall: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        index = self
        self._ended = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.answer(self)

            def do_HEAD(self) -> None:
                index.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def origin(self) -> str:
        """Return the address of its server."""
        return f"http://{self.host}:{self._server.server_address[1]}"

    @property
    def simple(self) -> str:
        """Return the address of the index."""
        return f"{self.origin}/simple"

    def offer(
        self, name: str, version: str = "1.0", *, tags: str = "py3-none-any", requires: tuple[str, ...] = (),
        files: Mapping[str, bytes] | None = None, url: str = "",
    ) -> Offered:  # fmt: skip
        """Make a wheel and offer it."""
        stem = name.replace("-", "_")
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
        contents = {f"{stem}/__init__.py": b"", f"{stem}-{version}.dist-info/METADATA": metadata.encode()}
        content = zip_bytes(wheel_entries(stem, version, {**contents, **(files or {})}))
        return self.add(Offered(project=name, filename=f"{stem}-{version}-{tags}.whl", content=content, url=url))

    def add(self, offered: Offered) -> Offered:
        """Offer a file."""
        self.files[offered.filename] = offered
        return offered

    def url_of(self, offered: Offered) -> str:
        """Return where a file is."""
        return offered.url or f"{self.origin}/files/{offered.filename}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        path = unquote(urlsplit(request.path).path)
        given = request.headers.get("Authorization", "")
        self.requests.append((path, given))
        self.agents.append((request.headers.get("User-Agent", "").partition("/")[0], path))
        wanted = f"Basic {base64.b64encode(self.login.encode()).decode()}" if self.login else ""
        planned = self.answers.get(path, [])
        if planned:
            first = planned.pop(0)
            self._send(request, first if isinstance(first, int) else 200, b"" if isinstance(first, int) else first)
        elif wanted and given != wanted:
            self._send(request, 401, b"", {"WWW-Authenticate": 'Basic realm="index"'})
        elif path.startswith("/simple/"):
            self._send(request, 200, self._page(path.split("/")[2]), {"Content-Type": "text/html"})
        elif path.startswith("/files/") and self.redirect:
            self._send(request, 302, b"", {"Location": f"{self.redirect}{path}"})
        elif (name := path.removeprefix("/files/")) in self.files:
            self._send(request, 200, self.files[name].content)
        else:
            self._send(request, 404, b"")

    def _page(self, project: str) -> bytes:
        links = [
            f'<a href="{self.url_of(one)}#sha256={one.sha256}">{one.filename}</a>'
            for one in self.files.values()
            if one.project == project
        ]
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()

    def _send(
        self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        request.send_response(status)
        for key, value in (headers or {}).items():
            request.send_header(key, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "HEAD":
            return
        half = len(body) // 2
        with contextlib.suppress(OSError):
            request.wfile.write(body[:half])
            while urlsplit(request.path).path in self.stall and not self._ended.wait(0.01):
                pass
            request.wfile.write(body[half:])
