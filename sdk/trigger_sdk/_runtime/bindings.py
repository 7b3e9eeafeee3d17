"""What the names of a module can hold, as far as its text tells: which calls could reach a recorded function.

The whole module is taken as one scope. That errs on the side of asking at run time.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field
from typing import Final

from trigger_sdk.protocol.recorded import TERMINAL_NAMES

_BUILTIN_NAMES: Final = frozenset(dir(builtins))

_INERT: Final = (
    ast.Constant, ast.JoinedStr, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.Lambda,
)  # fmt: skip
"""Expressions whose value is no recorded function."""


@dataclass(slots=True, kw_only=True)
class Bindings:
    """How the names of one module are bound, anywhere in it.

    Attributes:
        defined: by ``def`` or ``class``.
        imported: by an import, and not from a recorded name.
        aliases: by ``from x import y``, where ``y`` is the last part of a recorded call's name.
        dynamic: in any way that says nothing of the value: parameters, assignments, loops, captures.
        fields: attributes that get such values, and names assigned or annotated in class bodies.
        has_star: there is a star import, which can bind any name.
    """

    defined: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    dynamic: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    has_star: bool = False

    def may_hold_recorded(self, name: str) -> bool:
        """Tell whether a call of the bare ``name`` could call a recorded function."""
        if name in self.aliases or name in self.dynamic:
            return True
        if name in self.defined or name in self.imported:
            return self.has_star and name in TERMINAL_NAMES
        return name not in _BUILTIN_NAMES

    def is_reference(self, node: ast.expr) -> bool:
        """Tell whether an expression names a recorded function, so that passing it on passes one on."""
        if isinstance(node, ast.Attribute):
            return node.attr in TERMINAL_NAMES
        if isinstance(node, ast.Name):
            return node.id in self.aliases or (self.has_star and node.id in TERMINAL_NAMES)
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and not {"getattr"} & (self.defined | self.imported | self.dynamic)
        )


def bindings_of(tree: ast.Module) -> Bindings:  # noqa: C901 - one case for each way of binding a name
    """Collect the bindings of a module."""
    found = Bindings()
    inert_targets: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.dynamic.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()) if id(node) not in inert_targets:
                found.fields.add(name)
            case ast.Assign(targets=targets, value=value) if isinstance(value, _INERT):
                inert_targets.update(id(target) for target in targets)
            case ast.AnnAssign(target=target, value=ast.expr() as value) if isinstance(value, _INERT):
                inert_targets.add(id(target))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.defined.add(name)
            case ast.ClassDef(name=name, body=body):
                found.defined.add(name)
                found.fields.update(_class_fields(body))
            case ast.arg(arg=name):
                found.dynamic.add(name)
            case ast.Import(names=aliases):
                found.imported.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case ast.ImportFrom(names=aliases):
                _collect_imported(found, aliases)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.dynamic.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.dynamic.add(name)
    return found


def _collect_imported(found: Bindings, aliases: list[ast.alias]) -> None:
    for alias in aliases:
        if alias.name == "*":
            found.has_star = True
        elif alias.name in TERMINAL_NAMES:
            found.aliases.add(alias.asname or alias.name)
        else:
            found.imported.add(alias.asname or alias.name)


def _class_fields(body: list[ast.stmt]) -> set[str]:
    """Return names that a class body assigns or annotates: they may be read from instances, and called."""
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
        elif isinstance(statement, ast.Assign) and not isinstance(statement.value, _INERT):
            names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
    return names
