"""Outside a run a job is just its function."""

import asyncio
from decimal import Decimal

from jobs.checkout import Cart, Item, checkout
from services.server import World

TEA = Item(name="Green tea", price=Decimal("7.50"), quantity=2)


def test_paid(world: World) -> None:
    outcome = asyncio.run(checkout(Cart(email="ada@example.com", card="tok_visa", items=[TEA])))
    assert outcome.state == "paid"
    charge, mail = world.effects
    assert charge["request"]["amount_cents"] == 1500
    assert mail["request"]["subject"] == "Thank you"


def test_declined(world: World) -> None:
    outcome = asyncio.run(checkout(Cart(email="bob@example.com", card="tok_declined", items=[TEA])))
    assert outcome.state == "declined"
    assert outcome.reason == "the card was declined"
    (mail,) = world.effects
    assert mail["request"]["subject"] == "Your card was declined"
