"""The worker session: what worker and server say to each other over a WebSocket.

A frame is one binary WebSocket message: a msgpack array of messages, in order, batched by whoever sends. Each side
keeps the order of what it sends. Messages are arrays with the tag first, so that encoding costs little.

Course of a session::

    worker                                server
    Hello ------------------------------>
         <------------------------------ Welcome            (or a close with a problem as its reason)
         <------------------------------ Start (+ Journal pages before it)
    Append, Append ... ----------------->                   steps that completed, waits that began
         <------------------------------ Ack                after the commit
         <------------------------------ Arrived            entries written by the engine: timers, events, children
    Suspend ---------------------------->                   every branch waits: may I leave?
         <------------------------------ Suspended          yes (the run left) or no (entries are on their way)
    Finish ----------------------------->
         <------------------------------ Finished           after the commit
    Heartbeat -------------------------->

``token`` is the fencing token of the lease: the server answers ``Lost`` to anything said with an old one, and the
worker drops the run at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.manifest import JobManifest


class _Message(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """Base of all messages."""


# --- worker to server -------------------------------------------------------------------------------------------


class HeldRun(msgspec.Struct, array_like=True, frozen=True):
    """A run that a reconnecting worker still holds; ``seen`` is the last ``seq`` it received."""

    run: str
    token: int
    seen: int


class Hello(_Message, frozen=True, kw_only=True):
    """The first message. ``worker`` is a fresh id of this process; ``code`` identifies the code it loaded."""

    protocol: int
    worker: str
    code: str
    sdk: str
    python: str
    pid: int
    capacity: int
    jobs: list[JobManifest]
    held: list[HeldRun] = []


class Append(_Message, frozen=True):
    """Entries to commit. ``cid`` counts a run's appends from 1. A repeated one is acknowledged again."""

    run: str
    token: int
    cid: int
    entries: list[Entry]


class Suspend(_Message, frozen=True):
    """Ask to leave: every branch waits. ``seen`` = last ``seq`` received. ``wake_at``: earliest retry, or None."""

    run: str
    token: int
    seen: int
    wake_at: float | None


class Finish(_Message, frozen=True):
    """The run ended. ``value``: encoded output when completed, else encoded exception; ``failed_step`` = its origin."""

    run: str
    token: int
    state: Literal["completed", "failed", "canceled", "timed_out"]
    value: bytes | None
    failed_step: str = ""


class StepRunning(_Message, frozen=True):
    """News for watchers, not for the journal: a step's attempt has been going for a while."""

    run: str
    token: int
    step: str
    name: str
    op: str
    attempt: int
    started_at: float


class LogLine(msgspec.Struct, array_like=True, frozen=True):
    """One line of output.

    ``ordinal`` counts the lines that the *body* of a run wrote, from 1, alike on every replay: the server keeps and
    shows a line with a given ordinal once. 0 marks lines from inside a task and lines outside any run (``run`` empty).
    """

    run: str
    step: str
    ordinal: int
    at: float
    level: int
    logger: str
    text: str
    stream: Literal["log", "stdout", "stderr"]


class Logs(_Message, frozen=True):
    """Lines of output, in order."""

    lines: list[LogLine]


class Heartbeat(_Message, frozen=True):
    """A sign of life; any other message counts as one too."""


class Blocked(_Message, frozen=True):
    """The worker's loop has not turned for ``seconds``: ``stack`` shows where. Sent by its watchdog over HTTP."""

    worker: str
    run: str
    step: str
    seconds: float
    stack: str


class Validated(_Message, frozen=True):
    """Answer to Validate. ``payload``: the canonical encoded value; ``errors``: (field path, reason) pairs."""

    request: int
    payload: bytes | None
    errors: list[tuple[str, str]]


ToServer = Hello | Append | Suspend | Finish | StepRunning | Logs | Heartbeat | Blocked | Validated


# --- server to worker -------------------------------------------------------------------------------------------


class Welcome(_Message, frozen=True, kw_only=True):
    """Answer to Hello. ``kept``: the held runs whose lease still stands. Times are seconds."""

    lease_ttl: float
    heartbeat: float
    kept: list[str] = []


class Journal(_Message, frozen=True):
    """A page of the journal of a run that is about to start."""

    run: str
    token: int
    entries: list[Entry]


class Start(_Message, frozen=True, kw_only=True):
    """Execute an attempt. Preceded by the Journal pages of the run, if it has entries.

    ``began_at`` is when the first attempt began: where the body's clock starts. ``log_ordinal``: lines kept already.
    """

    run: str
    token: int
    job: str
    payload: bytes
    attempt: int
    created_at: float
    began_at: float
    log_ordinal: int = 0
    parent: str = ""
    idempotency_key: str = ""
    tags: list[str] = []
    metadata: bytes = b""
    deadline: float | None = None


class Ack(_Message, frozen=True):
    """The append ``cid`` is committed: its entries have ``seq`` first, first+1, ... and the commit's clock ``at``."""

    run: str
    token: int
    cid: int
    first: int
    at: float


class Arrived(_Message, frozen=True):
    """Entries that the engine wrote, committed, in order with the Acks."""

    run: str
    token: int
    entries: list[Entry]


class Suspended(_Message, frozen=True):
    """Answer to Suspend."""

    run: str
    token: int
    left: bool


class Finished(_Message, frozen=True):
    """Answer to Finish, after the commit."""

    run: str
    token: int


class Refused(_Message, frozen=True):
    """An Append or Finish cannot be taken (a value over the limit): the run fails with ``code``."""

    run: str
    token: int
    cid: int
    code: str
    message: str
    hint: str


class Lost(_Message, frozen=True):
    """The lease is gone: drop the run, write nothing more."""

    run: str
    token: int


class Drain(_Message, frozen=True):
    """Take no new runs, suspend waiting ones without grace, exit when nothing is held."""


class Validate(_Message, frozen=True):
    """Check a JSON payload (msgpack of the plain JSON value) against the job's annotation."""

    request: int
    job: str
    payload: bytes


ToWorker = Welcome | Journal | Start | Ack | Arrived | Suspended | Finished | Refused | Lost | Drain | Validate

_encoder = msgspec.msgpack.Encoder()
_server_decoder = msgspec.msgpack.Decoder(list[ToServer])
_worker_decoder = msgspec.msgpack.Decoder(list[ToWorker])


def encode_frame(messages: Sequence[ToServer] | Sequence[ToWorker]) -> bytes:
    """Pack messages into one frame."""
    return _encoder.encode(messages)


def decode_from_worker(frame: bytes) -> list[ToServer]:
    """Unpack a frame at the server. Raises msgspec.ValidationError when it is not one."""
    return _server_decoder.decode(frame)


def decode_from_server(frame: bytes) -> list[ToWorker]:
    """Unpack a frame at the worker. Raises msgspec.ValidationError when it is not one."""
    return _worker_decoder.decode(frame)
