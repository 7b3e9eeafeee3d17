"""Stored values whose classes are gone, moved, or something else today."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from typing import Any

import msgspec
import pydantic
import pytest

from trigger_sdk._codec import decode, decode_input, encode
from trigger_sdk._codec.errors import ClassChanged, ClassNotFound, PayloadInvalid
from trigger_sdk.protocol import value_kinds as kinds
from trigger_sdk.protocol.errors import ValueCorrupt
from trigger_sdk.protocol.values import to_json

Define = Callable[[str, str], Any]

MODELS = """
import dataclasses, enum, datetime
class Kind(enum.Enum):
    BIG = "big"
@dataclasses.dataclass
class Line:
    sku: str
@dataclasses.dataclass
class Order:
    id: int
    lines: list
    kind: Kind
    at: datetime.date
"""


class Kind(enum.Enum):
    """The enum as it is today."""

    BIG = "big"


@dataclasses.dataclass
class Line:
    """The line as it is today."""

    sku: str


@dataclasses.dataclass
class Order:
    """The order as it is today."""

    id: int
    lines: list[Line]
    kind: Kind
    at: Any


class Model(pydantic.BaseModel):
    """The order as a model."""

    id: int
    lines: list[Line]
    kind: Kind


def _stored(define: Define) -> bytes:
    shop = define("old_shop", MODELS)
    data = encode(shop.Order(1, [shop.Line("a")], shop.Kind.BIG, None))
    define("old_shop", "")
    return data


def test_class_that_is_gone_is_an_error_that_names_it(define: Define) -> None:
    """Without an annotation there is nothing to make of it; reading it as JSON still works."""
    data = _stored(define)
    with pytest.raises(ClassNotFound, match=r"old_shop:Line.*the module old_shop has no class Line") as caught:
        decode(data)
    assert caught.value.problem.code == "class-not-found"
    assert caught.value.problem.hint
    assert to_json(data) == {"id": 1, "lines": [{"sku": "a"}], "kind": "big", "at": None}


def test_module_that_is_gone_is_an_error_that_names_it() -> None:
    """The import fails."""
    with pytest.raises(ClassNotFound, match=r"gone_shop:Line.*ModuleNotFoundError"):
        decode(_object("gone_shop:Line", {"sku": "a"}))


def test_class_of_a_script_is_an_error_that_says_so() -> None:
    """A class of `__main__` is another program's."""
    data = encode(_main_class()("a"))
    with pytest.raises(ClassNotFound, match="__main__"):
        decode(data)
    assert decode(data, Line) == Line("a")


def _main_class() -> Any:
    """A class that looks as if it were defined in the script, and is not there when it is read."""
    import sys

    main = sys.modules["__main__"]
    cls = dataclasses.make_dataclass("ScriptLine", [("sku", str)])
    cls.__module__ = "__main__"
    main.ScriptLine = cls  # type: ignore[attr-defined]
    encode(cls("a"))
    del main.ScriptLine
    return cls


def test_annotation_converts_an_object_whose_class_is_gone(define: Define) -> None:
    """The fields are taken over, nested ones too, dates as dates."""
    assert decode(_stored(define), Order) == Order(1, [Line("a")], Kind.BIG, None)
    assert decode(_stored(define), Order | None) == Order(1, [Line("a")], Kind.BIG, None)


def test_annotation_of_a_pydantic_model_converts_too(define: Define) -> None:
    """The new class may be of another kind."""
    assert decode(_stored(define), Model) == Model(id=1, lines=[Line("a")], kind=Kind.BIG)


def test_annotation_that_does_not_fit_keeps_the_first_error(define: Define) -> None:
    """What went wrong with the conversion is told in a note."""
    with pytest.raises(ClassNotFound) as caught:
        decode(_stored(define), list[int])
    assert "in vain" in caught.value.__notes__[0]


def test_input_of_a_class_that_is_gone_is_checked_against_the_annotation(define: Define) -> None:
    """A script sends objects of its own classes: the job knows them by another name."""
    assert decode_input(_stored(define), Order) == Order(1, [Line("a")], Kind.BIG, None)
    with pytest.raises(PayloadInvalid):
        decode_input(_stored(define), list[int])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("class X(enum.Enum):\n    A = 1\nvalue = X.A", "class X(enum.Enum):\n    B = 2", "no member A = 1"),
        ("class X(enum.Enum):\n    A = 1\nvalue = X.A", "class X: pass", "was an enum"),
        ("class X(list): pass\nvalue = X()", "class X: pass", "was a container"),
        ("@dataclasses.dataclass\nclass X:\n    a: int\nvalue = X(1)", "class X: pass", "had fields"),
        ("@dataclasses.dataclass\nclass X:\n    a: int\nvalue = X(1)",
         "@dataclasses.dataclass\nclass X:\n    a: int\n    b: int", "has no b, which the class requires"),
    ],
)  # fmt: skip
def test_class_of_another_kind_is_an_error_that_names_it(before: str, after: str, message: str, define: Define) -> None:
    """The class is there, and the stored object is not one of its kind."""
    imports = "import dataclasses, enum\n"
    data = encode(define("turning_shop", imports + before).value)
    define("turning_shop", imports + after)
    with pytest.raises(ClassChanged, match=message) as caught:
        decode(data)
    assert caught.value.problem.code == "class-changed"


def test_enum_member_is_found_by_name_then_by_value(define: Define) -> None:
    """A member may get another value, or another name."""
    data = encode(define("enum_shop", "import enum\nclass X(enum.Enum):\n    A = 1\n").X.A)
    revalued = define("enum_shop", "import enum\nclass X(enum.Enum):\n    A = 2\n").X
    assert decode(data) is revalued.A
    renamed = define("enum_shop", "import enum\nclass X(enum.Enum):\n    B = 1\n").X
    assert decode(data) is renamed.B


@pytest.mark.parametrize(
    "ref",
    ["os:system", "os:environ", "builtins:eval", "no colon", ":x", "os:", "os:path.join", "antigravity_:x", "[", ""],
)
def test_ref_that_names_no_class_is_an_error(ref: str) -> None:
    """Stored bytes cannot have functions called."""
    with pytest.raises((ClassNotFound, ValueCorrupt)):
        decode(_object(ref, {"a": 1}))


@pytest.mark.parametrize("ref", ["builtins:dict", "subprocess:Popen", "pathlib:Path"])
def test_class_without_fields_is_never_made_from_fields(ref: str) -> None:
    """Stored bytes cannot have constructors called."""
    with pytest.raises(ClassChanged):
        decode(_object(ref, {"args": "true"}))


def _object(ref: str, fields: dict[str, Any]) -> bytes:
    pack = msgspec.msgpack.encode
    return b"\0" + pack(msgspec.msgpack.Ext(kinds.OBJECT, pack([ref, fields])))
