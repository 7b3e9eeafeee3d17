"""Where the project's running dev server is: what it writes into ``.trigger/dev.json``, and how clients find it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

INFO_FILE: Final = "dev.json"
"""Written by ``trigger dev`` into the project's ``.trigger`` folder, removed when it ends."""


def find_dev_server(folder: Path) -> tuple[str, Path] | None:
    """Return the URL of the dev server that runs in ``folder`` or in the nearest folder above it, and its file.

    None when there is no such file, or none that can be read.
    """
    for candidate in (folder, *folder.parents):
        file = candidate / ".trigger" / INFO_FILE
        try:
            info = json.loads(file.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(info, dict) and isinstance(info.get("url"), str):
            return info["url"], file
    return None
