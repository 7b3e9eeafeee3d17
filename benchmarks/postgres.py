"""Engines on PostgreSQL: steps and runs with two of them, what idle costs, and claims from a long queue.

The server is started for it, with fsync, on this machine. Beside the figures stands what ``pgbench`` gets out of the
same server with commits of one row.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import IO, Final

from benchmarks.figures import BenchmarkFailed, Figure
from benchmarks.postgres_engine import VALUE, job
from benchmarks.setting import Setting
from engine.engine import Engine
from engine.model import Assignment, RunRequest, Settings
from engine.store.postgres import PostgresStore
from tests.fakes.postgres_server import PostgresServer, programs
from trigger_sdk.protocol.entries import Entry, RunOptions

ENGINES: Final = 2
KEYS: Final = 1000
_BATCH: Final = 1000


def measure(setting: Setting) -> Iterator[Figure]:
    """Start a server, and measure."""
    found = programs()
    if found is None:
        raise BenchmarkFailed("PostgreSQL is not installed: apt-get install postgresql")
    server = PostgresServer(found, fsync=True)
    try:
        server.start()
        yield from _throughput(setting, server, found)
        yield from _idle(setting, server)
        yield from _claims(setting, server)
    finally:
        server.close()


def _throughput(setting: Setting, server: PostgresServer, found: Path) -> Iterator[Figure]:
    scale = setting.scale
    url = server.create_database()
    server.execute("CREATE TABLE limits (id bigserial PRIMARY KEY, value bytea)", url.rpartition("/")[2])
    runs, steps = scale.parallel_runs // ENGINES, scale.parallel_steps
    sequential: list[float] = []
    together: list[float] = []
    alone: list[float] = []
    commits: dict[int, list[float]] = {1: [], 16: []}
    with ExitStack() as stack:
        pipes = [stack.enter_context(_engine(url, f"e{number}")) for number in range(ENGINES)]
        _run(pipes, 5, 5)
        for _ in range(scale.repetitions):
            for clients, rates in commits.items():
                rates.append(_pgbench(found, server, url, clients, seconds=1 if scale.repetitions == 1 else 3))
            sequential.append(scale.sequential_steps / _run(pipes[:1], 1, scale.sequential_steps))
            together.append(ENGINES * runs / _run(pipes, runs, steps))
    with _engine(url, "alone") as pipe:
        _run([pipe], 5, 5)
        alone = [ENGINES * runs / _run([pipe], ENGINES * runs, steps) for _ in range(scale.repetitions)]
    yield Figure.of("postgres_commits_1_client_per_s", commits[1], "1/s")
    yield Figure.of("postgres_commits_16_clients_per_s", commits[16], "1/s")
    yield Figure.of("postgres_steps_sequential_per_s", sequential, "1/s")
    ratios = [limit / rate for rate, limit in zip(sequential, commits[1], strict=True)]
    yield Figure.of("postgres_step_ratio_to_commit", ratios, "ratio")
    yield Figure.of("postgres_runs_two_engines_per_s", together, "1/s")
    yield Figure.of("postgres_steps_two_engines_per_s", [rate * steps for rate in together], "1/s")
    yield Figure.of("postgres_runs_one_engine_per_s", alone, "1/s")


@contextmanager
def _engine(url: str, name: str) -> Iterator[tuple[IO[str], IO[str]]]:
    """Run an engine in a process; gives its input and output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.postgres_engine", url, name],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != "ready\n":
            raise BenchmarkFailed(f"the engine {name} did not start")
        yield process.stdin, process.stdout
    finally:
        process.stdin.close()
        process.wait(30)


def _run(pipes: list[tuple[IO[str], IO[str]]], runs: int, steps: int) -> float:
    """Let each engine create runs; return the seconds until all have ended."""
    for given, _ in pipes:
        given.write(f"{runs} {steps}\n")
        given.flush()
    return max(float(told.readline()) for _, told in pipes)


def _pgbench(found: Path, server: PostgresServer, url: str, clients: int, *, seconds: int) -> float:
    """Return commits of one row for each second."""
    script = server.folder / "insert.sql"
    script.write_text("INSERT INTO limits (value) VALUES (decode(repeat('ab', 80), 'hex'));\n")
    done = subprocess.run(
        [found / "pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--time={seconds}",
         f"--file={script}", url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = re.search(r"tps = ([\d.]+)", done.stdout)
    if told is None:
        raise BenchmarkFailed(f"pgbench said {done.stdout}")
    return float(told.group(1))


def _idle(setting: Setting, server: PostgresServer) -> Iterator[Figure]:
    """Two engines with a worker each, and nothing to do: statements that the server executes for each engine."""
    url = server.create_database()
    database = url.rpartition("/")[2]
    seconds = setting.scale.idle_s * 6
    with _engine(url, "i1"), _engine(url, "i2"):
        server.execute(f"ALTER DATABASE {database} SET log_statement = 'none'")
        server.execute("ALTER SYSTEM SET log_statement = 'all'")
        server.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)
        before = _logged(server)
        time.sleep(seconds)
        counted = _logged(server) - before
        server.execute("ALTER SYSTEM SET log_statement = 'none'")
        server.execute("SELECT pg_reload_conf()")
    yield Figure.of("postgres_idle_queries_per_engine_per_s", [counted / seconds / ENGINES], "1/s")


def _logged(server: PostgresServer) -> int:
    return len(re.findall(r"LOG:  (?:execute|statement)", (server.folder / "log").read_text()))


class _Claimer:
    """A worker that ends each run at once, and notes when it got which key."""

    def __init__(self) -> None:
        self.engine: Engine
        self.keys: list[str] = []
        self.times: list[float] = []
        self.more = asyncio.Event()
        self.key_of: dict[str, str] = {}

    def created(self, run_id: str, job: str) -> None:
        """Nobody is told."""

    def ended(self, run_id: str, token: int) -> None:
        """Nobody is told."""

    def arrived(self, worker_id: str, run_id: str, token: int, entries: list[Entry]) -> None:
        """Nothing arrives."""

    def lost(self, worker_id: str, run_id: str, token: int) -> None:
        """Nothing is lost."""

    def assigned(self, worker_id: str, runs: list[Assignment]) -> None:
        """Note the claim, and end the run."""
        del worker_id
        for run in runs:
            self.keys.append(self.key_of[run.run])
            self.times.append(time.perf_counter())
            self.engine.finish(run.run, run.token, "completed", VALUE)
        self.more.set()


def _claims(setting: Setting, server: PostgresServer) -> Iterator[Figure]:
    """From a short and a long queue over as many keys, in random order, one run of each key at a time."""
    long = setting.scale.waiting_runs * 10
    costs: dict[int, float] = {}
    counts: Counter[str] = Counter()
    short = max(long // 100, 20)
    for queued in (short, long):
        costs[queued], counts = asyncio.run(_claim(server.create_database(), queued, min(2000, queued // 2)))
        yield Figure.of(f"postgres_claim_of_{queued}_queued_ms", [costs[queued] * 1000], "ms")
    yield Figure.of("postgres_claim_growth_ratio", [costs[long] / costs[short]], "ratio")
    yield Figure.of("postgres_claims_of_a_key_most", [max(counts.values())], "runs")
    yield Figure.of("postgres_keys_claimed_part", [len(counts) / min(KEYS, long)], "ratio")


async def _claim(url: str, queued: int, claimed: int) -> tuple[float, Counter[str]]:
    """Return the median seconds from one claim to the next, and how often each key was claimed."""
    claimer = _Claimer()
    claimer.engine = engine = await Engine.open(
        PostgresStore(url, executor="c"), listener=claimer, settings=Settings(durability="full", lease_ttl_s=600.0)
    )
    await engine.save_manifest("c", [job("bench", concurrency=1)])
    keys = [str(number % KEYS) for number in range(queued)]
    Random(1).shuffle(keys)
    for first in range(0, queued, _BATCH):
        batch = keys[first : first + _BATCH]
        created = await engine.create_runs(
            [RunRequest(job="bench", payload=VALUE, options=RunOptions(concurrency_key=key)) for key in batch]
        )
        claimer.key_of.update(zip((one.run_id for one in created), batch, strict=True))
    await engine.open_session("w", "c", ["bench"], 10)
    while len(claimer.times) < claimed:
        claimer.more.clear()
        await asyncio.wait_for(claimer.more.wait(), 60)
    await engine.drain_session("w")
    await engine.close()
    times = claimer.times[:claimed]
    window = 100 if claimed > 200 else 1  # noqa: PLR2004 - of a group, all are claimed at the same time
    gaps = [(times[at + window] - times[at]) / window for at in range(0, claimed - window, window)]
    return median(gaps), Counter(claimer.keys[:claimed])
