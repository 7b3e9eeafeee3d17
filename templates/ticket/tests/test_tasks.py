"""Outside a job a task is just its function."""

import asyncio

import pytest

from clients import Refused
from jobs.purchase import charge_card, finalize_ticket, refund, release_ticket, reserve_ticket
from services.server import World


def test_a_ticket_is_held_for_one_order(world: World) -> None:
    ticket = asyncio.run(reserve_ticket(42, "ada", "order-1"))
    assert ticket.seat == "E2"
    with pytest.raises(Refused, match="ticket 42 is taken"):
        asyncio.run(reserve_ticket(42, "bob", "order-2"))


def test_a_step_repeated_is_done_once(world: World) -> None:
    charges = [asyncio.run(charge_card("tok_visa", 4500, "order-1")) for _ in range(3)]
    assert len(set(charges)) == 1
    assert len(world.effects) == 1


def test_undoing_what_never_happened_does_nothing(world: World) -> None:
    asyncio.run(refund("order-1"))
    asyncio.run(release_ticket("order-1"))
    assert world.effects == []


def test_a_withdrawn_ticket_cannot_be_sold(world: World) -> None:
    asyncio.run(reserve_ticket(13, "eve", "order-1"))
    with pytest.raises(Refused, match="withdrawn"):
        asyncio.run(finalize_ticket("ch_1", "order-1"))
