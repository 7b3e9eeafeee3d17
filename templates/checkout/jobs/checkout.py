"""Check out: one idempotency key, one payment, and an e-mail that says how it went."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, Field
from trigger_sdk import Retry, job, task

from clients import CardDeclined, ServiceUnavailable, post

PATIENT = Retry(max_attempts=5, min_delay=timedelta(milliseconds=200), max_delay=timedelta(seconds=30))


class Item(BaseModel):
    name: str
    price: Decimal = Field(gt=0, decimal_places=2)
    quantity: int = Field(default=1, gt=0)


class Cart(BaseModel):
    email: str
    card: str
    items: list[Item] = Field(min_length=1)

    @property
    def total(self) -> Decimal:
        return sum((item.price * item.quantity for item in self.items), Decimal(0))


class Outcome(BaseModel):
    state: Literal["paid", "declined"]
    charge_id: str = ""
    reason: str = ""


@task(retry=PATIENT)
async def pay(card: str, amount: Decimal, key: str) -> str:
    answer = await post("/payment/charge", key=key, card=card, amount_cents=int(amount * 100), order=key)
    return str(answer["id"])


@task(retry=PATIENT)
async def send_email(to: str, subject: str, text: str, key: str) -> None:
    await post("/mail/send", key=key, to=to, subject=subject, text=text)


@job(id="checkout")
async def checkout(cart: Cart) -> Outcome:
    # Made once and recorded: after a crash, a retry or a resume it is the same, so the card is charged once.
    key = str(uuid4())
    try:
        charge_id = await pay(cart.card, cart.total, key)
    except CardDeclined as declined:
        await send_email(cart.email, "Your card was declined", f"Try another one: {declined}.", f"{key}/declined")
        return Outcome(state="declined", reason=str(declined))
    except ServiceUnavailable:
        # Paid or not, nobody knows. `trigger runs resume` asks again, with the same key.
        await send_email(cart.email, "Your payment takes longer", "We will write again.", f"{key}/delayed")
        raise
    await send_email(cart.email, "Thank you", f"You paid {cart.total} EUR.", f"{key}/paid")
    return Outcome(state="paid", charge_id=charge_id)
