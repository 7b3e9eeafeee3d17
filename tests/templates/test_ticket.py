"""The ticket template, run for real: a purchase, every way it can fail, and workers killed on the way."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.template_project import TemplateProject

Start = Callable[..., TemplateProject]
JOBS = ("purchase-ticket", "purchase-ticket-class")
SOLD = ["chat.post", "mail.send", "payment.charge", "tickets.finalize", "tickets.reserve"]


def check_out(shop: TemplateProject, cart: str = "checkout", **changes: object) -> None:
    """Send the event that ends the checkout window."""
    shop.dev.send_event("cart.checked-out", shop.payload(cart, **changes))


def buy(shop: TemplateProject, job: str = "purchase-ticket", cart: str = "checkout", **changes: object) -> str:
    """Start the sample purchase, check out when the ticket is held, and return the run's id."""
    run_id = shop.dev.trigger(job, shop.payload("purchase", **changes))
    shop.dev.wait_for_step(run_id, "event", states=["waiting"])
    check_out(shop, cart)
    return run_id


def outcomes(shop: TemplateProject, service: str, action: str) -> list[str]:
    """Return what came of every request for an action, in order."""
    return [request["outcome"] for request in shop.services.requests(service, action)]


@pytest.mark.parametrize("job", JOBS)
def test_purchase_does_each_thing_once(job: str, running: Start) -> None:
    """The receipt comes back, and five effects are there: mail and chat at the end, side by side."""
    shop = running("ticket")
    run = shop.dev.wait(buy(shop, job))
    assert (run["state"], run["error"]) == ("completed", None)
    receipt = run["output"]
    assert receipt | {"order": ""} == {"order": "", "seat": "E2", "charge_id": "ch_1", "amount_cents": 4500}
    effects = shop.services.effect_names()
    assert effects[:3] == ["tickets.reserve", "payment.charge", "tickets.finalize"]
    assert sorted(effects[3:]) == ["chat.post", "mail.send"]
    assert len(shop.services.requests()) == len(effects)
    assert {effect["request"]["order"] for effect in shop.services.effects()} == {receipt["order"]}


@pytest.mark.parametrize("job", JOBS)
def test_time_out_releases_the_ticket(job: str, running: Start) -> None:
    """Nobody checks out: the run fails with the time-out, and the seat is on sale again."""
    shop = running("ticket")
    run = shop.dev.wait(shop.dev.trigger(job, shop.payload("purchase_one_second")))
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("TimeoutError")
    assert shop.services.effect_names() == ["tickets.reserve", "tickets.release"]


def test_declined_card_is_not_tried_again(running: Start) -> None:
    """One request is refused for good; the ticket is released, and nothing refunded."""
    shop = running("ticket")
    run = shop.dev.wait(buy(shop, cart="checkout_declined"))
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("Refused")
    assert run["error"]["message"] == "the card was declined"
    assert outcomes(shop, "payment", "charge") == ["refused"]
    assert shop.services.effect_names() == ["tickets.reserve", "tickets.release"]


@pytest.mark.parametrize("job", JOBS)
def test_failure_after_the_charge_is_undone_in_reverse(job: str, running: Start) -> None:
    """The organiser withdraws the ticket: refund first, then release, as the steps were done."""
    shop = running("ticket")
    run_id = shop.dev.trigger(job, shop.payload("purchase_withdrawn"))
    shop.dev.wait_for_step(run_id, "event", states=["waiting"])
    check_out(shop, "checkout_withdrawn")
    run = shop.dev.wait(run_id)
    assert run["state"] == "failed"
    assert "withdrawn" in run["error"]["message"]
    assert shop.services.effect_names() == ["tickets.reserve", "payment.charge", "payment.refund", "tickets.release"]


def test_failure_at_the_very_end_is_undone_too(running: Start) -> None:
    """The mail cannot be delivered: even the sold seat goes back on sale."""
    shop = running("ticket")
    run = shop.dev.wait(buy(shop, email="ada@bounce.example"))
    assert run["state"] == "failed"
    counts = shop.services.counts()
    assert counts["payment.refund"] == counts["tickets.release"] == 1
    assert counts["mail.send"] == 0
    assert shop.services.post("/tickets/reserve", ticket_id=42, user_id="bob", order="another").is_success


def test_taken_ticket_changes_nothing(running: Start) -> None:
    """The second purchase of a seat fails at once and leaves the first one alone."""
    shop = running("ticket")
    first = shop.dev.trigger("purchase-ticket", shop.payload("purchase"))
    shop.dev.wait_for_step(first, "event", states=["waiting"])
    second = shop.dev.wait(shop.dev.trigger("purchase-ticket", shop.payload("purchase", user_id="bob")))
    assert (second["state"], second["error"]["message"]) == ("failed", "ticket 42 is taken")
    check_out(shop)
    assert shop.dev.wait(first)["state"] == "completed"
    assert sorted(shop.services.effect_names()) == SOLD


def test_unavailable_service_is_tried_again(running: Start) -> None:
    """Two answers of 503 cost time and nothing else; the attempts are counted."""
    shop = running("ticket")
    shop.services.fail_next("payment", "charge", times=2)
    run_id = buy(shop)
    assert shop.dev.wait(run_id)["state"] == "completed"
    assert outcomes(shop, "payment", "charge") == ["failed", "failed", "done"]
    (charge,) = [step for step in shop.dev.steps(run_id) if step["name"] == "charge_card"]
    assert charge["attempts"] == 3
    assert sorted(shop.services.effect_names()) == SOLD


def test_lost_answer_does_not_charge_twice(running: Start) -> None:
    """The charge happened, its answer did not arrive: the second request gets the first one's answer."""
    shop = running("ticket")
    shop.services.fail_next("payment", "charge", lose_answer=True)
    assert shop.dev.wait(buy(shop))["state"] == "completed"
    assert outcomes(shop, "payment", "charge") == ["done", "replayed"]
    assert sorted(shop.services.effect_names()) == SOLD


def test_undo_gets_through(running: Start) -> None:
    """An undo is tried again too."""
    shop = running("ticket")
    shop.services.fail_next("tickets", "release", times=2)
    assert shop.dev.wait(buy(shop, cart="checkout_declined"))["state"] == "failed"
    assert outcomes(shop, "tickets", "release") == ["failed", "failed", "done"]


def test_cancellation_is_undone(running: Start) -> None:
    """A purchase that is cancelled while it waits gives the ticket back."""
    shop = running("ticket")
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase"))
    shop.dev.wait_for_step(run_id, "event", states=["waiting"])
    shop.dev.command(run_id, "cancel")
    assert shop.dev.wait(run_id)["state"] == "canceled"
    assert shop.services.effect_names() == ["tickets.reserve", "tickets.release"]


def test_cancellation_during_the_charge_is_refunded(running: Start) -> None:
    """The charge is on its way when the purchase is cancelled: what it took is given back."""
    shop = running("ticket")
    shop.services.slow_next("payment", "charge", seconds=3)
    run_id = buy(shop)
    shop.dev.wait_for_step(run_id, "charge_card", states=["running"])
    shop.dev.command(run_id, "cancel")
    assert shop.dev.wait(run_id)["state"] == "canceled"
    assert shop.services.effect_names() == ["tickets.reserve", "payment.charge", "payment.refund", "tickets.release"]


def test_only_the_own_event_ends_the_wait(running: Start) -> None:
    """Another customer's cart, or another ticket, is not ours."""
    shop = running("ticket")
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase"))
    shop.dev.wait_for_step(run_id, "event", states=["waiting"])
    check_out(shop, user_id="bob")
    check_out(shop, items=[7, 8])
    assert shop.dev.run(run_id)["state"] in ("running", "waiting")
    check_out(shop, items=[7, 42, 8])
    assert shop.dev.wait(run_id)["state"] == "completed"


def test_fast_event_is_not_missed(running: Start) -> None:
    """The customer checks out before the ticket is held: the event counts, as it came after the run began."""
    shop = running("ticket")
    shop.services.slow_next("tickets", "reserve", seconds=1)
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase"))
    shop.dev.wait_for_step(run_id, "reserve_ticket", states=["running"])
    check_out(shop)
    assert shop.dev.wait(run_id)["state"] == "completed"


def test_wait_leaves_the_worker_and_comes_back(running: Start) -> None:
    """Without grace the run leaves at once; the order made before is the one used after."""
    shop = running("ticket", wait_grace=0)
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase"))
    shop.dev.wait(run_id, states=["waiting"])
    check_out(shop)
    run = shop.dev.wait(run_id)
    assert (run["state"], run["attempt"]) == ("completed", 2)
    assert {effect["request"]["order"] for effect in shop.services.effects()} == {run["output"]["order"]}
    assert sorted(shop.services.effect_names()) == SOLD
    held = [line for line in shop.dev.logs(run_id) if "holding seat" in line["text"]]
    assert len(held) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_event_of_an_earlier_purchase_does_not_count(restart: bool, running: Start) -> None:
    """The same customer buys the same seat again: his first checkout pays for the first purchase only."""
    shop = running("ticket")
    assert shop.dev.wait(buy(shop, cart="checkout_declined"))["state"] == "failed"
    if restart:
        shop.dev.kill_all()
        shop.dev.start()
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase", checkout_window_s=1))
    run = shop.dev.wait(run_id)
    assert run["error"]["type"].endswith("TimeoutError")
    assert outcomes(shop, "payment", "charge") == ["refused"]


STAGES: list[tuple[str, str, str]] = [
    ("tickets", "reserve", "reserve_ticket"),
    ("payment", "charge", "charge_card"),
    ("tickets", "finalize", "finalize_ticket"),
    ("mail", "send", "send_email"),
    ("chat", "post", "post_message"),
]


@pytest.mark.parametrize(("service", "action", "step"), STAGES)
def test_worker_killed_in_a_step_loses_nothing(service: str, action: str, step: str, running: Start) -> None:
    """SIGKILL while a step's effect is done and its answer under way: repeated once, done once."""
    shop = running("ticket")
    shop.services.slow_next(service, action, seconds=20)
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase"))
    check_out(shop)
    shop.dev.wait_for_step(run_id, step, states=["running"])
    shop.dev.kill_worker()
    run = shop.dev.wait(run_id)
    assert (run["state"], run["attempt"]) == ("completed", 2)
    assert sorted(shop.services.effect_names()) == SOLD
    assert outcomes(shop, service, action) == ["done", "replayed"]
    others = [stage for stage in STAGES if stage[0] != service and stage[2] not in ("send_email", "post_message")]
    assert all(outcomes(shop, *stage[:2]) == ["done"] for stage in others)


@pytest.mark.parametrize("victim", ["worker", "server", "both"])
def test_killed_in_the_checkout_window_loses_nothing(victim: str, running: Start) -> None:
    """SIGKILL while the purchase waits: the ticket stays held, and the event still finds the run."""
    shop = running("ticket")
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase"))
    shop.dev.wait_for_step(run_id, "event", states=["waiting"])
    {"worker": shop.dev.kill_worker, "server": shop.dev.kill, "both": shop.dev.kill_all}[victim]()
    if victim != "worker":
        shop.dev.start()
    check_out(shop)
    assert shop.dev.wait(run_id)["state"] == "completed"
    assert sorted(shop.services.effect_names()) == SOLD
    assert len(shop.services.requests()) == len(SOLD)


def test_worker_killed_in_the_undo_finishes_it(running: Start) -> None:
    """SIGKILL between refund and release: each is done once all the same."""
    shop = running("ticket")
    shop.services.slow_next("payment", "refund", seconds=20)
    run_id = shop.dev.trigger("purchase-ticket", shop.payload("purchase_withdrawn"))
    check_out(shop, "checkout_withdrawn")
    shop.dev.wait_for_step(run_id, "refund", states=["running"])
    shop.dev.kill_worker()
    run = shop.dev.wait(run_id)
    assert (run["state"], run["error"]["message"]) == ("failed", "ticket 13 was withdrawn by the organiser")
    assert shop.services.effect_names() == ["tickets.reserve", "payment.charge", "payment.refund", "tickets.release"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"ticket_id": "forty-two"}, "ticket_id"),
    ({"email": None}, "email"),
    ({"checkout_window_s": []}, "checkout_window_s"),
]


@pytest.mark.parametrize(("changes", "field"), BAD)
def test_payload_that_does_not_fit_is_refused(changes: dict[str, Any], field: str, running: Start) -> None:
    """At trigger time, with the field's name; no run is made and nothing is done."""
    shop = running("ticket")
    answer = shop.dev.request("POST", "/jobs/purchase-ticket/runs", {"payload": shop.payload("purchase", **changes)})
    assert answer.status_code == 422
    assert [item["path"] for item in answer.json()["error"]["fields"]] == [field]
    assert shop.services.requests() == []
