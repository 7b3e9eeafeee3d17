"""Names of images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.registry.errors import ReferenceInvalid
from bundler.registry.reference import Reference, is_loopback

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag", "digest"),
    [
        ("python", "docker.io", "library/python", "", ""),
        ("python:3.11-slim", "docker.io", "library/python", "3.11-slim", ""),
        ("team/app:v1", "docker.io", "team/app", "v1", ""),
        ("docker.io/python", "docker.io", "library/python", "", ""),
        ("index.docker.io/team/app", "docker.io", "team/app", "", ""),
        ("registry-1.docker.io/python", "docker.io", "library/python", "", ""),
        ("localhost/app", "localhost", "app", "", ""),
        ("localhost:5000/app:v1", "localhost:5000", "app", "v1", ""),
        ("127.0.0.1:5000/a/b/c", "127.0.0.1:5000", "a/b/c", "", ""),
        ("[::1]:5000/app", "[::1]:5000", "app", "", ""),
        ("r.example/team/app__x.y-z--w:V_1.2-3", "r.example", "team/app__x.y-z--w", "V_1.2-3", ""),
        (f"r.example/app@{DIGEST}", "r.example", "app", "", DIGEST),
        (f"r.example:444/app:v1@{DIGEST}", "r.example:444", "app", "v1", DIGEST),
        ("REGISTRY/app", "REGISTRY", "app", "", ""),
        (f"r.example/app@sha512:{'a' * 128}", "r.example", "app", "", f"sha512:{'a' * 128}"),
    ],
)
def test_reference_is_read(text: str, host: str, repository: str, tag: str, digest: str) -> None:
    """Host, repository, tag and digest are told apart as Docker does."""
    expected = Reference(host=host, repository=repository, tag=tag, digest=digest)
    assert Reference.parse(text) == expected
    assert Reference.parse(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no repository"),
        ("r.example/", "names no repository"),
        ("Python", "no repository"),
        ("r.example/Team/App", "no repository"),
        ("r.example/a//b", "no repository"),
        ("r.example/a..b", "no repository"),
        ("r.example/a___b", "no repository"),
        ("r.example/-a", "no repository"),
        ("r.example/a/../b", "no repository"),
        ("r.example/a b", "no repository"),
        ("app:", "no tag"),
        ("app:.x", "no tag"),
        ("app:" + "x" * 129, "no tag"),
        ("app:v 1", "no tag"),
        ("app@sha256:123", "no digest"),
        ("app@sha256:" + "A" * 64, "no digest"),
        ("app@md5:" + "a" * 32, "no digest"),
        ("app@", "no digest"),
        ("r.example:99999/app", "no host"),
        ("r.example:/app", "no host"),
        ("[::zz]:5000/app", "no"),
        ("user@r.example/app", "no digest"),
        ("-r.example/app", "no host"),
        ("https://r.example/app", "an address"),
        ("docker://python", "an address"),
        ("r.example/" + "a" * 250, "255 characters"),
    ],
)
def test_broken_reference_is_refused(text: str, words: str) -> None:
    """The message says which part is wrong."""
    with pytest.raises(ReferenceInvalid, match=words):
        Reference.parse(text)


def test_capitals_get_the_name_that_would_do() -> None:
    """The usual mistake is answered with the right name."""
    with pytest.raises(ReferenceInvalid) as caught:
        Reference.parse("r.example/Team/App")
    assert "'team/app'" in caught.value.problem.hint


def test_docker_hub_is_asked_at_its_own_host() -> None:
    """The host in the name is not the host that answers."""
    assert Reference.parse("python").endpoint == "registry-1.docker.io"
    assert Reference.parse("r.example:1/x").endpoint == "r.example:1"


def test_target_is_digest_then_tag_then_latest() -> None:
    """A digest says more than a tag."""
    assert Reference.parse("a").target == "latest"
    assert Reference.parse("a:b").target == "b"
    assert Reference.parse(f"a:b@{DIGEST}").target == DIGEST
    assert Reference.parse("a:b").with_digest(DIGEST) == Reference.parse(f"a@{DIGEST}")
    with pytest.raises(ReferenceInvalid):
        Reference.parse("a").with_tag("no tag")
    with pytest.raises(ReferenceInvalid):
        Reference.parse("a").with_digest("sha256:1")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:80", "[::1]:5000", "::1", "a.localhost"]
)
def test_this_machine_is_known_by_its_name(host: str) -> None:
    """Names and addresses of this machine alone."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["r.example", "127.0.0.1.example", "localhost.example:80", "10.0.0.1:5000", "[2001:db8::1]", "0.0.0.0", ""]
)
def test_other_machine_is_not_this_one(host: str) -> None:
    """What only looks like it is not."""
    assert not is_loopback(host)


@given(st.text(max_size=80))
def test_any_text_is_a_reference_or_a_problem(text: str) -> None:
    """Nothing else is raised, and what is read says the same when it is written."""
    try:
        reference = Reference.parse(text)
    except ReferenceInvalid:
        return
    assert Reference.parse(str(reference)) == reference
