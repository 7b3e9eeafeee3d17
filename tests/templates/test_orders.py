"""The orders template, run for real: a job in sync style."""

from collections.abc import Callable

import pytest

from tests.fakes.template_project import TemplateProject

Start = Callable[..., TemplateProject]
DONE = ["payment.charge", "warehouse.take", "warehouse.take", "mail.send"]


def stock(shop: TemplateProject) -> dict[str, int]:
    """Return how many of each thing are in the warehouse."""
    return dict(shop.services.post("/warehouse/stock").json())


def test_order_is_processed(running: Start) -> None:
    """Paid, taken and confirmed in this order; the total is exact."""
    shop = running("orders")
    run = shop.dev.wait(shop.dev.trigger("process-order", shop.payload("order")))
    assert (run["state"], run["error"]) == ("completed", None)
    assert run["output"] == {"order": "order-1001", "charge_id": "ch_1", "total": "62.40"}
    assert shop.services.effect_names() == DONE
    assert shop.services.effects()[0]["request"]["amount_cents"] == 6240
    assert (stock(shop)["tea-green"], stock(shop)["pot-clay"]) == (497, 39)


def test_out_of_stock_is_undone(running: Start) -> None:
    """What was taken is put back, then the money; the customer is told."""
    shop = running("orders")
    before = stock(shop)
    run = shop.dev.wait(shop.dev.trigger("process-order", shop.payload("order_out_of_stock")))
    assert run["state"] == "failed"
    assert run["error"]["message"] == "5 pot-iron are asked for, 2 are there"
    assert shop.services.effect_names() == [
        "payment.charge",
        "warehouse.take",
        "warehouse.put_back",
        "payment.refund",
        "mail.send",
    ]
    assert stock(shop) == before
    assert shop.services.effects()[-1]["request"]["subject"] == "We could not complete your order"


def test_declined_card_takes_nothing(running: Start) -> None:
    """Asked once; the only effect is the mail."""
    shop = running("orders")
    run = shop.dev.wait(shop.dev.trigger("process-order", shop.payload("order_declined")))
    assert (run["state"], run["error"]["message"]) == ("failed", "the card was declined")
    assert [request["outcome"] for request in shop.services.requests("payment", "charge")] == ["refused"]
    assert shop.services.effect_names() == ["mail.send"]


def test_invalid_order_touches_nothing(running: Start) -> None:
    """It is found out before the first request."""
    shop = running("orders")
    run = shop.dev.wait(shop.dev.trigger("process-order", shop.payload("order_invalid")))
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("InvalidOrder")
    assert run["error"]["message"] == "0 of tea-green: the least is 1"
    assert shop.services.requests() == []


def test_failed_confirmation_can_be_resumed(running: Start) -> None:
    """The goods are gone, so nothing is undone; the resumed run sends the mail and does nothing again."""
    shop = running("orders")
    shop.services.fail_next("mail", "send", status=400)
    run_id = shop.dev.trigger("process-order", shop.payload("order"))
    assert shop.dev.wait(run_id)["state"] == "failed"
    assert shop.services.effect_names() == DONE[:-1]
    shop.dev.command(run_id, "resume")
    run = shop.dev.wait_for(run_id, lambda run: run["state"] == "completed", "the resumed run completes")
    assert run["output"]["total"] == "62.40"
    assert shop.services.effect_names() == DONE


def test_unavailable_warehouse_is_tried_again(running: Start) -> None:
    """Three answers of 503 and one that is lost: everything is done once."""
    shop = running("orders")
    shop.services.fail_next("warehouse", "take", times=3)
    shop.services.fail_next("payment", "charge", lose_answer=True)
    run = shop.dev.wait(shop.dev.trigger("process-order", shop.payload("order")))
    assert run["state"] == "completed"
    assert shop.services.effect_names() == DONE


@pytest.mark.parametrize(
    ("service", "action", "step"),
    [("payment", "charge", "charge"), ("warehouse", "take", "take"), ("mail", "send", "send_email")],
)
def test_worker_killed_in_a_step_loses_nothing(service: str, action: str, step: str, running: Start) -> None:
    """SIGKILL while a sync task blocks its thread: repeated with the same key, done once."""
    shop = running("orders")
    shop.services.slow_next(service, action, seconds=20)
    run_id = shop.dev.trigger("process-order", shop.payload("order"))
    shop.dev.wait_for_step(run_id, step, states=["running"])
    shop.dev.kill_worker()
    run = shop.dev.wait(run_id)
    assert (run["state"], run["attempt"]) == ("completed", 2)
    assert shop.services.effect_names() == DONE
    assert stock(shop)["tea-green"] == 497


def test_many_orders_at_once_are_each_processed_once(running: Start) -> None:
    """Sixty orders, some beyond what is there, started together."""
    shop = running("orders")
    line = {"sku": "pot-clay", "quantity": 1, "price": "39.90"}
    payloads = [shop.payload("order", id=f"order-{number}", lines=[line]) for number in range(60)]
    runs = [shop.dev.trigger("process-order", payload) for payload in payloads]
    states = [shop.dev.wait(run_id)["state"] for run_id in runs]
    assert (states.count("completed"), states.count("failed")) == (40, 20)
    counts = shop.services.counts()
    assert (counts["payment.charge"], counts["payment.refund"], counts["warehouse.take"]) == (60, 20, 40)
    assert counts["mail.send"] == 60
    assert stock(shop)["pot-clay"] == 0


def test_order_triggered_twice_with_its_key_is_one_run(running: Start) -> None:
    """The shop's own id as idempotency key: a double click is one order."""
    shop = running("orders")
    order = shop.payload("order")
    runs = [shop.dev.trigger("process-order", order, idempotency_key=order["id"]) for _ in range(2)]
    assert runs[0] == runs[1]
    assert shop.dev.wait(runs[0])["state"] == "completed"
    assert shop.services.effect_names() == DONE
