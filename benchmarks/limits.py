"""The raw limits that the figures are measured beside: a WebSocket round trip, and a commit.

The round trip is one between the client and the server that the ``websockets`` library offers, and the commit is one
row on the dev store's connection with its pragmas. A second, harder round trip is measured as well: the executor's own
WebSocket stack and the worker's connection, in a loop that does nothing but echo.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.uri import parse_uri

from benchmarks.figures import BenchmarkFailed, Figure
from engine.store.sqlite import SqliteStore

_FRAME: Final = bytes(120)
"""As long as the frame in which a worker reports one trivial step."""

_ROW: Final = ("s" * 80,)
"""As long as the row of one trivial step."""

_WARM_UP: Final = 100
_READ_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The limits at one moment, in seconds each; ``stack_s`` is a round trip of the product's own stack."""

    stack_s: float
    roundtrip_s: float
    commit_s: float

    @property
    def stack_sum_s(self) -> float:
        """The same, with a round trip of the product's own stack."""
        return self.stack_s + self.commit_s

    @property
    def sum_s(self) -> float:
        """What a step needs at least when nothing else costs anything: one round trip and one commit."""
        return self.roundtrip_s + self.commit_s


class Limits:
    """Measures the limits, again and again beside the figures."""

    def __init__(self, url: str, library_url: str, store: SqliteStore, *, roundtrips: int, commits: int) -> None:
        self._url = url
        self._library_url = library_url
        self._roundtrips = roundtrips
        self._commits = commits
        self._connection = store.open("normal").writer.raw
        self._connection.execute("CREATE TABLE limit_rows (num INTEGER PRIMARY KEY, text TEXT)")
        self._taken: list[Sample] = []

    def sample(self) -> Sample:
        """Measure both now."""
        taken = Sample(
            stack_s=asyncio.run(_measure_roundtrip(self._url, self._roundtrips)),
            roundtrip_s=asyncio.run(_measure_by_library(self._library_url, self._roundtrips)),
            commit_s=self._measure_commit(),
        )
        self._taken.append(taken)
        return taken

    def _measure_commit(self) -> float:
        execute = self._connection.execute
        began = time.perf_counter()
        for _ in range(self._commits):
            execute("BEGIN IMMEDIATE")
            execute("INSERT INTO limit_rows (text) VALUES (?)", _ROW)
            execute("COMMIT")
        return (time.perf_counter() - began) / self._commits

    def figures(self) -> list[Figure]:
        """Return the limits over all samples taken."""
        return [
            Figure.of("limit_websocket_stack_roundtrips_per_s", [1 / one.stack_s for one in self._taken], "1/s"),
            Figure.of("limit_websocket_roundtrips_per_s", [1 / one.roundtrip_s for one in self._taken], "1/s"),
            Figure.of("limit_sqlite_commits_per_s", [1 / one.commit_s for one in self._taken], "1/s"),
        ]


@contextmanager
def limits(folder: Path, *, roundtrips: int, commits: int) -> Iterator[Limits]:
    """Start what the limits need, on the disk of ``folder``."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.echo"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        addresses = process.stdout.readline().decode().split()
        if not addresses:
            raise BenchmarkFailed("the echo server did not start")
        url, library_url = addresses
        yield Limits(url, library_url, SqliteStore(folder / "limit.db"), roundtrips=roundtrips, commits=commits)
    finally:
        process.kill()
        process.wait()


async def _measure_roundtrip(url: str, count: int) -> float:
    loop = asyncio.get_running_loop()
    parts = parse_uri(url)
    transport, ball = await loop.create_connection(lambda: _Ball(url), parts.host, parts.port)
    try:
        await ball.opened
        await ball.play(_WARM_UP)
        began = time.perf_counter()
        await ball.play(count)
        return (time.perf_counter() - began) / count
    finally:
        transport.abort()


async def _measure_by_library(url: str, count: int) -> float:
    async with connect(url, compression=None, max_size=None) as connection:
        for _ in range(_WARM_UP):
            await connection.send(_FRAME)
            await connection.recv()
        began = time.perf_counter()
        for _ in range(count):
            await connection.send(_FRAME)
            await connection.recv()
        return (time.perf_counter() - began) / count


class _Ball(asyncio.BufferedProtocol):
    """Sends a frame, and sends it again when it comes back."""

    def __init__(self, url: str) -> None:
        self._websocket = ClientProtocol(parse_uri(url), max_size=None)
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._left = 0
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self._over: asyncio.Future[None] = loop.create_future()

    async def play(self, count: int) -> None:
        """Return after ``count`` round trips."""
        self._left = count
        self._over = asyncio.get_running_loop().create_future()
        self._websocket.send_binary(_FRAME)
        self._flush()
        await self._over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the opening handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self._websocket.send_request(self._websocket.connect())
        self._flush()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Lend the buffer that is read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Count a round trip and begin the next."""
        self._websocket.receive_data(bytes(self._buffer[:nbytes]))
        for event in self._websocket.events_received():
            if not isinstance(event, Frame):
                self.opened.set_result(None)
                continue
            self._left -= 1
            if self._left:
                self._websocket.send_binary(_FRAME)
            else:
                self._over.set_result(None)
        self._flush()

    def _flush(self) -> None:
        for data in self._websocket.data_to_send():
            self._transport.write(data)
