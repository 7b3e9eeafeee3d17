"""The facts of a module: its functions, classes, statements, suppressions."""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

import msgspec
from msgspec import Struct, field

from analyzer.facts.tree import Expression, Statement

VERSION: Final = 8
"""Version of everything below and of :mod:`analyzer.facts.tree`; one more whenever facts come out differently."""

ParameterKind = Literal["positional", "normal", "star", "keyword", "stars"]
"""``positional`` is before the slash, ``keyword`` after the star; ``star`` is ``*args``, ``stars`` is ``**kwargs``."""


class Parameter(Struct, frozen=True, array_like=True):
    """A parameter of a function.

    Attributes:
        name: its name.
        kind: how it is given.
        annotation: its type, or None.
        default: its default, or None.
    """

    name: str
    kind: ParameterKind
    annotation: Expression | None = None
    default: Expression | None = None


class FunctionFacts(Struct, frozen=True, array_like=True):
    """A function or lambda.

    Attributes:
        index: its place in the module.
        name: its name; ``<lambda>``.
        qualname: dotted name inside the module, without ``<locals>``.
        at: the stretch of its name in the ``def`` line; of the whole lambda.
        rows: first and last line, decorators included.
        parameters: in the order of the signature.
        returns: the annotation of its result, or None.
        decorators: from the top.
        body: its statements, encoded; see :func:`decode_body`.
        is_async: ``async def``.
        is_generator: it has a ``yield`` of its own.
        bound: names that it binds, parameters included.
        captured: those of them that functions inside read or bind.
        global_names: names declared ``global``.
        nonlocal_names: names declared ``nonlocal``.
        reads_names: it looks something up by a text: an item, ``getattr``; or defines functions that may.
        sorted_names: variables on which ``.sort()`` is called: their order is no longer that of what filled them.
    """

    index: int
    name: str
    qualname: str
    at: int
    rows: tuple[int, int]
    parameters: list[Parameter]
    returns: Expression | None
    decorators: list[Expression]
    body: bytes
    is_async: bool
    is_generator: bool
    bound: frozenset[str]
    captured: frozenset[str]
    global_names: frozenset[str]
    nonlocal_names: frozenset[str]
    sorted_names: frozenset[str]
    reads_names: bool


class ClassFacts(Struct, frozen=True, array_like=True):
    """A class.

    Attributes:
        index: its place in the module.
        name: its name.
        qualname: dotted name inside the module.
        at: the stretch of its statement's first line.
        bases: positional bases.
        keywords: ``metaclass=`` and others.
        decorators: from the top.
        body: its statements, encoded.
        bound: names that its body binds.
    """

    index: int
    name: str
    qualname: str
    at: int
    bases: list[Expression]
    keywords: list[tuple[str | None, Expression]]
    decorators: list[Expression]
    body: bytes
    bound: frozenset[str]


class Suppression(Struct, frozen=True, array_like=True):
    """A comment ``# trigger: ignore[CODES] reason``.

    Attributes:
        row: its line.
        at: its stretch.
        codes: as written; empty when the comment is no suppression, and silences nothing.
        reason: what follows.
        scope: ``line``, ``function`` (it stands on a ``def`` or one of its decorators), or ``file``.
        rows: the lines that it covers, both included.
        mistake: why it has no codes, as a sentence; empty when it has.
    """

    row: int
    at: int
    codes: tuple[str, ...]
    reason: str
    scope: Literal["line", "function", "file"]
    rows: tuple[int, int]
    mistake: str = ""


class Broken(Struct, frozen=True, array_like=True):
    """Why a text is no valid Python: what is said, and where (rows and columns from 1)."""

    message: str
    row: int
    column: int


class ModuleFacts(Struct, frozen=True, array_like=True):
    """All of one file.

    Attributes:
        body: the module's own statements, encoded.
        functions: every function and lambda, by index.
        classes: every class, by index.
        imports: modules that the text imports anywhere: dotted name and level, with names for ``from``.
        suppressions: comments that silence diagnostics, by line.
        mentions_sdk: whether the text names ``trigger_sdk``.
        exports: the literal ``__all__``, or None.
        broken: the syntax error, or None.
        bound: names that the module's own statements bind.
    """

    body: bytes
    functions: list[FunctionFacts]
    classes: list[ClassFacts]
    imports: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    mentions_sdk: bool = False
    exports: tuple[str, ...] | None = None
    broken: Broken | None = None
    bound: frozenset[str] = frozenset()


@cache
def _body_decoder() -> msgspec.msgpack.Decoder[list[Statement]]:
    return msgspec.msgpack.Decoder(list[Statement])


def decode_body(body: bytes) -> list[Statement]:
    """Return the statements of a function, class or module."""
    return _body_decoder().decode(body)


_encoder: Final = msgspec.msgpack.Encoder()


def encode_body(statements: list[Statement]) -> bytes:
    """Return statements as they are kept."""
    return _encoder.encode(statements)
