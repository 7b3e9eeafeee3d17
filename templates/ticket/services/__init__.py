"""Stand-ins for what a shop talks to. Start them with ``python -m services``; see server.py for what they can do."""

from services.box_office import BoxOffice
from services.chat import Chat
from services.mail import Mail
from services.payment import Payment


def all_services() -> dict[str, object]:
    """Return every service, as it is before anything was done."""
    return {"tickets": BoxOffice(), "payment": Payment(), "mail": Mail(), "chat": Chat()}
