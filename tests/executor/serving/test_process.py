"""`trigger server` as a process: its first start, its end by every signal, a second one, and a disk that is full."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from executor.access.keys import PATTERN
from tests.fakes.keyed_house import ServerProcess
from tests.fakes.processes import until
from tests.fakes.worker_double import WorkerDouble
from trigger_sdk.protocol.messages import Start

FAST_S = 10.0


@pytest.fixture
def server_of(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Return what starts a server on a folder; ended with the test."""
    started: list[ServerProcess] = []

    def start(*arguments: str, folder: str = "data", ready: bool = True) -> ServerProcess:
        started.append(ServerProcess(tmp_path / folder, *arguments))
        return started[-1].start(ready=ready)

    yield start
    for process in started:
        process.close()


async def declare(server: ServerProcess) -> None:
    """Have a worker declare the job `a` in prod, and leave."""
    token = server.ask("POST", "/api/v1/keys", {"purpose": "worker", "environment": "prod"})["key"]
    async with WorkerDouble(server.url, token) as worker:
        await worker.join()


def test_the_admin_key_is_printed_once(server_of: Callable[..., ServerProcess]) -> None:
    """By the first start, and by no other; the log has none, and the folder is its owner's."""
    server = server_of()
    assert server.ask("GET", "/api/v1/keys", environment="")["keys"][0]["purpose"] == "admin"
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    server.start()
    assert server.ask("GET", "/api/v1/environments", environment="")["environments"]
    printed = server.out.read_text()
    assert PATTERN.findall(printed) == [server.admin]
    assert printed.count("listening at") == 2
    assert PATTERN.findall(server.log.read_text()) == []
    assert server.folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in server.folder.iterdir()} == {
        path.name: 0o600 for path in server.folder.iterdir()
    }


def test_kill_9_loses_nothing(server_of: Callable[..., ServerProcess]) -> None:
    """Each run, event, key and line of the audit log that was acknowledged is there after the next start."""
    server = server_of()
    asyncio.run(declare(server))
    acknowledged: list[str] = []

    def load() -> None:
        with httpx.Client(base_url=server.url, trust_env=False, timeout=10) as client:
            headers = {"Authorization": f"Bearer {server.admin}", "Trigger-Environment": "prod"}
            while True:
                try:
                    answer = client.post("/api/v1/jobs/a/runs", json={"payload": len(acknowledged)}, headers=headers)
                except httpx.HTTPError:
                    return
                if answer.status_code == 201:
                    acknowledged.append(answer.json()["id"])

    key = server.ask("POST", "/api/v1/keys", {"purpose": "read", "environment": "prod"})["key"]
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) > 100, "a load of runs")
    server.signal(signal.SIGKILL)
    for thread in threads:
        thread.join(30)
    server.wait()
    server.start()
    listed: set[str] = set()
    cursor = ""
    while True:
        page = server.ask("GET", f"/api/v1/runs?limit=200&cursor={cursor}", key=key)
        listed |= {run["id"] for run in page["runs"]}
        cursor = page["next"]
        if not cursor:
            break
    assert set(acknowledged) <= listed
    assert len(listed) <= len(acknowledged) + len(threads)
    assert server.ask("GET", "/api/v1/jobs", key=key)["jobs"]
    actions = [act["action"] for act in server.ask("GET", "/api/v1/audit", environment="")["acts"]]
    assert actions.count("POST /api/v1/keys") == 2


async def test_a_worker_goes_on_after_a_restart(server_of: Callable[..., ServerProcess], tmp_path: Path) -> None:
    """Its token is good at the next start, and the run that it held is given out again."""
    server = server_of()
    token = server.ask("POST", "/api/v1/keys", {"purpose": "worker", "environment": "prod"})["key"]
    async with WorkerDouble(server.url, token) as worker:
        await worker.join()
        run = server.ask("POST", "/api/v1/jobs/a/runs", {"payload": 1})["id"]
        await worker.expect(Start)
        server.signal(signal.SIGKILL)
        server.wait()
    server.start()
    async with WorkerDouble(server.url, token, id="w-later") as worker:
        await worker.join()
        start = await worker.expect(Start)
        assert start.run == run
        await worker.finish(start)
    assert server.ask("GET", f"/api/v1/runs/{run}?wait=10")["state"] == "completed"


def test_sigterm_lets_open_requests_end(server_of: Callable[..., ServerProcess]) -> None:
    """A request that waits is answered within the grace, and the exit code is 0."""
    server = server_of("--drain", "1")
    answers: list[httpx.Response] = []

    def wait() -> None:
        headers = {"Authorization": f"Bearer {server.admin}", "Trigger-Environment": "prod"}
        with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
            answers.append(client.get("/readyz"))
            answers.append(client.get("/api/v1/runs?limit=1", headers=headers))

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(30)
    assert [answer.status_code for answer in answers] == [200, 200]
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert time.monotonic() - began < FAST_S
    log = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert [line["message"] for line in log][-1] == "stopped"


def test_sigterm_answers_what_waits(server_of: Callable[..., ServerProcess]) -> None:
    """A `?wait=` of a minute gets its answer when the grace is over, and not a closed connection."""
    server = server_of("--drain", "0.5")
    asyncio.run(declare(server))
    run = server.ask("POST", "/api/v1/jobs/a/runs", {"payload": 1})["id"]
    headers = {"Authorization": f"Bearer {server.admin}", "Trigger-Environment": "prod"}
    seen: list[httpx.Response] = []

    def wait() -> None:
        url = f"{server.url}/api/v1/runs/{run}?wait=60"
        seen.append(httpx.get(url, headers=headers, timeout=30, trust_env=False))

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: _connections(server) >= 1, "the request has come")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    thread.join(30)
    assert (seen[0].status_code, seen[0].json()["error"]["code"]) == (503, "server-stopping")


def _connections(server: ServerProcess) -> int:
    """Return how many connections to the server are established, as its kernel tells."""
    port = f":{int(server.url.rpartition(':')[2]):04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[1].endswith(port) and line.split()[3] == "01" for line in lines)


def test_a_second_server_is_refused(server_of: Callable[..., ServerProcess], tmp_path: Path) -> None:
    """On the same folder, and on the same database from another folder; it names the first, which goes on."""
    server = server_of()
    assert server.process is not None
    for arguments, folder in (((), "data"), (("--database", f"sqlite:///{server.folder}/server.db"), "other")):
        second = ServerProcess(tmp_path / folder, *arguments)
        second.log = tmp_path / f"second-{folder}.log"
        second.start(ready=False)
        try:
            assert second.wait() == 3
            told = second.log.read_text()
            assert "data-folder-in-use" in told
            assert f"process {server.process.pid}" in told
        finally:
            second.close()
    assert server.ask("GET", "/api/v1/keys", environment="")["keys"]


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("--launcher", "docker"), "launcher-unsupported", 2),
        (("--launcher", "swarm"), "launcher-unsupported", 2),
        (("--database", "mysql://u:geheim@h/d"), "database-url-invalid", 2),
        (("--database", "postgresql://u:geheim@127.0.0.1:1/d"), "database-unreachable", 3),
        (("--listen", "nowhere"), "server-settings-invalid", 2),
        (("--config", "/nonexistent.toml"), "server-settings-invalid", 2),
    ],
)
def test_what_cannot_be_is_refused(
    server_of: Callable[..., ServerProcess], arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    """With a problem and its exit code; a password is not repeated."""
    server = server_of(*arguments, ready=False)
    assert server.wait() == exit_code
    told = server.log.read_text()
    assert code in told
    assert "Traceback" not in told
    assert "geheim" not in told


def test_a_full_disk_refuses_and_keeps(server_of: Callable[..., ServerProcess]) -> None:
    """What comes is refused, reads go on, /readyz says so; with room it goes on, and all that was taken is there.

    The request that meets the full disk first is on its way already: it is answered when there is room.
    """
    server = server_of("--rate-limit", "10000", "--rate-burst", "10000")
    asyncio.run(declare(server))
    assert server.process is not None
    pid = server.process.pid
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (2 * 1024 * 1024, unlimited[1]))
    headers = {"Authorization": f"Bearer {server.admin}", "Trigger-Environment": "prod"}
    taken: list[str] = []
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60, headers=headers) as client:

        def fill() -> None:
            for number in range(200):
                # What differs does not shrink when it is packed.
                answer = client.post("/api/v1/jobs/a/runs", json={"payload": [number, os.urandom(24_000).hex()]})
                if answer.status_code != 201:
                    return
                taken.append(answer.json()["id"])

        thread = threading.Thread(target=fill)
        thread.start()
        until(lambda: client.get("/readyz").status_code == 503, "the disk is full")
        refused = client.post("/api/v1/jobs/a/runs", json={"payload": 1})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store-unavailable")
        assert refused.headers["retry-after"]
        assert client.get(f"/api/v1/runs/{taken[0]}").status_code == 200
        assert client.get("/healthz").status_code == 200
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        until(lambda: client.get("/readyz").status_code == 200, "the store takes writes again")
        thread.join(60)
        assert client.post("/api/v1/jobs/a/runs", json={"payload": 1}).status_code == 201
    server.signal(signal.SIGKILL)
    server.wait()
    server.start()
    for run in taken:
        assert server.ask("GET", f"/api/v1/runs/{run}")["id"] == run


def test_the_log_is_json(server_of: Callable[..., ServerProcess]) -> None:
    """Each line of it, with time and level."""
    server = server_of("--log-level", "debug")
    server.ask("GET", "/api/v1/runs")
    server.signal(signal.SIGTERM)
    server.wait()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert len(lines) >= 3
    assert all(re.fullmatch(r"[\d-]+T[\d:.]+Z", line["time"]) and line["level"] and line["logger"] for line in lines)
