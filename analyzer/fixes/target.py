"""What a fix is made for: a diagnostic in its file; and what may be written at a place."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from analyzer.fixes.changes import root_name
from analyzer.fixes.source import Found, Source
from analyzer.model import Diagnostic, Edit, Fix, Job, Location

StepForm = Literal["await", "plain"]
"""How a durable call is written: ``await`` in async code, plain in sync code."""


@dataclass(frozen=True, slots=True)
class Target:
    """A diagnostic, and its file.

    Attributes:
        diagnostic: what is to be fixed.
        source: the file in which it stands.
        jobs: the jobs whose bodies stand in the file; None when they are not known.
        others: all diagnostics of the file.
    """

    diagnostic: Diagnostic
    source: Source
    jobs: tuple[Job, ...] | None = None
    others: tuple[Diagnostic, ...] = ()

    def find(self, *kinds: type[ast.AST]) -> Found | None:
        """Return the outermost node of one of these kinds that stands where the diagnostic does."""
        for found in self.source.find(self.diagnostic.location):
            if isinstance(found.node, kinds):
                return found
        return None

    @property
    def steps(self) -> tuple[Location, ...] | None:
        """Where the bodies in the file ask for tasks and waits; None when that is not known."""
        return None if self.jobs is None else tuple(place for job in self.jobs for place in job.step_places)

    def objects(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
        """Return the variables of a job's function that may hold what is not known to be storable."""
        return frozenset(name for job in self.jobs or () if job.location.row == function.lineno for name in job.objects)


def names_in(node: ast.AST | None) -> frozenset[str]:
    """Return the variables that occur in a node."""
    return (
        frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name)) if node is not None else frozenset()
    )


def call_root(node: ast.AST) -> str:
    """Return the variable on which a call is made: ``cursor`` of ``cursor.execute(x)``; empty for plain functions."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return root_name(node.func)
    return ""


Maker = Callable[[Target], "Fix | None"]
"""Makes the fix for a target, or None where it has none."""


def step_form(found: Found) -> StepForm | None:
    """Return how a durable call would be written in the place of an expression; None where it cannot stand."""
    below: ast.AST = found.node
    for node in reversed(found.above):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            if not any(below is statement for statement in node.body):
                return None
            return "await" if isinstance(node, ast.AsyncFunctionDef) else "plain"
        if _is_evaluated_elsewhere(below, node, found):
            return None
        below = node
    return None


def _is_evaluated_elsewhere(part: ast.AST, node: ast.AST, found: Found) -> bool:
    """Tell whether a part of a node is not evaluated where the node is, or where no call should stand."""
    match node:
        case ast.Lambda() | ast.ClassDef() | ast.Module():
            return True
        case ast.ExceptHandler():
            return part is node.type
        case ast.AnnAssign():
            return part is node.annotation
        case ast.GeneratorExp():
            return part is not node.generators[0]
        case ast.comprehension():
            lazy = any(isinstance(each, ast.GeneratorExp) and node in each.generators for each in found.above)
            return lazy and part is not node.iter
        case _:
            return False


def awaited(text: str, found: Found, form: StepForm) -> str:
    """Return a durable call as it is written in the place of a node: with ``await`` and parentheses where needed."""
    if form == "plain":
        return text
    parent = found.parent
    binds = (
        (isinstance(parent, ast.Attribute | ast.Subscript) and parent.value is found.node)
        or (isinstance(parent, ast.Call) and parent.func is found.node)
        or isinstance(parent, ast.Await)
    )
    return f"(await {text})" if binds else f"await {text}"


def is_in_endless_loop(found: Found) -> bool:
    """Tell whether a node stands in a ``while True`` without a way out: a step in it would be asked for for ever."""
    for node in reversed(found.above):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
            inside = [each for statement in node.body for each in ast.walk(statement)]
            if not any(isinstance(each, ast.Break | ast.Return | ast.Raise) for each in inside):
                return True
    return False


def fix(applicability: Literal["safe", "unsafe"], title: str, *edits: Edit) -> Fix:
    """Return a fix."""
    return Fix(applicability=applicability, title=title, edits=edits)
