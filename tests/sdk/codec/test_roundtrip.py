"""Values of the standard library and of plain data come back equal and of the same types, from the same bytes."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import ipaddress
import math
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Hashable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trigger_sdk._codec import decode, encode

BERLIN = ZoneInfo("Europe/Berlin")
NAIVE = dt.datetime.fromisoformat("2026-01-02T03:04:05.000006")


class Color(enum.Enum):
    """An enum."""

    RED = "red"
    BLUE = ("b", 1)


class Level(enum.IntEnum):
    """An enum of ints."""

    LOW = 1


class Word(enum.StrEnum):
    """An enum of strings."""

    YES = "yes"


class Right(enum.Flag):
    """A flag."""

    READ = 1
    WRITE = 2


class Names(list[str]):
    """A list with attributes."""

    owner: str


class Bag(dict[str, int]):
    """A dict that shows something else than it holds."""

    def __getitem__(self, key: str) -> int:
        return super().__getitem__(key) + 1


class Pair(tuple[int, int]):  # noqa: SLOT001 - the attributes are the point
    """A tuple with a constructor of its own."""

    def __new__(cls, first: int, second: int) -> Self:
        """Want two."""
        return super().__new__(cls, (first, second))


def same(left: Any, right: Any) -> bool:
    """Equal, and of the same types all the way down; NaN is itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, (list, tuple, collections.deque)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return len(left) == len(right) and all(map(same, left, right)) and all(map(same, left.values(), right.values()))
    if isinstance(left, (set, frozenset)):
        return bool(left == right) and sorted(map(type_name, left)) == sorted(map(type_name, right))
    return bool(left == right)


def type_name(value: object) -> str:
    """The name of a value's type."""
    return type(value).__qualname__


VALUES = [
    None, True, False, 0, -1, 2**63, 2**64 - 1, -(2**63), 2**64, -(2**63) - 1, 10**5000, -(10**5000),
    1.5, math.inf, -0.0,
    "", "ä€😀", "\ud800", "a\udcffb", b"", b"\x00\xff", bytearray(b"ab"), [], {}, (), set(), frozenset(),
    [1, "a", None], (1, (2, [3])), {1, 2}, {"a", 1, None, (1, 2)}, frozenset(("x",)), {frozenset((1,)), frozenset()},
    {"a": {"b": [1]}}, {1: 2}, {(1, 2): {None: "x"}}, {"\ud800": 1}, {True: 1, "a": 2}, {Word.YES: 1}, {2**70: 2**70},
    NAIVE, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.datetime(1, 1, 1, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
    dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(seconds=-3601), "odd")),
    dt.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN), dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
    NAIVE.replace(fold=1), dt.date(2026, 1, 2), dt.time(1, 2, 3, 4), dt.time(1, tzinfo=dt.UTC),
    dt.time(1, tzinfo=BERLIN), dt.timedelta(days=-1, microseconds=1), dt.UTC, BERLIN,
    dt.timezone(dt.timedelta(hours=1), "x"),
    Decimal("1.10"), Decimal("-0"), Decimal("Infinity"), Decimal("1E+400"), Fraction(1, 3), Fraction(2**80, 3), 1 - 2j,
    UUID(int=5), pathlib.PurePosixPath("/a/b"), pathlib.PureWindowsPath("c:\\a"), pathlib.Path("a\udcff"),
    pathlib.Path(),
    Color.RED, Color.BLUE, Level.LOW, Word.YES, Right.READ, Right.READ | Right.WRITE, Right(0), {Color.RED: Level.LOW},
    collections.OrderedDict(b=1, a=(1,)), collections.Counter("abca"), collections.deque([1, (2,)], 5),
    collections.defaultdict(list, {"a": [1]}), collections.defaultdict(None, {1: 2}), range(1, 10, 3), range(2**70),
    ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("::1"), ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_interface("10.0.0.1/8"), Names(["a"]), Pair(1, 2), [(), [()], {"x": ()}],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_value_of_each_kind_comes_back(value: object) -> None:
    """Each kind of value is the same after the round trip, and gives the same bytes again."""
    data = encode(value)
    back = decode(data)
    assert same(back, value)
    assert encode(back) == data


def test_datetimes_keep_zone_offset_and_fold() -> None:
    """Equality of datetimes ignores zone and fold: both are kept."""
    for value in (v for v in VALUES if isinstance(v, dt.datetime)):
        back = decode(encode(value))
        assert (back.fold, back.utcoffset(), back.tzname()) == (value.fold, value.utcoffset(), value.tzname())
        assert type(back.tzinfo) is type(value.tzinfo)
    assert decode(encode(dt.datetime(2026, 1, 1, tzinfo=BERLIN))).tzinfo is BERLIN


def test_nan_is_kept_anywhere() -> None:
    """NaN and infinities are floats as any other."""
    assert same(decode(encode([math.nan, {"a": -math.inf}])), [math.nan, {"a": -math.inf}])


def test_signed_zero_and_default_factory_are_kept() -> None:
    """What equality does not see."""
    assert math.copysign(1, decode(encode(-0.0))) == -1
    assert str(decode(encode(Decimal("-0.00")))) == "-0.00"
    assert decode(encode(collections.defaultdict(list)))["new"] == []
    assert decode(encode(collections.deque(maxlen=5))).maxlen == 5


class Text(str):
    """A str of its own."""

    __slots__ = ()


class Moment(dt.datetime):
    """A datetime of its own, as freezegun and pendulum have."""


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Text("a"), "a"),
        (type("Size", (int,), {})(5), 5),
        (type("Price", (float,), {})(1.5), 1.5),
        (type("Blob", (bytes,), {})(b"x"), b"x"),
        (type("Key", (UUID,), {})(int=3), UUID(int=3)),
        (type("Amount", (Decimal,), {})("1.50"), Decimal("1.50")),
        (Moment(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
        ({Text("a"): Text("b")}, {"a": "b"}),
    ],
)
def test_subclass_of_a_scalar_becomes_its_base(value: object, plain: object) -> None:
    """What numpy, markupsafe or pendulum add to a scalar is not kept."""
    assert same(decode(encode(value)), plain)


def test_subclass_of_a_container_keeps_its_class_content_and_attributes() -> None:
    """Neither its constructor nor what it overrides is called."""
    names = Names(["a", "b"])
    names.owner = "me"
    back = decode(encode({"n": names, "b": Bag(a=1), "p": Pair(1, 2)}))
    assert (type(back["n"]), back["n"], back["n"].owner) == (Names, ["a", "b"], "me")
    assert (type(back["b"]), dict.__getitem__(back["b"], "a")) == (Bag, 1)
    assert (type(back["p"]), back["p"]) == (Pair, (1, 2))


def test_zone_of_another_library_keeps_its_offset() -> None:
    """pydantic and dateutil have tzinfo classes of their own."""

    class Fixed(dt.tzinfo):
        def utcoffset(self, _when: dt.datetime | None) -> dt.timedelta:
            return dt.timedelta(hours=2)

        def dst(self, _when: dt.datetime | None) -> None:
            return None

        def tzname(self, _when: dt.datetime | None) -> str:
            return "two"

    value = dt.datetime(2026, 1, 1, tzinfo=Fixed())
    back = decode(encode(value))
    assert back == value
    assert type(back.tzinfo) is dt.timezone
    assert encode(back) == encode(value)


def test_values_shared_by_two_places_come_back_twice() -> None:
    """A value that occurs twice is no cycle."""
    shared = [(1,)]
    assert decode(encode([shared, shared])) == [[(1,)], [(1,)]]


def test_big_value_is_compressed_and_comes_back() -> None:
    """Beyond 256 KiB the envelope says zlib."""
    value = [{"name": "x" * 100, "at": dt.date(2026, 1, 1)}] * 10_000
    data = encode(value)
    assert data[0] == 1
    assert len(data) < 200_000
    assert decode(data) == value


def test_deepest_allowed_nesting_comes_back_on_a_deep_stack() -> None:
    """100 levels of objects fit on a stack that is in use already."""

    def down(levels: int) -> object:
        return down(levels - 1) if levels else decode(encode(value)) == value

    value: Any = ("end",)
    for _ in range(99):
        value = (value,)
    assert down(200)


scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(),
    st.text(st.characters()), st.binary(),
    st.datetimes(), st.datetimes(timezones=st.timezones()), st.dates(), st.times(), st.timedeltas(),
    st.decimals(allow_nan=False), st.fractions(), st.uuids(), st.complex_numbers(allow_nan=False),
    st.sampled_from([*Color, *Level, *Word, *Right]), st.ip_addresses(),
    st.binary().map(lambda raw: pathlib.PurePosixPath(os.fsdecode(raw))),
)  # fmt: skip
keys: st.SearchStrategy[Any] = st.recursive(
    scalars.filter(lambda value: isinstance(value, Hashable)),
    lambda inner: st.one_of(st.lists(inner, max_size=3).map(tuple), st.frozensets(inner, max_size=3)),
    max_leaves=4,
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.text(max_size=5), inner, max_size=5),
        st.dictionaries(keys, inner, max_size=5),
        st.sets(keys, max_size=5),
        st.frozensets(keys, max_size=5),
        st.binary().map(bytearray),
        st.lists(inner, max_size=3).map(collections.deque),
    ),
    max_leaves=20,
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(values)
def test_any_value_is_a_fixed_point(value: object) -> None:
    """For all values: equal, of the same types, and the same bytes the second time."""
    data = encode(value)
    back = decode(data)
    assert same(back, value)
    assert encode(back) == data


@settings(max_examples=200, deadline=None)
@given(st.lists(keys, max_size=8), st.randoms(use_true_random=False))
def test_equal_sets_have_equal_bytes(members: list[Any], random: Any) -> None:
    """The order in which a set was filled does not show, also inside other values."""
    unique = list({encode(member): member for member in set(members)}.values())
    shuffled = random.sample(unique, len(unique))
    for kind in (set, frozenset):
        assert encode([kind(unique), {"a": kind(unique)}]) == encode([kind(shuffled), {"a": kind(shuffled)}])


@pytest.mark.parametrize(
    "members", ["{'a', 'b', 'c', 'd', 'é'}", "{'a', 1, None, ('x', 'y'), b'z'}", "{frozenset('ab')}"]
)
def test_bytes_of_a_set_do_not_depend_on_the_hash_seed(members: str) -> None:
    """Workers with different hash seeds write the same bytes."""
    code = f"from trigger_sdk._codec import encode; print(encode({members}).hex())"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


def test_import_of_the_codec_loads_no_model_library() -> None:
    """pydantic and attrs are recognized, never imported."""
    code = (
        "import sys, trigger_sdk._codec as c; c.decode(c.encode([1, (2,)]));"
        "c.decode_payload({'a': 1}, dict[str, int]);"
        "print([m for m in ('pydantic', 'pydantic_core', 'attr', 'attrs') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "value", [pathlib.Path.cwd().stat(), os.uname(), time.gmtime(0), os.times()], ids=lambda value: type(value).__name__
)
def test_named_tuples_of_c_come_back(value: Any) -> None:
    """What the operating system's calls return is stored with the fields that only have names."""
    back = decode(encode(value))
    assert (type(back), back) == (type(value), value)
    assert back.__reduce__() == value.__reduce__()
