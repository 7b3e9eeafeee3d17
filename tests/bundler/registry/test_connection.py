"""TLS, proxies, and hosts that are not there."""

import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from bundler.model import Blob, digest_of
from bundler.registry.connection import Connections, Network, Request, same_origin, target_of
from bundler.registry.errors import RegistryInsecure, RegistryUnreachable, RegistryUntrusted, RegistryUnusable
from bundler.registry.manifests import OCI_MANIFEST
from bundler.registry.proxies import proxy_for
from bundler.registry.reference import Reference
from tests.fakes.registry import FakeRegistry
from tests.fakes.registry_process import RegistryProcess
from tests.fakes.registry_side import ClientSide
from tests.fakes.registry_wire import Received, Reply, WireServer

MANIFEST = b'{"schemaVersion":2,"layers":[]}'


@pytest.fixture(scope="module")
def certificate(
    tmp_path_factory: pytest.TempPathFactory, missing_service: Callable[[str], NoReturn]
) -> tuple[Path, Path]:
    """Return certificate and key of a server on this machine that no authority has signed."""
    folder = tmp_path_factory.mktemp("certificate")
    made, key = folder / "made.crt", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=lab"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(made)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        missing_service("openssl")
    return made, key


@pytest.fixture
async def tls_registry(certificate: tuple[Path, Path], side: ClientSide) -> AsyncIterator[FakeRegistry]:
    """Return a fake registry that speaks TLS, with an image."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    registry = await FakeRegistry(side.now).start(tls=context)
    registry.put_manifest("team/app", "latest", MANIFEST, OCI_MANIFEST)
    yield registry
    await registry.wire.close()


async def test_tls_is_spoken_to_this_machine_too(
    tls_registry: FakeRegistry, side: ClientSide, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    """A registry here that hangs up on plain HTTP is asked over TLS, by a certificate in Docker's folder."""
    folder = tmp_path / "certs.d" / tls_registry.host
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_bytes(certificate[0].read_bytes())
    side.certificates = (tmp_path / "certs.d",)
    async with side.client() as client:
        reference = Reference.parse(f"{tls_registry.host}/team/app")
        assert (await client.manifest(reference)).content == MANIFEST


async def test_certificate_in_the_environment_is_trusted(
    tls_registry: FakeRegistry, side: ClientSide, certificate: tuple[Path, Path]
) -> None:
    """SSL_CERT_FILE is what everybody else reads."""
    side.environ["SSL_CERT_FILE"] = str(certificate[0])
    async with side.client() as client:
        reference = Reference.parse(f"{tls_registry.host}/team/app")
        assert (await client.manifest(reference)).content == MANIFEST


async def test_real_registry_with_tls_is_asked_over_it(
    start_registry: Callable[..., RegistryProcess], side: ClientSide, certificate: tuple[Path, Path]
) -> None:
    """One that answers plain HTTP with words about HTTPS, rather than hanging up."""
    process = start_registry(tls=certificate)
    side.environ["SSL_CERT_FILE"] = str(certificate[0])
    target = Reference.parse(f"{process.host}/team/app:v1")
    async with side.client() as client:
        assert await client.push_blob(target, Blob.of(b"x" * 100_000, "x/y")) == "uploaded"
        assert await client.has_blob(target, digest_of(b"x" * 100_000))


async def test_unknown_certificate_is_refused(tls_registry: FakeRegistry, side: ClientSide) -> None:
    """An unknown authority is told, with what to do, and nothing is sent."""
    async with side.client() as client:
        with pytest.raises(RegistryUntrusted, match="self-signed"):
            await client.manifest(Reference.parse(f"{tls_registry.host}/team/app"))
    assert tls_registry.wire.received == []
    assert side.slept == []


async def test_plain_http_elsewhere_is_never_tried(side: ClientSide) -> None:
    """A host that is not this machine is asked over TLS alone, whatever it answers."""
    with pytest.raises(RegistryInsecure, match=r"'r\.example:5000' is asked over plain HTTP"):
        await _send(side, "http://r.example:5000/v2/")


async def test_plain_http_is_allowed_by_name(side: ClientSide) -> None:
    """By a host that has another name than this machine, which a proxy knows."""

    async def proxy(request: Received) -> Reply:
        is_manifest = request.target.startswith("http://r.example:5000/v2/team/app/manifests/")
        return Reply(headers={"Content-Type": OCI_MANIFEST}, body=MANIFEST if is_manifest else b"{}")

    wire = await WireServer(proxy).start()
    side.environ["http_proxy"] = f"http://127.0.0.1:{wire.port}"
    side.plain_http = frozenset({"r.example:5000"})
    try:
        async with side.client() as client:
            manifest = await client.manifest(Reference.parse("r.example:5000/team/app"))
    finally:
        await wire.close()
    assert manifest.content == MANIFEST


async def test_nobody_listening_is_told_soon(side: ClientSide) -> None:
    """Three attempts are enough for a port that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with side.client() as client:
            with pytest.raises(RegistryUnreachable, match=f"127.0.0.1:{port}"):
                await client.manifest(Reference.parse(f"127.0.0.1:{port}/team/app"))
    assert len(side.slept) == 2


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        ("https://r.example/", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://r.example/", {"https_proxy": "p:1"}, "http://p:1"),
        ("https://r.example/", {"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "http://a:1"),
        ("https://r.example/", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://r.example/", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("http://127.0.0.1:5000/", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://localhost:5000/", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://r.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x, .example"}, None),
        ("https://r.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://r.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example"}, None),
        ("https://rexample/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example"}, "http://p:1"),
        ("https://r.example:5/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "r.example:6"}, "http://p:1"),
        ("https://r.example:5/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "r.example:5"}, None),
        ("https://10.1.2.3/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
        ("https://11.1.2.3/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "http://p:1"),
    ],
)
def test_proxy_is_chosen(url: str, variables: dict[str, str], expected: str | None) -> None:
    """By the variables that everybody knows; this machine is never asked through one."""
    assert proxy_for(httpx.URL(url), variables) == expected


@pytest.mark.parametrize(
    ("location", "url", "expected"),
    [
        ("/v2/x?_s=a%2Fb+c", "https://r.example/v2/", "https://r.example/v2/x?_s=a%2Fb+c"),
        ("x?y", "https://r.example/v2/a", "https://r.example/v2/x?y"),
        ("https://other.example:8/x", "https://r.example/", "https://other.example:8/x"),
        ("http://r.example/x", "https://r.example/", "https://r.example/x"),
        ("http://r.example/x", "https://r.example:444/", "https://r.example:444/x"),
        ("http://other.example/x", "https://r.example/", "http://other.example/x"),
    ],
)
def test_location_is_resolved(location: str, url: str, expected: str) -> None:
    """Relative or not; a registry that does not know of the TLS before it keeps it."""
    assert str(target_of(location, httpx.URL(url))) == expected


def test_location_that_is_none_breaks_the_protocol() -> None:
    """Nor is it quoted, since it may hold a signature."""
    with pytest.raises(RegistryUnusable):
        target_of("https://r.example:port/", httpx.URL("https://r.example/"))


def test_origin_is_scheme_host_and_port() -> None:
    """A port that is the scheme's own need not be written."""
    assert same_origin(httpx.URL("https://r.example/a"), httpx.URL("https://r.example:443/b"))
    for other in ("http://r.example/", "https://r.example:444/", "https://x.example/", "https://r.example.x/"):
        assert not same_origin(httpx.URL("https://r.example/"), httpx.URL(other))


async def _send(side: ClientSide, url: str) -> None:

    connections = Connections(Network(environ=side.environ), user_agent="test")
    try:
        await connections.send(Request(method="GET", url=httpx.URL(url)))
    finally:
        await connections.aclose()
