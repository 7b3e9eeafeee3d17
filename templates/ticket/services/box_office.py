"""The box office: a hall of 100 seats, A1 to J10, as tickets 1 to 100. Ticket 13 is withdrawn before it can be sold."""

from services.server import Json, Refusal, Unchanged

WITHDRAWN = 13


class BoxOffice:
    """Holds a ticket for an order, sells it, and takes it back."""

    def __init__(self) -> None:
        self._held: dict[int, str] = {}
        self._sold: dict[int, str] = {}
        self._released: set[str] = set()

    def reserve(self, request: Json) -> Json:
        """Hold ``ticket_id`` for ``order``."""
        ticket, order = request["ticket_id"], request["order"]
        if ticket not in range(1, 101):
            raise Refusal(404, "unknown_ticket", f"there is no ticket {ticket}")
        if ticket in self._held or ticket in self._sold:
            raise Refusal(409, "taken", f"ticket {ticket} is taken")
        if order in self._released:
            raise Refusal(409, "released", f"order {order} was given up")
        self._held[ticket] = order
        row, seat = divmod(ticket - 1, 10)
        price = 9500 if row < 2 else 4500
        return {"id": ticket, "seat": f"{'ABCDEFGHIJ'[row]}{seat + 1}", "price_cents": price}

    def finalize(self, request: Json) -> Json:
        """Sell the ticket that is held for ``order``."""
        order = request["order"]
        ticket = next((ticket for ticket, holder in self._held.items() if holder == order), None)
        if ticket is None:
            raise Refusal(409, "not_reserved", f"nothing is held for order {order}")
        if ticket == WITHDRAWN:
            raise Refusal(409, "withdrawn", f"ticket {ticket} was withdrawn by the organiser")
        self._sold[ticket] = self._held.pop(ticket)
        return {"ticket_id": ticket, "charge_id": request["charge_id"]}

    def release(self, request: Json) -> Json:
        """Put what ``order`` holds or bought back on sale, and hold nothing for it any more."""
        order = request["order"]
        self._released.add(order)
        for tickets in (self._held, self._sold):
            for ticket, holder in tickets.items():
                if holder == order:
                    del tickets[ticket]
                    return {"ticket_id": ticket}
        return Unchanged()
