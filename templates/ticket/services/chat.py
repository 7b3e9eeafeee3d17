"""A chat provider."""

from services.server import Json, Refusal


class Chat:
    """Posts messages to channels."""

    def __init__(self) -> None:
        self._posted = 0

    def post(self, request: Json) -> Json:
        """Post ``text`` to ``channel``."""
        if not str(request["channel"]).startswith("#") or not request["text"]:
            raise Refusal(400, "bad_message", "a message has a #channel and a text")
        self._posted += 1
        return {"id": f"msg_{self._posted}"}
