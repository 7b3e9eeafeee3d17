"""Statements and expressions as the graph reads them: the syntax tree without what it does not need.

Nodes are arrays when they are kept; ``at`` is a :data:`~analyzer.facts.spans.Span`.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Node(Struct, frozen=True, array_like=True, gc=False, tag_field="node"):
    """The root of all nodes."""


# --- expressions ------------------------------------------------------------------------------------------------------


class Constant(Node, frozen=True, tag=0):
    """A literal: text (cut at 256 characters), a whole number, True, False or None."""

    value: str | int | bool | None


class Literally(Node, frozen=True, tag=1):
    """Any other literal, by the name of its type: ``builtins.bytes``."""

    type: str


class Name(Node, frozen=True, tag=2):
    """A variable that is read, or bound as a target."""

    id: str
    at: int


class Attribute(Node, frozen=True, tag=3):
    """``value.name``."""

    value: Expression
    name: str
    at: int


class Subscript(Node, frozen=True, tag=4):
    """``value[index]``."""

    value: Expression
    index: Expression
    at: int


class Call(Node, frozen=True, tag=5):
    """A call; a keyword without a name is ``**value``."""

    function: Expression
    args: list[Expression]
    keywords: list[tuple[str | None, Expression]]
    at: int


class Await(Node, frozen=True, tag=6):
    """``await value``."""

    value: Expression
    at: int


class Binary(Node, frozen=True, tag=7):
    """An operator, by the name of its method without underscores: ``add``, ``truediv``."""

    operator: str
    left: Expression
    right: Expression
    at: int


class Unary(Node, frozen=True, tag=8):
    """``-x``, ``not x``: by the method's name, ``neg``, ``pos``, ``invert``, ``not``."""

    operator: str
    operand: Expression
    at: int


class Either(Node, frozen=True, tag=9):
    """``a and b``, ``a or b``; ``any`` of the values where it is not known how they are joined."""

    values: list[Expression]
    kind: Literal["and", "or", "any"] = "any"


class Compare(Node, frozen=True, tag=10):
    """``a < b == c``: methods' names (``lt``, ``eq``, ``contains``, ``is``; ``not_``) and what is compared."""

    left: Expression
    operators: list[str]
    others: list[Expression]
    at: int


class Conditional(Node, frozen=True, tag=11):
    """``body if test else other``."""

    test: Expression
    body: Expression
    other: Expression


class Lambda(Node, frozen=True, tag=12):
    """A lambda: the index of its function in the module."""

    function: int


class Sequence(Node, frozen=True, tag=13):
    """A display of a list, tuple or set."""

    kind: Literal["list", "tuple", "set"]
    elements: list[Expression]
    at: int


class Mapping(Node, frozen=True, tag=14):
    """A display of a dict; a missing key is ``**value``."""

    keys: list[Expression | None]
    values: list[Expression]
    at: int


class Generator(Node, frozen=True, tag=15):
    """One ``for`` of a comprehension."""

    target: Expression
    iterable: Expression
    conditions: list[Expression]
    is_async: bool


class Comprehension(Node, frozen=True, tag=16):
    """A comprehension or generator expression; ``value`` is a dict's."""

    kind: Literal["list", "set", "dict", "generator"]
    element: Expression
    value: Expression | None
    generators: list[Generator]
    at: int


class Starred(Node, frozen=True, tag=17):
    """``*value``."""

    value: Expression


class Yield(Node, frozen=True, tag=18):
    """``yield value`` or ``yield from value``."""

    value: Expression | None
    is_from: bool
    at: int


class Walrus(Node, frozen=True, tag=19):
    """``name := value``."""

    target: Name
    value: Expression


class Format(Node, frozen=True, tag=20):
    """An f-string: its texts, and what stands in its braces."""

    values: list[Expression]
    at: int


class Several(Node, frozen=True, tag=21):
    """Expressions that are evaluated, whose value does not matter: the parts of a slice."""

    values: list[Expression]


Expression = (
    Constant
    | Literally
    | Name
    | Attribute
    | Subscript
    | Call
    | Await
    | Binary
    | Unary
    | Either
    | Compare
    | Conditional
    | Lambda
    | Sequence
    | Mapping
    | Comprehension
    | Starred
    | Yield
    | Walrus
    | Format
    | Several
)
"""Any expression."""


# --- statements -------------------------------------------------------------------------------------------------------


class Assign(Node, frozen=True, tag=40):
    """``a = b = value``."""

    targets: list[Expression]
    value: Expression
    at: int


class Augment(Node, frozen=True, tag=41):
    """``target += value``."""

    target: Expression
    operator: str
    value: Expression
    at: int


class Annotate(Node, frozen=True, tag=42):
    """``target: annotation = value``."""

    target: Expression
    annotation: Expression
    value: Expression | None
    at: int


class Evaluate(Node, frozen=True, tag=43):
    """An expression as a statement; ``assert`` too."""

    value: Expression
    at: int


class Return(Node, frozen=True, tag=44):
    """``return value``."""

    value: Expression | None
    at: int


class If(Node, frozen=True, tag=45):
    """``if``; ``elif`` is one in ``orelse``."""

    test: Expression
    body: list[Statement]
    orelse: list[Statement]


class For(Node, frozen=True, tag=46):
    """``for`` and ``async for``."""

    target: Expression
    iterable: Expression
    body: list[Statement]
    orelse: list[Statement]
    is_async: bool
    at: int


class While(Node, frozen=True, tag=47):
    """``while``."""

    test: Expression
    body: list[Statement]
    orelse: list[Statement]
    at: int


class With(Node, frozen=True, tag=48):
    """``with`` and ``async with``: managers and their targets."""

    items: list[tuple[Expression, Expression | None]]
    body: list[Statement]
    is_async: bool
    at: int


class Handler(Node, frozen=True, tag=49):
    """``except type as name``."""

    type: Expression | None
    name: str | None
    body: list[Statement]
    at: int


class Try(Node, frozen=True, tag=50):
    """``try``."""

    body: list[Statement]
    handlers: list[Handler]
    orelse: list[Statement]
    final: list[Statement]
    at: int


class Raise(Node, frozen=True, tag=51):
    """``raise value``; a bare one has none."""

    values: list[Expression]


class Delete(Node, frozen=True, tag=52):
    """``del targets``."""

    targets: list[Expression]
    at: int


class Import(Node, frozen=True, tag=53):
    """``import module as name``, one for each module; without ``as`` the name is None."""

    module: str
    name: str | None


class ImportFrom(Node, frozen=True, tag=54):
    """``from module import name as bound``; ``*`` too."""

    module: str
    level: int
    names: list[tuple[str, str]]


class Define(Node, frozen=True, tag=55):
    """``def``: the index of the function in the module."""

    function: int


class DefineClass(Node, frozen=True, tag=56):
    """``class``: the index of the class in the module."""

    index: int


class Case(Node, frozen=True, tag=57):
    """One ``case``: names that the pattern binds, classes that it tests, what else it evaluates."""

    names: list[str]
    classes: list[Expression]
    values: list[Expression]
    body: list[Statement]
    is_any: bool


class Match(Node, frozen=True, tag=58):
    """``match``."""

    subject: Expression
    cases: list[Case]
    at: int


class Jump(Node, frozen=True, tag=59):
    """``break`` or ``continue``."""

    kind: Literal["break", "continue"]


Statement = (
    Assign
    | Augment
    | Annotate
    | Evaluate
    | Return
    | If
    | For
    | While
    | With
    | Try
    | Raise
    | Delete
    | Import
    | ImportFrom
    | Define
    | DefineClass
    | Match
    | Jump
)
"""Any statement."""
