"""A worker without user code: a real WebSocket, real frames, and a test that says what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.limits import PROTOCOL_VERSION
from trigger_sdk.protocol.manifest import JobManifest, QueueSpec
from trigger_sdk.protocol.messages import (
    Append,
    Finish,
    HeldRun,
    Hello,
    Start,
    ToServer,
    ToWorker,
    Validate,
    Validated,
    Welcome,
    decode_from_server,
    encode_frame,
)
from trigger_sdk.protocol.values import encode_json

M = TypeVar("M")
PATIENCE_S = 10.0


def manifest(job: str, **fields: Any) -> JobManifest:
    """Return a job's declaration."""
    known: dict[str, Any] = {"name": job, "file": "jobs/a.py", "line": 1, "queue": QueueSpec(name=job)}
    return JobManifest(id=job, **{**known, **fields})


def task_done(step: str, value: object = None) -> Entry:
    """Return the entry of a task that returned."""
    encoded = encode_json(value)
    return Entry(kind="step_completed", step=step, name="task", op="task", value=encoded, attempt=1)


def agree(message: Validate) -> Validated:
    """Find every payload good."""
    return Validated(message.request, encode_json(msgspec.msgpack.decode(message.payload)), [])


@dataclass
class WorkerDouble:
    """A worker.

    Attributes:
        url: of the server, ``http://...``.
        token: what it shows.
        id: the worker's.
        code: the code version it says it loaded.
        jobs: ids of the jobs it declares.
        pid: the process it says it is.
        validate: answers questions about payloads; None is silent.
        received: every message, in order.
        frames: how many messages each frame had.
    """

    url: str
    token: str
    id: str = "w1"
    code: str = "c1"
    jobs: Sequence[str] = ("a",)
    pid: int = 4711
    capacity: int = 1000
    protocol: int = PROTOCOL_VERSION
    validate: Callable[[Validate], Validated] | None = agree
    received: list[ToWorker] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    _socket: ClientConnection | None = None
    _reader: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _taken: int = 0

    @property
    def socket(self) -> ClientConnection:
        """Return the open connection."""
        assert self._socket is not None
        return self._socket

    async def open(self) -> Self:
        """Connect, and say nothing."""
        address = self.url.replace("http://", "ws://") + "/api/v1/worker"
        headers = {"Authorization": f"Bearer {self.token}"}
        self._socket = await connect(
            address, additional_headers=headers, compression=None, max_size=None, ping_interval=None, proxy=None
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def join(self, held: Sequence[HeldRun] = (), *more: ToServer) -> Welcome:
        """Connect, introduce itself, and return the server's answer."""
        await self.open()
        await self.send(self.hello(held), *more)
        return await self.expect(Welcome)

    def hello(self, held: Sequence[HeldRun] = ()) -> Hello:
        """Return what it says first."""
        return Hello(
            protocol=self.protocol, worker=self.id, code=self.code, sdk="0", python="3", pid=self.pid,
            capacity=self.capacity, jobs=[manifest(job) for job in self.jobs], held=list(held),
        )  # fmt: skip

    async def send(self, *messages: ToServer) -> None:
        """Send messages in one frame."""
        await self.socket.send(encode_frame(list(messages)))

    async def _read(self) -> None:
        try:
            async for frame in self.socket:
                messages = decode_from_server(frame)  # type: ignore[arg-type]  # always binary
                self.frames.append(len(messages))
                for message in messages:
                    await self._receive(message)
                self._news.set()
        except ConnectionClosed:
            pass
        finally:
            self._news.set()

    async def _receive(self, message: ToWorker) -> None:
        if isinstance(message, Validate):
            if self.validate is not None:
                await self.send(self.validate(message))
            return
        self.received.append(message)

    async def next(self) -> ToWorker:
        """Return the next message that no test looked at yet."""
        async with asyncio.timeout(PATIENCE_S):
            while self._taken >= len(self.received):
                assert self._reader is not None
                assert not self._reader.done(), f"closed: {self.socket.close_code} {self.socket.close_reason}"
                self._news.clear()
                await self._news.wait()
        self._taken += 1
        return self.received[self._taken - 1]

    async def expect(self, kind: type[M]) -> M:
        """Return the next message, which must be of a kind."""
        message = await self.next()
        assert isinstance(message, kind), f"{kind.__name__} was expected and {message} came"
        return message

    async def append(self, start: Start, cid: int, *entries: Entry) -> None:
        """Say that steps were done."""
        await self.send(Append(start.run, start.token, cid, list(entries)))

    async def finish(self, start: Start, value: object = None) -> None:
        """Say that a run is completed."""
        await self.send(Finish(start.run, start.token, "completed", encode_json(value)))

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait until the server closes; return code and reason."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.wait_closed()
        return self.socket.close_code, self.socket.close_reason

    async def die(self) -> None:
        """End without good-bye, as a killed process does."""
        if self._socket is not None:
            self._socket.transport.abort()
            await self._socket.wait_closed()

    async def leave(self) -> None:
        """Say good-bye."""
        await self.socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.die()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
