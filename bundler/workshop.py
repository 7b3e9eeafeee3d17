"""What a build works with, beside the project: the cache, registries, package indexes, programs, an engine."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bundler.cache import Cache
from bundler.docker.engine import find_engine
from bundler.locks.tools import Tools
from bundler.model import Silent
from bundler.registry.client import RegistryClient
from bundler.registry.connection import Connections, Network
from bundler.registry.credentials import Credentials
from bundler.wheels.acquiring import Acquirer
from bundler.wheels.building import Builder
from bundler.wheels.fetch import Fetcher
from bundler.wheels.logins import Logins
from bundler.wheels.store import WheelStore
from trigger_sdk.protocol.version import VERSION

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bundler.docker.engine import Engine
    from bundler.model import Progress

_USER_AGENT: Final = f"trigger/{VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a build works with.

    Attributes:
        cache: what earlier builds made.
        client: asks registries.
        credentials: of registries.
        acquirer: gets wheels.
        tools: programs of this machine.
        engine: finds the Docker engine, for what needs one; the same each time, and closed with the workshop.
        progress: hears how far things are.
        environ: variables of this process.
    """

    cache: Cache
    client: RegistryClient
    credentials: Credentials
    acquirer: Acquirer
    tools: Tools
    engine: Callable[[], Engine]
    progress: Progress
    environ: Mapping[str, str] = field(repr=False)


@asynccontextmanager
async def open_workshop(
    environ: Mapping[str, str],
    *,
    home: Path,
    plain_http: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> AsyncIterator[Workshop]:
    """Give a workshop that does what the environment says, and close its connections at the end.

    Args:
        environ: variables: of proxies, credentials, the cache, the engine.
        home: the user's home folder.
        plain_http: hosts of registries that may be spoken to without TLS, beside those on this machine.
        progress: hears how far things are.
    """
    told = progress if progress is not None else Silent()
    cache = Cache(cache_folder(environ, home))
    tools = Tools(environ=environ, cache=cache)
    network = Network(environ=environ, plain_http=plain_http)
    connections = Connections(network, user_agent=_USER_AGENT)
    store = WheelStore(cache)
    fetcher = Fetcher(store=store, connections=connections, logins=Logins(environ=environ, home=home), progress=told)
    credentials = Credentials(environ=environ, home=home)
    engines: list[Engine] = []

    def engine() -> Engine:
        if not engines:
            engines.append(find_engine(environ=environ, home=home))
        return engines[0]

    try:
        async with RegistryClient(credentials=credentials, network=network, user_agent=_USER_AGENT) as client:
            yield Workshop(
                cache=cache,
                client=client,
                credentials=credentials,
                acquirer=Acquirer(fetcher=fetcher, builder=Builder(store=store, tools=tools), progress=told),
                tools=tools,
                engine=engine,
                progress=told,
                environ=environ,
            )
    finally:
        await connections.aclose()
        for found in engines:
            await found.close()


def cache_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Return where the cache is: ``TRIGGER_CACHE_DIR``, or ``trigger`` in ``XDG_CACHE_HOME`` or ``~/.cache``."""
    if chosen := environ.get("TRIGGER_CACHE_DIR"):
        return Path(chosen).expanduser() / "bundle"
    usual = environ.get("XDG_CACHE_HOME", "")
    return (Path(usual) if usual.startswith("/") else home / ".cache") / "trigger" / "bundle"
