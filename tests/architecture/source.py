"""Reads the source of the packages that are shipped, as values the architecture tests judge."""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = {
    "trigger_cli": "trigger_cli",
    "devserver": "devserver",
    "bundler": "bundler",
    "executor": "executor",
    "analyzer": "analyzer",
    "engine": "engine",
    "trigger_sdk": "sdk/trigger_sdk",
}
"""Import name to folder, of every package that is shipped."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One source file.

    Attributes:
        package: import name of the package it belongs to.
        path: relative to the checkout.
        source: its text.
        tree: its syntax tree.
    """

    package: str
    path: Path
    source: str
    tree: ast.Module

    def functions(self) -> Iterator[tuple[str, Function]]:
        """Yield every function with its qualified name, methods and nested ones included."""
        yield from _functions(self.tree, "")

    def classes(self) -> Iterator[ast.ClassDef]:
        """Yield every class, nested ones included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def imported(self) -> set[str]:
        """Return the top-level names of everything the file imports, wherever in it."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
        return names


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        name = prefix
        if isinstance(child, Function | ast.ClassDef):
            name = f"{prefix}.{child.name}" if prefix else child.name
        if isinstance(child, Function):
            yield name, child
        yield from _functions(child, name)


def read_modules(repository: Path) -> list[Module]:
    """Return every module of every package under ``repository``."""
    found = []
    for package, folder in PACKAGES.items():
        for path in sorted((repository / folder).rglob("*.py")):
            source = path.read_text()
            relative = path.relative_to(repository)
            found.append(Module(package=package, path=relative, source=source, tree=ast.parse(source, str(relative))))
    return found


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says."""
    return tomllib.loads(path.read_text())
