"""Process an order: validate, pay, take the goods from the warehouse, confirm. Plain `def`s: nothing here is async."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trigger_sdk import Canceled, Context, Queue, Retry, job, task

import clients

PATIENT = Retry(max_attempts=5, min_delay=timedelta(milliseconds=200), max_delay=timedelta(seconds=30))
STUBBORN = Retry(max_attempts=50, min_delay=timedelta(milliseconds=200), max_delay=timedelta(minutes=5))

charge = task.wrap(clients.charge, retry=PATIENT)
take = task.wrap(clients.take, retry=PATIENT)
send_email = task.wrap(clients.send_email, retry=PATIENT)
refund = task.wrap(clients.refund, retry=STUBBORN)
put_back = task.wrap(clients.put_back, retry=STUBBORN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    sku: str
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The payload."""

    id: str
    email: str
    card: str
    lines: list[Line]

    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    order: str
    charge_id: str
    total: Decimal


class InvalidOrder(ValueError):
    """The order makes no sense, whatever the services say."""


def validate(order: Order) -> None:
    """Raise InvalidOrder. Pure, so it needs no task."""
    if not order.lines:
        raise InvalidOrder("there is nothing in the order")
    skus = [line.sku for line in order.lines]
    for line in order.lines:
        if line.quantity < 1:
            raise InvalidOrder(f"{line.quantity} of {line.sku}: the least is 1")
        if line.price <= 0 or line.price != line.price.quantize(Decimal("0.01")):
            raise InvalidOrder(f"{line.price} for {line.sku} is no price")
        if skus.count(line.sku) > 1:
            raise InvalidOrder(f"{line.sku} is on two lines")


@job(id="process-order", queue=Queue("orders", concurrency=20))
def process_order(order: Order, ctx: Context) -> Confirmation:
    validate(order)
    key = ctx.run.id  # the same after every crash, and another one when the order is processed anew
    try:
        charge_id = charge(key, order.id, order.card, order.total)
        for line in order.lines:
            take(key, order.id, line.sku, line.quantity)
    except (Exception, Canceled) as error:
        ctx.logger.warning("undoing order %s: %s", order.id, error)
        put_back(key, order.id)
        refund(key, order.id)
        send_email(key, order.email, "We could not complete your order", f"Nothing is charged: {error}.")
        raise
    # The goods are on their way. If this fails the run can be resumed from here; undoing a sale would be wrong.
    send_email(key, order.email, "Your order is confirmed", f"We charged {order.total} EUR.")
    return Confirmation(order=order.id, charge_id=charge_id, total=order.total)
