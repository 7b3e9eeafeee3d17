"""The side of who fetches wheels: its store, its clock, its logins, and what it tells."""

from pathlib import Path

from bundler.cache import Cache
from bundler.locks.model import Distribution, Registry, WheelFile
from bundler.model import Wheel
from bundler.registry.connection import Connections, Network
from bundler.registry.retrying import Retrying
from bundler.wheels.fetch import Fetcher, FetchLimits
from bundler.wheels.logins import Logins
from bundler.wheels.store import WheelStore
from tests.fakes.index import FakeIndex, Offered


class Told:
    """Keeps what was told of progress."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self.events: list[str] = []

    def start(self, name: str, total: int | None = None) -> None:
        self.total = total
        self.events.append("start")

    def advance(self, name: str, amount: int) -> None:
        self.done += amount

    def finish(self, name: str) -> None:
        self.events.append("finish")


class FetchSide:
    """One who fetches.

    Attributes:
        folder: of the cache.
        environ: variables.
        home: for netrc.
        waited: seconds between attempts.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}
        self.home = folder.parent / "home"
        self.waited: list[float] = []
        self.told = Told()
        self.limits = FetchLimits()
        self.connections = Connections(Network(timeout=20.0), user_agent="test")
        self.store = WheelStore(Cache(folder))

    async def sleep(self, seconds: float) -> None:
        """Wait for no time."""
        self.waited.append(seconds)

    def fetcher(self) -> Fetcher:
        """Return what fetches."""
        return Fetcher(
            store=self.store,
            connections=self.connections,
            logins=Logins(environ=self.environ, home=self.home),
            retrying=Retrying(clock=lambda: 0.0, sleep=self.sleep, jitter=lambda: 0.5),
            limits=self.limits,
            progress=self.told,
        )

    async def fetch(self, *wanted: tuple[Distribution, WheelFile]) -> tuple[Wheel, ...]:
        """Fetch wheels."""
        return await self.fetcher().fetch(wanted)

    def kept(self) -> list[Path]:
        """Return the files of the cache that hold contents, whole or not."""
        return [path for path in self.folder.rglob("*") if path.is_file() and "entries" not in path.parts]


def locked_wheel(index: FakeIndex, offered: Offered, **lies: object) -> tuple[Distribution, WheelFile]:
    """Return what a lock says of a wheel, with lies about its url, size or sha256s."""
    values = {
        "filename": offered.filename,
        "url": index.url_of(offered),
        "sha256s": frozenset((offered.sha256,)),
        "size": len(offered.content),
        **lies,
    }
    file = WheelFile(**values)  # type: ignore[arg-type]  # the lies are of the right types
    return Distribution(name=offered.project, version="1.0", source=Registry(index=index.simple), wheels=(file,)), file
