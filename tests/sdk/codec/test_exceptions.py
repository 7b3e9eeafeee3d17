"""Exceptions come back as their own class, with what they held, whatever their constructors want."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import threading
import urllib.error
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from typing import Any, Self

import attrs
import httpx
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigger_sdk._codec import decode, decode_error, encode, encode_error
from trigger_sdk._codec.errors import ClassNotFound, NotKept, OriginalTraceback, PayloadInvalid, ProblemError, TaskError
from trigger_sdk.protocol.errors import NotEncodable, ValueCorrupt
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.values import encode_problem, error_to_json, to_json

Define = Callable[[str, str], Any]


class Declined(Exception):
    """An exception whose constructor wants what it does not pass on."""

    def __init__(self, code: int, *, card: str) -> None:
        super().__init__(f"card {card} declined")
        self.code = code
        self.card = card

    def __str__(self) -> str:
        return f"{self.code}: {self.args[0]}"


class Keyworded(Exception):
    """An exception with a ``__new__`` of its own."""

    def __new__(cls, *, name: str) -> Self:
        """Want a keyword."""
        return super().__new__(cls, name)

    def __init__(self, *, name: str) -> None:
        self.name = name


class Slotted(Exception):
    """An exception that holds something in a slot."""

    __slots__ = ("code",)

    def __init__(self, code: int) -> None:
        self.code = code


class Guarded(Exception):
    """An exception that refuses to be changed, and to be printed."""

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no text")


@dataclasses.dataclass
class Detailed(Exception):
    """A dataclass that is an exception."""

    code: int
    tags: set[str]


@attrs.define
class Defined(Exception):
    """An attrs class that is an exception."""

    code: int


@attrs.frozen
class Frozen(Exception):
    """A frozen attrs class that is an exception."""

    code: int


class Several(ExceptionGroup[Exception]):
    """A group of a class of its own."""


def raised(error: BaseException) -> BaseException:
    """The exception as it is after it was raised."""
    try:
        raised_(error)
    except BaseException as caught:  # noqa: BLE001 - the point of the function
        return caught
    raise AssertionError("nothing was raised")


def caught_from(call: Callable[[], object]) -> BaseException:
    """The exception that a call raises."""
    try:
        call()
    except Exception as error:  # noqa: BLE001 - the point of the function
        return error
    raise AssertionError("nothing was raised")


BUILT_IN: list[Callable[[], object]] = [
    lambda: dict[str, int]()["key"],
    lambda: list[int]().pop(1),
    lambda: 1 / 0,
    lambda: int("x"),
    lambda: open("/nowhere/at/all"),  # noqa: PTH123, SIM115
    lambda: __import__("no_such_module_at_all"),
    lambda: None.nothing,  # type: ignore[attr-defined]
    b"\xff".decode,
    "\ud800".encode,
    lambda: compile("a b", "f.py", "exec"),
    lambda: json.loads("{"),
    lambda: next(iter([])),
    lambda: subprocess.run(["false"], check=True),
    lambda: asyncio.run(asyncio.wait_for(asyncio.sleep(5), 0.001)),
    lambda: raised_(urllib.error.HTTPError("http://x", 404, "no", Message(), None)),
    lambda: raised_(UnicodeTranslateError("x", 0, 1, "bad")),
    lambda: raised_(OSError(2, "no such", "a", None, "b")),
    lambda: raised_(StopAsyncIteration(5)),
    lambda: raised_(ValueError()),
    lambda: raised_(ValueError("a", 1, (2,), {"b": {3}})),
]


def raised_(error: BaseException) -> object:
    """Raise."""
    raise error


@pytest.mark.parametrize("call", BUILT_IN)
def test_built_in_exception_comes_back_as_it_was(call: Callable[[], object]) -> None:
    """Class, arguments, text and what the class keeps outside of them."""
    error = caught_from(call)
    back = decode_error(encode_error(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert len(back.args) == len(error.args)
    names = "errno strerror filename filename2 name path start end reason object lineno offset text value returncode"
    for name in [*names.split(), "cmd", "code", "doc", "pos", "msg"]:
        if not isinstance(getattr(back, name, None), NotKept):
            assert getattr(back, name, "unset") == getattr(error, name, "unset"), name


@pytest.mark.parametrize(
    "make",
    [lambda: Declined(402, card="visa"), lambda: Frozen(5), lambda: Keyworded(name="n"), lambda: Slotted(5),
     lambda: Defined(5), lambda: Detailed(5, {"a"}), KeyboardInterrupt, lambda: SystemExit(3),
     lambda: asyncio.CancelledError("why")],
)  # fmt: skip
def test_exception_comes_back_as_its_class_without_its_constructor(make: Callable[[], BaseException]) -> None:
    """Signatures of constructors do not matter."""
    error = make()
    back = decode_error(encode_error(error))
    assert type(back) is type(error)
    assert (back.args, str(back), getattr(back, "code", None)) == (error.args, str(error), getattr(error, "code", None))
    assert vars(back) == vars(error)


def test_exception_that_refuses_everything_still_comes_back() -> None:
    """``__setattr__`` and ``__str__`` of the user's may fail."""
    back = decode_error(encode_error(Guarded("x")))
    assert type(back) is Guarded
    assert back.args == ("x",)
    assert error_to_json(encode_error(Guarded("x")))["message"] == "<unprintable Guarded>"


def test_exception_read_back_has_the_same_bytes() -> None:
    """encode(decode(encode(error))) == encode(error), groups and attributes that were not kept included."""
    inner = Declined(1, card="x")
    inner.lock = threading.Lock()  # type: ignore[attr-defined]
    group = Several("both", [inner, ValueError(1, {2})])
    group.add_note("note")
    for error in (raised(inner), raised(group), inner, ValueError("\ud800", 2**70)):
        data = encode_error(error)
        assert encode_error(decode_error(data)) == data


def test_attribute_that_is_not_kept_says_so_when_it_is_used() -> None:
    """A response cannot be stored; everything else of the exception is."""
    request = httpx.Request("GET", "http://x")
    error = caught_from(lambda: httpx.Response(404, request=request).raise_for_status())
    back = decode_error(encode_error(error))
    assert type(back) is httpx.HTTPStatusError
    kept: Any = back.response
    assert kept is not None
    said = r"`response` of httpx.HTTPStatusError was not kept: read it inside the task"
    uses: list[Callable[[], object]] = [
        lambda: kept.status_code, lambda: kept.json(1), lambda: kept["a"], lambda: bool(kept), lambda: list(kept),
        lambda: len(kept), kept, lambda: setattr(kept, "a", 1),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(AttributeError, match=said):
            use()
    assert repr(kept) == "<`response` of httpx.HTTPStatusError, not kept>"
    assert not isinstance(kept, dict)
    with pytest.raises(AttributeError, match="`_request` of"):
        back.request.url.path.upper()


def test_argument_that_cannot_be_stored_becomes_its_text() -> None:
    """Arguments keep their number and places."""
    back = decode_error(encode_error(ValueError("a", len, [object])))
    assert back.args == ("a", "<built-in function len>", "[<class 'object'>]")


def test_exception_held_by_an_exception_comes_back_too() -> None:
    """Database errors hold the driver's error."""
    error = ValueError("outer")
    error.orig = Declined(7, card="x")  # type: ignore[attr-defined]
    back: Any = decode_error(encode_error(error))
    assert type(back.orig) is Declined
    assert back.orig.code == 7


def test_group_comes_back_with_its_members() -> None:
    """Groups in groups, of classes of their own."""
    error = Several("both", [Declined(1, card="a"), ExceptionGroup("inner", [ValueError("b"), KeyError("c")])])
    back = decode_error(encode_error(raised(error)))
    assert isinstance(back, Several)
    assert back.message == "both"
    assert [type(each) for each in back.exceptions] == [Declined, ExceptionGroup]
    assert str(back.exceptions[1]) == "inner (2 sub-exceptions)"
    matched, rest = back.split(KeyError)
    assert matched is not None
    assert rest is not None
    rendered = error_to_json(encode_error(error))
    assert [each["type"].rpartition(".")[2] for each in rendered["errors"]] == ["Declined", "ExceptionGroup"]


def test_exception_is_a_value_too() -> None:
    """gather(return_exceptions=True) in a task's result."""
    back = decode(encode({"results": [1, Declined(5, card="x"), asyncio.CancelledError()]}))
    assert [type(each) for each in back["results"]] == [int, Declined, asyncio.CancelledError]
    assert back["results"][1].code == 5
    assert to_json(encode([ValueError("x")])) == [
        {"type": "ValueError", "message": "x", "traceback": "ValueError: x\n"}
    ]


def test_exception_whose_class_is_gone_is_a_task_error(define: Define) -> None:
    """It shows what the original was, and can be stored again."""
    error = define("gone_errors", "class Lost(ValueError):\n    pass").Lost("it", 1)
    data = encode_error(raised(error))
    define("gone_errors", "Lost = 5")
    back = decode_error(data)
    assert isinstance(back, TaskError)
    assert str(back) == "gone_errors.Lost: ('it', 1)"
    assert back.type_name == "gone_errors.Lost"
    assert "raise error" in back.traceback
    again = error_to_json(encode_error(back))
    assert again["type"] == "gone_errors.Lost"
    assert again["message"] == "('it', 1)"
    assert type(decode_error(encode_error(back))) is TaskError


def test_traceback_of_a_threads_task_begins_with_the_users_code() -> None:
    """A sync task is called in a pool's thread: those frames are not the user's."""

    def charge() -> None:
        raise Declined(7, card="x")

    with ThreadPoolExecutor(1) as pool, pytest.raises(Declined) as caught:
        pool.submit(charge).result()
    error = caught.value
    assert error.__traceback__ is not None
    in_thread = error.__traceback__
    while "concurrent" not in in_thread.tb_frame.f_code.co_filename or in_thread.tb_frame.f_code.co_name != "run":
        assert in_thread.tb_next is not None
        in_thread = in_thread.tb_next
    text = error_to_json(encode_error(error.with_traceback(in_thread)))["traceback"]
    assert text.splitlines()[1].startswith(f'  File "{__file__}"')
    assert "thread.py" not in text


def test_exception_of_a_class_made_on_the_fly_comes_back_as_its_nearest_base() -> None:
    """boto makes a class for each error code: `except ClientError` still catches it."""
    made = type("NoSuchKey", (Declined,), {})
    made.__module__ = "errorfactory"
    back = decode_error(encode_error(made(404, card="x")))
    assert type(back) is Declined
    assert back.code == 404
    assert error_to_json(encode_error(made(404, card="x")))["type"] == "errorfactory.NoSuchKey"

    class Local(Exception):
        pass

    assert isinstance(decode_error(encode_error(Local("x"))), TaskError)


def test_attribute_of_a_class_that_is_gone_does_not_take_the_exception_along(define: Define) -> None:
    """Each part is read by itself."""
    shop = define("gone_parts", "import dataclasses\n@dataclasses.dataclass\nclass Part:\n    a: int")
    error = Declined(1, card="x")
    error.part = shop.Part(1)  # type: ignore[attr-defined]
    data = encode_error(error)
    define("gone_parts", "")
    back: Any = decode_error(data)
    assert back.code == 1
    with pytest.raises(AttributeError, match="`part` of"):
        back.part.a.b()


class Person(pydantic.BaseModel):
    """A model with a check of its own."""

    age: int
    name: str

    @pydantic.field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if value == "custom":
            raise pydantic_custom()
        if not value:
            raise ValueError("is empty")
        return value


def pydantic_custom() -> Exception:
    """An error of a type that pydantic does not know."""
    from pydantic_core import PydanticCustomError

    return PydanticCustomError("own_type", "own {text} message", {"text": "x"})


@pytest.mark.parametrize(
    "data", [{"age": "x", "name": ""}, {}, {"age": 1, "name": "custom"}, {"age": threading.Lock()}]
)
def test_validation_error_of_pydantic_comes_back(data: dict[str, Any]) -> None:
    """It has no constructor at all."""
    error = caught_from(lambda: Person.model_validate(data))
    assert isinstance(error, pydantic.ValidationError)
    back = decode_error(encode_error(error))
    assert isinstance(back, pydantic.ValidationError)
    assert back.title == "Person"
    assert [(e["type"], e["loc"], e["msg"]) for e in back.errors()] == [
        (e["type"], e["loc"], e["msg"]) for e in error.errors()
    ]
    assert isinstance(back.__cause__, OriginalTraceback)


def test_problem_comes_back_as_a_problem_error() -> None:
    """What the engine or the server found wrong."""
    problem = Problem(code="unknown-job", message="no job x", hint="spell it", where="jobs/a.py:1", detail="\ud800")
    data = encode_problem(problem)
    back = decode_error(data)
    assert isinstance(back, ProblemError)
    assert back.problem == problem
    assert (str(back), back.code) == ("no job x", "unknown-job")
    assert error_to_json(data) == {
        "type": "ProblemError", "message": "no job x", "traceback": "", "code": "unknown-job", "hint": "spell it",
        "where": "jobs/a.py:1", "detail": "\\ud800",
    }  # fmt: skip
    again = decode_error(encode_error(back))
    assert isinstance(again, ProblemError)
    assert again.problem == problem
    assert error_to_json(encode_error(back))["code"] == "unknown-job"


def test_error_of_the_sdk_shows_code_and_hint() -> None:
    """A TriggerError is rendered with its problem."""
    error = caught_from(lambda: encode(len))
    assert isinstance(error, NotEncodable)
    rendered = error_to_json(encode_error(error))
    assert rendered["code"] == "not-encodable"
    assert rendered["hint"]
    back = decode_error(encode_error(error))
    assert isinstance(back, NotEncodable)
    assert back.problem == error.problem
    for make in (lambda: ClassNotFound("a:b", "gone"), lambda: PayloadInvalid("payload", [("a", "is required")])):
        assert decode_error(encode_error(make())).problem == make().problem  # type: ignore[attr-defined]


def test_error_in_place_of_a_value_is_refused() -> None:
    """decode_error reads errors only."""
    with pytest.raises(ValueCorrupt, match="not an error"):
        decode_error(encode([1]))
    with pytest.raises(ValueCorrupt, match="not an error"):
        error_to_json(encode({"type": "ValueError"}))


@given(
    st.lists(st.recursive(st.one_of(st.none(), st.integers(), st.text(), st.binary()), st.lists)),
    st.dictionaries(st.text(), st.integers()),
)
def test_any_arguments_and_attributes_come_back(arguments: list[Any], attributes: dict[str, int]) -> None:
    """For all arguments and attributes."""
    error = Declined(1, card="x")
    error.args = tuple(arguments)
    vars(error).update({f"a{name}": value for name, value in attributes.items()})
    back = decode_error(encode_error(error))
    assert back.args == error.args
    assert vars(back) == vars(error)
    assert encode_error(back) == encode_error(error)
