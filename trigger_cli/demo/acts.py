"""The acts of the demo: what is asked of the ticket job, and what must have happened in the world afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

JOB = "purchase-ticket"
EVENT = "cart.checked-out"
EFFECTS = (
    "tickets.reserve", "payment.charge", "tickets.finalize", "mail.send", "chat.post",
    "payment.refund", "tickets.release",
)  # fmt: skip
"""All effects that a purchase can have, in the order of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One purchase.

    Attributes:
        title: what it shows.
        ticket: the ticket's number; 13 is withdrawn by the organiser before it can be sold.
        user: who buys; each act has its own, by which its requests are told apart.
        window: seconds for which the ticket is held.
        checks_out: the customer pays in time.
        kills: the worker is killed while the payment service has charged the card and not answered yet.
        state: how the run must end.
        effects: what must have happened, and how often; anything else must not have.
    """

    title: str
    ticket: int
    user: str
    window: float = 300.0
    checks_out: bool = True
    kills: bool = False
    state: str = "completed"
    effects: Mapping[str, int] = field(default_factory=dict)

    @property
    def payload(self) -> dict[str, object]:
        """What the run is started with."""
        return {
            "ticket_id": self.ticket,
            "user_id": self.user,
            "email": f"{self.user}@example.com",
            "checkout_window_s": self.window,
        }

    @property
    def cart(self) -> dict[str, object]:
        """The payload of the customer's event."""
        return {"user_id": self.user, "items": [self.ticket], "card": "tok_visa"}


_SOLD = {"tickets.reserve": 1, "payment.charge": 1, "tickets.finalize": 1, "mail.send": 1, "chat.post": 1}

ACTS = (
    Act(title="A purchase: hold the seat, wait for the checkout, charge, tell everybody", ticket=42, user="ada",
        effects=_SOLD),
    Act(title="Nobody checks out: after a second the seat goes back on sale", ticket=43, user="bob", window=1.0,
        checks_out=False, state="failed", effects={"tickets.reserve": 1, "tickets.release": 1}),
    Act(title="The seat is withdrawn after the card was charged: everything is undone", ticket=13, user="eve",
        state="failed",
        effects={"tickets.reserve": 1, "payment.charge": 1, "payment.refund": 1, "tickets.release": 1}),
    Act(title="SIGKILL of the worker between the charge and its answer: the run goes on, the card is charged once",
        ticket=44, user="dan", kills=True, effects=_SOLD),
)  # fmt: skip
"""The programme, in order."""
