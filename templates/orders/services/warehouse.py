"""A warehouse with a few things in it."""

from services.server import Json, Refusal, Unchanged

STOCK = {"tea-green": 500, "tea-black": 500, "pot-clay": 40, "pot-iron": 2}


class Warehouse:
    """Takes things out for an order, and puts back what an order took."""

    def __init__(self) -> None:
        self._stock = dict(STOCK)
        self._taken: dict[str, list[tuple[str, int]]] = {}

    def stock(self, request: Json) -> Json:
        """Return how many there are of each thing."""
        return Unchanged(self._stock)

    def take(self, request: Json) -> Json:
        """Take ``quantity`` of ``sku`` out for ``order``."""
        sku, quantity, order = request["sku"], request["quantity"], request["order"]
        if sku not in self._stock:
            raise Refusal(404, "unknown_sku", f"the warehouse has no {sku}")
        if quantity > self._stock[sku]:
            raise Refusal(409, "out_of_stock", f"{quantity} {sku} are asked for, {self._stock[sku]} are there")
        self._stock[sku] -= quantity
        self._taken.setdefault(order, []).append((sku, quantity))
        return {"sku": sku, "left": self._stock[sku]}

    def put_back(self, request: Json) -> Json:
        """Put back everything that was taken for ``order``."""
        taken = self._taken.pop(request["order"], [])
        for sku, quantity in taken:
            self._stock[sku] += quantity
        answer = {"put_back": [{"sku": sku, "quantity": quantity} for sku, quantity in taken]}
        return answer if taken else Unchanged(answer)
