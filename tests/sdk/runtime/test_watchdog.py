"""The watchdog: news of a blocked main thread, and a body that is interrupted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import pytest

from tests.fakes.simulation import eventually
from trigger_sdk._runtime.places import Places
from trigger_sdk._runtime.watchdog import Watchdog
from trigger_sdk.errors import BodyBlocked
from trigger_sdk.protocol.messages import Blocked, decode_from_worker


@dataclass
class Watched:
    """A worker as the watchdog sees it."""

    busy: bool = True
    turning: str = ""
    heard_at: list[float] = field(default_factory=list)

    def heard(self, said_at: float) -> None:
        """Remember when the server heard."""
        self.heard_at.append(said_at)


@contextmanager
def news_server() -> Iterator[tuple[str, Queue[tuple[str, Blocked]]]]:
    """Serve what the watchdog posts to."""
    news: Queue[tuple[str, Blocked]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            (message,) = decode_from_worker(body)
            assert isinstance(message, Blocked)
            news.put((self.headers["Authorization"], message))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"known": true}')

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", news
    finally:
        server.shutdown()
        server.server_close()


def spin() -> None:
    """Be a body that never gives its thread back."""
    while True:
        pass


async def test_watchdog_when_a_body_blocks() -> None:
    """The server hears of it with run, place and stack, and the body is interrupted where it stands."""
    with news_server() as (url, news):
        watched = Watched(turning="run_1")
        places = Places(Path(__file__).parent, lambda path: path == Path(__file__))
        watchdog = Watchdog(
            watched, asyncio.get_running_loop(), places, api_url=url, token="t", worker_id="w1", interrupt_after=2.2
        )
        watchdog.start()
        with pytest.raises(BodyBlocked, match=r"test_watchdog\.py:\d+") as raised:
            spin()
        watched.turning = ""
        watched.busy = False
        authorization, message = news.get(timeout=5)
    assert authorization == "Bearer t"
    assert (message.worker, message.run) == ("w1", "run_1")
    assert message.step.startswith("test_watchdog.py:")
    assert "spin" in message.stack
    await eventually(lambda: bool(watched.heard_at))
    assert message.seconds >= 2
    assert "plain `def`" in raised.value.problem.hint
