"""Stand-ins for what an import talks to. Start them with ``python -m services``; see server.py for what they can do."""

from services.crm import Crm
from services.directory import Directory
from services.mail import Mail


def all_services() -> dict[str, object]:
    """Return every service, as it is before anything was done."""
    return {"directory": Directory(), "crm": Crm(), "mail": Mail()}
