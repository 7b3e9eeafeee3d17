"""Installed libraries as source: where a module lies, what its names stand for, which distribution it belongs to.

Nothing is imported or run. What cannot be read (an extension module, a syntax error, a file over the limit) is absent.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
"""A function's definition."""

Bound = Function | ast.ClassDef | ast.expr | str
"""What a name stands for: a definition, the value it was assigned, or the qualified name that was imported."""

_LARGEST: Final = 512 * 1024
"""Bytes of source over which a module is left alone: generated code, tables."""

_DIST_INFO: Final = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.dist-info$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An installed distribution.

    Attributes:
        name: as its folder has it, ``acme_client``.
        version: its version.
    """

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(kw_only=True)
class Module:
    """One module of a library.

    Attributes:
        name: dotted.
        tree: its syntax tree.
        is_package: whether it is an ``__init__``.
        names: what its top-level names stand for: a definition, or the qualified name that was imported.
        stars: modules that are imported with a star.
    """

    name: str
    tree: ast.Module
    is_package: bool
    names: dict[str, Bound] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for statement in _top_level(self.tree.body):
            self._bind(statement)

    def _bind(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.names[statement.name] = statement
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.names[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self.names[name] = value
            case ast.Import() | ast.ImportFrom():
                self.stars.extend(self.bind_import(statement, self.names))

    def bind_import(self, statement: ast.Import | ast.ImportFrom, names: dict[str, Bound]) -> list[str]:
        """Add the names of an import to ``names``; return the modules that it imports with a star."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
            return []
        origin = self._origin(statement)
        if origin is None:
            return []
        for alias in statement.names:
            if alias.name != "*":
                names[alias.asname or alias.name] = f"{origin}.{alias.name}"
        return [origin] if statement.names[0].name == "*" else []

    def _origin(self, statement: ast.ImportFrom) -> str | None:
        if not statement.level:
            return statement.module
        parts = self.name.split(".")
        up = statement.level - (1 if self.is_package else 0)
        if up >= len(parts):
            return None
        owner = ".".join(parts[: len(parts) - up])
        return f"{owner}.{statement.module}" if statement.module else owner


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, also those in ``if``, ``try`` and ``with``: alternatives of one name."""
    for statement in body:
        match statement:
            case ast.If():
                # The first alternative wins: what stands last in the file would be the fallback.
                yield from _top_level(statement.orelse)
                yield from _top_level(statement.body)
            case ast.Try():
                for handler in statement.handlers:
                    yield from _top_level(handler.body)
                yield from _top_level((*statement.body, *statement.orelse, *statement.finalbody))
            case ast.With():
                yield from _top_level(statement.body)
            case _:
                yield statement


class Libraries:
    """The libraries below some folders, as a rule an interpreter's ``site-packages``."""

    def __init__(self, search_paths: Sequence[Path]) -> None:
        self._search_paths = tuple(search_paths)
        self._modules: dict[str, Module | None] = {}

    def module(self, name: str) -> Module | None:
        """Return a module by its dotted name, None when there is no source of it."""
        if name not in self._modules:
            self._modules[name] = self._read(name)
        return self._modules[name]

    def distribution(self, root: str) -> Distribution | None:
        """Return the distribution that installed the top-level module ``root``."""
        return self._distributions.get(root)

    def _read(self, name: str) -> Module | None:
        relative = name.replace(".", "/")
        for folder in self._search_paths:
            for place, is_package in ((folder / relative / "__init__.py", True), (folder / f"{relative}.py", False)):
                try:
                    if place.stat().st_size > _LARGEST:
                        return None
                    tree = ast.parse(place.read_bytes())
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    return None
                except OSError:
                    continue
                return Module(name=name, tree=tree, is_package=is_package)
        return None

    @cached_property
    def _distributions(self) -> dict[str, Distribution]:
        """Distributions by the top-level modules that they install."""
        found: dict[str, Distribution] = {}
        for folder in self._search_paths:
            for place in sorted(folder.glob("*.dist-info")):
                match = _DIST_INFO.match(place.name)
                if match is None:
                    continue
                distribution = Distribution(name=match["name"], version=match["version"])
                for root in _roots(place, distribution.name):
                    found.setdefault(root, distribution)
        return found


def _roots(dist_info: Path, name: str) -> Iterator[str]:
    """Yield the top-level modules of a distribution: from ``top_level.txt``, else from its record of files."""
    yield name.replace("-", "_").lower()
    try:
        yield from (dist_info / "top_level.txt").read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        pass
    else:
        return
    try:
        record = (dist_info / "RECORD").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    roots = {line.partition(",")[0].partition("/")[0].removesuffix(".py") for line in record.splitlines()}
    yield from sorted(root for root in roots if root.isidentifier())
