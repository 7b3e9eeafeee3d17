"""What tests of the bundler can ask for: registries, fake and real. Nothing is installed here."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from bundler.docker.engine import Engine, find_engine
from tests.fakes.registry import FakeRegistry
from tests.fakes.registry_process import Auth, RegistryProcess, missing_programs
from tests.fakes.registry_side import ClientSide
from tests.rig.dockerd_process import DockerdProcess


@pytest.fixture
def start_registry(
    tmp_path: Path, missing_service: Callable[[str], NoReturn]
) -> Iterator[Callable[..., RegistryProcess]]:
    """Return what starts a real registry, with ``auth=`` none, htpasswd or token, or ``tls=``; ended with the test."""
    started: list[RegistryProcess] = []

    def start(auth: Auth = "none", tls: tuple[Path, Path] | None = None) -> RegistryProcess:
        if missing := missing_programs(auth):
            missing_service(", ".join(missing))
        started.append(RegistryProcess(tmp_path / f"registry-{len(started)}", auth, tls))
        return started[-1].start()

    yield start
    for process in started:
        process.close()


@pytest.fixture
def side(tmp_path: Path) -> ClientSide:
    """Return the side of the client: its clock, its home folder, what it waited."""
    return ClientSide(tmp_path / "home")


@pytest.fixture
async def fake_registry(side: ClientSide) -> AsyncIterator[FakeRegistry]:
    """Return a fake registry that listens, on the clock of the client's side."""
    registry = await FakeRegistry(side.now).start()
    yield registry
    await registry.wire.close()


@pytest.fixture
async def other_registry(side: ClientSide) -> AsyncIterator[FakeRegistry]:
    """Return another fake registry, on a port of its own: for a client, another host."""
    registry = await FakeRegistry(side.now).start()
    yield registry
    await registry.wire.close()


@pytest.fixture
async def engine(dockerd: DockerdProcess, tmp_path: Path) -> AsyncIterator[Engine]:
    """Return the tests' Docker engine, found as a user's is."""
    found = find_engine(environ={"DOCKER_HOST": dockerd.address}, home=tmp_path)
    yield found
    await found.close()
