"""The documents that are open in the editor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

from analyzer.language_server.addresses import path_of
from analyzer.language_server.positions import Lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lsprotocol import types

    from analyzer.language_server.positions import Encoding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Document:
    """One state of an open document.

    Attributes:
        uri: as the client writes it.
        path: its file, links resolved; None for untitled documents, cells of notebooks and the like.
        language: the client's name for its language.
        version: the client's number of this state.
        revision: our number of this state; no two states of any documents have the same.
        lines: its text.
    """

    uri: str
    path: Path | None
    language: str
    version: int
    revision: int
    lines: Lines

    @property
    def is_python(self) -> bool:
        """Whether it may be a module of a project."""
        return self.path is not None and self.path.suffix == ".py"


class Documents:
    """Every open document, by URI.

    Args:
        encoding: what the client counts in.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._open: dict[str, Document] = {}
        self._revisions = count(1)

    def open(self, item: types.TextDocumentItem) -> Document:
        """Keep a document that was opened."""
        document = self._open[unquote(item.uri)] = Document(
            uri=item.uri,
            path=path_of(item.uri),
            language=str(getattr(item.language_id, "value", item.language_id)),
            version=item.version,
            revision=next(self._revisions),
            lines=Lines(item.text, self._encoding),
        )
        return document

    def change(
        self, uri: str, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]
    ) -> Document | None:
        """Apply edits, one after the other; None when the document is not open."""
        known = self._open.get(unquote(uri))
        if known is None:
            return None
        lines = known.lines
        for change in changes:
            lines = Lines(lines.edited(change), self._encoding)
        document = self._open[unquote(uri)] = Document(
            uri=known.uri,
            path=known.path,
            language=known.language,
            version=version,
            revision=next(self._revisions),
            lines=lines,
        )
        return document

    def close(self, uri: str) -> Document | None:
        """Forget a document; None when it was not open."""
        return self._open.pop(unquote(uri), None)

    def get(self, uri: str) -> Document | None:
        """Return a document's state."""
        return self._open.get(unquote(uri))

    def of_path(self, path: Path) -> list[Document]:
        """Return the documents that show a file: one, unless it is open under two names."""
        return [document for document in self._open.values() if document.path == path]

    def all(self) -> tuple[Document, ...]:
        """Return every document; of one file, the state that came last is last."""
        return tuple(sorted(self._open.values(), key=lambda document: document.revision))
