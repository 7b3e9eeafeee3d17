"""What is only not the same on replay is recorded: ``record(lambda: os.environ["X"])``."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from analyzer.fixes.imports import sdk_name
from analyzer.fixes.inert import is_inert, may_move
from analyzer.fixes.results import METHODS_TO_STORABLE, STORABLE, TO_STORABLE
from analyzer.fixes.target import Target, fix
from analyzer.fixes.wrapped_call import taken_names

if TYPE_CHECKING:
    from analyzer.fixes.source import Found
    from analyzer.model import Fix

_READ: Final = frozenset(
    (
        *("os.getenv", "os.getenvb", "os.getlogin", "getpass.getuser", "platform.node", "platform.system"),
        *("platform.platform", "platform.machine", "platform.release", "platform.version", "platform.python_version"),
    )
)
"""Functions that read the environment and give a text or None."""

_SECRET: Final = re.compile(
    "KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|DSN|URL|URI|CONNECTION|PRIVATE|SALT|CERT", re.IGNORECASE
)
"""Names of variables whose values have no business in a journal."""

_ENVIRONMENT: Final = frozenset(("os.environ", "os.environb"))


def record_value(target: Target) -> Fix | None:
    """Record an environment variable, a library's clock or its randomness.

    A variable that may hold a secret is not recorded: it would be written into the journal.
    """
    if target.diagnostic.chain or target.diagnostic.leads_to_steps:
        return None
    subject = target.diagnostic.subject
    if subject in _ENVIRONMENT:
        found = target.find(ast.Attribute, ast.Name)
        wanted = None if found is None else _read_of_environment(found)
        if wanted is not None and _may_be_secret(wanted.node):
            return None
    else:
        found = target.find(ast.Call)
        wanted = None if found is None else _storable(found, subject)
        if found is not None and subject.startswith("os.getenv") and _may_be_secret(found.node):
            return None
    if found is None or wanted is None or not _is_in_function(wanted) or not may_move(wanted.node):
        return None
    if not is_inert(wanted.node, taken_names(target.source, wanted), but=_calls(wanted, found)):
        return None
    name = sdk_name(target.source, "record", wanted.outermost)
    text = f"{name.text}(lambda: {target.source.code(wanted.node)})"  # type: ignore[arg-type]
    edit = target.source.replace(target.source.place(wanted.node), text)  # type: ignore[arg-type]
    return fix("safe", "Record the value", edit, *name.edits)


def _may_be_secret(node: ast.AST) -> bool:
    """Tell whether a read of the environment is not of variables whose names are known and harmless."""
    match node:
        case ast.Compare():
            return False
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return _SECRET.search(name) is not None
        case _:
            return True


def _is_in_function(found: Found) -> bool:
    return found.function is not None


def _calls(wanted: Found, found: Found) -> tuple[ast.AST, ...]:
    return (wanted.node, found.node, *(node for node in found.above if isinstance(node, ast.Call)))


def _read_of_environment(found: Found) -> Found | None:
    """Return the expression that reads something of ``os.environ``: an item, ``get``, ``in``."""
    match found.parent, found.above[-2]:
        case ast.Subscript(ctx=ast.Load(), value=owner), _ if owner is found.node:
            return found.up()
        case ast.Attribute(attr="get"), ast.Call():
            return found.up(2)
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[owner]), _ if owner is found.node:
            return found.up()
        case _:
            return None


def _storable(found: Found, subject: str) -> Found | None:
    """Return a call, or what is made of its result at once, when it can be stored."""
    if subject in STORABLE or subject in _READ:
        return found
    match found.parent, found.above[-2]:
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]), _ if argument is found.node:
            return found.up() if name in TO_STORABLE else None
        case ast.Attribute(attr=name), ast.Call():
            return found.up(2) if name in METHODS_TO_STORABLE else None
        case _:
            return None
