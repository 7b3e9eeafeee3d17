"""Makes the OpenAPI document from the operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from executor.api.routes import Operation, needed_scope
from executor.api.scopes import GRANTS, ScopeName
from trigger_sdk.protocol.version import VERSION

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


class ProblemFields(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a payload that does not fit, and why. ``path`` is relative to the payload, and empty for all of it."""

    path: str
    reason: str


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong. ``code`` is stable over releases; ``hint`` says what to do; ``where`` names the place."""

    code: str
    message: str
    hint: str = ""
    detail: str = ""
    where: str = ""
    fields: list[ProblemFields] = []


class ProblemAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer of 400 and above."""

    error: ProblemBody


def make_document(operations: Iterable[Operation], *, keyed: bool = False) -> dict[str, object]:
    """Return the OpenAPI 3.1 document; ``keyed``: API keys are needed, with the scopes of ``executor.api.scopes``."""
    listed = list(operations)
    kinds: list[type] = [ProblemAnswer]
    for operation in listed:
        kinds += [kind for kind in (operation.body, operation.answer) if isinstance(kind, type)]
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        path = _PARAMETER.sub(r"{\1}", operation.path)
        described = paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
        if keyed:
            _add_security(described, needed_scope(operation.method, operation.path))
    shared: dict[str, object] = {"schemas": components}
    if keyed:
        shared["securitySchemes"] = {"apiKey": _SCHEME}
    return {
        "openapi": "3.1.0",
        "info": {"title": "trigger", "version": VERSION, "description": "Starts, shows and steers runs."},
        "paths": paths,
        "components": shared,
    }


_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "tr_ENVIRONMENT_...",
    "description": "An API key. What it may do depends on its purpose: "
    + "; ".join(f"`{purpose}`: {', '.join(sorted(scopes))}" for purpose, scopes in GRANTS.items())
    + ". A key of all environments needs the header `Trigger-Environment` for calls about runs, events and jobs.",
}


def _add_security(described: dict[str, Any], needed: ScopeName | None) -> None:
    """State which scope a call needs, and how it is refused without."""
    described["security"] = [] if needed is None else [{"apiKey": [needed]}]
    if needed is not None:
        problem = {"application/json": {"schema": _schema(ProblemAnswer)}}
        reasons = {"401": "no key, or none of this server's", "403": f"a key without the scope {needed}",
                   "429": "too many requests with this key"}  # fmt: skip
        for status, reason in reasons.items():
            described["responses"].setdefault(status, {"description": reason, "content": problem})


def _operation(operation: Operation) -> dict[str, Any]:
    path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    query = [
        {"name": one.name, "in": "query", "required": False, "description": one.about, "schema": dict(one.schema)}
        for one in operation.query
    ]
    described: dict[str, object] = {
        "summary": operation.about,
        "operationId": operation.handler.__name__.strip("_"),
        "parameters": [*path, *query],
        "responses": _responses(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"content": {operation.content: {"schema": _schema(operation.body)}}}
    elif operation.content != "application/json":
        described["requestBody"] = {"content": {operation.content: {}}}
    return described


def _responses(operation: Operation) -> dict[str, object]:
    good: dict[str, object] = {"description": "Done."}
    if operation.answer is not None:
        good["content"] = {operation.answer_content: {"schema": _schema(operation.answer)}}
    elif operation.answer_content != "application/json":
        good["content"] = {operation.answer_content: {"schema": {"type": "string"}}}
    problem = {"application/json": {"schema": _schema(ProblemAnswer)}}
    responses: dict[str, object] = {str(operation.status): good}
    for status, reason in operation.refusals.items():
        responses[str(status)] = {"description": reason, "content": problem}
    responses["default"] = {"description": "A problem.", "content": problem}
    return responses


def _schema(kind: type | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(kind, type):
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    return dict(kind)
