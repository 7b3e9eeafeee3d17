"""A mail provider."""

from services.server import Json, Refusal


class Mail:
    """Sends messages. It knows of addresses at bounce.example that nothing can be delivered to them."""

    def __init__(self) -> None:
        self._sent = 0

    def send(self, request: Json) -> Json:
        """Send ``subject`` and ``text`` ``to`` an address."""
        to = str(request["to"])
        if "@" not in to or to.endswith("@bounce.example"):
            raise Refusal(422, "undeliverable", f"no mail can be delivered to {to}")
        if not request["subject"] or not request["text"]:
            raise Refusal(400, "empty", "a message has a subject and a text")
        self._sent += 1
        return {"id": f"mail_{self._sent}"}
