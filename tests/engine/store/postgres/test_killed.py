"""Two engines in processes of their own, killed; the server restarted and killed; the network cut; clocks set wrong.

Whatever happens, every run completes, each step's entry is accepted once, and a step is executed again only where its
attempt was cut off before its entry was acknowledged.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from engine.errors import StoreError
from engine.model import Settings
from tests.fakes.cut_proxy import CutProxy, cut_proxy
from tests.fakes.engine_world import manifest
from tests.fakes.postgres_server import PostgresServer, programs
from tests.fakes.shared_engine_program import STEPS
from tests.fakes.side import Side, until

RUNS = 120


@pytest.fixture
def durable_server(missing_service: Callable[[str], NoReturn]) -> Iterator[PostgresServer]:
    """Return a server that writes to the disk, for this test only."""
    found = programs()
    if found is None:
        missing_service("PostgreSQL")
    server = PostgresServer(found, fsync=True)
    try:
        yield server.start()
    finally:
        server.close()


class Scene:
    """A server, a control engine that creates runs, and engines in processes that serve them."""

    def __init__(self, server: PostgresServer, url: str, proxy: CutProxy, folder: Path, repository: Path) -> None:
        self.server = server
        self.proxy = proxy
        self.control = Side(url, "control", lease_s=10.0, settings=Settings(durability="full"))
        self.diary = folder / "diary"
        self._url = url
        self._repository = repository
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def serve(self, name: str, *, skew: float = 0.0, through_proxy: bool = False) -> None:
        """Start a process, and wait until it serves."""
        head, _, database = self._url.rpartition("/")
        url = (
            f"{head.rpartition(':')[0]}:{self.proxy.url.rpartition(':')[2]}/{database}" if through_proxy else self._url
        )
        program = self._repository / "tests" / "fakes" / "shared_engine_program.py"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(program), url, name, str(self.diary), str(skew),
            stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": str(self._repository)}, cwd=self._repository,
        )  # fmt: skip
        self._processes[name] = process
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"

    async def kill(self, name: str) -> None:
        """End a process at once."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async def create(self) -> list[str]:
        """Create the runs, little by little; what is refused is asked for again under the same key."""
        ids = []
        for number in range(RUNS):
            while True:
                try:
                    ids.append(await self.control.create(idempotency_key=str(number)))
                except StoreError:
                    await asyncio.sleep(0.1)
                else:
                    break
            await asyncio.sleep(0.02)
        return ids

    def lines(self) -> list[list[str]]:
        """Return the diary."""
        return [line.split() for line in self.diary.read_text().splitlines()] if self.diary.exists() else []

    async def close(self) -> None:
        """End everything."""
        for name in list(self._processes):
            await self.kill(name)
        await self.control.close()


@asynccontextmanager
async def scene(server: PostgresServer, folder: Path, repository: Path) -> AsyncIterator[Scene]:
    """Set up a control engine and two serving processes, the second by way of a proxy and with a clock 1 h ahead."""
    url = server.create_database()
    async with cut_proxy(f"http://127.0.0.1:{server.port}") as proxy:
        played = Scene(server, url, proxy, folder, repository)
        try:
            await played.control.open()
            await played.control.engine.save_manifest("c", [manifest("a")])
            await played.serve("p1", skew=-1800.0)
            await played.serve("p2", skew=3600.0, through_proxy=True)
            yield played
        finally:
            await played.close()


async def killed_engines(played: Scene) -> int:
    """Kill one or the other, and start it again."""
    dice = random.Random(7)
    for _ in range(4):
        await asyncio.sleep(dice.uniform(0.2, 0.6))
        name = dice.choice(["p1", "p2"])
        await played.kill(name)
        await played.serve(name, skew=60.0, through_proxy=name == "p2")
    return 4


async def restarted_server(played: Scene) -> int:
    """Stop the server in order, then start it again."""
    await asyncio.sleep(0.5)
    await asyncio.to_thread(played.server.stop)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(played.server.start)
    return 2


async def killed_server(played: Scene) -> int:
    """Let the server crash, twice."""
    for _ in range(2):
        await asyncio.sleep(0.6)
        await asyncio.to_thread(played.server.kill)
        await asyncio.to_thread(played.server.start)
    return 4


async def cut_network(played: Scene) -> int:
    """Cut one engine off for longer than its lease: its runs go to the other, and what it wrote late is refused."""
    await asyncio.sleep(0.5)
    played.proxy.cut()
    await asyncio.sleep(6.0)
    played.proxy.heal()
    return 1


async def silent_network(played: Scene) -> int:
    """Let nothing through for a while, then lose what was on its way."""
    await asyncio.sleep(0.5)
    played.proxy.blackhole()
    await asyncio.sleep(6.0)
    played.proxy.heal(lose=True)
    return 1


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "fault", [killed_engines, restarted_server, killed_server, cut_network, silent_network], ids=lambda f: f.__name__
)
async def test_runs_survive(
    fault: Callable[[Scene], Awaitable[int]], durable_server: PostgresServer, tmp_path: Path, repository: Path
) -> None:
    """No run lost, no entry from a lost lease, no step executed again that was acknowledged."""
    async with scene(durable_server, tmp_path, repository) as played:
        creating = asyncio.ensure_future(played.create())
        await until(lambda: len(played.lines()) > 20)
        interruptions = await fault(played)
        ids = await asyncio.wait_for(creating, 60)
        assert len(set(ids)) == RUNS
        for run_id in ids:
            run = await played.control.engine.wait_final(run_id, 60.0)
            assert run is not None
            assert (run.state, run.crashes) == ("completed", 0), run_id
            steps = {step.id for step in await played.control.engine.steps(run_id)}
            assert steps == {str(number) for number in range(1, STEPS + 1)} | {"s"}
        check(played.lines(), interruptions)


def check(lines: list[list[str]], interruptions: int) -> None:
    """Compare what was done with what was acknowledged."""
    acked: dict[tuple[str, str], int] = {}
    entries: dict[str, list[tuple[int, int]]] = {}
    effects: Counter[tuple[str, str]] = Counter()
    for kind, run, *rest in lines:
        if kind == "effect":
            step, token = rest[0], int(rest[1])
            assert (run, step) not in acked, (run, step, token)
            effects[run, step] += 1
        elif kind == "acked":
            step, token, seq = rest[0], int(rest[1]), int(rest[2])
            assert acked.setdefault((run, step), seq) == seq, "an entry was accepted twice"
            entries.setdefault(run, []).append((seq, token))
    for run, found in entries.items():
        tokens = [token for _, token in sorted(found)]
        assert tokens == sorted(tokens), f"{run}: an entry was accepted from a lost lease"
    assert sum(count - 1 for count in effects.values()) <= interruptions * 20
