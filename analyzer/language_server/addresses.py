"""URIs of editors to paths, and back."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit


def path_of(uri: str) -> Path | None:
    """Return the file that a URI names, links resolved; None for what is no file of this machine.

    Percent encodings stand for bytes, so that every name of a file comes through.
    """
    try:
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            return None
        path = Path(os.fsdecode(unquote_to_bytes(parts.path)))
        return path.resolve() if path.is_absolute() else None
    except (ValueError, OSError, RuntimeError):  # a broken address, a NUL in it, links in a circle
        return None


def uri_of(path: Path) -> str:
    """Return the URI of an absolute path."""
    return path.as_uri()
