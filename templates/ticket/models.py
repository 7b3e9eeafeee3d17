"""What comes in, what goes out, and what the tasks return."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Somebody wants a ticket. The payload of both jobs."""

    ticket_id: int
    user_id: str
    email: str
    checkout_window_s: float = 300  # how long the ticket is held


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """The payload of the event ``cart.checked-out``."""

    user_id: str
    items: list[int]
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket that is held for us."""

    id: int
    seat: str
    price_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Money that was taken."""

    id: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a purchase comes to."""

    order: str
    seat: str
    charge_id: str
    amount_cents: int
