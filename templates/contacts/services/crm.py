"""A CRM. It knows one contact from the start."""

from services.server import Json, Refusal


class Crm:
    """Keeps contacts, one for each address."""

    def __init__(self) -> None:
        self._contacts: dict[str, Json] = {"grace@cobol.example": {"name": "Grace Hopper"}}

    def create(self, request: Json) -> Json:
        """Create a contact with ``email``, ``name`` and whatever else is given."""
        email = request["email"]
        if email in self._contacts:
            raise Refusal(409, "exists", f"{email} exists already")
        self._contacts[email] = request
        return {"id": f"contact_{len(self._contacts)}"}
