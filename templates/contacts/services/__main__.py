from pathlib import Path

from services import all_services
from services.server import serve

serve(all_services(), files=Path("uploads"))
