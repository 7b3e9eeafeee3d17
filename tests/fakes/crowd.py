"""Hundreds of runs of several shapes: what they are given, what they need from outside, and what they must come to."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

from tests.fakes.dev_process import DevProcess, Json
from tests.fakes.effects import Effect

SHAPES: Final[dict[str, int]] = {
    "chain": 6, "fan": 6, "sleeper": 4, "family": 3, "patient": 1, "abandoned": 1, "stubborn": 5, "broken": 1,
    "thirty": 1,
}  # fmt: skip
"""Job ids, and how much each has to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A run of the crowd.

    Attributes:
        name: its order's name.
        job: the job's id.
        run_id: the run's id.
    """

    name: str
    job: str
    run_id: str


def start(dev: DevProcess, name: str, job: str) -> Member:
    """Start a run, once, however often it is asked for: the answer may be lost with the server."""
    payload = {"name": name, "size": SHAPES[job]}
    return Member(name=name, job=job, run_id=dev.trigger(job, payload, idempotency_key=name))


def attend(dev: DevProcess, member: Member) -> None:
    """Send the events and the cancellation that a run waits for. Saying it again changes nothing."""
    if member.job == "patient":
        dev.send_event("answer", {"order": member.name}, event_id=f"{member.name}:answer")
    elif member.job == "thirty":
        dev.send_event("approved", {"order": member.name}, event_id=f"{member.name}:approved")
    elif member.job == "abandoned" and dev.request("POST", f"/runs/{member.run_id}/cancel", {}).status_code == 409:
        assert dev.run(member.run_id)["state"] == "canceled"


def choose(seed: int, count: int) -> list[tuple[str, str]]:
    """Return names and jobs of a crowd."""
    dice = random.Random(seed)
    jobs = list(SHAPES)
    return [(f"{seed}-{number}", dice.choice(jobs)) for number in range(count)]


def check(member: Member, run: Json, effects: dict[str, list[Effect]], *, waited: bool) -> None:
    """Check how a run ended, and that what it must have done it did; ``waited``: it began to wait for an event."""
    size = SHAPES[member.job]
    expected: dict[str, tuple[str, Any, set[str]]] = {
        "chain": ("completed", [f"link {n} done" for n in range(size)], {f"link {n}" for n in range(size)}),
        "fan": ("completed", [f"branch {n} done" for n in range(size)], {f"branch {n}" for n in range(size)}),
        "sleeper": ("completed", [f"woken {n} done" for n in range(size)], {f"woken {n}" for n in range(size)}),
        "family": ("completed", [["link 0 done", "link 1 done"]] * size, {"wed"}),
        "patient": ("completed", {"order": member.name}, {"knock", "enter"}),
        "abandoned": ("canceled", None, {"open", "close"}),
        "stubborn": ("completed", "insist done", {"insist"}),
        "broken": ("failed", None, {"begin", "doubt", "leave"}),
    }
    state, output, done = expected[member.job]
    if member.job == "abandoned" and "close" not in effects:
        assert not waited, f"{run} was cancelled while it waited, and did not clean up"
        done &= set(effects)  # it was cancelled before it came to what it cleans up
    assert run["state"] == state, run
    assert run["output"] == output, run
    if state == "failed":
        assert (run["error"]["type"], run["error"]["message"]) == ("ValueError", member.name)
    assert set(effects) == done, (run, effects)
    failed = [hit for hit in effects.get("insist", ()) if not hit.happened]
    assert len(failed) == (size if member.job == "stubborn" else 0)
    for hits in effects.values():
        assert len({hit.key for hit in hits}) == 1, hits
