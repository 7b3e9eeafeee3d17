"""What a caller gives to a run is sent as JSON that the job's parameter reads."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pydantic
import pytest

from trigger_sdk._codec import decode_input, decode_payload, encode, payload_to_plain
from trigger_sdk._codec.errors import NotEncodable


class Account(pydantic.BaseModel):
    """A model whose input has other keys than its fields, and that keeps secrets."""

    model_config = pydantic.ConfigDict(extra="allow")
    user_id: int = pydantic.Field(alias="userId")
    choice: int = pydantic.Field(default=1, validation_alias=pydantic.AliasChoices(pydantic.AliasPath("a", 0), "pick"))
    secret: pydantic.SecretStr = pydantic.SecretStr("s")
    link: pydantic.HttpUrl | None = None
    raw: bytes = b"raw"
    tags: pydantic.RootModel[list[str]] | None = None
    many: dict[UUID, Decimal] = {}
    ratio: float = math.inf


class Tagged(msgspec.Struct, tag="t", rename="camel"):
    """A Struct that says what it is."""

    first_name: str
    at: dt.date | None = None


def _account() -> Account:
    data = {"userId": 1, "pick": 2, "link": "http://a/", "tags": ["x"], "many": {str(UUID(int=1)): "1.5"}, "more": [1]}
    return Account.model_validate(data)


@pytest.mark.parametrize("live", [_account(), [_account()], Tagged("x", dt.date(2026, 1, 1)), {"a": Tagged("y")}])
def test_payload_is_sent_under_the_keys_that_its_class_reads(live: Any) -> None:
    """Aliases, tags, secrets in clear: what is sent over HTTP is what the job's parameter reads."""
    annotations: dict[type, Any] = {list: list[Account], dict: dict[str, Tagged]}
    sent = json.loads(json.dumps(payload_to_plain(live), allow_nan=False))
    assert decode_payload(sent, annotations.get(type(live), type(live))) == live


def test_stored_object_is_read_by_the_names_of_its_fields(define: Callable[[str, str], Any]) -> None:
    """An object whose class is gone was taken apart by names, where input would have aliases."""
    shop = define("renamed_shop", "import dataclasses\n@dataclasses.dataclass\nclass X:\n    user_id: int = 7\n")
    data = encode(shop.X())
    named = dataclasses.make_dataclass("Named", [("first_name", str), ("at", object, None)])
    define("renamed_shop", "")
    assert decode_input(data, Account).user_id == 7
    named.__module__, named.__qualname__ = "renamed_shop", "Named"
    define("renamed_shop", "").Named = named
    data = encode(named("x"))
    define("renamed_shop", "")
    assert decode_input(data, Tagged) == Tagged("x")


def test_live_payload_that_cannot_be_stored_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(NotEncodable, match=r"`payload\.a` is a function"):
        payload_to_plain({"a": lambda: 1})
