"""Where the server is: TRIGGER_API_URL, the project's running dev server, the default port."""

from __future__ import annotations

import json
import os
from pathlib import Path

from trigger_sdk.protocol.limits import DEFAULT_PORT

DEV_INFO = Path(".trigger") / "dev.json"
"""What a running ``trigger dev`` tells of itself, in the project's folder."""


def api_url(start: Path | None = None) -> str:
    """Return the server's address without a slash at its end, looking upwards from ``start`` for a project."""
    url = os.environ.get("TRIGGER_API_URL")
    if url:
        return url.rstrip("/")
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        try:
            info = json.loads((candidate / DEV_INFO).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(info, dict) and isinstance(info.get("url"), str):
            return str(info["url"]).rstrip("/")
    return f"http://127.0.0.1:{DEFAULT_PORT}"
