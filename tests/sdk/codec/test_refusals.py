"""What cannot be stored is refused with its type, its place in the value and a way out."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime as dt
import functools
import platform
import socket
import sqlite3
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from trigger_sdk._codec import encode, encode_error
from trigger_sdk._codec.errors import NotEncodable, ValueTooLarge
from trigger_sdk.protocol.limits import MAX_VALUE_BYTES


@dataclasses.dataclass
class Holder:
    """Holds anything."""

    items: Any = None


@dataclasses.dataclass
class Needy:
    """Has a field without a default."""

    needed: int


class Model(pydantic.BaseModel):
    """Holds anything, in a private attribute too."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True, extra="allow")
    value: Any = None
    _conn: Any = None


class Mapped:
    """An object of a database session, as SQLAlchemy makes them."""

    __mapper__ = object()


def _local_object() -> object:
    @dataclasses.dataclass
    class Local:
        a: int

    return Local(1)


def _module_without_name() -> object:
    cls = dataclasses.make_dataclass("Nameless", [("a", int)])
    cls.__module__ = __name__
    return cls(1)


async def _coroutine() -> None: ...


def _made_coroutine() -> object:
    coroutine = _coroutine()
    coroutine.close()
    return coroutine


REFUSED: list[tuple[Callable[[], Any], str, str]] = [
    (object, "object", "dataclass"),
    (lambda: lambda: 1, "function", "call it"),
    (lambda: len, "builtin_function_or_method", "call it"),
    (lambda: int, "type", "call it"),
    (lambda: types, "module", "call it"),
    (lambda: functools.partial(len), "functools.partial", ""),
    (lambda: (x for x in [1]), "generator", "collect"),
    (lambda: iter([]), "list_iterator", "collect"),
    (_made_coroutine, "coroutine", ""),
    (lambda: memoryview(b""), "memoryview", "bytes"),
    ({}.keys, "dict_keys", "list"),
    (lambda: types.MappingProxyType({}), "mappingproxy", "dict"),
    (threading.Lock, "lock", ""),
    (lambda: weakref.ref(Holder), "ReferenceType", ""),
    (_local_object, "Local", "top level"),
    (_module_without_name, "Nameless", "top level"),
    (Mapped, "Mapped", "id"),
    (lambda: collections.defaultdict(lambda: 1), "defaultdict", "dict"),
    (platform.uname, "uname_result", "tuple"),
]


@pytest.mark.parametrize(("make", "type_name", "way_out"), REFUSED)
def test_refusal_names_type_and_way_out(make: Callable[[], Any], type_name: str, way_out: str) -> None:
    """Each kind of thing that cannot be stored."""
    with pytest.raises(NotEncodable) as caught:
        encode(make())
    problem = caught.value.problem
    assert problem.code == "not-encodable"
    assert type_name in problem.message
    assert problem.message.startswith("`result` is a")
    assert way_out in problem.hint
    assert problem.hint


def test_open_resources_are_refused_with_the_advice_to_open_them_in_the_task() -> None:
    """Files, sockets and connections."""
    with open(__file__) as file, socket.socket() as connection, sqlite3.connect(":memory:") as database:  # noqa: PTH123
        for resource in (file, connection, database):
            with pytest.raises(NotEncodable) as caught:
                encode(resource)
            assert "open it inside the task" in caught.value.problem.hint
    database.close()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (Holder([1, 2, 3, Holder(len)]), "result.items[3].items"),
        ({"a": {"b c": [(len,)]}}, "result.a['b c'][0][0]"),
        ({1: len}, "result[1]"),
        ({(1, 2): [len]}, "result[(1, 2)][0]"),
        ({10**5000: len}, "result[<int>]"),
        (Model(value={"x": len}), "result.value.x"),
        (Model.model_validate({"more": len}), "result.more"),
        (collections.deque([1, len]), "result[1]"),
        ([2**70, "\ud800", {"x": len}], "result[2].x"),
    ],
)
def test_refusal_says_where_the_thing_is(value: object, place: str) -> None:
    """The path leads to the part, through objects, keys and indexes."""
    with pytest.raises(NotEncodable) as caught:
        encode(value)
    assert caught.value.problem.where == place
    assert f"`{place}`" in caught.value.problem.message


def test_private_attribute_is_part_of_the_path() -> None:
    """A model's private attribute may hold a connection."""
    model = Model()
    model._conn = threading.Lock()
    with pytest.raises(NotEncodable, match=r"`payload\._conn` is a _thread.lock"):
        encode(model, "payload")


def _cycles() -> list[object]:
    plain: list[Any] = [1]
    plain.append(plain)
    through: dict[str, Any] = {}
    through["a"] = [{"b": through}]
    holder = Holder()
    holder.items = (holder,)
    counter: Any = collections.OrderedDict()
    counter["self"] = counter
    return [plain, through, holder, counter]


@pytest.mark.parametrize("value", _cycles(), ids=["list", "dict", "object", "subclass"])
def test_value_that_contains_itself_is_refused(value: object) -> None:
    """A cycle is named as one."""
    with pytest.raises(NotEncodable, match="contains itself") as caught:
        encode(value)
    assert len(caught.value.problem.where) < 40


@pytest.mark.parametrize("levels", [105, 500, 100_000])
@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}, Holder, lambda inner: (inner,)])
def test_value_that_is_nested_too_deeply_is_refused(levels: int, wrap: Callable[[Any], Any]) -> None:
    """Never a RecursionError."""
    value: Any = []
    for _ in range(levels):
        value = wrap(value)
    with pytest.raises(NotEncodable, match="nested more than 100 levels"):
        encode(value)
    while value and not isinstance(value, Holder):  # take it apart: deep tuples overflow the stack of some interpreters
        value = value["a"] if isinstance(value, dict) else value[0]


def test_value_over_the_limit_is_refused_with_both_sizes() -> None:
    """The message names what it is, its size and the limit."""
    with pytest.raises(
        ValueTooLarge, match=r"result of charge has 65\.0 MiB encoded; the limit is 64\.0 MiB"
    ) as caught:
        encode(b"x" * (MAX_VALUE_BYTES + 1024 * 1024), "result of charge")
    assert caught.value.problem.code == "value-too-large"
    assert "object store" in caught.value.problem.hint


def test_value_just_within_the_limit_is_taken() -> None:
    """The limit is for the value before it is compressed."""
    assert len(encode(b"x" * (MAX_VALUE_BYTES - 16))) < MAX_VALUE_BYTES


def test_datetime_that_is_no_date_is_refused() -> None:
    """pandas.NaT is a datetime without a year."""

    class NaT(dt.datetime):
        @property
        def year(self) -> int:
            raise ValueError("it has none")

    with pytest.raises(NotEncodable):
        encode(NaT(2026, 1, 1, tzinfo=dt.UTC))


def test_field_that_is_not_set_is_refused() -> None:
    """A required field was deleted."""
    needy = Needy(1)
    del needy.needed
    with pytest.raises(NotEncodable, match="its field needed is not set"):
        encode(needy)


def test_future_and_task_are_refused() -> None:
    """What is awaited is not the value."""
    loop = asyncio.new_event_loop()
    with pytest.raises(NotEncodable, match="Future") as caught:
        encode(loop.create_future())
    loop.close()
    assert "await it" in caught.value.problem.hint


def test_error_can_always_be_encoded() -> None:
    """Whatever an exception holds."""
    error = ValueError(b"x" * (MAX_VALUE_BYTES + 1), *_cycles())
    error.big = "x" * (MAX_VALUE_BYTES + 1)  # type: ignore[attr-defined]
    error.me = error  # type: ignore[attr-defined]
    error.lock = threading.Lock()  # type: ignore[attr-defined]
    assert len(encode_error(error)) < 1024 * 1024
