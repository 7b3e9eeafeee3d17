"""Buy a ticket: hold it while the customer checks out, charge, finalize, tell everybody - or undo all of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

from trigger_sdk import Context, Event, Queue, Retry, job, task, wait_for_event

from clients import post
from models import Cart, Charge, Purchase, Receipt, Ticket

PATIENT = Retry(max_attempts=5, min_delay=timedelta(milliseconds=200), max_delay=timedelta(seconds=30))
STUBBORN = Retry(max_attempts=50, min_delay=timedelta(milliseconds=200), max_delay=timedelta(minutes=5))


@task(retry=PATIENT)
async def reserve_ticket(ticket_id: int, user_id: str, order: str) -> Ticket:
    key = f"{order}:reserve"
    return Ticket(**await post("/tickets/reserve", key=key, ticket_id=ticket_id, user_id=user_id, order=order))


@task(retry=STUBBORN)
async def release_ticket(order: str) -> None:
    await post("/tickets/release", key=f"{order}:release", order=order)


@task(retry=PATIENT)
async def charge_card(card: str, amount_cents: int, order: str) -> Charge:
    key = f"{order}:charge"
    return Charge(**await post("/payment/charge", key=key, card=card, amount_cents=amount_cents, order=order))


@task(retry=STUBBORN)
async def refund(order: str) -> None:
    await post("/payment/refund", key=f"{order}:refund", order=order)


@task(retry=PATIENT)
async def finalize_ticket(charge_id: str, order: str) -> None:
    await post("/tickets/finalize", key=f"{order}:finalize", charge_id=charge_id, order=order)


@task(retry=PATIENT)
async def send_email(to: str, subject: str, text: str, order: str) -> None:
    await post("/mail/send", key=f"{order}:mail", to=to, subject=subject, text=text, order=order)


@task(retry=PATIENT)
async def post_message(channel: str, text: str, order: str) -> None:
    await post("/chat/post", key=f"{order}:chat", channel=channel, text=text, order=order)


@job(id="purchase-ticket", version="1.0.0", queue=Queue("checkout", concurrency=10))
async def purchase_ticket(purchase: Purchase, ctx: Context) -> Receipt:
    order = str(uuid4())  # recorded: the same after every crash
    undos: list[Callable[[], Awaitable[None]]] = []
    try:
        # Each undo is noted before its step: a step that fails, or is cancelled, may have happened all the same.
        undos.append(lambda: release_ticket(order))
        ticket = await reserve_ticket(purchase.ticket_id, purchase.user_id, order)
        ctx.logger.info("holding seat %s for %s", ticket.seat, purchase.user_id)

        checkout: Event[Cart] = await wait_for_event(
            "cart.checked-out",
            filter={"items": [ticket.id], "user_id": [purchase.user_id]},
            timeout=timedelta(seconds=purchase.checkout_window_s),
            type=Cart,
        )

        undos.append(lambda: refund(order))
        charge = await charge_card(checkout.payload.card, ticket.price_cents, order)
        await finalize_ticket(charge.id, order)

        await asyncio.gather(
            send_email(purchase.email, f"Your ticket: seat {ticket.seat}", f"Your order is {order}.", order),
            post_message("#sales", f"Seat {ticket.seat} is sold to {purchase.user_id}.", order),
        )
    except (Exception, asyncio.CancelledError):
        ctx.logger.warning("undoing order %s", order)
        for undo in reversed(undos):
            await undo()
        raise
    return Receipt(order=order, seat=ticket.seat, charge_id=charge.id, amount_cents=charge.amount_cents)
