"""What is committed together: submitted operations, and what the loop is told after their commit."""

from __future__ import annotations

from asyncio import Future
from dataclasses import dataclass, field
from typing import Any

from engine.errors import EngineError
from engine.transaction import News, Operation, Transaction


@dataclass(slots=True)
class Job:
    """A submitted operation and where its answer goes.

    Attributes:
        brief: it takes some microseconds.
        local: it concerns nothing that other engines write.
        numbers: how many numbers it will take, about.
        told: how much of the news is no later than it.
    """

    operation: Operation[Any]
    future: Future[Any]
    brief: bool
    local: bool = False
    numbers: int = 0
    told: int = 0
    result: Any = None
    error: BaseException | None = None


class RefusedTooLateError(Exception):
    """An operation raised an EngineError after it had written: the transaction has to be undone."""

    def __init__(self, refusal: EngineError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(slots=True)
class Committed:
    """What the loop is told after a commit.

    Attributes:
        jobs: operations with their answers, in the order of submission.
        news: for the listener, in order.
        heard: how much of the news came before the first job.
        ended: ids of runs that ended.
        due: role name to the earliest time written for it.
    """

    jobs: list[Job]
    news: list[News] = field(default_factory=list)
    heard: int = 0
    ended: list[str] = field(default_factory=list)
    due: dict[str, float] = field(default_factory=dict)


def committed_of(group: list[Job], tx: Transaction) -> Committed:
    """Return what to tell of a group whose transaction is committed."""
    return Committed(group, tx.news, tx.heard, tx.ended, tx.due)
