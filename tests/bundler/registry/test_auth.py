"""Authorization: names and passwords, tokens, what they are good for and how long."""

import asyncio
import logging

import pytest

from bundler.model import Blob, digest_of
from bundler.registry.errors import (
    CredentialsUnusable,
    RegistryRefused,
    RegistryUnauthorized,
    RegistryUnreachable,
    RegistryUnusable,
)
from bundler.registry.manifests import OCI_MANIFEST
from bundler.registry.reference import Reference
from tests.fakes.registry import FakeRegistry, Fault
from tests.fakes.registry_side import ClientSide

PASSWORD = "pa55-wörd"
MANIFEST = b'{"schemaVersion":2,"layers":[]}'


@pytest.fixture
def guarded(fake_registry: FakeRegistry, side: ClientSide) -> FakeRegistry:
    """Return a registry that wants tokens, with an image, to which the side is logged in."""
    fake_registry.behaviour.auth = "bearer"
    fake_registry.put_manifest("team/app", "latest", MANIFEST, OCI_MANIFEST)
    side.log_in(fake_registry.host, "lab", PASSWORD)
    return fake_registry


def name(registry: FakeRegistry, repository: str = "team/app") -> Reference:
    """Return the reference of a repository."""
    return Reference.parse(f"{registry.host}/{repository}")


@pytest.mark.parametrize("field", ["token", "access_token"])
async def test_token_is_kept(guarded: FakeRegistry, side: ClientSide, field: str) -> None:
    """One token serves all requests that it is good for, whatever it is called."""
    guarded.tokens.field_name = field
    async with side.client() as client:
        for _ in range(3):
            assert (await client.manifest(name(guarded))).content == MANIFEST
    assert guarded.tokens.requests == [{"team/app": {"pull"}}]


async def test_token_is_asked_for_once_by_many_tasks(guarded: FakeRegistry, side: ClientSide) -> None:
    """Tasks that need the same token wait for one."""
    async with side.client() as client:
        await asyncio.gather(*(client.manifest(name(guarded)) for _ in range(10)))
        guarded.tokens.revoke_all()
        await asyncio.gather(*(client.manifest(name(guarded)) for _ in range(10)))
    assert len(guarded.tokens.requests) == 2


async def test_token_is_replaced_before_it_expires(guarded: FakeRegistry, side: ClientSide) -> None:
    """A token that has lived for most of its time is not used any more: no request is refused."""
    guarded.tokens.life = 100.0
    async with side.client() as client:
        await client.manifest(name(guarded))
        side.time += 85
        await client.manifest(name(guarded))
    assert len(guarded.tokens.requests) == 2
    assert len([one for one in guarded.asked("manifests") if one.headers.get("authorization")]) == 2


async def test_token_without_stated_life_lives_a_minute(guarded: FakeRegistry, side: ClientSide) -> None:
    """As the protocol has it."""
    guarded.tokens.states_life = False
    async with side.client() as client:
        await client.manifest(name(guarded))
        side.time += 40
        await client.manifest(name(guarded))
        side.time += 15
        await client.manifest(name(guarded))
    assert len(guarded.tokens.requests) == 2


@pytest.mark.parametrize("when", ["^PUT ", "^PATCH ", "^GET .*uploads", "^POST "])
async def test_token_that_expires_in_an_upload_is_replaced(guarded: FakeRegistry, side: ClientSide, when: str) -> None:
    """The request is repeated with a new token and the whole body."""
    content = b"0123456789" * 600_000
    if when in {"^PATCH ", "^GET .*uploads"}:
        guarded.behaviour.faults = [Fault("^PUT ", after_body=5_000_000)]
    challenge = f'Bearer realm="http://{guarded.host}/token",service="fake",scope="repository:team/app:pull,push"'
    guarded.behaviour.faults.append(Fault(when, status=401, headers={"WWW-Authenticate": challenge}))
    async with side.client() as client:
        await client.push_blob(name(guarded), Blob.of(content, "x/y"))
    assert guarded.blobs["team/app"] == {digest_of(content): content}
    assert len(guarded.tokens.requests) == 2


async def test_anonymous_token_is_good_for_pulling(guarded: FakeRegistry, side: ClientSide) -> None:
    """Who has no credentials asks for a token without, and hears what it is not good for."""
    side.configure({})
    guarded.tokens.anonymous = True
    async with side.client() as client:
        await client.manifest(name(guarded))
        with pytest.raises(RegistryUnauthorized) as caught:
            await client.push_blob(name(guarded), Blob.of(b"x", "x/y"))
    assert "anonymous" in caught.value.problem.detail
    assert not any(one.headers.get("authorization") for one in guarded.asked("/token"))


@pytest.mark.parametrize("rotates", [False, True])
async def test_identity_token_is_exchanged(guarded: FakeRegistry, side: ClientSide, rotates: bool) -> None:
    """It is posted, never in an address; one that is good once is replaced by what came with the token."""
    side.configure({"auths": {guarded.host: {"auth": "MDo=", "identitytoken": "1dent1ty"}}})
    guarded.tokens.identity_tokens = {"1dent1ty"}
    guarded.tokens.rotates = rotates
    async with side.client() as client:
        for _ in range(3):
            await client.manifest(name(guarded))
            guarded.tokens.revoke_all()
    assert [one.method for one in guarded.asked("/token")] == ["POST"] * 3
    assert not guarded.asked("1dent1ty")


async def test_token_of_the_registry_is_sent_as_it_is(guarded: FakeRegistry, side: ClientSide) -> None:
    """Nobody is asked for another."""
    guarded.tokens.issued["g1ven"] = ({"team/app": {"pull"}}, float("inf"))
    side.configure({"auths": {guarded.host: {"registrytoken": "g1ven"}}})
    async with side.client() as client:
        await client.manifest(name(guarded))
    assert not guarded.asked("/token")


async def test_registry_without_ping_is_asked_all_the_same(guarded: FakeRegistry, side: ClientSide) -> None:
    """Some registries have no page /v2/: the first request tells how to ask."""
    guarded.behaviour.pings = False
    async with side.client() as client:
        await client.manifest(name(guarded))
    assert len(guarded.asked("manifests")) == 2


async def test_basic_is_sent_with_each_request(guarded: FakeRegistry, side: ClientSide) -> None:
    """Name and password, in UTF-8."""
    guarded.behaviour.auth = "basic"
    async with side.client() as client:
        await client.manifest(name(guarded))
        await client.push_blob(name(guarded), Blob.of(b"x", "x/y"))
    assert not guarded.asked("/token")


@pytest.mark.parametrize(
    ("challenge", "error"),
    [
        ("Bearer", RegistryUnusable),
        ('Bearer realm="not an address"', RegistryUnusable),
        ('Bearer realm="/token"', RegistryUnusable),
        ("Negotiate", RegistryUnauthorized),
        ("", RegistryUnauthorized),
    ],
)
async def test_impossible_challenge_is_told(
    guarded: FakeRegistry, side: ClientSide, challenge: str, error: type[Exception]
) -> None:
    """What cannot be answered is not tried again."""
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    guarded.behaviour.faults = [Fault("", times=9, status=401, headers=headers)]
    async with side.client() as client:
        with pytest.raises(error):
            await client.manifest(name(guarded))
    assert side.slept == []


async def test_token_over_plain_http_elsewhere_is_not_asked_for(guarded: FakeRegistry, side: ClientSide) -> None:
    """The password does not go over the network in the clear because a registry says so."""
    headers = {"WWW-Authenticate": 'Bearer realm="http://tokens.example/token"'}
    guarded.behaviour.faults = [Fault("", times=9, status=401, headers=headers)]
    async with side.client() as client:
        with pytest.raises(Exception, match=r"'tokens.example' is asked over plain HTTP"):
            await client.manifest(name(guarded))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"token":1}', b'{"token":""}', b'{"tok":"t0ken-s3cr3t"}'])
async def test_nonsense_for_a_token_is_told(guarded: FakeRegistry, side: ClientSide, body: bytes) -> None:
    """Without quoting it."""
    guarded.behaviour.faults = [Fault("/token", times=9, body=body, status=200)]
    async with side.client() as client:
        with pytest.raises(RegistryUnusable, match="gave no token") as caught:
            await client.manifest(name(guarded))
    assert "s3cr3t" not in str(caught.value.problem)


async def test_failing_token_server_is_asked_again(guarded: FakeRegistry, side: ClientSide) -> None:
    """It fails for a while like everybody else."""
    guarded.behaviour.faults = [Fault("/token", status=503), Fault("/token"), Fault("/token", status=429)]
    async with side.client() as client:
        await client.manifest(name(guarded))
    assert len(side.slept) == 3
    guarded.behaviour.faults = [Fault("/token", times=99, status=500)]
    async with side.client() as client:
        with pytest.raises(RegistryUnreachable):
            await client.manifest(name(guarded))


async def test_missing_helper_ends_the_pull(guarded: FakeRegistry, side: ClientSide) -> None:
    """Credentials that are configured and cannot be had are an error, not an anonymous pull."""
    guarded.tokens.anonymous = True
    side.configure({"credsStore": "gone"})
    async with side.client() as client:
        with pytest.raises(CredentialsUnusable, match="docker-credential-gone"):
            await client.manifest(name(guarded))


async def test_source_of_credentials_is_known(guarded: FakeRegistry, side: ClientSide) -> None:
    """For each host that wanted any."""
    async with side.client() as client:
        assert client.sources == {}
        await client.manifest(name(guarded))
        assert client.sources[guarded.host].startswith("auths['127.0.0.1:")


async def test_no_secret_is_logged_or_told(
    guarded: FakeRegistry, side: ClientSide, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the password nor a token is in a log of any level, or in a problem, although the registry echoes them."""
    caplog.set_level(logging.DEBUG)
    headers = {"Authorization-Was": "-"}
    async with side.client() as client:
        await client.manifest(name(guarded))
        token = next(iter(guarded.tokens.issued))
        body = f'{{"errors":[{{"code":"NO","message":"{token} {PASSWORD}\\u001b[31m"}}]}}'.encode()
        guarded.behaviour.faults = [Fault("^PUT ", status=403, body=body, headers=headers)] * 2
        guarded.behaviour.faults.append(Fault("manifests", status=418, body=body))
        problems = []
        for call in (client.push_blob(name(guarded), Blob.of(b"x", "x/y")), client.manifest(name(guarded))):
            with pytest.raises((RegistryUnauthorized, RegistryRefused)) as caught:
                await call
            problems.append(str(caught.value.problem))
    said = "\n".join([*problems, caplog.text, repr(client.sources)])
    assert "*** ***" in said
    assert "\x1b" not in said
    for secret in (token, PASSWORD, "pa55", "cGE1NS"):
        assert secret not in said
