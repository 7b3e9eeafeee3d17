"""What a job may ask to be given beside its payload."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """The run: one request to execute the job with one payload.

    Attributes:
        id: ``run_…``, the same in every attempt; fit for an idempotency key.
        job: the job's id.
        created_at: when the run was asked for, aware, in UTC.
        parent_id: the run that started this one, or None.
        idempotency_key: the key it was started with, or None.
        tags: labels given at the start.
        metadata: what was given at the start.
    """

    id: str
    job: str
    created_at: datetime
    parent_id: str | None = None
    idempotency_key: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptInfo:
    """The attempt: one execution of the run by a worker; ``number`` counts from 1 and grows with every replay."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Given to the parameter of a job that is annotated ``Context``.

    Attributes:
        run: the run.
        attempt: this attempt. Do not branch on it: a body must do the same in every attempt.
        logger: a standard logger; its lines are attributed to the run and shown once, replays included.
    """

    run: RunInfo
    attempt: AttemptInfo
    logger: logging.Logger

    def always(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call ``fn`` in every attempt, effects allowed, nothing journalled, and return what it returns.

        For what an attempt needs anew: a client, a fresh credential. Its result must not steer the body. Sync only.
        """
        from trigger_sdk._declare.dispatch import call_unjournalled

        return call_unjournalled(fn, *args, **kwargs)
