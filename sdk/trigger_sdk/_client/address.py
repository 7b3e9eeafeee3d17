"""Where the server is: TRIGGER_API_URL, the project's running dev server, the default port."""

from __future__ import annotations

import os
from pathlib import Path

from trigger_sdk.protocol.dev_info import find_dev_server
from trigger_sdk.protocol.limits import DEFAULT_PORT


def api_url(start: Path | None = None) -> str:
    """Return the server's address without a slash at its end, looking upwards from ``start`` for a project."""
    url = os.environ.get("TRIGGER_API_URL")
    if not url:
        found = find_dev_server((start or Path.cwd()).resolve())
        url = found[0] if found is not None else f"http://127.0.0.1:{DEFAULT_PORT}"
    return url.rstrip("/")
