"""Requests for code actions, and the commands that some of them run."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from analyzer.fixes import apply_fixes
from analyzer.language_server.actions import EXPLAIN, FIX_ALL, SHOW_EFFECT, Desk, is_wanted, safe_fixes
from analyzer.language_server.edits import Edits
from analyzer.rules.registry import RULES

if TYPE_CHECKING:
    from analyzer.language_server.documents import Document
    from analyzer.language_server.server import TriggerServer
    from analyzer.language_server.service import Service
    from analyzer.language_server.snapshot import Finding

_MOST_ROUNDS: Final = 5
"""Rounds of check and fix: a fix may uncover a finding, and fixes that overlap are made one after the other."""

_FIX_ALL_TITLE: Final = "Fix all that can be fixed safely (trigger)"


def register(server: TriggerServer) -> None:
    """Add the features to a server."""
    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL], resolve_provider=True)

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        known = await server.service.findings(params.text_document.uri)
        return [] if known is None else await _actions(server.service, *known, params)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        data = action.data if isinstance(action.data, dict) else {}
        known = await server.service.findings(str(data.get("uri", "")))
        if action.edit is None and known is not None:
            action.edit = await _fix_all(server.service, *known)
        return action

    @server.command(EXPLAIN)
    async def explain(code: str) -> None:
        await _explain(server, code)

    @server.command(SHOW_EFFECT)
    async def show_effect(uri: str, selection: types.Range) -> None:
        shown = types.ShowDocumentParams(uri=uri, take_focus=True, selection=selection)
        await server.window_show_document_async(shown)


def desk(service: Service, document: Document, findings: tuple[Finding, ...]) -> Desk:
    """Return what code actions in a document are made with for this client."""
    return Desk(
        lines=service.lines,
        edits=edits(service),
        can_show=service.can("window.show_document.support"),
        others=tuple(finding.diagnostic for finding in findings),
        jobs=tuple(job for job in service.jobs_of(document) if job.location.file == document.path),
    )


def edits(service: Service) -> Edits:
    """Return what makes edits for this client."""
    return Edits(
        service.document_of,
        service.lines,
        service.uri_of,
        is_versioned=service.can("workspace.workspace_edit.document_changes"),
    )


async def _actions(
    service: Service, document: Document, findings: tuple[Finding, ...], params: types.CodeActionParams
) -> list[types.CodeAction]:
    only = params.context.only
    actions = []
    if is_wanted(types.CodeActionKind.QuickFix.value, only):
        chosen = [finding for finding in findings if _overlap(finding.shown.range, params.range)]
        # In a thread: reading a large file for its fixes takes longer than the conversation may stand still.
        actions += await asyncio.to_thread(desk(service, document, findings).for_findings, chosen)
    if findings and is_wanted(FIX_ALL, only):
        action = types.CodeAction(title=_FIX_ALL_TITLE, kind=FIX_ALL, data={"uri": document.uri})
        if _resolves_edits(service):
            actions.append(action)
        elif only is not None:
            action.edit = await _fix_all(service, document, findings)
            actions += [action] if action.edit is not None else []
    return actions


def _resolves_edits(service: Service) -> bool:
    code_action = service.capabilities.text_document and service.capabilities.text_document.code_action
    support = code_action.resolve_support if code_action else None
    return support is not None and "edit" in support.properties


def _overlap(one: types.Range, other: types.Range) -> bool:
    """Tell whether two ranges share a place, their ends included."""
    return (one.start.line, one.start.character) <= (other.end.line, other.end.character) and (
        other.start.line,
        other.start.character,
    ) <= (one.end.line, one.end.character)


async def _fix_all(service: Service, document: Document, findings: tuple[Finding, ...]) -> types.WorkspaceEdit | None:
    """Return the edit that makes every safe fix of a document."""
    path = document.path
    if path is None:
        return None
    text = document.lines.text
    diagnostics = tuple(finding.diagnostic for finding in findings)
    for _ in range(_MOST_ROUNDS):
        fixes = await asyncio.to_thread(safe_fixes, diagnostics, path, text)
        text, count = apply_fixes(text, fixes)
        if not count:
            break
        diagnostics = await service.checked_with(path, text)
    return edits(service).of_text(path, text)


async def _explain(server: TriggerServer, code: str) -> None:
    """Show a rule's explanation: its page, else a document made of it, else a message."""
    rule = RULES.get(code)
    if rule is None:
        return
    if not server.service.can("window.show_document.support"):
        message = f"{code} {rule.name}: {rule.summary} For more, run `trigger rule {code}`."
        server.window_show_message(types.ShowMessageParams(type=types.MessageType.Info, message=message))
        return
    page = await asyncio.to_thread(_page, code)
    await server.window_show_document_async(types.ShowDocumentParams(uri=page.as_uri(), take_focus=True))


def _page(code: str) -> Path:
    """Write a rule's explanation to a file, and return it."""
    rule = RULES[code]
    folder = Path(tempfile.mkdtemp(prefix="trigger-rule-"))
    page = folder / f"{code}.md"
    examples = "".join(f"\n```python\n{example.code.strip()}\n```\n" for example in rule.bad[:1])
    page.write_text(f"# {code}: {rule.name}\n\n{rule.summary}\n\n{rule.page.strip()}\n{examples}", "utf-8")
    return page
