"""Expressions of ``ast`` to those of :mod:`analyzer.facts.tree`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final, Literal

from analyzer.facts import tree
from analyzer.facts.scope import Scope
from analyzer.facts.spans import Columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.facts.module import ClassFacts, FunctionFacts

_TEXT_MAX: Final = 256
_LONGEST_SUM: Final = 64
"""Operators in a row after which only what they join is kept: nodes that are nested deeper exhaust Python's stack."""

_OPERATORS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.MatMult: "matmul",
    ast.Div: "truediv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.BitAnd: "and",
    ast.FloorDiv: "floordiv",
    ast.Invert: "invert",
    ast.Not: "not",
    ast.UAdd: "pos",
    ast.USub: "neg",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Is: "is",
    ast.IsNot: "not_is",
    ast.In: "contains",
    ast.NotIn: "not_contains",
}
NONE: Final = tree.Constant(None)
"""The node of ``None``."""


def operator_name(operator: ast.AST) -> str:
    """Return the name of an operator's method, without underscores."""
    return _OPERATORS[type(operator)]


class ExpressionReader:
    """Turns expressions into nodes, and notes in the current scope which names they use.

    Args:
        columns: of the text.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.scope = Scope("module", "")
        self.functions: list[FunctionFacts] = []
        self.classes: list[ClassFacts] = []
        self._readers: dict[type[ast.AST], Callable[[Any], tree.Expression]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Call: self._call,
            ast.Await: self._await,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._unary,
            ast.BoolOp: self._either,
            ast.Compare: self._compare,
            ast.IfExp: self._conditional,
            ast.Lambda: self._lambda,
            ast.List: self._sequence,
            ast.Tuple: self._sequence,
            ast.Set: self._sequence,
            ast.Dict: self._mapping,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.Starred: self._starred,
            ast.Yield: self._yield,
            ast.YieldFrom: self._yield,
            ast.NamedExpr: self._walrus,
            ast.JoinedStr: self._format,
            ast.FormattedValue: self._formatted,
            ast.Slice: self._slice,
        }

    def read(self, node: ast.expr) -> tree.Expression:
        """Return the node for an expression, read or target."""
        reader = self._readers.get(type(node))
        return NONE if reader is None else reader(node)

    def read_annotation(self, node: ast.expr | None) -> tree.Expression | None:
        """Return the node for an annotation; quoted ones are read."""
        if node is None:
            return None
        return self.read(_Unquote(node).visit(node) if _has_text(node) else node)

    def _constant(self, node: ast.Constant) -> tree.Expression:
        value = node.value
        if value is None or value is True or value is False:
            return tree.Constant(value)
        if type(value) is str:
            is_kept = len(value) <= _TEXT_MAX and is_text(value)
            return tree.Constant(value) if is_kept else tree.Literally("builtins.str")
        if type(value) is int:
            return tree.Constant(value) if -(1 << 31) < value < 1 << 31 else tree.Literally("builtins.int")
        return tree.Literally(f"builtins.{type(value).__name__}")

    def _name(self, node: ast.Name) -> tree.Expression:
        if type(node.ctx) is ast.Load:
            self.scope.used.add(node.id)
        else:
            self.scope.bound.add(node.id)
        return tree.Name(node.id, self.columns.span(node))

    def _attribute(self, node: ast.Attribute) -> tree.Expression:
        return tree.Attribute(self.read(node.value), node.attr, self.columns.span(node))

    def _subscript(self, node: ast.Subscript) -> tree.Expression:
        if isinstance(node.slice, ast.Name):
            self.scope.reads_names = True
        return tree.Subscript(self.read(node.value), self.read(node.slice), self.columns.span(node))

    def _call(self, node: ast.Call) -> tree.Expression:
        function = self.read(node.func)
        if type(function) is tree.Attribute and function.name == "sort" and type(function.value) is tree.Name:
            self.scope.sorted_names.add(function.value.id)
        if _looks_up(node):
            self.scope.reads_names = True
        args = [self.read(arg) for arg in node.args]
        keywords = [(keyword.arg, self.read(keyword.value)) for keyword in node.keywords]
        return tree.Call(function, args, keywords, self.columns.span(node))

    def _await(self, node: ast.Await) -> tree.Expression:
        return tree.Await(self.read(node.value), self.columns.span(node))

    def _binary(self, node: ast.BinOp) -> tree.Expression:
        rights: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            rights.append(left.right)
            left = left.left
        if len(rights) > _LONGEST_SUM:
            return tree.Either([self.read(operand) for operand in (left, *reversed(rights))])
        first = self.read(node.left)
        return tree.Binary(_OPERATORS[type(node.op)], first, self.read(node.right), self.columns.span(node))

    def _unary(self, node: ast.UnaryOp) -> tree.Expression:
        operand = self.read(node.operand)
        return tree.Unary(_OPERATORS[type(node.op)], operand, self.columns.span(node))

    def _either(self, node: ast.BoolOp) -> tree.Expression:
        return tree.Either([self.read(value) for value in node.values], "and" if type(node.op) is ast.And else "or")

    def _compare(self, node: ast.Compare) -> tree.Expression:
        left = self.read(node.left)
        operators = [_OPERATORS[type(operator)] for operator in node.ops]
        return tree.Compare(left, operators, [self.read(other) for other in node.comparators], self.columns.span(node))

    def _conditional(self, node: ast.IfExp) -> tree.Expression:
        test = self.read(node.test)
        return tree.Conditional(test, self.read(node.body), self.read(node.orelse))

    def _lambda(self, node: ast.Lambda) -> tree.Expression:
        return tree.Lambda(self.read_function(node))

    def read_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> int:
        """Read a function and return its index."""
        raise NotImplementedError

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> tree.Expression:
        kind: Literal["list", "tuple", "set"] = "list"
        if type(node) is ast.Tuple:
            kind = "tuple"
        elif type(node) is ast.Set:
            kind = "set"
        return tree.Sequence(kind, [self.read(element) for element in node.elts], self.columns.span(node))

    def _mapping(self, node: ast.Dict) -> tree.Expression:
        keys = [None if key is None else self.read(key) for key in node.keys]
        return tree.Mapping(keys, [self.read(value) for value in node.values], self.columns.span(node))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> tree.Expression:
        outer_free = set(self.scope.free)
        generators = [
            tree.Generator(
                self._inner_target(generator.target),
                self.read(generator.iter),
                [self.read(condition) for condition in generator.ifs],
                bool(generator.is_async),
            )
            for generator in node.generators
        ]
        kind: Literal["list", "set", "dict", "generator"]
        value = None
        if isinstance(node, ast.DictComp):
            kind, element, value = "dict", self.read(node.key), self.read(node.value)
        else:
            kind = "list" if type(node) is ast.ListComp else "set" if type(node) is ast.SetComp else "generator"
            element = self.read(node.elt)
        own = {name for generator in node.generators for name in _stored(generator.target)}
        kept = own & (self.scope.free - outer_free)
        self.scope.inner_captured |= kept
        self.scope.free -= kept
        return tree.Comprehension(kind, element, value, generators, self.columns.span(node))

    def _inner_target(self, node: ast.expr) -> tree.Expression:
        """Read a comprehension's target: its names are not variables of the function around it."""
        bound = set(self.scope.bound)
        target = self.read(node)
        self.scope.bound = bound
        return target

    def _starred(self, node: ast.Starred) -> tree.Expression:
        return tree.Starred(self.read(node.value))

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> tree.Expression:
        self.scope.is_generator = True
        value = None if node.value is None else self.read(node.value)
        return tree.Yield(value, type(node) is ast.YieldFrom, self.columns.span(node))

    def _walrus(self, node: ast.NamedExpr) -> tree.Expression:
        value = self.read(node.value)
        self.scope.bound.add(node.target.id)
        return tree.Walrus(tree.Name(node.target.id, self.columns.span(node.target)), value)

    def _format(self, node: ast.JoinedStr) -> tree.Expression:
        values: list[tree.Expression] = []
        for part in node.values:
            values.append(self.read(part))
            if isinstance(part, ast.FormattedValue) and (part.conversion >= 0 or part.format_spec is not None):
                values.append(tree.Literally("builtins.str"))  # what comes out is not the value's own text
        return tree.Format(values, self.columns.span(node))

    def _formatted(self, node: ast.FormattedValue) -> tree.Expression:
        return self.read(node.value)

    def _slice(self, node: ast.Slice) -> tree.Expression:
        return tree.Several([self.read(part) for part in (node.lower, node.upper, node.step) if part is not None])


def is_text(value: str) -> bool:
    """Tell whether a literal can be kept as text: halves of surrogates alone are none."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _looks_up(node: ast.Call) -> bool:
    """Tell whether a call looks something up by a name: ``getattr(x, name)``, ``table.get(name)``."""
    function = node.func
    if isinstance(function, ast.Name):
        return function.id in ("getattr", "setattr", "import_module", "__import__")
    return (
        isinstance(function, ast.Attribute)
        and function.attr in ("get", "import_module", "__getattribute__", "pop", "setdefault")
        and bool(node.args)
        and isinstance(node.args[0], ast.Name)
    )


def _stored(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _has_text(node: ast.expr) -> bool:
    """Tell whether an annotation has quoted parts; most are names with an index, for which a walk takes long."""
    match node:
        case ast.Name():
            return False
        case ast.Constant():
            return isinstance(node.value, str)
        case ast.Subscript(value=ast.Name(), slice=ast.Name() | ast.Tuple() as inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else ()
            return any(_has_text(part) for part in parts)
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(node))


class _Unquote(ast.NodeTransformer):
    """Reads the quoted parts of an annotation, but for those of ``Literal`` and of what ``Annotated`` adds."""

    def __init__(self, whole: ast.expr) -> None:
        self._place = whole

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str) or len(node.value) > _TEXT_MAX:
            return node
        try:
            inner = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return node
        for part in ast.walk(inner):
            if isinstance(part, ast.expr):
                ast.copy_location(part, node)
        return inner

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if name == "Literal":
            return node
        if name == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            inner = self.visit(node.slice.elts[0])
            elements = [inner, *node.slice.elts[1:]]
            items = ast.copy_location(ast.Tuple(elements, ast.Load()), node.slice)
            return ast.copy_location(ast.Subscript(node.value, items, ast.Load()), node)
        self.generic_visit(node)
        return node
