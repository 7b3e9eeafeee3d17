"""The checkout template, run for real: one key, one charge, and the mail that fits."""

from collections.abc import Callable
from uuid import UUID

from tests.fakes.template_project import TemplateProject

Start = Callable[..., TemplateProject]


def keys(shop: TemplateProject) -> set[str]:
    """Return the idempotency keys of all requests for a charge."""
    return {request["key"] for request in shop.services.requests("payment", "charge")}


def subjects(shop: TemplateProject) -> list[str]:
    """Return the subjects of all mails."""
    return [effect["request"]["subject"] for effect in shop.services.effects() if effect["service"] == "mail"]


def test_paid(running: Start) -> None:
    """One charge of the exact total, and thanks."""
    shop = running("checkout")
    run = shop.dev.wait(shop.dev.trigger("checkout", shop.payload("cart")))
    assert (run["state"], run["error"]) == ("completed", None)
    assert run["output"] == {"state": "paid", "charge_id": "ch_1", "reason": ""}
    assert shop.services.effect_names() == ["payment.charge", "mail.send"]
    assert shop.services.effects()[0]["request"]["amount_cents"] == 5490
    assert subjects(shop) == ["Thank you"]


def test_key_is_a_recorded_value(running: Start) -> None:
    """The journal holds the uuid that the charge was made with."""
    shop = running("checkout")
    run_id = shop.dev.trigger("checkout", shop.payload("cart"))
    shop.dev.wait(run_id)
    (recorded,) = [step for step in shop.dev.steps(run_id) if step["kind"] == "record"]
    assert recorded["name"] == "uuid.uuid4"
    assert keys(shop) == {str(UUID(recorded["output"]))}


def test_declined(running: Start) -> None:
    """A refusal is an outcome: the run completes, and the mail says why."""
    shop = running("checkout")
    run = shop.dev.wait(shop.dev.trigger("checkout", shop.payload("cart_declined")))
    assert run["state"] == "completed"
    assert run["output"] == {"state": "declined", "charge_id": "", "reason": "the card was declined"}
    assert len(shop.services.requests("payment")) == 1
    assert subjects(shop) == ["Your card was declined"]


def test_killed_worker_charges_once(running: Start) -> None:
    """SIGKILL with the charge done and its answer under way: the second request has the same key."""
    shop = running("checkout")
    shop.services.slow_next("payment", "charge", seconds=20)
    run_id = shop.dev.trigger("checkout", shop.payload("cart"))
    shop.dev.wait_for_step(run_id, "pay", states=["running"])
    shop.dev.kill_worker()
    run = shop.dev.wait(run_id)
    assert run["output"]["state"] == "paid"
    assert len(keys(shop)) == 1
    assert len(shop.services.requests("payment", "charge")) == 2
    assert shop.services.effect_names() == ["payment.charge", "mail.send"]


def test_killed_three_times_charges_once(running: Start) -> None:
    """Server and worker are killed again and again, whatever they are doing."""
    shop = running("checkout")
    run_id = shop.dev.trigger("checkout", shop.payload("cart"))
    for _ in range(3):
        shop.dev.kill_all()
        shop.dev.start()
    assert shop.dev.wait(run_id)["output"]["state"] == "paid"
    assert len(keys(shop)) == 1
    assert shop.services.effect_names() == ["payment.charge", "mail.send"]


def test_outage_is_resumed_with_the_same_key(running: Start) -> None:
    """The money was taken and no answer came, five times: resumed, the run learns of the charge it made."""
    shop = running("checkout")
    shop.services.fail_next("payment", "charge", times=5, lose_answer=True)
    run_id = shop.dev.trigger("checkout", shop.payload("cart"))
    run = shop.dev.wait(run_id)
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("ServiceUnavailable")
    assert subjects(shop) == ["Your payment takes longer"]
    shop.dev.command(run_id, "resume")
    run = shop.dev.wait_for(run_id, lambda run: run["state"] == "completed", "the resumed run completes")
    assert run["output"] == {"state": "paid", "charge_id": "ch_1", "reason": ""}
    assert len(keys(shop)) == 1
    assert shop.services.counts()["payment.charge"] == 1
    assert subjects(shop) == ["Your payment takes longer", "Thank you"]


def test_empty_cart_is_refused(running: Start) -> None:
    """At trigger time, with the path of the field."""
    shop = running("checkout")
    for changes, path in (({"items": []}, "items"), ({"items": [{"name": "Tea", "price": "-1"}]}, "items[0].price")):
        answer = shop.dev.request("POST", "/jobs/checkout/runs", {"payload": shop.payload("cart", **changes)})
        assert answer.status_code == 422
        assert [item["path"] for item in answer.json()["error"]["fields"]] == [path]
    assert shop.services.requests() == []
