"""Errors as answers: every error of the API is ``{"error": {"code", "message", "hint", ...}}``."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from executor.access.errors import RateLimited
from executor.api.answers import Answer
from executor.errors import BodyTooLarge, InternalError, RequestRefused
from trigger_sdk.protocol.problem import Problem, TriggerError

logger = logging.getLogger("trigger.executor")

RETRY_AFTER_S = 2

STATUS = {
    "run-not-found": 404,
    "run-final": 409,
    "run-not-resumable": 409,
    "value-too-large": 413,
    "value-over-limit": 413,
    "invalid-value": 422,
    "not-encodable": 422,
    "invalid-options": 400,
    "invalid-cursor": 400,
    "store-unavailable": 503,
    "store-busy": 503,
    "engine-closed": 503,
    "store-error": 503,
    "database-newer": 503,
    "database-invalid": 503,
    "database-locked": 503,
    "database-unsupported": 503,
    "database-unreachable": 503,
}
"""Code to status, of the errors that are not the executor's own."""


def answer_problem(error: TriggerError, *, discard: bool = False) -> Answer:
    """Return the answer for an error that was raised on purpose; ``discard``: before the request's body was read."""
    status = error.status if isinstance(error, RequestRefused) else STATUS.get(error.problem.code, 500)
    wait_s = error.retry_after_s if isinstance(error, RateLimited) else 0
    unread = discard or isinstance(error, BodyTooLarge)
    return _answer(status, error.problem.to_dict(), discard=unread, retry_after_s=wait_s)


def answer_unfit(job: str, fields: Sequence[tuple[str, str]]) -> Answer:
    """Return the 422 for a payload that does not fit the job's annotation.

    Args:
        job: the job's id.
        fields: (path, reason) pairs, at least one; a path is relative to the payload.
    """
    path, reason = fields[0]
    more = f" (and {len(fields) - 1} more)" if len(fields) > 1 else ""
    named = any(path for path, _ in fields)
    problem = Problem(
        code="invalid-payload",
        message=f"the payload does not fit job '{job}': {f'{path}: ' if path else ''}{reason}{more}",
        hint="Correct the fields that are named." if named else "A payload that is not given is null.",
        where=path,
    )
    error: dict[str, object] = dict(problem.to_dict())
    error["fields"] = [{"path": path, "reason": reason} for path, reason in fields]
    return _answer(422, error)


def answer_internal(error: BaseException, *, doing: str, id: str) -> Answer:
    """Log a mistake of ours with its traceback, and return an answer that tells its id and nothing else."""
    logger.error("internal error %s in %s", id, doing, exc_info=error)
    return answer_problem(InternalError(f"the server made a mistake; it is logged under the id {id}"))


_HEADERS = {
    401: [(b"www-authenticate", b"Bearer")],
    503: [(b"retry-after", str(RETRY_AFTER_S).encode())],
}


def _answer(status: int, error: object, *, discard: bool = False, retry_after_s: int = 0) -> Answer:
    headers = _HEADERS.get(status, [])
    if retry_after_s:
        headers = [(b"retry-after", str(retry_after_s).encode())]
    return Answer.json({"error": error}, status=status, headers=headers, discard=discard)
