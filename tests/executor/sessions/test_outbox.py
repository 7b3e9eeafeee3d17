"""What waits for one worker: order, pages, and an honest weight."""

from __future__ import annotations

import asyncio

from engine.model import Assignment
from executor.sessions.outbox import Outbox
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.limits import JOURNAL_PAGE_BYTES
from trigger_sdk.protocol.messages import Ack, Arrived, Journal, Lost, Start, ToWorker, decode_from_server
from trigger_sdk.protocol.values import encode_json, to_json


def assignment(entries: int, size: int, **fields: object) -> Assignment:
    """Return a run with a journal."""
    value = b"\x00" + bytes(size)
    journal = [Entry(kind="step_completed", step=str(n), value=value, seq=n) for n in range(1, entries + 1)]
    known = {
        "run": "r",
        "token": 1,
        "job": "a",
        "payload": b"\x00\xc0",
        "attempt": 2,
        "created_at": 1.0,
        "began_at": 2.0,
    }
    return Assignment(**{**known, **fields}, journal=journal)  # type: ignore[arg-type]  # fields by name


def drain(outbox: Outbox) -> list[list[ToWorker]]:
    """Return all frames."""
    frames = []
    while len(outbox):
        frames.append(decode_from_server(outbox.take_frame()))
    return frames


def test_small_messages_share_a_frame() -> None:
    """In the order in which they were put."""
    outbox = Outbox()
    for cid in range(1000):
        outbox.put(Ack("r", 1, cid, cid, 1.0))
    outbox.put(Lost("r", 1))
    (frame,) = drain(outbox)
    assert [message.cid for message in frame if isinstance(message, Ack)] == list(range(1000))
    assert frame[-1] == Lost("r", 1)
    assert outbox.weight == 0


def test_journal_is_cut_into_pages_before_start() -> None:
    """All entries once, in order; no frame much larger than a page; other messages keep their place."""
    outbox = Outbox()
    outbox.put(Lost("before", 1))
    outbox.open_run(assignment(50, 200_000, metadata={"k": 1}, tags=("x",)))
    outbox.put(Lost("after", 1))
    frames = drain(outbox)
    messages = [message for frame in frames for message in frame]
    assert messages[0] == Lost("before", 1)
    assert messages[-1] == Lost("after", 1)
    pages = [message for message in messages if isinstance(message, Journal)]
    assert [entry.seq for page in pages for entry in page.entries] == list(range(1, 51))
    start = messages[-2]
    assert isinstance(start, Start)
    assert (start.run, start.attempt, start.tags, to_json(start.metadata)) == ("r", 2, ["x"], {"k": 1})
    assert len(pages) > 5
    assert outbox.weight == 0
    again = Outbox()
    again.open_run(assignment(50, 200_000))
    while len(again):
        assert len(again.take_frame()) < JOURNAL_PAGE_BYTES + 300_000


def test_run_without_a_journal_is_a_start_alone() -> None:
    """No empty page."""
    outbox = Outbox()
    outbox.open_run(assignment(0, 0))
    ((start,),) = drain(outbox)
    assert isinstance(start, Start)
    assert start.metadata == b""


def test_weight_counts_what_waits() -> None:
    """Values and payloads included; it is gone with what was taken."""
    outbox = Outbox()
    outbox.open_run(assignment(3, 1_000_000, payload=encode_json("x" * 1000)))
    outbox.put(Arrived("r", 1, [Entry(kind="wait_completed", value=bytes(500_000))]))
    assert 3_500_000 < outbox.weight < 3_510_000
    before = outbox.weight
    size = len(outbox.take_frame())
    assert abs(before - outbox.weight - size) < 1000
    drain(outbox)
    assert outbox.weight == 0


async def test_waiters_are_woken() -> None:
    """Who waits for something to send, and who waits for room."""
    outbox = Outbox()
    filled = asyncio.create_task(outbox.filled())
    await asyncio.sleep(0)
    assert not filled.done()
    outbox.put(Arrived("r", 1, [Entry(kind="wait_completed", value=bytes(10_000))]))
    await filled
    room = [asyncio.create_task(outbox.below(5_000)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in room)
    outbox.take_frame()
    async with asyncio.timeout(1):
        await asyncio.gather(*room)
