"""Objects of classes with fields come back as they were, and nothing of the user's runs a second time."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import functools
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Optional, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_sdk._codec import decode, encode

T = TypeVar("T")
made: list[str] = []
"""What constructors ran, in the order in which they did."""


@dataclasses.dataclass
class Order:
    """A plain dataclass that checks itself."""

    id: int
    lines: list[Line] = dataclasses.field(default_factory=list)
    total: int = dataclasses.field(init=False, default=0)

    def __post_init__(self) -> None:
        made.append("Order")
        self.total = len(self.lines)

    @functools.cached_property
    def connection(self) -> object:
        """Something that cannot be stored, and is made when it is needed."""
        return open  # any function


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A frozen dataclass with slots."""

    sku: str
    price: float = 1.5


@dataclasses.dataclass
class Late:
    """A dataclass with a field that nobody sets."""

    a: int
    b: int = dataclasses.field(init=False)


@dataclasses.dataclass
class Window:
    """A dataclass with an argument that is no field."""

    size: int = dataclasses.field(init=False)
    scale: dataclasses.InitVar[int] = 2

    def __post_init__(self, scale: int) -> None:
        self.size = scale * 10


@dataclasses.dataclass
class Box(Generic[T]):
    """A generic dataclass."""

    content: T


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int = 2


Size = collections.namedtuple("Size", "width height")  # noqa: PYI024 - the untyped kind


class Movie(TypedDict):
    """A dict with named keys."""

    title: str


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A Struct that checks itself."""

    id: int
    tags: set[str] = set()

    def __post_init__(self) -> None:
        made.append("Ticket")


class Plain(msgspec.Struct, rename="camel", tag=True):
    """A Struct that is renamed on the wire."""

    first_name: str
    maybe: int | msgspec.UnsetType = msgspec.UNSET


class Open(msgspec.Struct, dict=True):
    """A Struct with room for more."""

    a: int


@attrs.define
class Slotted:
    """An attrs class with slots."""

    a: int = attrs.field(validator=lambda *_args: made.append("Slotted"))
    _hidden: str = "h"

    @functools.cached_property
    def double(self) -> int:
        """Remembered in a slot."""
        return self.a * 2


@attrs.frozen(cache_hash=True)
class Hashed:
    """An attrs class that remembers its hash, which differs between processes."""

    a: str


@attrs.define(slots=False)
class Loose:
    """An attrs class with a __dict__."""

    a: int
    b: list[int] = attrs.Factory(lambda self: [self.a], takes_self=True)


class Address(pydantic.BaseModel):
    """A model."""

    model_config = pydantic.ConfigDict(extra="allow")
    city: str
    zip: int = 1
    _checked: bool = pydantic.PrivateAttr(default=False)
    _note: str = pydantic.PrivateAttr()

    @pydantic.field_validator("city")
    @classmethod
    def _city(cls, value: str) -> str:
        made.append("Address")
        return value.title()


class Frozen(pydantic.BaseModel):
    """A frozen model with an alias and a value of a pydantic type."""

    model_config = pydantic.ConfigDict(frozen=True)
    user_id: int = pydantic.Field(alias="userId")
    at: dt.datetime | None = None
    link: pydantic.HttpUrl | None = None
    secret: pydantic.SecretStr | None = None
    next: Frozen | None = None


class Page(pydantic.BaseModel, Generic[T]):
    """A generic model."""

    items: list[T]


class Tags(pydantic.RootModel[list[str]]):
    """A root model."""


@pydantic.dataclasses.dataclass
class Checked:
    """A dataclass of pydantic's."""

    a: int


class Outer:
    """A class around a class."""

    @dataclasses.dataclass
    class Inner:
        """A class in a class."""

        a: int


def _with_private() -> Address:
    address = Address.model_validate({"city": "berlin", "extra": "more"})
    address._checked = True
    return address


def _with_cached() -> Order:
    order = Order(1, [Line(sku="a")])
    assert order.connection
    return order


OBJECTS: list[Callable[[], Any]] = [
    lambda: Order(1, [Line(sku="a"), Line(sku="b", price=2)]),
    lambda: Late(1),
    Window,
    lambda: Box(Box({1, 2})),
    lambda: Box[int](5),
    lambda: Point(1),
    lambda: Size(1, Point(2)),
    lambda: Movie(title="x"),
    lambda: Ticket(id=1, tags={"a"}),
    lambda: Plain("x"),
    lambda: Plain("x", 5),
    lambda: Slotted(1),
    lambda: Hashed("a"),
    lambda: Loose(3),
    _with_private,
    lambda: Address(city="x", zip=5),
    lambda: Frozen.model_validate(
        {"userId": 1, "at": "2026-01-01T00:00:00Z", "link": "http://a/b?c", "secret": "s", "next": {"userId": 2}}
    ),
    lambda: Page[int](items=[1]),
    lambda: Page[Optional[Line]](items=[None, Line(sku="a")]),  # noqa: UP045 - the old spelling has a class of its own
    lambda: Page[dict[str, list[Address]]](items=[]),
    lambda: Page[Page[int]](items=[Page[int](items=[1])]),
    lambda: Page(items=[1]),
    lambda: Tags(["a"]),
    lambda: Checked(1),
    lambda: Outer.Inner(1),
]


@pytest.mark.parametrize("make", OBJECTS)
def test_object_comes_back_equal_and_no_constructor_runs(make: Callable[[], Any]) -> None:
    """Objects are restored field by field, past constructors and validators."""
    value = make()
    data = encode(value)
    made.clear()
    back = decode(data)
    assert made == []
    assert type(back) is type(value)
    if not isinstance(value, Late):
        assert back == value
    assert encode(back) == data
    assert encode(decode(encode([{"deep": value}]))[0]["deep"]) == data


def test_pydantic_model_keeps_what_equality_may_not_see() -> None:
    """Fields that were set, extra fields, private attributes."""
    back = decode(encode(_with_private()))
    assert back.model_fields_set == {"city", "extra"}
    assert back.__pydantic_extra__ == {"extra": "more"}
    assert back._checked is True
    assert not hasattr(back, "_note")
    assert back.model_dump(exclude_unset=True) == {"city": "Berlin", "extra": "more"}
    back.zip = 7
    assert back.model_fields_set == {"city", "extra", "zip"}


def test_field_that_was_never_set_stays_unset() -> None:
    """A dataclass may have fields that its constructor does not set."""
    back = decode(encode(Late(1)))
    assert back.a == 1
    assert not hasattr(back, "b")


def test_computed_attributes_are_left_out_and_others_are_kept() -> None:
    """What a cached_property remembered is made again; what the user put there is not lost."""
    order = _with_cached()
    order.note = "by hand"  # type: ignore[attr-defined]
    back = decode(encode(order))
    assert vars(back) == {"id": 1, "lines": [Line(sku="a")], "total": 1, "note": "by hand"}
    slotted = Slotted(2)
    assert slotted.double == 4
    assert decode(encode(slotted)).double == 4


def test_remembered_hash_is_not_carried_along() -> None:
    """Hashes of strings differ between processes."""
    value = Hashed("a")
    assert hash(value) == hash(decode(encode(value)))
    assert {value} == decode(encode({value}))


def test_struct_with_more_attributes_keeps_them() -> None:
    """A Struct with a __dict__."""
    value = Open(1)
    value.more = (1,)  # type: ignore[attr-defined]
    assert decode(encode(value)).more == (1,)


def test_frozen_and_slotted_objects_can_be_keys_and_members() -> None:
    """Hashable objects in dicts and sets."""
    line = Line(sku="a")
    value = {line: {line, Line(sku="b")}, Point(1): Hashed("x")}
    assert decode(encode(value)) == value


@given(st.builds(Order, st.integers(), st.lists(st.builds(Line, sku=st.text(), price=st.floats(allow_nan=False)))))
def test_any_dataclass_is_a_fixed_point(value: Order) -> None:
    """For all fields: the same bytes the second time."""
    assert decode(encode(value)) == value
    assert encode(decode(encode(value))) == encode(value)


FIRST = """
import dataclasses, enum, attrs, msgspec, pydantic
from typing import NamedTuple
@dataclasses.dataclass
class D:
    a: int
    gone: int = 0
@attrs.define
class A:
    a: int
    gone: int = 0
class S(msgspec.Struct):
    a: int
    gone: int = 0
class P(pydantic.BaseModel):
    a: int
    gone: int = 0
class N(NamedTuple):
    a: int
    gone: int = 0
"""
GROWN = """
import dataclasses, enum, attrs, msgspec, pydantic
from typing import NamedTuple
@dataclasses.dataclass(slots=True)
class D:
    a: int
    new: list = dataclasses.field(default_factory=list)
@attrs.define
class A:
    a: int
    new: list = attrs.Factory(list)
class S(msgspec.Struct):
    a: int
    new: list = []
    def __post_init__(self):
        raise RuntimeError("not again")
class P(pydantic.BaseModel):
    a: int
    new: list = pydantic.Field(default_factory=list)
class N(NamedTuple):
    a: int
    new: list = []
"""


@pytest.mark.parametrize("name", ["D", "A", "S", "P", "N"])
def test_object_of_a_class_that_has_grown_takes_the_defaults(name: str, define: Callable[[str, str], Any]) -> None:
    """New fields get their defaults, fields that are gone are dropped."""
    old = getattr(define("growing_shop", FIRST), name)
    data = encode(old(1, 5) if name != "P" else old(a=1, gone=5))
    assert type(decode(data)) is old
    new = getattr(define("growing_shop", GROWN), name)
    back = decode(data)
    assert type(back) is new
    assert (back.a, back.new) == (1, [])
    assert not hasattr(back, "gone")
    if name == "P":
        assert back.model_fields_set == {"a"}
