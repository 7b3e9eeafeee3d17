"""What an editor says of itself, and how it reads what a server says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

from lsprotocol import converters, types


def capabilities(
    *, encodings: Sequence[str] | None = None, rich: bool = True, settings: bool = False
) -> types.ClientCapabilities:
    """Return what an editor can do.

    Args:
        encodings: what it can count in, the best first; None says nothing of it.
        rich: whether it shows related places and tags, takes edits of a version, and shows places when asked to.
        settings: whether it has settings to give.
    """
    kinds = [*(encodings or ())]
    properties = types.ClientCodeActionResolveOptions(properties=["edit"])
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=kinds) if encodings is not None else None,
        text_document=types.TextDocumentClientCapabilities(
            publish_diagnostics=types.PublishDiagnosticsClientCapabilities(
                related_information=rich,
                tag_support=types.ClientDiagnosticsTagOptions([types.DiagnosticTag.Unnecessary]) if rich else None,
                code_description_support=rich,
                version_support=True,
            ),
            code_action=types.CodeActionClientCapabilities(resolve_support=properties if rich else None),
            implementation=types.ImplementationClientCapabilities(link_support=rich),
        ),
        workspace=types.WorkspaceClientCapabilities(
            workspace_edit=types.WorkspaceEditClientCapabilities(document_changes=rich),
            configuration=settings,
            did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True),
            inlay_hint=types.InlayHintWorkspaceClientCapabilities(refresh_support=True),
        ),
        window=types.WindowClientCapabilities(show_document=types.ShowDocumentClientCapabilities(support=rich)),
    )


def make_converter() -> Any:
    """Return lsprotocol's converter, which takes every action that has a command for a bare command, put right."""
    converter = converters.get_converter()

    def structure(value: Any, _: Any) -> types.Command | types.CodeAction:
        is_command = isinstance(value.get("command"), str)
        if is_command:
            return converter.structure(value, types.Command)
        return converter.structure(value, types.CodeAction)

    converter.register_structure_hook(types.Command | types.CodeAction, structure)
    converter.register_structure_hook(Union[types.Command, types.CodeAction], structure)  # noqa: UP007 - another key
    return converter


def edits_by_file(edit: types.WorkspaceEdit) -> list[tuple[str, int | None, Sequence[Any]]]:
    """Return an edit's changes as URI, version or None, edits."""
    found: list[tuple[str, int | None, Sequence[Any]]] = [
        (uri, None, edits) for uri, edits in (edit.changes or {}).items()
    ]
    for change in edit.document_changes or ():
        assert isinstance(change, types.TextDocumentEdit)
        found.append((change.text_document.uri, change.text_document.version, change.edits))
    return found
