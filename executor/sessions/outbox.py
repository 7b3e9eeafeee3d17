"""What waits to be sent to one worker: messages in order, cut into frames, and no frame before it is needed.

All that is put in during one turn of the loop goes out as one frame. A journal is cut into pages only when its turn
comes, so that what is encoded and waits is about one page, however much was assigned.
"""

from __future__ import annotations

import asyncio
from collections import deque

from engine.model import Assignment
from trigger_sdk.protocol.entries import Entry
from trigger_sdk.protocol.limits import JOURNAL_PAGE_BYTES
from trigger_sdk.protocol.messages import Ack, Arrived, Journal, Refused, Start, ToWorker, Validate, encode_frame
from trigger_sdk.protocol.values import encode_json

_SMALL = 48
"""Estimated bytes of a message or an entry without its values."""


class Opening:
    """An assigned run on its way: the pages of its journal, then Start."""

    __slots__ = ("_assignment", "_sent", "weight")

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._sent = 0
        self.weight = len(assignment.payload) + sum(map(weigh_entry, assignment.journal)) + _SMALL

    def take(self) -> tuple[ToWorker, int]:
        """Return the next message and its estimated bytes; after Start there is none."""
        journal = self._assignment.journal
        if self._sent == len(journal):
            return _start(self._assignment), len(self._assignment.payload) + _SMALL
        begin, weight = self._sent, 0
        while self._sent < len(journal) and weight < JOURNAL_PAGE_BYTES:
            weight += weigh_entry(journal[self._sent])
            self._sent += 1
        return Journal(self._assignment.run, self._assignment.token, journal[begin : self._sent]), weight


class Outbox:
    """The queue of one connection.

    Attributes:
        weight: estimated bytes that wait.
    """

    def __init__(self) -> None:
        self._items: deque[ToWorker | Opening] = deque()
        self._filled: asyncio.Future[None] | None = None
        self._emptied: asyncio.Future[None] | None = None
        self.weight = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, message: ToWorker) -> None:
        """Add a message."""
        self.weight += weigh(message)
        self._items.append(message)
        self._wake()

    def put_first(self, message: ToWorker) -> None:
        """Add a message before all others."""
        self.weight += weigh(message)
        self._items.appendleft(message)
        self._wake()

    def open_run(self, assignment: Assignment) -> None:
        """Add a run that the worker is to start."""
        opening = Opening(assignment)
        self.weight += opening.weight
        self._items.append(opening)
        self._wake()

    def _wake(self) -> None:
        if self._filled is not None and not self._filled.done():
            self._filled.set_result(None)

    async def filled(self) -> None:
        """Return when there is something to send."""
        if not self._items:
            self._filled = asyncio.get_running_loop().create_future()
            await self._filled
            self._filled = None

    async def below(self, limit: int) -> None:
        """Return when at most ``limit`` bytes wait."""
        while self.weight > limit:
            if self._emptied is None:
                self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._emptied)

    def take_frame(self) -> bytes:
        """Remove what fits into a frame of about a page, at least one message, and return it encoded."""
        messages: list[ToWorker] = []
        room = JOURNAL_PAGE_BYTES
        items = self._items
        while items and room > 0:
            item = items[0]
            if isinstance(item, Opening):
                message, weight = item.take()
                if isinstance(message, Start):
                    items.popleft()
            else:
                message, weight = item, weigh(item)
                items.popleft()
            messages.append(message)
            self.weight -= weight
            room -= weight
        if self._emptied is not None:
            self._emptied.set_result(None)
            self._emptied = None
        return encode_frame(messages)


def weigh(message: ToWorker) -> int:
    """Return about how many bytes a message takes."""
    if isinstance(message, Ack):
        return _SMALL
    if isinstance(message, Arrived | Journal):
        return _SMALL + sum(map(weigh_entry, message.entries))
    if isinstance(message, Validate):
        return _SMALL + len(message.payload)
    if isinstance(message, Refused):
        return _SMALL + len(message.message) + len(message.hint)
    return _SMALL


def weigh_entry(entry: Entry) -> int:
    """Return about how many bytes an entry takes."""
    return _SMALL + (0 if entry.value is None else len(entry.value))


def _start(assignment: Assignment) -> Start:
    return Start(
        run=assignment.run,
        token=assignment.token,
        job=assignment.job,
        payload=assignment.payload,
        attempt=assignment.attempt,
        created_at=assignment.created_at,
        began_at=assignment.began_at,
        log_ordinal=assignment.log_ordinal,
        parent=assignment.parent,
        idempotency_key=assignment.idempotency_key,
        tags=list(assignment.tags),
        metadata=encode_json(assignment.metadata, "metadata") if assignment.metadata else b"",
        deadline=assignment.deadline,
    )
