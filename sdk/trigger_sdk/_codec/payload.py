"""Input from outside, checked against the annotation of the parameter that receives it."""

from __future__ import annotations

from typing import Any

import msgspec

from trigger_sdk._codec.annotations import conforms, is_anything, wants_pydantic
from trigger_sdk._codec.decode import decode, decode_plain
from trigger_sdk._codec.encode import encode
from trigger_sdk._codec.errors import ClassChanged, ClassNotFound, PayloadInvalid
from trigger_sdk._codec.leaves import Misfits, is_json, place_of, read_with_msgspec, read_with_pydantic
from trigger_sdk._codec.structure import FAILED, read_structure


def decode_payload(plain: Any, annotation: Any, *, what: str = "payload") -> Any:
    """Return input as the type that an annotation asks for.

    pydantic validates where the annotation holds types of its own; all else is read by msgspec, in its strict mode (an
    int is no string), with ISO dates, durations in ISO or seconds, decimals and UUIDs from strings, and union members
    tried in turn where msgspec does not support the union.

    Args:
        plain: plain JSON data; or live objects, which stay what they are when they are of the annotated type already.
        annotation: a type; ``Any`` or no annotation takes everything as it is.
        what: what the input is, for the message.

    Raises:
        PayloadInvalid: it does not fit; ``fields`` says where and why.
        NotEncodable: it is not plain data, and not of the annotated type.
    """
    if is_anything(annotation) and annotation is not None:
        return plain
    if conforms(plain, annotation):
        return plain
    if not is_json(plain):
        plain = decode_plain(encode(plain, what))
    misfits: Misfits = []
    if wants_pydantic(annotation):
        read = read_with_pydantic(plain, annotation, "", misfits)
        if not misfits:
            return read
        if any(place or "cannot be read as" not in reason for place, reason in misfits):
            raise PayloadInvalid(what, misfits)
    else:
        try:
            return read_with_msgspec(plain, annotation)
        except msgspec.ValidationError as error:
            misfits.append(place_of(error))
        except Exception:  # noqa: BLE001, S110 - an annotation that msgspec does not support: read it member by member
            pass
    return _read_by_members(plain, annotation, what, misfits)


def _read_by_members(plain: Any, annotation: Any, what: str, known: Misfits) -> Any:
    misfits: Misfits = []
    read = read_structure(plain, annotation, "", misfits)
    if read is not FAILED and not misfits:
        return read
    raise PayloadInvalid(what, misfits or known or [("", "does not fit")])


def decode_input(value: bytes, annotation: Any, *, what: str = "payload") -> Any:
    """Return an encoded payload, event payload or other input as the type that an annotation asks for.

    Live objects that were encoded come back as themselves when they are of that type.

    Raises:
        PayloadInvalid: it does not fit.
        ClassNotFound: it holds an object of a class that is not found, and there is no annotation.
        ValueCorrupt: the bytes are not an encoded value.
    """
    if is_anything(annotation):
        return decode(value)
    try:
        live = decode(value)
    except (ClassNotFound, ClassChanged):
        live = decode_plain(value)
    return decode_payload(live, annotation, what=what)


def payload_to_plain(payload: Any) -> bytes:
    """Encode what a caller gives to a run: live objects or plain data.

    Raises:
        NotEncodable: a part of it cannot be stored.
        ValueTooLarge: it is larger than MAX_VALUE_BYTES.
    """
    return encode(payload, "payload")
