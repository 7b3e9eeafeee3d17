"""Input from outside, checked against the annotation of the parameter that receives it."""

from __future__ import annotations

from typing import Any

import msgspec

from trigger_sdk._codec.annotations import conforms, is_anything, wants_pydantic
from trigger_sdk._codec.decode import decode, decode_plain
from trigger_sdk._codec.encode import encode
from trigger_sdk._codec.errors import ClassChanged, ClassNotFound, PayloadInvalid
from trigger_sdk._codec.leaves import Reading, is_json, place_of, read_with_msgspec, read_with_pydantic
from trigger_sdk._codec.sending import as_input
from trigger_sdk._codec.structure import FAILED, read_structure
from trigger_sdk.protocol.values import to_json


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
    if is_json(plain):
        return _read(plain, annotation, what, Reading())
    return _read(decode_plain(encode(plain, what)), annotation, what, Reading(by_name=True))


def read_fields(plain: Any, annotation: Any, *, what: str) -> Any:
    """Return an object taken apart (:func:`decode_plain`) as the type that an annotation asks for.

    Raises:
        PayloadInvalid: it does not fit.
    """
    return _read(plain, annotation, what, Reading(by_name=True))


def _read(plain: Any, annotation: Any, what: str, reading: Reading) -> Any:
    if wants_pydantic(annotation):
        read = read_with_pydantic(plain, annotation, "", reading)
        if not reading.misfits:
            return read
        if any(place or "cannot be read as" not in reason for place, reason in reading.misfits):
            raise PayloadInvalid(what, reading.misfits)
    elif not reading.by_name:
        try:
            return read_with_msgspec(plain, annotation)
        except msgspec.ValidationError as error:
            reading.misfits.append(place_of(error))
        except Exception:  # noqa: BLE001, S110 - an annotation that msgspec does not support: read it member by member
            pass
    by_members = reading.attempt()
    read = read_structure(plain, annotation, "", by_members)
    if read is not FAILED and not by_members.misfits:
        return read
    raise PayloadInvalid(what, by_members.misfits or reading.misfits or [("", "does not fit")])


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
        return read_fields(decode_plain(value), annotation, what=what)
    return decode_payload(live, annotation, what=what)


def payload_to_plain(payload: Any, what: str = "payload") -> Any:
    """Return what a caller gives to a run as JSON data that :func:`decode_payload` reads: what is sent to the server.

    Objects become maps with the keys that their classes want as input (aliases of pydantic, names and tags of msgspec).
    Secrets are sent, not masked. What cannot be told in JSON (which of two types a plain value had) is left to the
    annotation at the other end.

    Raises:
        NotEncodable: a part of it cannot be stored.
        ValueTooLarge: it is larger than MAX_VALUE_BYTES.
    """
    encoded = encode(payload, what)
    try:
        return as_input(payload)
    except Exception:  # noqa: BLE001 - values that no class of theirs turns into input: sent as they are shown
        return to_json(encoded)
