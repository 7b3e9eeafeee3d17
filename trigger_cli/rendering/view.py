"""Runs, steps and log lines as the API tells them, read into values. Times are seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trigger_cli.rendering.values import parse_time
from trigger_sdk.protocol.states import FINAL_STATES

Json = Mapping[str, Any]
"""A JSON object."""

WAIT_KINDS = frozenset(("sleep", "timer", "event", "child"))
"""Kinds of steps during which nothing of the run is executed."""

_CODE_LENGTH = 12
"""As much of a code version's hash as tells one from another."""

_STEP_WORDS = {
    "record": "record {}", "sleep": "sleep", "timer": "timer", "event": "wait for {}",
    "child": "run {}", "trigger": "start {}", "send": "send {}",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorView:
    """An error of a run or of a step."""

    type: str
    message: str
    traceback: str = ""
    code: str = ""
    hint: str = ""

    @classmethod
    def read(cls, data: Json | None) -> ErrorView | None:
        """Read the API's form; None for None."""
        if data is None:
            return None
        return cls(**{name: str(data.get(name) or "") for name in ("type", "message", "traceback", "code", "hint")})

    def headline(self) -> str:
        """Return ``Type: first line of the message``."""
        first = (self.message.splitlines() or [""])[0]
        label = self.code or self.type
        return f"{label}: {first}" if label and first else label or first


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step; see the API's ``steps``."""

    id: str
    name: str
    kind: str
    state: str
    started_at: float | None
    finished_at: float | None
    attempts: int
    error: ErrorView | None
    line: str
    due_at: float | None = None
    child: str = ""

    @classmethod
    def read(cls, data: Json) -> StepView:
        """Read the API's form."""
        error = ErrorView.read(data.get("error"))
        # A wait for an event fails in one way only without an error of its own.
        timed_out = data["kind"] == "event" and data["state"] == "failed" and error is None
        return cls(
            id=str(data["id"]),
            name=str(data.get("name") or ""),
            kind=str(data["kind"]),
            state="timed_out" if timed_out else str(data["state"]),
            started_at=parse_time(data.get("started_at")),
            finished_at=parse_time(data.get("finished_at")),
            attempts=int(data.get("attempts") or 0),
            error=error,
            line=str(data.get("line") or ""),
            due_at=parse_time(data.get("due_at")),
            child=str(data.get("child") or ""),
        )

    @property
    def waits(self) -> bool:
        """True when the step is a wait."""
        return self.kind in WAIT_KINDS

    @property
    def title(self) -> str:
        """What the step does, in a few words."""
        return _STEP_WORDS.get(self.kind, "{}").format(self.name)

    @property
    def position(self) -> tuple[tuple[int, str], ...]:
        """Sorts steps in the order of the body's structure: ``2`` before ``10``, a branch's steps together."""
        return tuple((int(part), "") if part.isdigit() else (0, part) for part in self.id.split("."))

    @property
    def branch(self) -> str:
        """Id of the branch the step belongs to; empty for the main one."""
        return self.id.rpartition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run; see the API's ``runs``."""

    id: str
    job: str
    state: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    attempt: int
    error: ErrorView | None
    payload: object = None
    output: object = None
    tags: tuple[str, ...] = ()
    parent: str = ""
    replayed_from: str = ""
    version: str = ""
    created_text: str = ""

    @classmethod
    def read(cls, data: Json) -> RunView:
        """Read the API's form."""
        return cls(
            id=str(data["id"]),
            job=str(data["job"]),
            state=str(data["state"]),
            created_at=parse_time(data["created_at"]) or 0.0,
            started_at=parse_time(data.get("started_at")),
            finished_at=parse_time(data.get("finished_at")),
            attempt=int(data.get("attempt") or 0),
            error=ErrorView.read(data.get("error")),
            payload=data.get("payload"),
            output=data.get("output"),
            tags=tuple(str(tag) for tag in data.get("tags") or ()),
            parent=str(data.get("parent") or ""),
            replayed_from=str(data.get("replayed_from") or ""),
            version=str(data.get("version") or str(data.get("code") or "")[:_CODE_LENGTH]),
            created_text=str(data["created_at"]),
        )

    @property
    def final(self) -> bool:
        """True when the run has ended."""
        return self.state in FINAL_STATES

    def duration(self, now: float) -> float | None:
        """Return the seconds from start to end, or to ``now`` while it goes on; None before it started."""
        if self.started_at is None:
            return None
        return (self.finished_at or now) - self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class LogView:
    """One line of output of a run."""

    at: float
    level: str
    step: str
    logger: str
    text: str
    stream: str

    @classmethod
    def read(cls, data: Json) -> LogView:
        """Read the API's form; ``level`` may be a number of :mod:`logging` or its name."""
        return cls(
            at=_moment(data.get("at")),
            level=_level_name(data.get("level")),
            step=str(data.get("step") or ""),
            logger=str(data.get("logger") or ""),
            text=str(data.get("text") or ""),
            stream=str(data.get("stream") or "log"),
        )


_LEVELS = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


def _level_name(level: object) -> str:
    return _LEVELS.get(level, str(level)) if isinstance(level, int) else str(level or "INFO").upper()


def _moment(at: object) -> float:
    return float(at) if isinstance(at, int | float) else parse_time(str(at) if at else None) or 0.0
