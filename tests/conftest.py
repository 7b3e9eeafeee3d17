"""What every test can ask for, and how hypothesis runs here."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from tests.fakes import registry_process
from tests.fakes.dev_process import DevProcess
from tests.fakes.postgres_server import PostgresServer, programs
from tests.fakes.registry_process import Auth, RegistryProcess
from tests.fakes.services_process import ServicesProcess
from tests.rig import debian_image, dockerd_process
from tests.rig.debian_image import DebianBase, NoPackages
from tests.rig.dockerd_process import DockerdProcess

ROOT = Path(__file__).resolve().parent.parent

# A deadline per example measures the machine's neighbours; pytest-timeout bounds the test.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def missing_service() -> Callable[[str], NoReturn]:
    """Return what to call when a service (a database, a Docker engine) is not there: a skip here, a failure in CI."""

    def give_up(service: str) -> NoReturn:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{service} is not available, and CI must have it: start it in .ci/run")
        pytest.skip(f"{service} is not available")

    return give_up


@pytest.fixture(scope="session")
def postgres_server(missing_service: Callable[[str], NoReturn]) -> Iterator[PostgresServer]:
    """Return a PostgreSQL server for the whole session, without fsync; tests make databases of their own."""
    found = programs()
    if found is None:
        missing_service("PostgreSQL")
    server = PostgresServer(found)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def dev_project() -> Iterator[Callable[..., DevProcess]]:
    """Return what starts `trigger dev` for a project folder, on a port of its own; ended with the test."""
    started: list[DevProcess] = []

    def start(project: Path, *, ready: bool = True, **variables: str) -> DevProcess:
        started.append(DevProcess(project, **variables))
        return started[-1].start(ready=ready)

    yield start
    for process in started:
        process.close()


@pytest.fixture
def services_of() -> Iterator[Callable[[Path], ServicesProcess]]:
    """Return what starts the services of a project made from a template; ended with the test."""
    started: list[ServicesProcess] = []

    def start(project: Path) -> ServicesProcess:
        started.append(ServicesProcess(project))
        return started[-1].start()

    yield start
    for process in started:
        process.close()


@pytest.fixture(scope="session")
def base_image(request: pytest.FixtureRequest, missing_service: Callable[[str], NoReturn]) -> DebianBase:
    """Return a base image with Python 3.11 and apt, made of Debian's packages; its apt knows ``PACKAGES``."""
    if missing := debian_image.missing_programs():
        missing_service(", ".join(missing))
    try:
        return debian_image.debian_base(request.config.cache.mkdir("debian-base"), debian_image.OFFERED)
    except NoPackages as error:
        missing_service(f"Debian's packages ({error})")


@pytest.fixture
def start_dockerd(missing_service: Callable[[str], NoReturn]) -> Iterator[Callable[..., DockerdProcess]]:
    """Return what starts a Docker engine that a test may kill; it has no images, and ends with the test.

    With ``in_memory=True`` it is quicker, and forgets everything when it is started again.
    """
    started: list[DockerdProcess] = []

    def start(*, in_memory: bool = False) -> DockerdProcess:
        if missing := dockerd_process.missing_programs():
            missing_service(", ".join(missing))
        started.append(DockerdProcess(in_memory=in_memory))
        return started[-1].start()

    yield start
    for process in started:
        process.close()


@pytest.fixture(scope="session")
def dockerd(base_image: DebianBase, missing_service: Callable[[str], NoReturn]) -> Iterator[DockerdProcess]:
    """Return a Docker engine that all tests share; it has the base image, by its id."""
    if missing := dockerd_process.missing_programs():
        missing_service(", ".join(missing))
    process = DockerdProcess(in_memory=True)
    try:
        process.start().load(base_image.archive)
        yield process
    finally:
        process.close()


@pytest.fixture(scope="session")
def shared_registry(
    tmp_path_factory: pytest.TempPathFactory, missing_service: Callable[[str], NoReturn]
) -> Iterator[Callable[[Auth], RegistryProcess]]:
    """Return what gives the real registry of a kind (none, htpasswd, token) that all tests share: choose your names."""
    started: dict[Auth, RegistryProcess] = {}

    def give(auth: Auth) -> RegistryProcess:
        if auth not in started:
            if missing := registry_process.missing_programs(auth):
                missing_service(", ".join(missing))
            process = RegistryProcess(tmp_path_factory.mktemp(f"registry-{auth}"), auth)
            started[auth] = process.start()
        return started[auth]

    yield give
    for process in started.values():
        process.close()


@pytest.fixture
def skopeo(missing_service: Callable[[str], NoReturn], tmp_path: Path) -> Callable[..., bytes]:
    """Return what runs skopeo and returns its output."""
    if shutil.which("skopeo") is None:
        missing_service("skopeo")

    def run(*arguments: str) -> bytes:
        command = ["skopeo", "--insecure-policy", "--tmpdir", str(tmp_path), *arguments]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run
