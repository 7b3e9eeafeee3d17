"""Performing the demo: start everything in a temporary folder, play each act, count, clean up."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from trigger_cli.api.address import parse_url
from trigger_cli.api.client import Api, Json
from trigger_cli.demo import processes
from trigger_cli.demo.acts import ACTS, EVENT, JOB, Act
from trigger_cli.demo.ledger import Count, count
from trigger_cli.errors import Refusal, ServerUnreachable
from trigger_cli.rendering.view import RunView
from trigger_cli.scaffold.plan import make_plan
from trigger_cli.scaffold.templates import find_template, templates_folder
from trigger_cli.scaffold.write import carry_out

TEMPLATE = "ticket"
_ACT_S = 60.0
_LATE_S = 3.0
"""Seconds that the payment service takes to answer, so that there is time to kill the worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an act went: the run and its steps as the API tells them, the counts, the worker that was killed (or 0)."""

    act: Act
    run: Json
    steps: list[Json]
    counts: list[Count]
    killed: int

    @property
    def kept(self) -> bool:
        """True when the run ended as promised and every effect happened as often as promised."""
        return self.run["state"] == self.act.state and all(item.kept for item in self.counts)

    def to_json(self) -> Json:
        """Return it for programs."""
        return {
            "title": self.act.title,
            "as_promised": self.kept,
            "run": self.run,
            "steps": self.steps,
            "effects": {item.effect: {"promised": item.promised, "counted": item.counted} for item in self.counts},
            "killed_worker": self.killed or None,
        }


class Stage:
    """The ticket project in a folder, with its services and `trigger dev` running. Use as a context manager."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        carry_out(make_plan(find_template(TEMPLATE, templates_folder()), self._folder))
        with self._stack:
            self._services = self._stack.enter_context(processes.services(self._folder))
            started = self._stack.enter_context(processes.dev(self._folder, self._port, self._services))
            self._server, url = started[0].pid, started[1]
            self._api = self._stack.enter_context(closing(Api(parse_url(url, "written down by `trigger dev`"))))
            processes.until(self._ready, "the worker's arrival", seconds=processes.START_S)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _ready(self) -> bool | None:
        try:
            known = any(job["id"] == JOB for job in self._api.jobs())
        except (ServerUnreachable, Refusal):
            return None
        return known or None

    def play(self, act: Act, tell: Callable[[str], None]) -> Outcome:
        """Play one act to its end, telling what is done to it, and return how it went."""
        run_id = str(self._api.trigger(JOB, act.payload, {})["id"])
        killed = 0
        if act.checks_out:
            processes.until(lambda: self._waits(run_id), "the wait for the checkout", seconds=_ACT_S)
            if act.kills:
                self._post("/control/slow_next", {"service": "payment", "action": "charge", "seconds": _LATE_S})
            self._api.send_event(EVENT, act.cart, None)
            tell(f"event {EVENT} sent for {act.user}")
        if act.kills:
            processes.until(lambda: self._charged(act), "the charge", seconds=_ACT_S)
            killed = processes.kill_worker(self._server)
            tell(f"worker {killed} killed: the card is charged, and the answer is lost")
        run = processes.until(lambda: self._final(run_id), "the end of the run", seconds=_ACT_S)
        return Outcome(act=act, run=run, steps=self._api.steps(run_id), counts=self._count(act), killed=killed)

    def _waits(self, run_id: str) -> bool | None:
        """Return True once the run waits for its event, or has ended."""
        steps = self._api.steps(run_id)
        waiting = any(step["kind"] == "event" and step["state"] == "waiting" for step in steps)
        return waiting or RunView.read(self._api.run(run_id)).final or None

    def _final(self, run_id: str) -> Json | None:
        run = self._api.run(run_id, wait=1.0)
        return run if RunView.read(run).final else None

    def _charged(self, act: Act) -> bool | None:
        return any(item.effect == "payment.charge" and item.counted for item in self._count(act)) or None

    def _count(self, act: Act) -> list[Count]:
        with urllib.request.urlopen(self._services + "/requests", timeout=_ACT_S) as answer:  # noqa: S310 - our own loopback
            return count(act, json.load(answer)["requests"])

    def _post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(self._services + path, data=json.dumps(body).encode(), method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=_ACT_S) as answer:  # noqa: S310 - our own loopback
            answer.read()


def perform(
    folder: Path, port: int, *, tell: Callable[[str], None], show: Callable[[Outcome, float], None]
) -> list[Outcome]:
    """Play all acts in ``folder``.

    Args:
        folder: where the project is made; must not exist, or be empty.
        port: where `trigger dev` is to listen; 0 is any free one.
        tell: takes a line about what is being done.
        show: takes each outcome, and the moment of its end in seconds since the epoch.
    """
    outcomes = []
    tell(f"starting the template's services and `trigger dev` in {folder}")
    with Stage(folder, port) as stage:
        for number, act in enumerate(ACTS, 1):
            tell(f"\n{number}. {act.title}")
            outcome = stage.play(act, tell)
            show(outcome, time.time())
            outcomes.append(outcome)
    return outcomes
