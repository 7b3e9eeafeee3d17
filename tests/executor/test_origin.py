"""No page of another site in the developer's browser gets in: real requests over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote

import pytest

from tests.fakes.house import TOKEN, House, problem_of, raw_request

PATHS = (
    b"GET /api/v1/runs", b"GET /healthz", b"GET /nowhere", b"POST /api/v1/jobs/a/runs", b"POST /api/v1/events",
    b"OPTIONS /api/v1/jobs/a/runs", b"HEAD /api/v1/jobs",
)  # fmt: skip


def request(line: bytes, *headers: bytes) -> bytes:
    """Return a request with an empty JSON object for those that take one."""
    body = b"{}" if line.startswith(b"POST") else b""
    extra = [b"Content-Type: application/json", b"Content-Length: 2"] if body else []
    return b"\r\n".join([line + b" HTTP/1.1", *headers, *extra, b"", body])


def own(house: House) -> bytes:
    """Return the server's host and port."""
    return house.url.removeprefix("http://").encode()


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example", b"evil.example:{port}", b"127.0.0.1", b"localhost", b"127.0.0.1:1", b"localhost.evil:{port}",
        b"127.0.0.1.evil:{port}", b"", b"0.0.0.0:{port}", b"127.0.0.2:{port}", b"[::]:{port}", b"@127.0.0.1:{port}",
        b"127.0.0.1:{port}@evil", b"2130706433:{port}", b"localhost.:{port}", b"::1:{port}", b"\xff:{port}",
    ],
)  # fmt: skip
async def test_foreign_host_is_refused(house: House, host: bytes) -> None:
    """403 under any name but loopback's with our port, as a page sends that rebinds its DNS name."""
    await house.worker()
    value = host.replace(b"{port}", own(house).rpartition(b":")[2])
    for line in PATHS:
        status, headers, body = await raw_request(house.url, request(line, b"Host: " + value))
        assert status in (400, 403)
        if status == 403 and not line.startswith(b"HEAD"):
            assert problem_of(body)["code"] == "host-refused"
        assert not any(name.startswith("access-control") for name in headers)
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []


async def test_host_given_twice_or_not_at_all_is_refused(house: House) -> None:
    """Whatever another parser would have chosen."""
    host = b"Host: " + own(house)
    for headers in ([host, b"Host: evil.example"], [b"Host: evil.example", host], []):
        status, _, _ = await raw_request(house.url, request(b"GET /api/v1/runs", *headers))
        assert status in (400, 403)


@pytest.mark.parametrize("name", [b"127.0.0.1", b"localhost", b"LOCALHOST", b"[::1]"])
async def test_own_names_are_answered(house: House, name: bytes) -> None:
    """However a program reached loopback."""
    port = own(house).rpartition(b":")[2]
    status, _, _ = await raw_request(house.url, request(b"GET /healthz", b"Host: " + name + b":" + port))
    assert status == 200


@pytest.mark.parametrize(
    "origin",
    [
        b"http://evil.example", b"null", b"https://{own}", b"http://localhost:3000", b"http://127.0.0.1", b"file://",
        b"http://{own}.evil.example", b"http://{own}/", b"", b"http://{own}, http://evil.example", b"chrome-extension://abc",
    ],
)  # fmt: skip
async def test_foreign_origin_is_refused(house: House, origin: bytes) -> None:
    """403 for reads and writes alike; no CORS header, so no preflight succeeds."""
    await house.worker()
    value = origin.replace(b"{own}", own(house))
    for line in PATHS:
        status, headers, _ = await raw_request(
            house.url,
            request(line, b"Host: " + own(house), b"Origin: " + value, b"Access-Control-Request-Method: POST"),
        )
        assert status == 403
        assert not any(name.startswith("access-control") for name in headers)
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []


async def test_own_origin_is_answered(house: House) -> None:
    """A page of ours, such as the dashboard."""
    for line, expected in ((b"GET /api/v1/runs", 200), (b"POST /api/v1/runs/batch", 400)):
        origin = b"Origin: http://" + own(house)
        status, _, _ = await raw_request(house.url, request(line, b"Host: " + own(house), origin))
        assert status == expected


@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"nonsense"])
async def test_what_other_sites_embed_is_refused(house: House, site: bytes) -> None:
    """Images, scripts and the like carry no Origin, and say whose they are; a link that somebody follows is a visit."""
    headers = (b"Host: " + own(house), b"Sec-Fetch-Site: " + site)
    for line in PATHS:
        status, _, _ = await raw_request(house.url, request(line, *headers, b"Sec-Fetch-Mode: no-cors"))
        assert status == 403
    status, _, _ = await raw_request(house.url, request(b"GET /healthz", *headers, b"Sec-Fetch-Mode: navigate"))
    assert status == 200
    status, _, _ = await raw_request(house.url, request(b"POST /api/v1/events", *headers, b"Sec-Fetch-Mode: navigate"))
    assert status == 403


@pytest.mark.parametrize("header", [b"Origin: http://evil.example", b"Origin: null", b"Host: evil.example"])
async def test_foreign_websocket_is_refused(house: House, header: bytes) -> None:
    """Also with the right token: a browser asks no permission for WebSockets."""
    host = [] if header.startswith(b"Host") else [b"Host: " + own(house)]
    lines = [
        b"GET /api/v1/worker HTTP/1.1", *host, header, b"Upgrade: websocket", b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        b"Authorization: Bearer " + TOKEN.encode(), b"", b"",
    ]  # fmt: skip
    status, _, _ = await raw_request(house.url, b"\r\n".join(lines))
    assert status == 403
    assert house.hub.workers() == []


ATTACK = """<!doctype html><title>waiting</title><script>
const target = "TARGET", tries = [
  () => fetch(target + "/api/v1/jobs/a/runs", {method: "POST", mode: "no-cors", body: "{}"}),
  () => fetch(target + "/api/v1/jobs/a/runs", {method: "POST", mode: "no-cors"}),
  () => fetch(target + "/api/v1/jobs/a/runs",
              {method: "POST", headers: {"Content-Type": "application/json"}, body: "{}"}),
  () => fetch(target + "/api/v1/events", {method: "POST", mode: "no-cors", body: new Blob(["{}"])}),
  () => fetch(target + "/api/v1/runs"),
  () => Promise.resolve(navigator.sendBeacon(target + "/api/v1/jobs/a/runs", "{}")),
  () => new Promise(done => { const s = new WebSocket(target.replace("http", "ws") + "/api/v1/worker");
                              s.onopen = () => done("open"); s.onerror = () => done("refused"); }),
  () => new Promise(done => { const i = new Image(); i.onload = i.onerror = () => done("image");
                              i.src = target + "/api/v1/runs"; }),
  () => new Promise(done => { const f = document.createElement("form"); f.method = "POST"; f.target = "frame";
                              f.enctype = "text/plain"; f.action = target + "/api/v1/jobs/a/runs";
                              document.body.append(f); f.submit(); setTimeout(() => done("form"), 500); }),
];
(async () => { const results = [];
  for (const attempt of tries) results.push(await attempt().then(r => r.type ? r.type : String(r), e => "error"));
  await fetch("/report?" + encodeURIComponent(JSON.stringify(results))); })();
</script><body><iframe name="frame"></iframe></body>"""


@pytest.fixture
def browser(missing_service: Callable[[str], NoReturn]) -> str:
    """Return the path of a Chromium."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        missing_service("Chromium")
    return found


@asynccontextmanager
async def browsing(browser: str, folder: Path, url: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Have a browser visit a page while the block runs."""
    process = await asyncio.create_subprocess_exec(
        browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile", *options, url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


async def test_page_in_a_real_browser_starts_nothing(house: House, browser: str, tmp_path: Path) -> None:
    """A page of another origin tries everything a page can; it gets through to us, and no further."""
    await house.worker()
    page = ATTACK.replace("TARGET", house.url).encode()
    report: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()

    async def serve_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        if target.startswith("/report?"):
            report.set_result(json.loads(unquote(target.removeprefix("/report?"))))
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(page) + page)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve_page, "127.0.0.1", 0)
    async with server:
        page_url = f"http://localhost:{server.sockets[0].getsockname()[1]}/"
        async with browsing(browser, tmp_path, page_url, "--remote-debugging-port=0"):
            results = await report
    assert len(results) == 9
    assert results[0] == "opaque"
    assert results[2] == results[4] == "error"
    assert results[6] == "refused"
    assert (await house.client.get("/api/v1/runs")).json()["runs"] == []
    assert len(house.hub.workers()) == 1


async def test_rebound_name_in_a_real_browser_reads_nothing(house: House, browser: str, tmp_path: Path) -> None:
    """A site whose name was made to resolve to 127.0.0.1 is told that we do not go by that name."""
    port = own(house).rpartition(b":")[2].decode()
    rules = "--host-resolver-rules=MAP evil.test 127.0.0.1"
    shown = []
    for url in (f"http://evil.test:{port}/api/v1/jobs", f"{house.url}/api/v1/jobs"):
        async with browsing(browser, tmp_path, url, rules, "--dump-dom") as process:
            shown.append((await process.communicate())[0].decode())
    assert "host-refused" in shown[0]
    assert "jobs" in shown[1]
    assert "host-refused" not in shown[1]
