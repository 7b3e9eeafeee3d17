"""Stand-ins for what a shop talks to. Start them with ``python -m services``; see server.py for what they can do."""

from services.mail import Mail
from services.payment import Payment
from services.warehouse import Warehouse


def all_services() -> dict[str, object]:
    """Return every service, as it is before anything was done."""
    return {"payment": Payment(), "warehouse": Warehouse(), "mail": Mail()}
