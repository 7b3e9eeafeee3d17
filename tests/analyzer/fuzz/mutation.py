"""Valid Python to other Python: statements, names and expressions of a module, put where they do not belong."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_MOST_TEXT: Final = 200_000
Function = ast.FunctionDef | ast.AsyncFunctionDef
_DECORATORS: Final = (
    "job(id='x')",
    "job",
    "task",
    "task(name='t')",
    "staticmethod",
    "classmethod",
    "property",
    "functools.wraps(len)",
    "functools.cache",
    "contextlib.contextmanager",
    "dataclasses.dataclass",
    "lambda f: f",
    "lambda f: lambda *a, **k: f(*a, **k)",
)
_HEADS: Final = (
    "from trigger_sdk import *",
    "from trigger_sdk import job, task, sleep, record, Queue, cron",
    "import functools, contextlib, dataclasses, os",
    "from jobs_fuzz import *",
    "import jobs_fuzz",
    "from . import *",
    "from .. import *",
    "from os import *",
)


class Mutation:
    """Changes modules at random.

    Args:
        rng: what is drawn from.
        others: trees whose functions are spliced in.
    """

    def __init__(self, rng: random.Random, others: list[ast.Module]) -> None:
        self._rng = rng
        self._others = others

    def mutated(self, text: str) -> str:
        """Return a changed text, most often still valid Python; unchanged when it cannot be written out."""
        tree = ast.parse(text)
        steps: list[Callable[[ast.Module], None]] = [
            self._drop, self._repeat, self._swap, self._rename, self._replace, self._wrap_expression,
            self._wrap_statement, self._recurse, self._splice, self._decorate, self._decorate, self._head,
        ]  # fmt: skip
        for _ in range(self._rng.randint(1, 12)):
            self._rng.choice(steps)(tree)
        try:
            changed = ast.unparse(ast.fix_missing_locations(tree))
        except (RecursionError, ValueError, TypeError, AttributeError):
            return text
        return changed if len(changed) < _MOST_TEXT else text

    def damaged(self, text: str) -> str:
        """Return a text that is cut, or has characters that nobody wrote."""
        place = self._rng.randrange(len(text) + 1)
        noise = "".join(chr(self._rng.choice((0, 9, 12, 13, 40, 41, 58, 92, 233, 0x2028, 0x1F40D))) for _ in range(5))
        return self._rng.choice((text[:place], text[:place] + noise + text[place:], text[place:], noise))

    # --- statements ---------------------------------------------------------------------------------------------------

    def _block(self, tree: ast.Module) -> list[ast.stmt]:
        blocks = [
            block
            for node in ast.walk(tree)
            for name in ("body", "orelse", "finalbody")
            if isinstance(block := getattr(node, name, None), list) and block
        ]
        return self._rng.choice(blocks) if blocks else tree.body

    def _drop(self, tree: ast.Module) -> None:
        block = self._block(tree)
        if len(block) > 1:
            block.pop(self._rng.randrange(len(block)))

    def _repeat(self, tree: ast.Module) -> None:
        block = self._block(tree)
        if block:
            block.insert(self._rng.randrange(len(block)), copy.deepcopy(self._rng.choice(block)))

    def _swap(self, tree: ast.Module) -> None:
        first, second = self._block(tree), self._block(tree)
        if first and second:
            one, other = self._rng.randrange(len(first)), self._rng.randrange(len(second))
            left, right = copy.deepcopy(first[one]), copy.deepcopy(second[other])
            first[one], second[other] = right, left

    def _wrap_statement(self, tree: ast.Module) -> None:
        block = self._block(tree)
        if not block:
            return
        place = self._rng.randrange(len(block))
        frame = self._rng.choice(
            (
                "try:\n    pass\nexcept Exception as e:\n    pass\nfinally:\n    pass",
                "with open('x') as f:\n    pass",
                "match x:\n    case {'a': [y, *z], **rest} if y:\n        pass",
                "match x:\n    case str() | int():\n        pass",
                "while True:\n    pass",
                "for x in {1, 'a'}:\n    pass",
                "async def inner():\n    pass",
                "class Inner:\n    pass",
                "if x:\n    pass",
            )
        )
        outer = ast.parse(frame).body[0]
        if isinstance(outer, ast.Match):
            outer.cases[0].body = [block[place]]
        else:
            vars(outer)["body"] = [block[place]]
        block[place] = outer

    # --- names and expressions ----------------------------------------------------------------------------------------

    def _rename(self, tree: ast.Module) -> None:
        names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})
        names += sorted(node.name for node in ast.walk(tree) if isinstance(node, Function | ast.ClassDef))
        if not names:
            return
        old, new = self._rng.choice(names), self._rng.choice(names)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id == old:
                node.id = new
            elif isinstance(node, Function | ast.ClassDef) and node.name == old:
                node.name = new

    def _replace(self, tree: ast.Module) -> None:
        values = [node for node in ast.walk(tree) if isinstance(node, ast.expr)]
        if values:
            self._put(tree, copy.deepcopy(self._rng.choice(values)))

    def _wrap_expression(self, tree: ast.Module) -> None:
        text = self._rng.choice(
            ("(lambda: x)()", "[x for x in x][0]", "{x: x}", "sorted(x, key=x)", "x.x(x)[x]", "(x := x)", "x(*x, **x)")
        )
        self._put(tree, ast.parse(text, mode="eval").body)

    def _put(self, tree: ast.Module, value: ast.expr) -> None:
        """Put an expression into the place of another, with that one for its variables ``x`` now and then."""
        places = [
            (node, name)
            for node in ast.walk(tree)
            for name, held in ast.iter_fields(node)
            if isinstance(held, ast.expr) and isinstance(getattr(held, "ctx", ast.Load()), ast.Load)
        ]
        if not places:
            return
        node, name = self._rng.choice(places)
        old = getattr(node, name)
        for part in ast.walk(value):
            if isinstance(part, ast.Call | ast.Subscript | ast.Attribute) and self._rng.random() < 0.5:
                setattr(part, "func" if isinstance(part, ast.Call) else "value", copy.deepcopy(old))
                break
        setattr(node, name, value)

    # --- functions ----------------------------------------------------------------------------------------------------

    def _functions(self, tree: ast.Module) -> list[Function]:
        return [node for node in ast.walk(tree) if isinstance(node, Function)]

    def _recurse(self, tree: ast.Module) -> None:
        functions = self._functions(tree)
        if functions:
            called, caller = self._rng.choice(functions), self._rng.choice(functions)
            call = f"{called.name}({', '.join(arg.arg for arg in caller.args.args)})"
            caller.body.insert(0, ast.parse(f"x = {call}\nreturn {call}").body[self._rng.randrange(2)])

    def _splice(self, tree: ast.Module) -> None:
        donors = self._functions(self._rng.choice(self._others)) if self._others else []
        if donors:
            donor = copy.deepcopy(self._rng.choice(donors))
            own = self._functions(tree)
            donor.name = self._rng.choice(own).name if own else donor.name
            tree.body.insert(self._rng.randrange(len(tree.body) + 1), donor)

    def _decorate(self, tree: ast.Module) -> None:
        nodes = [node for node in ast.walk(tree) if isinstance(node, Function | ast.ClassDef)]
        if nodes:
            decorator = ast.parse(self._rng.choice(_DECORATORS), mode="eval").body
            self._rng.choice(nodes).decorator_list.insert(0, decorator)

    def _head(self, tree: ast.Module) -> None:
        tree.body[0:0] = ast.parse(self._rng.choice(_HEADS)).body
