"""The same purchase as a class: its tasks are methods, and what they share is in the instance."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from trigger_sdk import Context, Event, Queue, Retry, job, task, wait_for_event

from clients import post
from models import Cart, Charge, Purchase, Receipt, Ticket

PATIENT = Retry(max_attempts=5, min_delay=timedelta(milliseconds=200), max_delay=timedelta(seconds=30))
STUBBORN = Retry(max_attempts=50, min_delay=timedelta(milliseconds=200), max_delay=timedelta(minutes=5))


class TicketPurchase:
    """One purchase. Each attempt makes an instance anew, and the replay of its steps fills it again."""

    def __init__(self) -> None:
        self.order = ""
        self.undos: list[Callable[[], Awaitable[None]]] = []

    @job(id="purchase-ticket-class", version="1.0.0", queue=Queue("checkout", concurrency=10))
    async def run(self, purchase: Purchase, ctx: Context) -> Receipt:
        self.order = str(uuid4())  # recorded: the same after every crash
        try:
            self.undos.append(self.release)
            ticket: Ticket = await self.reserve(purchase.ticket_id, purchase.user_id)
            checkout = await self.checkout_of(purchase)
            self.undos.append(self.refund)
            charge: Charge = await self.charge(checkout.card, ticket.price_cents)
            await self.finalize(charge.id)
            await asyncio.gather(
                self.send_email(purchase.email, f"Your ticket: seat {ticket.seat}"),
                self.post_message(f"Seat {ticket.seat} is sold to {purchase.user_id}."),
            )
        except (Exception, asyncio.CancelledError):
            ctx.logger.warning("undoing order %s", self.order)
            for undo in reversed(self.undos):
                await undo()
            raise
        return Receipt(order=self.order, seat=ticket.seat, charge_id=charge.id, amount_cents=charge.amount_cents)

    async def checkout_of(self, purchase: Purchase) -> Cart:
        event: Event[Cart] = await wait_for_event(
            "cart.checked-out",
            filter={"items": [purchase.ticket_id], "user_id": [purchase.user_id]},
            timeout=timedelta(seconds=purchase.checkout_window_s),
            type=Cart,
        )
        return event.payload

    @task(retry=PATIENT)
    async def reserve(self, ticket_id: int, user_id: str) -> Ticket:
        return Ticket(**await self.post("/tickets/reserve", ticket_id=ticket_id, user_id=user_id))

    @task(retry=STUBBORN)
    async def release(self) -> None:
        await self.post("/tickets/release")

    @task(retry=PATIENT)
    async def charge(self, card: str, amount_cents: int) -> Charge:
        return Charge(**await self.post("/payment/charge", card=card, amount_cents=amount_cents))

    @task(retry=STUBBORN)
    async def refund(self) -> None:
        await self.post("/payment/refund")

    @task(retry=PATIENT)
    async def finalize(self, charge_id: str) -> None:
        await self.post("/tickets/finalize", charge_id=charge_id)

    @task(retry=PATIENT)
    async def send_email(self, to: str, subject: str) -> None:
        await self.post("/mail/send", to=to, subject=subject, text=f"Your order is {self.order}.")

    @task(retry=PATIENT)
    async def post_message(self, text: str) -> None:
        await self.post("/chat/post", channel="#sales", text=text)

    async def post(self, path: str, **request: object) -> dict[str, Any]:
        return await post(path, key=f"{self.order}{path}", order=self.order, **request)
