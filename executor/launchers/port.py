"""The port: what is started, what becomes of it, and what every launcher can do."""

from __future__ import annotations

import signal as signals
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

Said = Callable[[str], None]
"""Takes a line that a worker wrote to stdout or stderr, without its newline; called on the loop, in order."""

_MEGABYTE: Final = 1024 * 1024
_SIGNALED: Final = 128
"""A container's first process passes the number of a signal on as an exit code above that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """An image, by what it contains.

    Attributes:
        repository: ``prod/myapp`` in the server's own registry, ``registry.example.com/team/myapp`` elsewhere.
        digest: of its manifest, ``sha256:...``.
        own_registry: it is in the server's own registry.
    """

    repository: str
    digest: str
    own_registry: bool

    @property
    def text(self) -> str:
        """``repository@digest``."""
        return f"{self.repository}@{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a worker may use; None: what the launcher is set to.

    Attributes:
        memory_bytes: of memory; who uses more is killed.
        cpus: processors, 0.5 is half of one.
        pids: processes and threads at once.
    """

    memory_bytes: int | None = None
    cpus: float | None = None
    pids: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One worker to start.

    Attributes:
        environment: name of the environment that it belongs to.
        version: of its deployment, ``20261124.3``; it is the code that its session names.
        image: what it runs.
        worker_id: the id it opens its session with.
        variables: environment variables beside those of the image, which they go before. Kept out of all texts.
        machine: what it may use.
    """

    environment: str
    version: str
    image: ImageRef
    worker_id: str
    variables: Mapping[str, str] = field(repr=False)
    machine: Machine = Machine()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a worker ended.

    Attributes:
        code: its exit code; None when a signal ended it, or nobody knows.
        signal: number of the signal that ended it, or None.
        oom: it was killed for want of memory.
        told: what the launcher adds: ``memory limit 512 MB``, ``the node is gone``; else empty.
    """

    code: int | None = None
    signal: int | None = None
    oom: bool = False
    told: str = ""

    @classmethod
    def of_container(cls, status: int, *, oom: bool = False, told: str = "") -> Exit:
        """Read the exit code of a container, which is above 128 when a signal ended the worker."""
        number = status - _SIGNALED
        if number in signals.valid_signals():
            return cls(signal=number, oom=oom, told=told)
        return cls(code=status, oom=oom, told=told)

    @property
    def is_clean(self) -> bool:
        """Whether it ended of itself and in order, as a worker does that has drained."""
        return self.code == 0 and not self.oom

    @property
    def reason(self) -> str:
        """How it ended, for people: ``killed by SIGKILL: out of memory (memory limit 512 MB)``, ``exit code 3``."""
        if self.signal is not None:
            ended = f"killed by {_name_of(self.signal)}"
        elif self.code is not None:
            ended = f"exit code {self.code}"
        else:
            return self.told or "ended, and nobody knows how"
        if self.oom:
            ended += ": out of memory"
        return f"{ended} ({self.told})" if self.told else ended


def megabytes(count: int) -> str:
    """Return a number of bytes as it is shown to people: ``512 MB``, of 1,048,576 bytes each."""
    return f"{count / _MEGABYTE:g} MB" if count % _MEGABYTE == 0 else f"{count / _MEGABYTE:.1f} MB"


def _name_of(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Instance(Protocol):
    """A worker that was started.

    Attributes:
        worker_id: the id of its session.
    """

    @property
    def worker_id(self) -> str:
        """The id of its session."""

    async def wait(self) -> Exit:
        """Return how it ended, once it has, and all its lines were told. May be awaited by several, and again."""

    async def stop(self, grace_s: float) -> Exit:
        """Have it drain (SIGTERM), kill it after the grace, and return how it ended. 0 kills it at once."""


class Launcher(Protocol):
    """Starts workers of deployments, and ends what an earlier life of the server left."""

    @property
    def name(self) -> str:
        """``process``, ``docker`` or ``swarm``."""

    async def prepare(self, image: ImageRef) -> None:
        """Have an image where workers can be started of it. Does nothing when it is there.

        Raises:
            TriggerError: it cannot be had, or must not be: its problem says why.
        """

    async def start(self, launch: Launch, said: Said) -> Instance:
        """Start a worker; its image is prepared first where it is not.

        Args:
            launch: what to start.
            said: takes what it writes.

        Raises:
            TriggerError: it cannot be started.
        """

    async def sweep(self) -> None:
        """End the workers that an earlier life of this server left. Called once, before the first start."""

    async def forget(self, in_use: frozenset[str]) -> None:
        """Remove what was prepared of images, but for those of these digests and those that run."""

    async def close(self) -> None:
        """End everything that was started, at once, and let go of what is held."""
