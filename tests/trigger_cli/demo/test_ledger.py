"""Counting effects: what is a promise kept, and what is not."""

from typing import Any

from trigger_cli.demo.acts import ACTS, Act
from trigger_cli.demo.ledger import count, render_counts
from trigger_cli.rendering.style import PLAIN, UNICODE

ADA = Act(title="x", ticket=1, user="ada", effects={"tickets.reserve": 1, "payment.charge": 1})


def request(service: str, action: str, outcome: str = "done", order: str = "o1", **more: Any) -> dict[str, Any]:
    """Return a line of the services' journal."""
    return {"service": service, "action": action, "outcome": outcome, "request": {"order": order, **more}}


RESERVED = request("tickets", "reserve", user_id="ada", ticket_id=1)


def kept(requests: list[dict[str, Any]]) -> bool:
    """Tell whether every effect happened as often as promised."""
    return all(item.kept for item in count(ADA, requests))


def test_exactly_once_is_kept() -> None:
    """Each effect once; requests that were answered from before, refused or of others do not count."""
    others = [request("payment", "charge", order="o2"), request("tickets", "reserve", order="o2", user_id="bob")]
    charges = [
        request("payment", "charge", "failed"),
        request("payment", "charge"),
        request("payment", "charge", "replayed"),
    ]
    assert kept([RESERVED, *charges, *others])


def test_twice_missing_and_unpromised_are_not_kept() -> None:
    """One too many, one too few, and one that nobody promised."""
    charge = request("payment", "charge")
    assert not kept([RESERVED, charge, charge])
    assert not kept([RESERVED])
    assert not kept([RESERVED, charge, request("tickets", "release")])
    assert not kept([RESERVED, charge, request("fax", "send")])
    assert not kept([])


def test_table_shows_promise_and_count() -> None:
    """What was neither promised nor asked for is left out."""
    lines = render_counts(count(ADA, [RESERVED]), palette=PLAIN, glyphs=UNICODE)
    assert [line.split() for line in lines] == [
        ["EFFECT", "PROMISED", "COUNTED", "REQUESTS"],
        ["tickets.reserve", "1", "1", "1", "✓"],
        ["payment.charge", "1", "0", "0", "✗", "not", "as", "promised"],
    ]


def test_acts_differ_in_customer_and_ticket() -> None:
    """Requests are told apart by who buys, and no act takes another's seat."""
    assert len({act.user for act in ACTS}) == len({act.ticket for act in ACTS}) == len(ACTS)
    assert sum(act.kills for act in ACTS) == 1
