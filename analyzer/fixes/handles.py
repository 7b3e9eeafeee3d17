"""Variables that hold what belongs to the process: a file, a connection, what a query gives before it is read."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from analyzer.fixes.changes import root_name
from analyzer.fixes.results import HANDLES, STORABLE, is_handle
from analyzer.fixes.target import names_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from analyzer.fixes.changes import Function
    from analyzer.fixes.target import Target
    from analyzer.model import Diagnostic, Location

_PLAIN_METHODS: Final = frozenset(
    (
        *("json", "text", "content", "read", "readline", "readlines", "fetchall", "fetchone", "fetchmany", "fetch"),
        *("fetchrow", "fetchval", "decode", "status_code", "status", "returncode", "stdout", "stderr", "getvalue"),
        *("scalar", "scalars", "all", "first", "rowcount", "lastrowid", "splitlines", "namelist", "communicate"),
        "body",
    )
)
"""Methods and attributes of opened things that give plain data."""


def handles_of(target: Target, function: Function, objects: Collection[str] = ()) -> frozenset[str]:
    """Return the variables of a function that hold what was opened, or came from it and is no plain data.

    Args:
        target: a diagnostic in the function.
        function: the function.
        objects: variables that are known to be handles.
    """
    found: set[str] = set(objects)
    parameters = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    assignments = [
        (names_in(each), node.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for each in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(each, ast.Name | ast.Tuple)
    ]
    for node in ast.walk(function):
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                found |= names_in(item.optional_vars)
    while True:
        known = len(found)
        for names, value in assignments:
            if _gives_handle(target, value, found):
                found |= names
        if len(found) == known:
            return frozenset(found - parameters)


def _gives_handle(target: Target, value: ast.expr, handles: set[str]) -> bool:
    inner = value.value if isinstance(value, ast.Await) else value
    if isinstance(inner, ast.GeneratorExp):
        return True
    if not isinstance(inner, ast.Call | ast.Attribute):
        calls = [each.func for each in ast.walk(inner) if isinstance(each, ast.Call)]
        return any(isinstance(each, ast.Attribute) and each.attr in HANDLES for each in calls)
    last = inner.func if isinstance(inner, ast.Call) else inner
    place = target.source.place(inner)
    here = [each for each in target.others if each.location == place]
    is_object = any(each.gives_object for each in here)
    is_plain = any(each.subject in STORABLE and not each.chain for each in here)
    is_plain = is_plain or (isinstance(last, ast.Attribute) and last.attr in _PLAIN_METHODS)
    if is_object or is_plain:
        return is_object
    if root_name(inner) in handles:
        return True
    name = getattr(last, "id", getattr(last, "attr", ""))
    # An object of a class of the project's own, which opens something when it is made: it may not be storable.
    is_made = name[:1].isupper() or root_name(inner)[:1].isupper()
    if (is_made or name in HANDLES) and here:
        return True
    return bool(here) and _opens(target.others, place)


def _opens(diagnostics: tuple[Diagnostic, ...], place: Location) -> bool:
    """Tell whether one of the diagnostics is about something opened, within a place."""
    return any(
        (place.row, place.column) <= (each.location.row, each.location.column)
        and (each.location.end_row, each.location.end_column) <= (place.end_row, place.end_column)
        and is_handle(each.subject)
        for each in diagnostics
        if not each.chain
    )


def is_of_handle(target: Target, name: str) -> bool:
    """Tell whether a variable holds what an effect opened: by ``with``, or assigned from a diagnostic's call."""
    here = target.diagnostic.location
    functions = [
        node
        for node in ast.walk(target.source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.lineno <= here.row <= (node.end_lineno or node.lineno)
    ]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.withitem) and name in names_in(node.optional_vars):
                return True
            if isinstance(node, ast.Assign) and any(name in names_in(each) for each in node.targets):
                place = target.source.place(node.value)
                if _opens(target.others, place) or _gives_object(target, node.value):
                    return True
    return False


def _gives_object(target: Target, value: ast.expr) -> bool:
    inner = value.value if isinstance(value, ast.Await) else value
    place = target.source.place(inner)
    return any(each.location == place and each.gives_object for each in target.others)
