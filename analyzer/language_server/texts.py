"""The text of any file as a check sees it: what is open in the editor, else what is on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.facts.read import decode_source
from analyzer.language_server.positions import Lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analyzer.language_server.positions import Encoding

_Stamp = tuple[int, int, int]


class Texts:
    """Lines of files, to convert places in them. Belongs to the worker.

    Args:
        encoding: what the client counts in.
    """

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self._open: Mapping[Path, Lines] = {}
        self._read: dict[Path, tuple[_Stamp, Lines]] = {}

    def show(self, documents: Mapping[Path, Lines]) -> None:
        """Take the texts of open documents for those of their files."""
        self._open = documents

    def lines(self, path: Path) -> Lines:
        """Return a file's lines; none of one that cannot be read."""
        shown = self._open.get(path)
        if shown is not None:
            return shown
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._read.get(path)
            if known is not None and known[0] == stamp:
                return known[1]
            lines = Lines(decode_source(path.read_bytes()), self.encoding)
        except (OSError, SyntaxError):
            return Lines("", self.encoding)
        self._read[path] = (stamp, lines)
        return lines
