"""Keys: their form, what is kept of them, rates, the time of use, and the audit log."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from executor.access.keys import PATTERN, digest_of, id_of, is_well_formed, make_key, mask_keys
from executor.access.rates import Rates
from tests.fakes.clock import FakeClock
from tests.fakes.keyed_house import KeyedHouse, keep_keyed_house


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[KeyedHouse]:
    """Return a running server."""
    async with keep_keyed_house(tmp_path) as house:
        yield house


@pytest.mark.parametrize("environment", ["dev", "staging", "prod", "preview/a/b", ""])
def test_keys_have_a_form_that_scanners_know(environment: str) -> None:
    """The prefix names the kind of environment, and one pattern finds all keys in a text."""
    key = make_key(environment, random.Random(environment).randbytes)
    label = environment.partition("/")[0] or "server"
    assert re.fullmatch(rf"tr_{label}_[0-9A-Za-z]{{49}}", key)
    assert PATTERN.findall(f"x = '{key}';") == [key]
    assert is_well_formed(key)
    assert id_of(key) == key[: len(f"tr_{label}_") + 8]
    assert mask_keys(f"with {key}.") == f"with {id_of(key)}***."


def test_a_wrong_character_anywhere_is_noticed() -> None:
    """Every change of one character fails the check digits, so that no look-up is made for it."""
    key = make_key("prod", random.Random(1).randbytes)
    for place in range(len("tr_prod_"), len(key)):
        other = "0" if key[place] != "0" else "1"
        assert not is_well_formed(key[:place] + other + key[place + 1 :])


@pytest.mark.parametrize("raw", [b"\0" * 32, b"\xff" * 32, b"\0" * 31 + b"\1"])
def test_extreme_keys_have_the_same_length(raw: bytes) -> None:
    """All zeros and all ones too."""
    assert len(make_key("prod", lambda _: raw)) == len("tr_prod_") + 49


def files_with(folder: Path, text: bytes) -> list[Path]:
    """Return the files that hold a text."""
    return [path for path in folder.iterdir() if path.is_file() and text in path.read_bytes()]


async def test_only_the_hash_is_kept(keyed: KeyedHouse, tmp_path: Path) -> None:
    """No file of the server holds the secret part of a key; the list shows beginnings."""
    key = await keyed.key("read")
    await keyed.ask(key, "GET", "/api/v1/runs")
    listed = (await keyed.ask(keyed.admin, "GET", "/api/v1/keys")).json()["keys"]
    assert listed[0]["id"] == id_of(key)
    assert "key" not in listed[0]
    secret = key[len(id_of(key)) :].encode()
    assert files_with(tmp_path, id_of(key).encode())
    assert files_with(tmp_path, secret) == []
    with closing(sqlite3.connect(tmp_path / "server.db")) as raw:
        assert raw.execute("SELECT digest FROM keys WHERE id = ?", (id_of(key),)).fetchone() == (digest_of(key),)


async def test_the_time_of_use_is_kept_to_the_hour(keyed: KeyedHouse) -> None:
    """It tells that a key is in use, and not when somebody works."""
    key = await keyed.key("read")
    await keyed.ask(key, "GET", "/api/v1/runs")
    await keyed.ask(keyed.admin, "GET", "/api/v1/keys")
    keys = (await keyed.ask(keyed.admin, "GET", "/api/v1/keys")).json()["keys"]
    used = next(one["used_at"] for one in keys if one["id"] == id_of(key))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00\.000000Z", used)


async def test_changes_are_on_record(keyed: KeyedHouse) -> None:
    """Who, what, where, when and how it ended, also when it was refused by what it met; reads are not."""
    key = await keyed.key("trigger")
    await keyed.ask(key, "POST", "/api/v1/runs/none/cancel")
    await keyed.ask(key, "GET", "/api/v1/runs")
    await keyed.revoke(key)
    acts = (await keyed.ask(keyed.admin, "GET", "/api/v1/audit")).json()["acts"]
    assert [(act["action"], act["key"], act["environment"], act["status"]) for act in acts] == [
        ("POST /api/v1/keys/{id}/revoke", id_of(keyed.admin), None, 200),
        ("POST /api/v1/runs/{id}/cancel", id_of(key), "prod", 404),
        ("POST /api/v1/keys", id_of(keyed.admin), None, 201),
        ("first start", None, None, None),
    ]
    assert acts[1]["target"] == "/api/v1/runs/none/cancel"
    assert acts[1]["address"] == "127.0.0.1"
    page = (await keyed.ask(keyed.admin, "GET", "/api/v1/audit?limit=3")).json()
    rest = (await keyed.ask(keyed.admin, "GET", f"/api/v1/audit?cursor={page['next']}")).json()
    assert page["acts"] + rest["acts"] == acts


async def test_a_whole_key_in_a_path_is_not_on_record(keyed: KeyedHouse, tmp_path: Path) -> None:
    """Whoever revokes by pasting the key does not write it into the audit log."""
    key = await keyed.key("read")
    await keyed.revoke(key)
    targets = [act["target"] for act in (await keyed.ask(keyed.admin, "GET", "/api/v1/audit")).json()["acts"]]
    assert key not in " ".join(targets)
    assert id_of(key) in targets[0]


async def test_rates_are_limited_for_each_key(tmp_path: Path) -> None:
    """429 with Retry-After for the key that is used too often; others go on."""
    async with keep_keyed_house(tmp_path, rate_limit=0.5, rate_burst=3) as house:
        key = await house.key("read")
        answers = [await house.ask(key, "GET", "/api/v1/runs") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["error"]["code"] == "rate-limited"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
        assert (await house.ask(house.admin, "GET", "/api/v1/keys")).status_code == 200


def test_buckets_refill() -> None:
    """After a pause as many as the burst, and in the long run as many as the rate."""
    clock = FakeClock()
    rates = Rates(per_second=2.0, burst=3, clock=clock.now)
    assert [rates.take("a") for _ in range(4)] == [0, 0, 0, 1]
    clock.advance(0.5)
    assert [rates.take("a"), rates.take("a")] == [0, 1]
    clock.advance(1_000)
    assert [rates.take("a") for _ in range(4)] == [0, 0, 0, 1]
    assert rates.take("b") == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid-request"),
        ({"purpose": "root"}, "invalid-request"),
        ({"purpose": "trigger"}, "environment-missing"),
        ({"purpose": "read", "environment": "nowhere"}, "environment-invalid"),
        ({"purpose": "read", "environment": "preview/none"}, "environment-not-found"),
        ({"purpose": "read", "environment": "prod", "note": "x" * 201}, "invalid-request"),
        ({"purpose": "read", "more": 1}, "invalid-request"),
    ],
)
async def test_keys_that_cannot_be_are_refused(keyed: KeyedHouse, body: dict[str, object], code: str) -> None:
    """With a code that says why, and nothing made."""
    answer = await keyed.ask(keyed.admin, "POST", "/api/v1/keys", body)
    assert answer.json()["error"]["code"] == code
    assert len((await keyed.ask(keyed.admin, "GET", "/api/v1/keys")).json()["keys"]) == 1
