"""Starting runs and steering them: one, a batch, cancel, resume, replay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from engine.engine import Engine
from engine.model import RunRequest
from executor.api.answers import Answer
from executor.api.bodies import check_keys, kind_of, text_field
from executor.api.call import Call
from executor.api.jobs import find_job
from executor.api.options import OptionsBody, read_options
from executor.api.problems import answer_unfit
from executor.api.rendering import CreatedView, RunView, show_run
from executor.api.routes import Operation
from executor.errors import RequestInvalid
from trigger_sdk.protocol.entries import RunOptions
from trigger_sdk.protocol.values import encode_json

LARGEST_BATCH = 10_000

Unfit = Sequence[tuple[str, str]]
"""(field path, reason) pairs of a payload that does not fit."""


class PayloadCheck(Protocol):
    """Asks a worker about payloads."""

    async def check(self, job: str, code: str, payload: object) -> bytes | Unfit | None:
        """Return the canonical encoded payload, what does not fit, or None when no worker could say."""


class RunBody(msgspec.Struct, frozen=True, kw_only=True):
    """A run to start."""

    payload: Any = None
    options: OptionsBody = OptionsBody()


class BatchItem(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a batch."""

    job: str
    payload: Any = None
    options: OptionsBody = OptionsBody()


class BatchBody(msgspec.Struct, frozen=True, kw_only=True):
    """Runs to start together: all of them, or none."""

    runs: list[BatchItem]


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """What was created, in the order of the request."""

    runs: list[CreatedView]


class ReplayView(msgspec.Struct, frozen=True, kw_only=True):
    """The new run."""

    id: str


_REFUSALS = {
    400: "malformed",
    404: "no such job",
    413: "the payload is too large",
    422: "the payload does not fit the job's annotation",
    503: "the store cannot take it now",
}
_STATES = {404: "no run has this id", 409: "the run's state does not allow it"}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A run as a request wants it; ``where`` is its place in a batch (``runs[3]``), or empty."""

    job: str
    payload: object
    options: RunOptions
    where: str


class Starting:
    """Starts runs and steers them."""

    def __init__(self, engine: Engine, payloads: PayloadCheck) -> None:
        self._engine = engine
        self._payloads = payloads

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        run = "/api/v1/runs/{id}"
        return [
            Operation(
                method="POST", path="/api/v1/jobs/{id:path}/runs", handler=self.start, about="Start a run.",
                body=RunBody, status=201, answer=CreatedView, refusals=_REFUSALS,
            ),
            Operation(
                method="POST", path="/api/v1/runs/batch", handler=self.start_batch,
                about="Start many runs, all or none.", body=BatchBody, status=201, answer=BatchView,
                refusals=_REFUSALS,
            ),
            Operation(
                method="POST", path=f"{run}/cancel", handler=self.cancel, about="Ask that a run be cancelled.",
                answer=RunView, refusals=_STATES,
            ),
            Operation(
                method="POST", path=f"{run}/resume", handler=self.resume,
                about="Queue a run that failed again, from the failed step.", answer=RunView, refusals=_STATES,
            ),
            Operation(
                method="POST", path=f"{run}/replay", handler=self.replay,
                about="Start a new run with the same payload.", status=201, answer=ReplayView,
                refusals={404: "no run has this id"},
            ),
        ]  # fmt: skip

    async def start(self, call: Call) -> Answer:
        """Start a run of a job."""
        call.query(())
        job = call.path("id")
        data = await call.object(RunBody.__struct_fields__)
        wanted = _Wanted(job, data.get("payload"), read_options(data.get("options")), "")
        checked = await self._check(wanted)
        if isinstance(checked, Answer):
            return checked
        created = await self._engine.create_run(job, checked, wanted.options)
        return Answer.json(CreatedView(id=created.run_id, existing=created.existing), status=201)

    async def start_batch(self, call: Call) -> Answer:
        """Start many runs in one commit, or none when one of them cannot be started."""
        call.query(())
        data = await call.object(BatchBody.__struct_fields__)
        wanted = [_read_item(item, f"runs[{index}]") for index, item in enumerate(_items(data))]
        requests: list[RunRequest] = []
        for one, checked in zip(wanted, await asyncio.gather(*map(self._check, wanted)), strict=True):
            if isinstance(checked, Answer):
                return checked
            requests.append(RunRequest(job=one.job, payload=checked, options=one.options))
        created = await self._engine.create_runs(requests)
        views = [CreatedView(id=one.run_id, existing=one.existing) for one in created]
        return Answer.json(BatchView(runs=views), status=201)

    async def _check(self, wanted: _Wanted) -> bytes | Answer:
        """Return the payload encoded, or the 422 with what does not fit. Raises UnknownJob."""
        job = await find_job(self._engine, wanted.job, f"{wanted.where}.job" if wanted.where else "")
        checked = await self._payloads.check(wanted.job, job.code, wanted.payload)
        if isinstance(checked, bytes):
            return checked
        if checked is None:
            return encode_json(wanted.payload, f"the payload of job '{wanted.job}'")
        place = f"{wanted.where}.payload" if wanted.where else ""
        return answer_unfit(wanted.job, [(_joined(place, path), reason) for path, reason in checked])

    async def cancel(self, call: Call) -> Answer:
        """Ask that a run be cancelled; it is, when its body let it."""
        await call.object(())
        return Answer.json(show_run(await self._engine.cancel(call.path("id"))))

    async def resume(self, call: Call) -> Answer:
        """Queue a run that failed, crashed or timed out again; completed steps are not repeated."""
        await call.object(())
        return Answer.json(show_run(await self._engine.resume(call.path("id"))))

    async def replay(self, call: Call) -> Answer:
        """Start a new run with the payload and options of another."""
        await call.object(())
        created = await self._engine.replay(call.path("id"))
        return Answer.json(ReplayView(id=created.run_id), status=201)


def _items(data: dict[str, Any]) -> list[object]:
    items = data.get("runs")
    if not isinstance(items, list):
        raise RequestInvalid(f"runs is {kind_of(items)}, and a list is expected", where="runs")
    if len(items) > LARGEST_BATCH:
        raise RequestInvalid(f"runs has {len(items)} items; the limit is {LARGEST_BATCH}", where="runs")
    return items


def _read_item(item: object, where: str) -> _Wanted:
    if not isinstance(item, dict):
        raise RequestInvalid(f"{where} is {kind_of(item)}, and an object is expected", where=where)
    check_keys(item, BatchItem.__struct_fields__, where)
    job = text_field({f"{where}.job": item["job"]} if "job" in item else {}, f"{where}.job", longest=1000)
    return _Wanted(job, item.get("payload"), read_options(item.get("options"), f"{where}.options"), where)


def _joined(place: str, path: str) -> str:
    if not place or not path:
        return place or path
    return f"{place}{path}" if path.startswith("[") else f"{place}.{path}"
