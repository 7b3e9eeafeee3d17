"""From live values to bytes."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from msgspec.msgpack import Ext

from trigger_sdk._codec import natives
from trigger_sdk._codec.classes import rule_of
from trigger_sdk._codec.errors import NotEncodable
from trigger_sdk._codec.exceptions import lower_exception
from trigger_sdk._codec.refs import display_name
from trigger_sdk._codec.walk import CarefulWalk, Refused, Rule, TooDeep, Walk, pack
from trigger_sdk.protocol.limits import BIG_VALUE_BYTES
from trigger_sdk.protocol.values import seal

_PLAIN: Final = b"\x00"


def _classify(cls: type) -> Rule:
    return lower_exception if issubclass(cls, BaseException) else rule_of(cls)


_quick: Final = Walk(dict(natives.RULES), _classify)


def encode(value: Any, what: str = "result") -> bytes:
    """Encode a live value, so that :func:`trigger_sdk._codec.decode.decode` gives an equal one of the same types.

    Subclasses of str, int, float, bytes and of dates, other than enums, become their base. An object that occurs twice
    becomes two equal objects.

    Args:
        value: anything made of plain data, the standard library's values, dataclasses, attrs classes, pydantic models,
            msgspec Structs, named tuples, enums and exceptions.
        what: what the value is, for messages: the path to a refused part begins with it.

    Raises:
        NotEncodable: a part cannot be stored; the message names its type, the path to it and the way out.
        ValueTooLarge: the encoded value is larger than MAX_VALUE_BYTES.
    """
    try:
        data = pack(_quick.lower(value, 0))
    except (Refused, TooDeep, OverflowError, UnicodeEncodeError, RecursionError):
        data = _encode_carefully(value, what)
    return _PLAIN + data if len(data) <= BIG_VALUE_BYTES else seal(data, what)


def encode_error(error: BaseException) -> bytes:
    """Encode an exception: class, arguments, attributes, notes, and its traceback as text. It never fails.

    Arguments that cannot be stored become their text; attributes that cannot be stored become stand-ins which say so
    when they are used.
    """
    walk = CarefulWalk(_quick.rules, _classify)
    lowered: Ext = walk.lower(error, 0)
    return seal(pack(lowered), "error")


def _encode_carefully(value: Any, what: str) -> bytes:
    try:
        return pack(CarefulWalk(_quick.rules, _classify).lower(value, 0))
    except Refused as refused:
        _raise_not_encodable(refused, what)
    except RecursionError:
        raise NotEncodable(
            f"{what} is nested too deeply for the call stack it is encoded on",
            hint="return a flatter value",
            where=what,
        ) from None


def _raise_not_encodable(refused: Refused, what: str) -> NoReturn:
    place = what + "".join(reversed(refused.path))
    reason = f" ({refused.reason})" if refused.reason else ""
    raise NotEncodable(
        f"`{place}` is a {display_name(refused.type)}, which cannot be stored{reason}", hint=refused.hint, where=place
    ) from None
