"""Queues: how many runs go at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that jobs share by its name.

    Attributes:
        name: the queue's name; jobs that name the same queue share its limit.
        concurrency: runs of the queue that may go at once; None is without limit. Waiting runs that have left their
            worker do not count.
    """

    name: str
    concurrency: int | None = None

    def __post_init__(self) -> None:
        if not self.name:
            message = "a queue needs a name"
            raise ValueError(message)
        if self.concurrency is not None and self.concurrency < 1:
            message = f"Queue({self.name!r}, concurrency={self.concurrency}): nothing would ever run; use 1 or more"
            raise ValueError(message)
