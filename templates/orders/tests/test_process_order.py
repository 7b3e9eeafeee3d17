"""Pure functions are tested as such; outside a job a task is just its function."""

from decimal import Decimal

import pytest

from clients import Refused
from jobs.process_order import InvalidOrder, Line, Order, charge, put_back, refund, take, validate
from services.server import World


def order(*lines: Line) -> Order:
    return Order(id="order-1", email="ada@example.com", card="tok_visa", lines=list(lines))


def line(sku: str = "tea-green", quantity: int = 1, price: str = "7.50") -> Line:
    return Line(sku=sku, quantity=quantity, price=Decimal(price))


def test_an_order_in_order_is_valid() -> None:
    validate(order(line(), line("pot-clay", 2, "39.90")))
    assert order(line(quantity=3), line("pot-clay", 1, "39.90")).total == Decimal("62.40")


@pytest.mark.parametrize("lines", [[], [line(quantity=0)], [line(price="0")], [line(price="1.005")], [line(), line()]])
def test_an_order_that_makes_no_sense_is_not(lines: list[Line]) -> None:
    with pytest.raises(InvalidOrder):
        validate(order(*lines))


def test_what_is_taken_can_be_put_back(world: World) -> None:
    take("run_1", "order-1", "pot-iron", 2)
    with pytest.raises(Refused, match="0 are there"):
        take("run_2", "order-2", "pot-iron", 1)
    put_back("run_1", "order-1")
    take("run_3", "order-3", "pot-iron", 1)


def test_a_refund_gives_back_what_was_charged(world: World) -> None:
    charge("run_1", "order-1", "tok_visa", Decimal("62.40"))
    refund("run_1", "order-1")
    assert [effect["answer"].get("refunded_cents") for effect in world.effects] == [None, 6240]
