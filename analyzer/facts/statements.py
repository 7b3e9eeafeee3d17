"""Statements, functions and classes of ``ast`` to those of :mod:`analyzer.facts.tree`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from analyzer.facts import tree
from analyzer.facts.expressions import NONE, ExpressionReader, operator_name
from analyzer.facts.module import ClassFacts, FunctionFacts, Parameter, ParameterKind, encode_body
from analyzer.facts.scope import Scope
from analyzer.facts.spans import Columns, pack, row_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


_LONGEST_ELIF: Final = 64
"""Branches of one ``if`` after which they are kept side by side, without what their tests tell of variables: nodes that
are nested deeper exhaust Python's stack."""

_UNREAD: Final = FunctionFacts(
    index=-1,
    name="<lambda>",
    qualname="",
    at=0,
    rows=(0, 0),
    parameters=[],
    returns=None,
    decorators=[],
    body=encode_body([]),
    is_async=False,
    is_generator=False,
    bound=frozenset(),
    captured=frozenset(),
    global_names=frozenset(),
    nonlocal_names=frozenset(),
    sorted_names=frozenset(),
    reads_names=False,
)
"""A function that is nested too deeply to be read."""


class StatementReader(ExpressionReader):
    """Turns the statements of one module into nodes, its functions and classes into facts."""

    def __init__(self, columns: Columns) -> None:
        super().__init__(columns)
        self.imports: list[tuple[str, int, tuple[str, ...]]] = []
        self._statements: dict[type[ast.AST], Callable[[Any], tree.Statement | Iterable[tree.Statement] | None]] = {
            ast.Expr: lambda node: tree.Evaluate(self.read(node.value), self.columns.span(node)),
            ast.Assign: self._assign,
            ast.AugAssign: self._augment,
            ast.AnnAssign: self._annotate,
            ast.Return: self._return,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.Raise: self._raise,
            ast.Delete: self._delete,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.FunctionDef: lambda node: tree.Define(self.read_function(node)),
            ast.AsyncFunctionDef: lambda node: tree.Define(self.read_function(node)),
            ast.ClassDef: self._class,
            ast.Match: self._match,
            ast.Assert: self._assert,
            ast.Global: self._global,
            ast.Nonlocal: self._nonlocal,
            ast.Break: lambda _node: tree.Jump("break"),
            ast.Continue: lambda _node: tree.Jump("continue"),
        }

    def read_block(self, statements: list[ast.stmt]) -> list[tree.Statement]:
        """Return the nodes of a block. A statement nested too deeply to be read is left out."""
        block: list[tree.Statement] = []
        for statement in statements:
            reader = self._statements.get(type(statement))
            if reader is None:
                continue
            try:
                node = reader(statement)
            except RecursionError:
                continue  # data, spelled out over a thousand operators
            if node is None:
                continue
            if isinstance(node, tree.Node):
                block.append(node)
            else:
                block.extend(node)
        return block

    # --- simple statements --------------------------------------------------------------------------------------------

    def _assign(self, node: ast.Assign) -> tree.Statement:
        value = self.read(node.value)
        return tree.Assign([self.read(target) for target in node.targets], value, self.columns.span(node))

    def _augment(self, node: ast.AugAssign) -> tree.Statement:
        value = self.read(node.value)
        if isinstance(node.target, ast.Name):
            self.scope.used.add(node.target.id)
        return tree.Augment(self.read(node.target), operator_name(node.op), value, self.columns.span(node))

    def _annotate(self, node: ast.AnnAssign) -> tree.Statement:
        annotation = self.read_annotation(node.annotation)
        value = None if node.value is None else self.read(node.value)
        target = self.read(node.target)
        return tree.Annotate(target, annotation or tree.Constant(None), value, self.columns.span(node))

    def _return(self, node: ast.Return) -> tree.Statement:
        return tree.Return(None if node.value is None else self.read(node.value), self.columns.span(node))

    def _raise(self, node: ast.Raise) -> tree.Statement:
        return tree.Raise([self.read(value) for value in (node.exc, node.cause) if value is not None])

    def _delete(self, node: ast.Delete) -> tree.Statement:
        return tree.Delete([self.read(target) for target in node.targets], self.columns.span(node))

    def _assert(self, node: ast.Assert) -> tree.Statement:
        values = [self.read(value) for value in (node.test, node.msg) if value is not None]
        return tree.Evaluate(tree.Several(values), self.columns.span(node))

    def _global(self, node: ast.Global) -> None:
        self.scope.global_names.update(node.names)

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.nonlocal_names.update(node.names)

    def _import(self, node: ast.Import) -> Iterator[tree.Statement]:
        for alias in node.names:
            self.imports.append((alias.name, 0, ()))
            self.scope.bound.add(alias.asname or alias.name.partition(".")[0])
            yield tree.Import(alias.name, alias.asname)

    def _import_from(self, node: ast.ImportFrom) -> tree.Statement:
        names = [(alias.name, alias.asname or alias.name) for alias in node.names]
        self.imports.append((node.module or "", node.level, tuple(name for name, _ in names)))
        self.scope.bound.update(bound for _, bound in names if bound != "*")
        return tree.ImportFrom(node.module or "", node.level, names)

    # --- compound statements ------------------------------------------------------------------------------------------

    def _if(self, node: ast.If) -> tree.Statement:
        branches = [node]
        while len(branches[-1].orelse) == 1 and isinstance(following := branches[-1].orelse[0], ast.If):
            branches.append(following)
        if len(branches) > _LONGEST_ELIF:
            return self._many_branches(branches)
        test = self.read(node.test)
        return tree.If(test, self.read_block(node.body), self.read_block(node.orelse))

    def _many_branches(self, branches: list[ast.If]) -> tree.Statement:
        cases = [tree.Case([], [], [self.read(each.test)], self.read_block(each.body), False) for each in branches]
        if branches[-1].orelse:
            cases.append(tree.Case([], [], [], self.read_block(branches[-1].orelse), True))
        return tree.Match(NONE, cases, self.columns.span(branches[0]))

    def _for(self, node: ast.For | ast.AsyncFor) -> tree.Statement:
        iterable = self.read(node.iter)
        target = self.read(node.target)
        body, orelse = self.read_block(node.body), self.read_block(node.orelse)
        return tree.For(target, iterable, body, orelse, type(node) is ast.AsyncFor, self._head(node, node.iter))

    def _head(self, node: ast.stmt, last: ast.expr) -> int:
        """Return the stretch of a compound statement's first line, up to the end of ``last``."""
        whole, end = self.columns.span(node), self.columns.span(last)
        row = row_of(whole)
        last_row = last.end_lineno or row
        return pack(row, node.col_offset, last_row, end & 0x3FFF)

    def _while(self, node: ast.While) -> tree.Statement:
        test = self.read(node.test)
        return tree.While(test, self.read_block(node.body), self.read_block(node.orelse), self._head(node, node.test))

    def _with(self, node: ast.With | ast.AsyncWith) -> tree.Statement:
        items = [
            (
                self.read(item.context_expr),
                None if item.optional_vars is None else self.read(item.optional_vars),
            )
            for item in node.items
        ]
        at = self._head(node, node.items[-1].context_expr)
        return tree.With(items, self.read_block(node.body), type(node) is ast.AsyncWith, at)

    def _try(self, node: ast.Try | ast.TryStar) -> tree.Statement:
        body = self.read_block(node.body)
        handlers = []
        for handler in node.handlers:
            kind = None if handler.type is None else self.read(handler.type)
            if handler.name:
                self.scope.bound.add(handler.name)
            at = self._handler_head(handler)
            handlers.append(tree.Handler(kind, handler.name, self.read_block(handler.body), at))
        orelse, final = self.read_block(node.orelse), self.read_block(node.finalbody)
        return tree.Try(body, handlers, orelse, final, self.columns.span(node))

    def _handler_head(self, handler: ast.ExceptHandler) -> int:
        whole = self.columns.span(handler)
        if handler.type is None:
            row = row_of(whole)
            return pack(row, handler.col_offset, row, handler.col_offset + len("except"))
        end = self.columns.span(handler.type)
        return pack(handler.lineno, handler.col_offset, handler.type.end_lineno or handler.lineno, end & 0x3FFF)

    def _match(self, node: ast.Match) -> tree.Statement:
        subject = self.read(node.subject)
        cases = []
        for case in node.cases:
            names: list[str] = []
            classes: list[tree.Expression] = []
            values: list[tree.Expression] = []
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                    names.append(part.name)
                elif isinstance(part, ast.MatchMapping) and part.rest:
                    names.append(part.rest)
                elif isinstance(part, ast.MatchClass):
                    classes.append(self.read(part.cls))
                elif isinstance(part, ast.MatchValue):
                    values.append(self.read(part.value))
            self.scope.bound.update(names)
            is_any = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
            if case.guard is not None:
                values.append(self.read(case.guard))
            cases.append(tree.Case(names, classes, values, self.read_block(case.body), is_any))
        return tree.Match(subject, cases, self.columns.span(node))

    # --- functions and classes ----------------------------------------------------------------------------------------

    def read_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> int:
        """Read a function; what its signature evaluates belongs to the scope around it."""
        index = len(self.functions)
        self.functions.append(_UNREAD)  # keeps its place, before the functions inside it
        outer = self.scope
        parameters = self._parameters(node.args)
        decorators, returns = [], None
        if isinstance(node, ast.Lambda):
            name, at = "<lambda>", self.columns.span(node)
        else:
            name, at = node.name, self._name_span(node)
            decorators = [self.read(decorator) for decorator in node.decorator_list]
            returns = self.read_annotation(node.returns)
            outer.bound.add(name)
        inner = self.scope = Scope("function", outer.qualified(name))
        inner.bound.update(parameter.name for parameter in parameters)
        try:
            if isinstance(node, ast.Lambda):
                body: list[tree.Statement] = [tree.Return(self.read(node.body), self.columns.span(node.body))]
            else:
                body = self.read_block(node.body)
        finally:
            self.scope = outer
        inner.close_into(outer)
        outer.reads_names = True
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
        self.functions[index] = FunctionFacts(
            index=index,
            name=name,
            qualname=inner.qualname,
            at=at,
            rows=(first, node.end_lineno or node.lineno),
            parameters=parameters,
            returns=returns,
            decorators=decorators,
            body=encode_body(body),
            is_async=isinstance(node, ast.AsyncFunctionDef),
            is_generator=inner.is_generator,
            bound=inner.locals(),
            captured=inner.captured(),
            global_names=frozenset(inner.global_names),
            nonlocal_names=frozenset(inner.nonlocal_names),
            sorted_names=frozenset(inner.sorted_names),
            reads_names=inner.reads_names,
        )
        return index

    def _name_span(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
        """Return the stretch of the name in ``def name`` or ``class name``, as it is usually spaced."""
        keyword = {ast.FunctionDef: "def ", ast.ClassDef: "class ", ast.AsyncFunctionDef: "async def "}[type(node)]
        column = node.col_offset + len(keyword)
        return pack(node.lineno, column, node.lineno, column + len(node.name))

    def _parameters(self, node: ast.arguments) -> list[Parameter]:
        normal = [*node.posonlyargs, *node.args]
        defaults: list[ast.expr | None] = [None] * (len(normal) - len(node.defaults))
        defaults += node.defaults
        parameters = []
        for position, (arg, default) in enumerate(zip(normal, defaults, strict=True)):
            kind: ParameterKind = "positional" if position < len(node.posonlyargs) else "normal"
            parameters.append(self._parameter(arg, kind, default))
        if node.vararg is not None:
            parameters.append(self._parameter(node.vararg, "star", None))
        for arg, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            parameters.append(self._parameter(arg, "keyword", default))
        if node.kwarg is not None:
            parameters.append(self._parameter(node.kwarg, "stars", None))
        return parameters

    def _parameter(self, arg: ast.arg, kind: ParameterKind, default: ast.expr | None) -> Parameter:
        value = None if default is None else self.read(default)
        return Parameter(arg.arg, kind, self.read_annotation(arg.annotation), value)

    def _class(self, node: ast.ClassDef) -> tree.Statement:
        outer = self.scope
        bases = [self.read(base) for base in node.bases]
        keywords = [(keyword.arg, self.read(keyword.value)) for keyword in node.keywords]
        decorators = [self.read(decorator) for decorator in node.decorator_list]
        outer.bound.add(node.name)
        inner = self.scope = Scope("class", outer.qualified(node.name))
        try:
            body = self.read_block(node.body)
        finally:
            self.scope = outer
        inner.close_into(outer)
        index = len(self.classes)
        facts = ClassFacts(
            index=index,
            name=node.name,
            qualname=inner.qualname,
            at=self._name_span(node),
            bases=bases,
            keywords=keywords,
            decorators=decorators,
            body=encode_body(body),
            bound=inner.locals(),
        )
        self.classes.append(facts)
        return tree.DefineClass(index)
