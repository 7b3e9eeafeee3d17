"""Showing runs: one, many, their steps and their output."""

from __future__ import annotations

import asyncio
import contextlib
from typing import get_args

import msgspec

from engine.engine import Engine
from engine.errors import RunNotFound
from engine.model import Run, RunFilter
from executor.api.answers import Answer
from executor.api.bodies import did_you_mean
from executor.api.call import Call
from executor.api.durations import parse_duration
from executor.api.rendering import LogView, RunPage, RunView, StepView, show_line, show_run, show_step
from executor.api.routes import Operation, Parameter
from executor.errors import RequestInvalid
from trigger_sdk.protocol.states import FINAL_STATES, RUN_STATES, RunState

LONGEST_LIST = 200
_FILTERS = ("job", "state", "tag", "parent", "limit", "cursor")
_NOT_FOUND = {404: "no run has this id"}


class StepsView(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a run, in the order in which they were first journalled."""

    steps: list[StepView]


class LogsView(msgspec.Struct, frozen=True, kw_only=True):
    """The output of a run."""

    logs: list[LogView]


class Runs:
    """Shows runs.

    Args:
        engine: knows them.
        longest_wait_s: most seconds that ``?wait=`` holds a request.
    """

    def __init__(self, engine: Engine, *, longest_wait_s: float) -> None:
        self._engine = engine
        self._longest_wait_s = longest_wait_s

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        wait = Parameter(name="wait", about="Answer when the run is final, or after this time (seconds, or `30s`).")
        filters = (
            Parameter(name="job", about="Only this job's."),
            Parameter(name="state", about="Only those in this state.", schema={"enum": list(RUN_STATES)}),
            Parameter(name="tag", about="Only those with this tag."),
            Parameter(name="parent", about="Only those that this run started."),
            Parameter(name="limit", about="How many; 50 if not given.", schema=LIMIT_SCHEMA),
            Parameter(name="cursor", about="`next` of the page before."),
        )
        path = "/api/v1/runs/{id}"
        return [
            Operation(
                method="GET", path=path, handler=self.show, about="Show a run.", query=(wait,), answer=RunView,
                refusals=_NOT_FOUND,
            ),
            Operation(
                method="GET", path=f"{path}/steps", handler=self.list_steps, about="List a run's steps.",
                answer=StepsView, refusals=_NOT_FOUND,
            ),
            Operation(
                method="GET", path=f"{path}/logs", handler=self.list_logs, about="List a run's output.",
                answer=LogsView, refusals=_NOT_FOUND,
            ),
            Operation(
                method="GET", path="/api/v1/runs", handler=self.list_runs, about="List runs, newest first.",
                query=filters, answer=RunPage, refusals={400: "a parameter is malformed"},
            ),
        ]  # fmt: skip

    async def show(self, call: Call) -> Answer:
        """Show a run; with ``?wait=`` when it is final or the time is over."""
        run_id = call.path("id")
        query = call.query(("wait",))
        seconds = parse_duration(query["wait"], "wait") if query.get("wait") else 0.0
        run = await self._engine.run(run_id)
        if run is not None and seconds and run.state not in FINAL_STATES:
            run = await self._wait(call, run, min(seconds, self._longest_wait_s))
        if run is None:
            raise not_found(run_id)
        return Answer.json(show_run(run))

    async def _wait(self, call: Call, run: Run, seconds: float) -> Run | None:
        """Return the run when it is final, or time is over, or nobody waits any more."""
        await call.body()
        final = asyncio.ensure_future(self._engine.wait_final(run.id, seconds))
        gone = asyncio.ensure_future(call.gone())
        try:
            await asyncio.wait((final, gone), return_when=asyncio.FIRST_COMPLETED)
            return final.result() if final.done() else run
        finally:
            for waiter in (final, gone):
                waiter.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await waiter

    async def list_steps(self, call: Call) -> Answer:
        """List the steps of a run."""
        call.query(())
        run_id = call.path("id")
        steps = await self._engine.steps(run_id)
        if not steps:
            await self._require(run_id)
        return Answer.json({"steps": [show_step(step) for step in steps]})

    async def list_logs(self, call: Call) -> Answer:
        """List the lines of output of a run."""
        call.query(())
        run_id = call.path("id")
        lines = await self._engine.logs(run_id)
        if not lines:
            await self._require(run_id)
        return Answer.json({"logs": [show_line(line) for line in lines]})

    async def list_runs(self, call: Call) -> Answer:
        """List runs, newest first."""
        query = call.query(_FILTERS)
        page = await self._engine.runs(
            RunFilter(
                job=query.get("job"),
                state=_state(query.get("state")),
                tag=query.get("tag"),
                parent=query.get("parent"),
                limit=read_limit(query.get("limit")),
                cursor=query.get("cursor") or None,
            )
        )
        return Answer.json(RunPage(runs=[show_run(run) for run in page.items], next=page.next))

    async def _require(self, run_id: str) -> None:
        if await self._engine.run(run_id) is None:
            raise not_found(run_id)


LIMIT_SCHEMA = {"type": "integer", "minimum": 1, "maximum": LONGEST_LIST}


def not_found(run_id: str) -> RunNotFound:
    """Return the error for a run that is not there."""
    return RunNotFound(f"no run has the id '{run_id[:100]}'")


def _state(text: str | None) -> RunState | None:
    if text is None:
        return None
    for state in get_args(RunState):
        if state == text:
            return state  # type: ignore[no-any-return]  # get_args of a Literal
    hint = did_you_mean(text, RUN_STATES) or f"Use one of: {', '.join(RUN_STATES)}."
    raise RequestInvalid(f"state is '{text[:100]}', which is no state of a run", hint=hint, where="state")


def read_limit(text: str | None) -> int:
    """Return the number of items that a page is to have; 50 if not given. Raises RequestInvalid."""
    if text is None:
        return 50
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LONGEST_LIST:
        raise RequestInvalid(f"limit is '{text[:100]}'; it is a number from 1 to {LONGEST_LIST}", where="limit")
    return int(text)
