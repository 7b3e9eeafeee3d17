"""Where credentials come from."""

import asyncio
import base64
import json
import time
from pathlib import Path

import pytest

from bundler.registry.auth_files import Credential, match, read_auth_text
from bundler.registry.errors import CredentialsUnusable
from tests.fakes.registry_side import ClientSide

HUB = "https://index.docker.io/v1/"
GIVES = """read host; echo "{\\"Username\\":\\"of-%s\\",\\"Secret\\":\\"for $host\\"}" """


def auth(username: str, password: str) -> dict[str, str]:
    """Return an entry of ``auths``."""
    return {"auth": base64.b64encode(f"{username}:{password}".encode()).decode()}


async def test_helper_of_the_host_comes_first(side: ClientSide) -> None:
    """A password that was written down long ago does not win over the helper; nor does the helper of all hosts."""
    side.helper("one", GIVES % "one")
    side.helper("all", GIVES % "all")
    side.configure({"credHelpers": {"r.example": "one"}, "credsStore": "all", "auths": {"r.example": auth("old", "x")}})
    found = await side.credentials().find("r.example")
    assert found.credential == Credential(username="of-one", password="for r.example")
    assert found.source.startswith("credHelpers['r.example'] = 'one' in ")


async def test_store_of_all_hosts_comes_second(side: ClientSide) -> None:
    """Without a helper of its own, a host is the store's."""
    side.helper("all", GIVES % "all")
    side.configure({"credHelpers": {"other": "one"}, "credsStore": "all", "auths": {"r.example": {}}})
    credentials = side.credentials()
    found = await credentials.find("r.example")
    assert found.credential == Credential(username="of-all", password="for r.example")
    assert "credsStore 'all'" in credentials.sources["r.example"]


async def test_written_password_comes_last(side: ClientSide) -> None:
    """A store that has nothing is passed over, and said to be."""
    side.helper("all", "echo credentials not found in native keychain; exit 1")
    side.configure({"credsStore": "all", "auths": {"r.example": auth("me", "a:b")}})
    found = await side.credentials().find("r.example")
    assert found.credential == Credential(username="me", password="a:b")
    assert found.source.startswith("auths['r.example'] in ")


async def test_docker_hub_has_many_names(side: ClientSide) -> None:
    """Its address in the configuration is none of its hosts, and helpers know it by that address."""
    side.helper("one", GIVES % "one")
    side.configure({"credHelpers": {HUB: "one"}})
    found = await side.credentials().find("registry-1.docker.io")
    assert found.credential == Credential(username="of-one", password=f"for {HUB}")
    side.configure({"auths": {"index.docker.io": auth("me", "pw")}})
    found = await side.credentials().find("registry-1.docker.io")
    assert found.credential == Credential(username="me", password="pw")


@pytest.mark.parametrize(
    ("key", "host", "repository", "fits"),
    [
        ("r.example", "r.example", "a/b", True),
        ("https://r.example", "r.example", "a/b", True),
        ("https://r.example/v1/", "r.example", "a/b", True),
        ("R.example/", "r.example", "a", True),
        ("r.example/a", "r.example", "a/b", True),
        ("r.example/a", "r.example", "ab", False),
        ("r.example:5000", "r.example", "a", False),
        ("r.example", "r.example:5000", "a", False),
        ("xr.example", "r.example", "a", False),
    ],
)
def test_key_fits_its_host(key: str, host: str, repository: str, fits: bool) -> None:
    """Schemes, versions and capitals do not matter; ports and folders do."""
    assert match({key: 1}, host, repository) == (key if fits else None)


def test_precise_key_wins() -> None:
    """Credentials of a folder of repositories come before those of the host."""
    keys = {"r.example": 1, "r.example/a": 2, "r.example/a/b": 3}
    assert match(keys, "r.example", "a/b") == "r.example/a/b"
    assert match(keys, "r.example", "a/c") == "r.example/a"
    assert match(keys, "r.example", "c") == "r.example"


async def test_identity_token_is_known_by_both_marks(side: ClientSide) -> None:
    """A helper marks it by the user name, a file by its own field."""
    side.helper("one", """echo '{"Username":"<token>","Secret":"id-token"}'""")
    side.configure({"credHelpers": {"a": "one"}, "auths": {"b": {**auth("0", ""), "identitytoken": "id-b"}}})
    credentials = side.credentials()
    assert (await credentials.find("a")).credential == Credential(identity_token="id-token")
    assert (await credentials.find("b")).credential == Credential(username="0", identity_token="id-b")


async def test_missing_helper_is_a_loud_error(side: ClientSide) -> None:
    """It names the program and the place that asks for it; nobody goes on anonymously."""
    path = side.configure({"credHelpers": {"r.example": "gone"}, "auths": {"r.example": auth("old", "x")}})
    with pytest.raises(CredentialsUnusable, match="docker-credential-gone") as caught:
        await side.credentials().find("r.example")
    assert str(path) in caught.value.problem.where


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'no agent' >&2; exit 3", "exit code 3"),
        ("echo nonsense-s3cr3t", "something else"),
        ('echo \'{"Username":"u"}\'', "something else"),
        ("echo '[\"s3cr3t\"]'", "something else"),
        ('echo \'{"Username":1,"Secret":"s3cr3t"}\'', "something else"),
        ('echo \'{"Username":"u","Secret":"s3cr3t"}\'; exit 1', "exit code 1"),
    ],
)
async def test_failing_helper_is_a_loud_error(side: ClientSide, script: str, words: str) -> None:
    """Its words are shown, a secret among them is not."""
    side.helper("bad", script)
    side.configure({"credsStore": "bad"})
    with pytest.raises(CredentialsUnusable, match=words) as caught:
        await side.credentials().find("r.example")
    assert "s3cr3t" not in str(caught.value.problem)
    assert ("no agent" in caught.value.problem.detail) == ("no agent" in script)


async def test_helper_that_waits_is_ended(side: ClientSide) -> None:
    """With everything that it started, which would hold its output open."""
    side.helper("slow", "sleep 60 & sleep 60")
    side.configure({"credsStore": "slow"})
    began = time.monotonic()
    with pytest.raises(CredentialsUnusable, match=r"no answer for r\.example within 0\.2 s"):
        await side.credentials(timeout=0.2).find("r.example")
    assert time.monotonic() - began < 20


async def test_helper_is_asked_once(side: ClientSide, tmp_path: Path) -> None:
    """However many tasks want to know."""
    side.helper("one", f"echo x >> {tmp_path}/asked; " + GIVES % "one")
    side.configure({"credsStore": "one"})
    credentials = side.credentials()
    await asyncio.gather(*(credentials.find("r.example", "a/b") for _ in range(5)))
    assert (tmp_path / "asked").read_text() == "x\n"


async def test_explicit_file_counts_alone(side: ClientSide, tmp_path: Path) -> None:
    """REGISTRY_AUTH_FILE is instead of the others; one that is not there is an error."""
    side.configure({"auths": {"a": auth("docker", "x"), "b": auth("docker", "x")}})
    path = tmp_path / "auth.json"
    side.environ["REGISTRY_AUTH_FILE"] = str(path)
    with pytest.raises(CredentialsUnusable, match="does not exist"):
        await side.credentials().find("a")
    path.write_text(json.dumps({"auths": {"a": auth("podman", "x")}}))
    credentials = side.credentials()
    assert (await credentials.find("a")).credential == Credential(username="podman", password="x")
    found = await credentials.find("b")
    assert found.credential is None
    assert str(path) in found.source


async def test_other_places_are_read_in_order(side: ClientSide, tmp_path: Path) -> None:
    """A variable with a file's contents, Docker's folder, containers' folders."""
    side.environ["DOCKER_AUTH_CONFIG"] = json.dumps({"auths": {"a": auth("variable", "x")}})
    side.environ["DOCKER_CONFIG"] = str(tmp_path / "docker")
    side.environ["XDG_RUNTIME_DIR"] = str(tmp_path / "run")
    for folder, name, hosts in (("docker", "config.json", "ab"), ("run/containers", "auth.json", "abc")):
        (tmp_path / folder).mkdir(parents=True)
        text = json.dumps({"auths": {host: auth(folder, "x") for host in hosts}})
        (tmp_path / folder / name).write_text(text)
    credentials = side.credentials()
    names = [(await credentials.find(host)).credential for host in "abcd"]
    assert [one and one.username for one in names] == ["variable", "docker", "run/containers", None]


async def test_nothing_configured_is_anonymous(side: ClientSide) -> None:
    """And says so."""
    found = await side.credentials().find("r.example")
    assert (found.credential, found.source) == (None, "anonymous (nothing for it in: no configuration file found)")


@pytest.mark.parametrize(
    "text",
    [
        '{"auths": {"r.example": {"auth": "s3cr3t"}',
        '["s3cr3t"]',
        '{"auths": ["s3cr3t"]}',
        '{"auths": {"r.example": "s3cr3t"}}',
        '{"credsStore": ["s3cr3t"]}',
        '{"credHelpers": {"r.example": {"s3cr3t": 1}}}',
        '{"auths": {"r.example": {"auth": "!!s3cr3t"}}}',
        '{"auths": {"r.example": {"auth": "czNjcjN0"}}}',
        '{"auths": {"r.example": {"password": ["s3cr3t"]}}}',
    ],
)
def test_broken_file_is_told_without_quoting_it(text: str) -> None:
    """The place is named; what stands there may be a secret, also in the exceptions behind."""
    with pytest.raises(CredentialsUnusable) as caught:
        read_auth_text(text, "config.json").entry_for("r.example", "")
    assert "config.json" in str(caught.value.problem)
    assert "s3cr3t" not in str(caught.value.problem)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_credential_hides_its_secrets() -> None:
    """Nothing secret is in what is printed of it."""
    credential = Credential(username="me", password="s3cr3t", identity_token="s3cr3t", registry_token="s3cr3t")
    assert "s3cr3t" not in repr(credential)
