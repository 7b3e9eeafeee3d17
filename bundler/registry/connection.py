"""One request over the network, and nothing more: TLS, proxies, redirects, and what a failure means.

Written on httpx's transports rather than its client, which would log every address with its query, and the queries of
upload sessions and blob stores are secrets.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import certifi
import httpx

from bundler.registry.errors import RegistryInsecure, RegistryUnreachable, RegistryUntrusted, RegistryUnusable
from bundler.registry.proxies import proxy_for
from bundler.registry.reference import is_loopback
from bundler.registry.retrying import Transient
from bundler.registry.secrets import place

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPS_METHOD = frozenset({307, 308})
_MAX_REDIRECTS = 8
_CONNECT_ATTEMPTS = 3


class Body(Protocol):
    """What is sent with a request: it can be sent again."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give them, from the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for.

    Attributes:
        method: of HTTP.
        url: complete.
        headers: beside those that every request has.
        body: None for none, which has the length 0 where the method may have one.
        authorization: sent to the origin of ``url`` and to no other; empty for none.
    """

    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bytes:
    """A body in memory."""

    content: bytes

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.content)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give them all at once."""
        yield self.content


class _Stream(httpx.AsyncByteStream):
    """A body that is sent once; closing it closes what it is read from, however far that was."""

    def __init__(self, body: Body) -> None:
        self._chunks = body.chunks()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks

    async def aclose(self) -> None:
        """Read no more."""
        await self._chunks.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How the network is used.

    Attributes:
        plain_http: hosts, with their port, that may be spoken to without TLS, beside those on this machine.
        environ: for the variables of proxies and of certificates.
        certificates: folders with ``HOST/*.crt``, authorities to trust for one host, as Docker has them.
        connect_timeout: seconds to connect.
        timeout: seconds without any byte. A registry may take long to store a large blob.
        connections: to each host at the same time.
    """

    plain_http: frozenset[str] = frozenset()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    certificates: tuple[Path, ...] = (Path("/etc/docker/certs.d"), Path("/etc/containers/certs.d"))
    connect_timeout: float = 15.0
    timeout: float = 300.0
    connections: int = 16

    def allows_plain(self, host: str) -> bool:
        """Tell whether a host, with or without a port, may be spoken to without TLS."""
        return is_loopback(host) or host in self.plain_http


class Connections:
    """Open connections, kept between requests."""

    def __init__(self, network: Network, *, user_agent: str) -> None:
        """Open none yet."""
        self._network = network
        self._user_agent = user_agent
        self._transports: dict[tuple[str, str], httpx.AsyncHTTPTransport] = {}

    async def aclose(self) -> None:
        """Close them all."""
        transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            await transport.aclose()

    async def send(self, request: Request) -> httpx.Response:
        """Send a request, follow redirects, and return the answer with its body unread; the caller closes it.

        Raises:
            Transient: no answer, which may be different the next time.
            RegistryUnreachable, RegistryUntrusted: no answer, and that will stay so.
            RegistryInsecure: plain HTTP to a host that is neither allowed nor this machine.
            RegistryUnusable: redirects without end or without address.
        """
        url = request.url
        for _ in range(_MAX_REDIRECTS):
            response = await self._one(request, url)
            if response.status_code not in REDIRECTS or "Location" not in response.headers:
                return response
            if request.method not in {"GET", "HEAD"} and response.status_code not in _KEEPS_METHOD:
                return response
            await response.aclose()
            url = target_of(response.headers["Location"], url)
        raise RegistryUnusable(f"{place(request.url)} redirects again and again")

    async def _one(self, request: Request, url: httpx.URL) -> httpx.Response:
        host = url.netloc.decode("ascii", "replace")
        if url.scheme not in {"http", "https"} or not url.host:
            raise RegistryUnusable(f"{place(request.url)} sends us to '{url.scheme}://', which is no web address")
        if url.scheme == "http" and not self._network.allows_plain(host):
            raise RegistryInsecure(f"'{host}' is asked over plain HTTP ({request.method} {place(url)})")
        headers = {"Host": host, "User-Agent": self._user_agent, "Accept": "*/*", **request.headers}
        if request.authorization and same_origin(url, request.url):
            headers["Authorization"] = request.authorization
        stream: httpx.AsyncByteStream | None = None
        if request.body is not None:
            stream = _Stream(request.body)
            headers["Content-Length"] = str(request.body.size)
        elif request.method not in {"GET", "HEAD"}:
            headers["Content-Length"] = "0"
        network = self._network
        timeout = httpx.Timeout(network.timeout, connect=network.connect_timeout, pool=None)
        sent = httpx.Request(
            request.method, url, headers=headers, stream=stream, extensions={"timeout": timeout.as_dict()}
        )
        transport = await self._transport(url)
        try:
            response = await transport.handle_async_request(sent)
        except httpx.TransportError as error:
            raise failure_of(error, url) from None
        finally:
            if stream is not None:
                await stream.aclose()
        response.request = sent
        return response

    async def _transport(self, url: httpx.URL) -> httpx.AsyncHTTPTransport:
        host = url.netloc.decode("ascii", "replace")
        key = (url.scheme, host)
        if key not in self._transports:
            is_secure = url.scheme == "https"
            context = (
                await asyncio.to_thread(self._context, host) if is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            )
            limit = self._network.connections
            proxy = proxy_for(url, self._network.environ)
            made = httpx.AsyncHTTPTransport(
                verify=context,
                trust_env=False,
                proxy=httpx.Proxy(proxy) if proxy else None,
                limits=httpx.Limits(max_connections=limit, max_keepalive_connections=limit, keepalive_expiry=30.0),
            )
            # Another task may have been as far while the certificates were read.
            if self._transports.setdefault(key, made) is not made:
                await made.aclose()
        return self._transports[key]

    def _context(self, host: str) -> ssl.SSLContext:
        """Return whom to trust: the machine's authorities, else those of certifi; those for this host beside them."""
        environ = self._network.environ
        file, folder = environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR")
        try:
            context = ssl.create_default_context(cafile=file or None, capath=folder or None)
            if not (file or folder):
                context.load_verify_locations(certifi.where())
            for certificates in self._network.certificates:
                for path in sorted((certificates / host).glob("*.crt")):
                    context.load_verify_locations(path)
        except OSError as error:
            raise RegistryUnreachable(f"the certificates for '{host}' cannot be read: {error}") from None
        return context


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Tell whether two addresses are of one server: what is secret for one may then be sent to the other."""
    return (one.scheme, one.host, _port(one)) == (other.scheme, other.host, _port(other))


def target_of(location: str, url: httpx.URL) -> httpx.URL:
    """Return where a header ``Location`` points to, byte for byte in its path and query.

    A registry behind a proxy that ends TLS often believes that it is spoken to over plain HTTP, and says so.
    """
    try:
        target = url.join(location)
    except (httpx.InvalidURL, ValueError):
        raise RegistryUnusable(f"{place(url)} sends us to an address that is none") from None
    if target.scheme == "http" and url.scheme == "https" and target.host == url.host:
        return target.copy_with(scheme="https", port=target.port if target.port not in {None, 80} else url.port)
    return target


def failure_of(error: httpx.TransportError, url: httpx.URL) -> Exception:
    """Return what to raise when there was no answer, or only a part of one."""
    host = url.netloc.decode("ascii", "replace")
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return RegistryUntrusted(f"the certificate of '{host}' is not trusted: {error}")
    if any(isinstance(cause, ssl.SSLError) for cause in causes) and isinstance(error, httpx.ConnectError):
        hint = "If it speaks plain HTTP only, allow that for this host explicitly."
        return RegistryUnreachable(f"'{host}' does not speak TLS as we do: {error}", hint=hint)
    if any(isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME for cause in causes):
        return RegistryUnreachable(f"there is no host '{url.host}'")
    if isinstance(error, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
        return RegistryUnusable(f"{place(url)} cannot be asked: {error}")
    what = str(error) or type(error).__name__
    unreachable = RegistryUnreachable(f"no answer from {place(url)}: {what}")
    is_connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError)
    return Transient(unreachable, attempts=_CONNECT_ATTEMPTS if is_connecting else None)


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found
