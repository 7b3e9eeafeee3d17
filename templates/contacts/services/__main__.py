from pathlib import Path

from services.crm import Crm
from services.directory import Directory
from services.mail import Mail
from services.server import serve

serve({"directory": Directory(), "crm": Crm(), "mail": Mail()}, files=Path("uploads"))
