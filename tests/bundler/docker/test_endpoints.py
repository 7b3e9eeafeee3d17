"""Where an engine is looked for: as the docker command does it."""

import hashlib
import json
from pathlib import Path

import pytest

from bundler.docker.endpoints import USUAL, find_endpoint
from bundler.docker.errors import EngineMissing


def add_context(folder: Path, name: str, host: str, *, skip: bool = False, certificates: bool = False) -> None:
    """Write a context as `docker context create` does."""
    identity = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts/meta" / identity
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": skip}}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoints}))
    if certificates:
        files = folder / "contexts/tls" / identity / "docker"
        files.mkdir(parents=True)
        for file in ("ca.pem", "cert.pem", "key.pem"):
            (files / file).write_text("x")


def test_nothing_is_configured(tmp_path: Path) -> None:
    """The usual socket is taken."""
    assert find_endpoint(environ={}, home=tmp_path).address == USUAL


def test_host_of_the_environment_goes_first(tmp_path: Path) -> None:
    """DOCKER_HOST is taken whatever else is there."""
    add_context(tmp_path / ".docker", "other", "tcp://other:1")
    (tmp_path / ".docker/config.json").write_text('{"currentContext": "other"}')
    environ = {"DOCKER_HOST": "unix:///mine.sock", "DOCKER_CONTEXT": "other"}
    found = find_endpoint(environ=environ, home=tmp_path)
    assert (found.address, found.source, found.is_encrypted) == ("unix:///mine.sock", "DOCKER_HOST", False)


def test_certificates_of_the_environment(tmp_path: Path) -> None:
    """With DOCKER_TLS_VERIFY the certificates are those of DOCKER_CERT_PATH, else those beside the configuration."""
    (tmp_path / "certs").mkdir()
    for file in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / "certs" / file).write_text("x")
    environ = {"DOCKER_HOST": "tcp://there:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path / "certs")}
    found = find_endpoint(environ=environ, home=tmp_path)
    assert (found.is_encrypted, found.is_verified) == (True, True)
    assert found.authority == tmp_path / "certs/ca.pem"
    assert (found.certificate, found.key) == (tmp_path / "certs/cert.pem", tmp_path / "certs/key.pem")
    del environ["DOCKER_CERT_PATH"]
    assert find_endpoint(environ=environ, home=tmp_path).certificate is None


def test_contexts_by_variable_and_by_configuration(tmp_path: Path) -> None:
    """DOCKER_CONTEXT goes before what `docker context use` has written; DOCKER_CONFIG says where that is."""
    folder = tmp_path / "config"
    add_context(folder, "one", "unix:///one.sock")
    add_context(folder, "two", "tcp://two:2376", certificates=True)
    (folder / "config.json").write_text('{"currentContext": "one"}')
    environ = {"DOCKER_CONFIG": str(folder)}
    assert find_endpoint(environ=environ, home=tmp_path).address == "unix:///one.sock"
    two = find_endpoint(environ={**environ, "DOCKER_CONTEXT": "two"}, home=tmp_path)
    assert (two.address, two.source, two.is_encrypted, two.is_verified) == (
        "tcp://two:2376", "context 'two'", True, True
    )  # fmt: skip
    assert two.authority is not None
    assert two.authority.read_text() == "x"
    assert find_endpoint(environ={**environ, "DOCKER_CONTEXT": "default"}, home=tmp_path).address == USUAL


def test_context_whose_certificate_is_not_checked(tmp_path: Path) -> None:
    """A context may say that the engine's certificate is not checked."""
    add_context(tmp_path / ".docker", "lax", "tcp://lax:2376", skip=True)
    found = find_endpoint(environ={"DOCKER_CONTEXT": "lax"}, home=tmp_path)
    assert (found.is_encrypted, found.is_verified, found.authority) == (True, False, None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"currentContext": 7}', '{"currentContext": ""}'])
def test_configuration_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    """As to docker itself, it is as good as none."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(content)
    assert find_endpoint(environ={}, home=tmp_path).address == USUAL


@pytest.mark.parametrize("meta", [None, "", "[]", "{}", '{"Endpoints": 1}', '{"Endpoints": {"docker": {"Host": ""}}}'])
def test_context_that_names_no_engine(tmp_path: Path, meta: str | None) -> None:
    """A context that is not there, or broken, is a problem: another engine would be somebody else's."""
    if meta is not None:
        place = tmp_path / ".docker/contexts/meta" / hashlib.sha256(b"gone").hexdigest()
        place.mkdir(parents=True)
        (place / "meta.json").write_text(meta)
    with pytest.raises(EngineMissing, match="gone"):
        find_endpoint(environ={"DOCKER_CONTEXT": "gone"}, home=tmp_path)


@pytest.mark.parametrize("host", ["/var/run/docker.sock", "docker", "ftp://x"])
def test_host_that_is_no_address(tmp_path: Path, host: str) -> None:
    """An address without a scheme is a problem that says how one looks."""
    with pytest.raises(EngineMissing) as caught:
        find_endpoint(environ={"DOCKER_HOST": host}, home=tmp_path)
    assert "unix:///" in caught.value.problem.hint
