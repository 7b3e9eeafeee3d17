"""A payment provider. Which card it is decides what happens, as with Stripe's test cards."""

from services.server import Json, Refusal, Unchanged

DECLINED = {
    "tok_declined": ("card_declined", "the card was declined"),
    "tok_expired": ("expired_card", "the card has expired"),
}


class Payment:
    """Charges cards and gives money back."""

    def __init__(self) -> None:
        self._charges: list[Json] = []

    def charge(self, request: Json) -> Json:
        """Take ``amount_cents`` from ``card`` for ``order``."""
        amount, card, order = request["amount_cents"], request["card"], request["order"]
        if not isinstance(amount, int) or amount <= 0:
            raise Refusal(400, "invalid_amount", f"amount_cents is a positive integer, not {amount!r}")
        if card in DECLINED:
            raise Refusal(402, *DECLINED[card])
        if not str(card).startswith("tok_"):
            raise Refusal(402, "invalid_card", "this is not a card")
        charge = {"id": f"ch_{len(self._charges) + 1}", "order": order, "amount_cents": amount, "refunded": False}
        self._charges.append(charge)
        return {"id": charge["id"], "amount_cents": amount}

    def refund(self, request: Json) -> Json:
        """Give back all that was taken for ``order``."""
        charges = [charge for charge in self._charges if charge["order"] == request["order"] and not charge["refunded"]]
        for charge in charges:
            charge["refunded"] = True
        answer = {"refunded_cents": sum(charge["amount_cents"] for charge in charges)}
        return answer if charges else Unchanged(answer)
