"""Input is read as the type its parameter asks for, and what does not fit is named field by field."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import ipaddress
import json
import pathlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest

from trigger_sdk._codec import decode_input, decode_payload, encode, payload_schema, payload_to_plain
from trigger_sdk._codec.errors import PayloadInvalid
from trigger_sdk.protocol.values import encode_json

T = TypeVar("T")
UserId = NewType("UserId", int)
NAIVE = dt.datetime.fromisoformat("2026-01-01T00:00:00")


class Kind(enum.Enum):
    """An enum."""

    BIG = "big"


@dataclasses.dataclass
class Item:
    """An item, with a check of its own."""

    sku: str
    price: float
    parent: Item | None = None

    def __post_init__(self) -> None:
        if self.price < 0:
            raise ValueError("the price is negative")


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """An order with every kind of field."""

    id: int
    items: list[Item] = dataclasses.field(default_factory=list)
    at: dt.datetime | None = None
    kind: Kind = Kind.BIG
    amount: Decimal = Decimal(0)
    key: UUID | None = None
    wait: dt.timedelta = dt.timedelta()
    tags: set[str] = dataclasses.field(default_factory=set)
    pair: tuple[int, str] | None = None
    by_id: dict[int, Item] = dataclasses.field(default_factory=dict)
    mode: Literal["a", "b"] = "a"


@dataclasses.dataclass
class Circle:
    """A shape."""

    radius: float


@dataclasses.dataclass
class Square:
    """Another shape."""

    side: float
    name: str = ""


@dataclasses.dataclass
class Drawing:
    """Shapes in a union that msgspec refuses."""

    shapes: list[Circle | Square]
    user: UserId = UserId(0)


@dataclasses.dataclass
class Wrapper(Generic[T]):
    """A generic dataclass."""

    content: T
    also: list[T] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Scaled:
    """A dataclass with an argument that is no field."""

    size: int = dataclasses.field(init=False)
    scale: dataclasses.InitVar[int]

    def __post_init__(self, scale: int) -> None:
        self.size = scale * 10


class Movie(TypedDict):
    """A dict with named keys."""

    title: str
    year: NotRequired[int]


class Point(NamedTuple):
    """A named tuple."""

    x: int
    y: int = 0


class Ticket(msgspec.Struct, rename="camel"):
    """A Struct, renamed."""

    user_id: Annotated[int, msgspec.Meta(gt=0)]
    shape: str = ""


@attrs.define
class Parcel:
    """An attrs class."""

    weight: float = attrs.field(validator=attrs.validators.gt(0))
    _label: str = ""


class Address(pydantic.BaseModel):
    """A model."""

    city: str = pydantic.Field(min_length=1)
    zip: int


class Strict(pydantic.BaseModel):
    """A strict model."""

    model_config = pydantic.ConfigDict(strict=True)
    at: dt.datetime
    tags: set[str]


@dataclasses.dataclass
class Delivery:
    """A dataclass that holds a model."""

    to: Address
    parcels: list[str]


@attrs.define
class Shipment:
    """An attrs class that holds a model: pydantic alone cannot read it."""

    to: Address
    count: int


GOOD: list[tuple[Any, Any, Any]] = [
    ({"a": 1}, Any, {"a": 1}),
    (5, int, 5),
    (5.0, int, 5),
    (5, float, 5.0),
    (None, None, None),
    (None, Optional[int], None),  # noqa: UP045 - the old spelling
    ("x", Union[int, str], "x"),  # noqa: UP007 - the old spelling
    ("2026-01-01T00:00:00Z", dt.datetime, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    ("2026-01-01", dt.date, dt.date(2026, 1, 1)),
    (90, dt.timedelta, dt.timedelta(seconds=90)),
    ("PT90S", dt.timedelta, dt.timedelta(seconds=90)),
    ("1.10", Decimal, Decimal("1.10")),
    ("big", Kind, Kind.BIG),
    ([1, 2], set[int], {1, 2}),
    ([1, "a"], tuple[int, str], (1, "a")),
    ([1, 2], tuple[int, ...], (1, 2)),
    ([1], Sequence[int], [1]),
    ({"a": 1}, Mapping[str, int], {"a": 1}),
    ({"1": "a"}, dict[int, str], {1: "a"}),
    ([1], collections.deque[Circle | Square] | list[int], [1]),
    ("10.0.0.1", ipaddress.IPv4Address, ipaddress.IPv4Address("10.0.0.1")),
    ("a/b", pathlib.Path, pathlib.Path("a/b")),
    ("YWI=", bytes, b"ab"),
    ({"title": "x"}, Movie, {"title": "x"}),
    ([1, 2], Point, Point(1, 2)),
    ({"userId": 5}, Ticket, Ticket(5)),
    ({"weight": 1.5, "label": "x"}, Parcel, Parcel(1.5)),
    ({"radius": 1}, Circle | Square, Circle(1.0)),
    ({"side": 1}, Circle | Square, Square(1.0)),
    ({"side": 1, "name": "x"}, Union[Circle, Square, None], Square(1.0, "x")),  # noqa: UP007 - the old spelling
    ({"shapes": [{"radius": 1}, {"side": 2}], "user": 3}, Drawing, Drawing([Circle(1), Square(2)], UserId(3))),
    ({"content": {"radius": 1}, "also": []}, Wrapper[Circle], Wrapper(Circle(1))),
    ({"content": {"side": 1}, "also": [{"radius": 1}]}, Wrapper[Circle | Square], Wrapper(Square(1), [Circle(1)])),
    ({"scale": 2}, Scaled, Scaled(2)),
    ({"city": "x", "zip": "5"}, Address, Address(city="x", zip=5)),
    ([{"city": "x", "zip": 5}], list[Address], [Address(city="x", zip=5)]),
    ({"at": "2026-01-01T00:00:00", "tags": ["a"]}, Strict, Strict(at=NAIVE, tags={"a"})),
    ({"to": {"city": "x", "zip": 5}, "parcels": []}, Delivery, Delivery(Address(city="x", zip=5), [])),
    ({"to": {"city": "x", "zip": 5}, "count": 1}, Shipment, Shipment(Address(city="x", zip=5), 1)),
    ({"city": "x", "zip": 5}, Address | Circle, Address(city="x", zip=5)),
    (5, Annotated[int, pydantic.Field(gt=3)], 5),
    (
        {"id": 1, "items": [{"sku": "a", "price": 1, "parent": {"sku": "b", "price": 2}}], "at": "2026-01-01T00:00:00",
         "kind": "big", "amount": "1.5", "key": "00000000-0000-0000-0000-000000000005", "wait": 1, "tags": ["x"],
         "pair": [1, "a"], "by_id": {"7": {"sku": "c", "price": 3}}, "mode": "b"},
        Order,
        Order(1, [Item("a", 1.0, Item("b", 2.0))], NAIVE, Kind.BIG, Decimal("1.5"), UUID(int=5),
              dt.timedelta(seconds=1), {"x"}, (1, "a"), {7: Item("c", 3.0)}, "b"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "annotation", "expected"), GOOD)
def test_input_is_read_as_the_annotated_type(plain: Any, annotation: Any, expected: Any) -> None:
    """From JSON, and through an encoded value alike."""
    read = decode_payload(plain, annotation)
    assert read == expected
    assert type(read) is type(expected)
    assert decode_input(encode_json(plain), annotation) == expected


@pytest.mark.parametrize(("plain", "annotation", "expected"), GOOD)
def test_live_input_of_the_annotated_type_stays_what_it_is(
    plain: Any,
    annotation: Any,
    expected: Any,
) -> None:
    """`job.trigger(Payload(...))` gives the job an equal payload, whatever JSON would have been."""
    live = decode_input(encode(expected), annotation)
    assert live == expected
    assert type(live) is type(expected)
    if annotation is not Scaled:  # an InitVar is not in the object any more
        sent = json.loads(json.dumps(payload_to_plain(expected), allow_nan=False))
        assert decode_payload(sent, annotation) == expected


BAD: list[tuple[Any, Any, list[tuple[str, str]]]] = [
    ("x", int, [("", "Expected `int`, got `str`")]),
    ("12", int, [("", "Expected `int`, got `str`")]),
    (True, int, [("", "Expected `int`, got `bool`")]),
    (None, Item, [("", "got `null`")]),
    ([], Item, [("", "got `array`")]),
    ({}, Item, [("sku", "is required"), ("price", "is required")]),
    ({"sku": 1, "price": "x"}, Item, [("sku", "Expected `str`"), ("price", "Expected `float`")]),
    ({"sku": "a", "price": -1}, Item, [("", "the price is negative")]),
    (
        {"id": 1, "items": [{"sku": "a", "price": 1}, {"price": "x"}], "at": "noon", "kind": "small", "amount": "x",
         "key": "x", "wait": "soon", "tags": [1], "pair": [1], "by_id": {"a": {}}, "mode": "c"},
        Order,
        [("items[1].sku", "is required"), ("items[1].price", "Expected `float`"), ("at", "Invalid RFC3339"),
         ("kind", "Invalid enum value 'small'"), ("amount", "Invalid decimal"), ("key", "Invalid UUID"),
         ("wait", "Invalid ISO8601 duration"), ("tags[0]", "Expected `str`"), ("pair", "expected 2 items, got 1"),
         ("by_id.a", "the key does not fit"), ("by_id.a.sku", "is required"), ("by_id.a.price", "is required"),
         ("mode", "Invalid enum value 'c'")],
    ),
    ({"a b": "x"}, dict[str, int], [("['a b']", "Expected `int`")]),
    ({"x": "y"}, Circle | Square, [("", "fits none of Circle, Square")]),
    ({"radius": "x"}, Circle | Square, [("radius", "Expected `float`")]),
    ({"shapes": [{"radius": 1}, {"side": []}]}, Drawing, [("shapes[1].side", "Expected `float`")]),
    (5, Circle | Square, [("", "fits none of Circle, Square")]),
    ({"title": 5}, Movie, [("title", "Expected `str`")]),
    ({}, Movie, [("title", "is required")]),
    ({"userId": 0}, Ticket, [("userId", "Expected `int` >= 1")]),
    ({"weight": 0}, Parcel, [("", "'weight' must be > 0")]),
    ({"zip": "x"}, Address, [("city", "is required"), ("zip", "valid integer")]),
    ({"to": {"city": ""}, "parcels": [1]}, Delivery, [("to.city", "at least 1"), ("to.zip", "is required"),
                                                      ("parcels[0]", "valid string")]),
    ({"to": {"city": ""}, "count": "x"}, Shipment, [("to.city", "at least 1"), ("to.zip", "is required"),
                                                    ("count", "Expected `int`")]),
    ([{"city": "x", "zip": 1}, {}], list[Address], [("[1].city", "is required"), ("[1].zip", "is required")]),
    (1, Annotated[int, pydantic.Field(gt=3)], [("", "greater than 3")]),
    ({"x": {"y": "z"}}, dict[str, Address | None], [("x.city", "is required"), ("x.zip", "is required")]),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "annotation", "expected"), BAD)
def test_misfit_names_every_field_and_reason(plain: Any, annotation: Any, expected: list[tuple[str, str]]) -> None:
    """All that is wrong, at once."""
    with pytest.raises(PayloadInvalid) as caught:
        decode_payload(plain, annotation)
    found = caught.value.fields
    assert [path for path, _ in found] == [path for path, _ in expected]
    for (_, reason), (_, part) in zip(found, expected, strict=True):
        assert part in reason
    problem = caught.value.problem
    assert problem.code == "invalid-payload"
    assert problem.where == found[0][0]
    assert found[0][1] in problem.message


def test_member_of_a_union_that_was_tried_is_told_in_the_reason() -> None:
    """pydantic tells it as a step of the path."""
    with pytest.raises(PayloadInvalid) as caught:
        decode_payload({"a": {"city": 1}}, dict[str, Address | int])
    paths = {path for path, _ in caught.value.fields}
    assert paths == {"a.city", "a.zip", "a"}
    assert any("(as Address)" in reason for _, reason in caught.value.fields)


def test_constructor_that_fails_in_any_way_is_a_misfit() -> None:
    """A check by the user's own code may raise what it likes."""

    @dataclasses.dataclass
    class Odd:
        a: int

        def __post_init__(self) -> None:
            raise LookupError("not in the table")

    with pytest.raises(PayloadInvalid, match="not in the table"):
        decode_payload({"a": 1}, Odd)


def test_annotation_that_cannot_be_resolved_is_told() -> None:
    """A name that exists for type checkers only."""
    broken = dataclasses.make_dataclass("Broken", [("a", "Missing")])
    with pytest.raises(PayloadInvalid, match="Missing"):
        decode_payload({"a": 1}, broken)


def test_live_objects_of_another_class_are_read_by_their_fields() -> None:
    """A caller may have classes of its own."""

    @dataclasses.dataclass
    class Foreign:
        city: str
        zip: int

    Foreign.__qualname__ = "Foreign"
    globals()["Foreign"] = Foreign
    try:
        assert decode_input(encode(Foreign("x", 5)), Address) == Address(city="x", zip=5)
        assert decode_payload([Foreign("x", 5)], list[Address]) == [Address(city="x", zip=5)]
    finally:
        del globals()["Foreign"]


def test_plain_data_with_dates_is_read_too() -> None:
    """`job.trigger({"at": datetime.now()})`."""
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    read = decode_input(encode({"id": 1, "at": when, "amount": Decimal("1.5"), "tags": {"a"}}), Order)
    assert (read.at, read.amount, read.tags) == (when, Decimal("1.5"), {"a"})
    assert decode_input(encode({"at": when, "tags": {"a"}}), Strict) == Strict(at=when, tags={"a"})


SCHEMAS: list[tuple[Any, Callable[[dict[str, Any]], bool]]] = [
    (int, lambda schema: schema == {"type": "integer"}),
    (Order, lambda schema: "items" in schema["$defs"]["Order"]["properties"]),
    (Address, lambda schema: schema["required"] == ["city", "zip"]),
    (list[Address], lambda schema: schema["type"] == "array"),
    (Delivery, lambda schema: "Address" in schema["$defs"]),
    (Circle | Square, lambda schema: len(schema["anyOf"]) == 2 and set(schema["$defs"]) == {"Circle", "Square"}),
    (Drawing, lambda schema: "shapes" in str(schema)),
    (pathlib.Path, lambda schema: schema == {"type": "string"}),
    (Annotated[int, pydantic.Field(gt=3)], lambda schema: schema["exclusiveMinimum"] == 3),
]


@pytest.mark.parametrize(("annotation", "check"), SCHEMAS)
def test_schema_of_an_annotation(annotation: Any, check: Callable[[dict[str, Any]], bool]) -> None:
    """JSON schemas, by the library that knows the type."""
    schema = payload_schema(annotation)
    assert schema is not None
    assert check(schema)


@pytest.mark.parametrize("annotation", [Any, object, threading_lock := type("Lock", (), {}), Callable[[], int]])
def test_annotation_without_a_schema_has_none(annotation: Any) -> None:
    """Nothing to be said, or nothing that can be said."""
    assert payload_schema(annotation) is None
