"""What the job ``thirty`` of the chaos project must have come to, however often it was killed."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.fakes.effects import Effect
from tests.fakes.records import EntryRecord, Records, RunRecord, Shape, shape_of

Json = dict[str, Any]

ONCE = frozenset(
    (
        "reserve", "slow", "middle", "fast", "left first", "left second", "right first", "right second", "flaky",
        "hit", "charge", "ship", "refuse", "refund", "last",
    )
)  # fmt: skip
"""Effects of the job itself that must happen."""

FAILURES = {"flaky": 2, "credit": 1}
"""How often the service makes an effect fail before it happens."""


def output_of(order: str, key: str, began: str, left: str, right: str) -> Json:
    """Return the output of a run, given what it recorded."""
    return {
        "key": key,
        "began": began,
        "reserve": "reserve done",
        "gathered": ["slow done", "middle done", "fast done"],
        "pairs": [["left first done", "left second done", left], ["right first done", "right second done", right]],
        "flaky": "flaky done",
        "hit": "hit done",
        "timeouts": ["no event", "hung"],
        "approved": {"order": order},
        "delivered": {"order": order},
        "parcel": "post done",
        "parcels": ["post done", "the parcel is lost", "post done"],
        "ledger": ["debit done", "credit done"],
        "compensated": "charge done, refund done: the shop is closed",
        "last": "last done",
        "messenger": True,
    }


def lines_of(order: str, output: Json) -> list[str]:
    """Return what a run's body says."""
    left, right = output["pairs"]
    return [
        f"order {order} has key {output['key']}",
        f"reserved at {output['began']}",
        f"pairs have {left[2]} {right[2]}",
        f"half of {order}",
        f"slept {order}",
        f"delivered {order}",
        f"done {order} {output['key']}",
    ]


def check_order(order: str, run: Json, records: Records, effects: dict[str, dict[str, list[Effect]]]) -> Shape:
    """Check output, lines and effects of a run that ended; return the shape of its journal and its children's."""
    assert run["state"] == "completed", run
    output = run["output"]
    left, right = output["pairs"][0][2], output["pairs"][1][2]
    assert output == output_of(order, output["key"], output["began"], left, right)
    every = records.runs()
    row = next(one for one in every if one.id == run["id"])
    assert records.lines(row.num) == lines_of(order, output)
    done = effects[run["id"]]
    assert set(done) - {"hang"} == ONCE
    for what, hits in done.items():
        token = {"left": left, "right": right}.get(what.split()[0], output["key"])
        assert {hit.key for hit in hits} <= {token, ""}, f"{what} had another key than was recorded: {hits}"
    journals = records.entries()
    shape = shape_of(journals[row.num])
    for child in (one for one in every if one.parent == row.num):
        shape += _shape_of_child(child, row, journals)
        for what, times in FAILURES.items():
            failed = [hit for hit in effects[child.id].get(what, ()) if not hit.happened]
            assert len(failed) in (0, times), failed
    return sorted(shape)


def _shape_of_child(child: RunRecord, parent: RunRecord, journals: dict[int, list[EntryRecord]]) -> Shape:
    started = next(e for e in journals[parent.num] if e.kind == "wait_started" and e.step == child.parent_step)
    assert started.name == child.job
    expected = "failed" if child.parent_step == "22" else "completed"
    assert child.state == expected, child
    return [(f"{child.parent_step}/{step}", *rest) for step, *rest in shape_of(journals[child.num])]  # type: ignore[misc]


def repeated(run_ids: set[str], effects: dict[str, dict[str, list[Effect]]]) -> Counter[str]:
    """Return which effects happened more than once, and how often more."""
    again: Counter[str] = Counter()
    for run_id in run_ids:
        for what, hits in effects[run_id].items():
            again[what] += sum(hit.happened for hit in hits) - 1
    return +again
