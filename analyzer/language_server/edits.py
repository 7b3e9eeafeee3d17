"""Edits of the check to edits of a client's workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from analyzer.language_server.documents import Document
    from analyzer.language_server.positions import Lines
    from analyzer.model import Edit


class Edits:
    """Makes workspace edits.

    Args:
        documents: the open document of a file, or None.
        lines: a file's lines.
        uri: the URI of a file that is not open.
        is_versioned: whether the client takes edits of a version, and refuses them when its text is another by then.
    """

    def __init__(
        self,
        documents: Callable[[Path], Document | None],
        lines: Callable[[Path], Lines],
        uri: Callable[[Path], str],
        *,
        is_versioned: bool,
    ) -> None:
        self._documents = documents
        self._lines = lines
        self._uri = uri
        self._is_versioned = is_versioned

    def of_check(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        """Return the workspace edit that makes edits of the check."""
        by_file: dict[Path, list[types.TextEdit]] = {}
        for edit in edits:
            stretch = self._lines(edit.location.file).range(edit.location)
            by_file.setdefault(edit.location.file, []).append(types.TextEdit(range=stretch, new_text=edit.content))
        return self._of_files(by_file)

    def of_text(self, path: Path, text: str) -> types.WorkspaceEdit | None:
        """Return the edit that makes a file's text another, in the one stretch where they differ; None if nowhere."""
        lines = self._lines(path)
        before = lines.text
        if before == text:
            return None
        shortest = min(len(before), len(text))
        head = next((index for index in range(shortest) if before[index] != text[index]), shortest)
        most = shortest - head
        tail = next((index for index in range(most) if before[-1 - index] != text[-1 - index]), most)
        stretch = types.Range(start=lines.position_at(head), end=lines.position_at(len(before) - tail))
        return self._of_files({path: [types.TextEdit(range=stretch, new_text=text[head : len(text) - tail])]})

    def _of_files(self, by_file: dict[Path, list[types.TextEdit]]) -> types.WorkspaceEdit:
        if not self._is_versioned:
            return types.WorkspaceEdit(changes={self._address(path)[0]: edits for path, edits in by_file.items()})
        changes = []
        for path, edits in by_file.items():
            uri, version = self._address(path)
            identifier = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
            changes.append(types.TextDocumentEdit(text_document=identifier, edits=edits))
        return types.WorkspaceEdit(document_changes=changes)

    def _address(self, path: Path) -> tuple[str, int | None]:
        document = self._documents(path)
        return (self._uri(path), None) if document is None else (document.uri, document.version)
