"""A Docker engine, as far as builds need one: a port, and how the one of this machine is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.registry.auth_files import Credential

Hear = Callable[[Mapping[str, Any]], None]
"""Hears the messages of an engine while it works, in the thread of the event loop."""

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineVersion:
    """What an engine is.

    Attributes:
        version: of the engine, ``20.10.24``.
        api: the newest version of the interface that it speaks, ``(1, 41)``.
        os: what its containers run on: ``linux``.
        architecture: its own, as in OCI: ``amd64``.
        address: where it listens, ``unix:///var/run/docker.sock``.
    """

    version: str
    api: tuple[int, int]
    os: str
    architecture: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What is run, and what it may do. All capabilities are dropped, and it can gain none.

    Attributes:
        image: name, or id (``sha256:…``).
        command: arguments; empty for those of the image.
        entrypoint: program; empty for that of the image.
        env: environment variables beside those of the image.
        user: ``10001:10001``; empty for that of the image.
        working_dir: absolute path; empty for that of the image.
        has_network: whether it can reach anything.
        is_read_only: whether it can write nothing but its ``tmpfs``.
        tmpfs: folders in memory, and their options, ``{"/tmp": "size=64m"}``.
        memory: most bytes of memory; 0 for no limit.
        processes: most processes and threads; 0 for no limit.
    """

    image: str
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    user: str = ""
    working_dir: str = ""
    has_network: bool = False
    is_read_only: bool = False
    tmpfs: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    memory: int = 0
    processes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a container left behind.

    Attributes:
        exit_code: 128 and the number of the signal where one ended it.
        stdout: what it wrote, up to the most that was asked for.
        stderr: the same.
        is_cut: whether it wrote more than that.
        is_timed_out: whether it was ended because its time was up.
        is_out_of_memory: whether it was ended because it took too much memory.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    is_cut: bool = False
    is_timed_out: bool = False
    is_out_of_memory: bool = False


class Engine(Protocol):
    """A Docker engine.

    Every method may raise EngineMissing (nobody answers), EngineForbidden (one may not ask it), EngineUnusable (it is
    too old, or runs no Linux containers), EngineFailed (it says no) and EngineLost (it went away in the middle). A
    call that is cancelled leaves no container and no half of anything behind.
    """

    async def ping(self) -> EngineVersion:
        """Return what the engine is."""

    async def inspect(self, image: str) -> Mapping[str, Any] | None:
        """Return what the engine tells of an image (``docker image inspect``), None when it has no such image.

        Args:
            image: name, name with a digest, or id.
        """

    async def pull(self, image: str, *, credential: Credential | None = None, hear: Hear | None = None) -> None:
        """Fetch an image from a registry.

        Args:
            image: name with a tag or a digest.
            credential: for that registry.
            hear: hears how far it is.
        """

    async def build(
        self,
        context: Iterable[bytes],
        *,
        arguments: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        platform: str = "",
        hear: Hear | None = None,
    ) -> str:
        """Build an image and return its id, ``sha256:…``.

        Args:
            context: pieces of a tar that holds ``Dockerfile`` and what it adds.
            arguments: values of its ``ARG`` instructions.
            labels: of the image, beside those in the Dockerfile; they stand in the request's address, which must not
                have more than about 900 kB.
            platform: ``linux/arm64``; empty for that of the engine.
            hear: hears every message: ``stream``, ``status``, ``aux``, ``error``.
        """

    async def run(self, container: Container, *, timeout: float, most_output: int = 1 << 26) -> Ran:
        """Run a container to its end, and remove it.

        Args:
            container: what is run.
            timeout: in seconds, after which it is ended.
            most_output: bytes that are kept of each of its two outputs.
        """

    async def save(self, image: str, output: BinaryIO) -> None:
        """Write an image as the archive of ``docker save``.

        Args:
            image: name or id.
            output: takes the archive; written to in another thread.
        """

    async def load(self, archive: Iterable[bytes], *, hear: Hear | None = None) -> tuple[str, ...]:
        """Take in an archive of ``docker save`` and return names and ids of what was in it.

        Args:
            archive: its pieces, asked for in another thread.
            hear: hears how far it is.
        """

    async def tag(self, image: str, name: str) -> None:
        """Give an image a name: ``host/name:tag``; another image that had it loses it."""

    async def remove(self, image: str) -> None:
        """Remove a name of an image, or the image itself by its id; nothing happens when it is not there."""

    async def close(self) -> None:
        """End all connections. An engine that is asked again opens new ones."""


def find_engine(*, environ: Mapping[str, str], home: Path, timeout: float = 60.0) -> Engine:
    """Return the engine that the ``docker`` command would use; nothing is opened yet.

    Args:
        environ: the environment: ``DOCKER_HOST``, ``DOCKER_CONTEXT``, ``DOCKER_CONFIG``, ``DOCKER_TLS_VERIFY``,
            ``DOCKER_CERT_PATH``.
        home: the user's folder.
        timeout: in seconds, for answers that take no work.

    Raises:
        EngineMissing: a context is named that does not exist, or an address that cannot be understood.
    """
    from bundler.docker.endpoints import find_endpoint  # noqa: PLC0415 - only who has an engine pays for it
    from bundler.docker.sdk_engine import SdkEngine  # noqa: PLC0415 - as above

    return SdkEngine(find_endpoint(environ=environ, home=home), timeout=timeout)
