"""Health, readiness and figures."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from executor.serving.metrics import EnvironmentState, Metrics
from tests.fakes.keyed_house import KeyedHouse, keep_keyed_house
from trigger_sdk.protocol.messages import Start

SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+')


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[KeyedHouse]:
    """Return a running server."""
    async with keep_keyed_house(tmp_path) as house:
        yield house


async def test_figures_follow_what_happens(keyed: KeyedHouse) -> None:
    """Runs created and ended, workers, requests by route, in the text format that Prometheus reads."""
    worker = await keyed.worker(await keyed.key("worker"))
    trigger = await keyed.key("trigger")
    run = (await keyed.ask(trigger, "POST", "/api/v1/jobs/a/runs", {"payload": 1})).json()["id"]
    await worker.finish(await worker.expect(Start))
    assert (await keyed.ask(trigger, "GET", f"/api/v1/runs/{run}?wait=10")).json()["state"] == "completed"
    answer = await keyed.ask(keyed.admin, "GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    assert 'trigger_runs_created_total{environment="prod"} 1' in lines
    assert 'trigger_runs_ended_total{environment="prod",state="completed"} 1' in lines
    assert 'trigger_workers_connected{environment="prod"} 1' in lines
    assert 'trigger_store_available{environment="prod"} 1' in lines
    assert 'trigger_http_requests_total{method="POST",route="/api/v1/jobs/{id:path}/runs",status="201"} 1' in lines
    assert [line for line in lines if not line.startswith("# ") and not SAMPLE.fullmatch(line)] == []
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))


async def test_a_key_of_an_environment_sees_its_figures(keyed: KeyedHouse) -> None:
    """And neither those of others nor the server's."""
    for environment in ("prod", "staging"):
        key = await keyed.key("trigger", environment)
        await keyed.ask(key, "GET", "/api/v1/runs")
    text = (await keyed.ask(await keyed.key("read", "prod"), "GET", "/metrics")).text
    assert 'environment="prod"' in text
    assert "staging" not in text
    assert "http_requests" not in text


async def test_paths_and_methods_that_are_none_make_no_series(keyed: KeyedHouse) -> None:
    """A scan of the server costs no memory."""
    for number in range(20):
        await keyed.client.request("PROPFIND", f"/scan/{number}")
        await keyed.ask(keyed.admin, "GET", f"/scan/{number}", environment="prod")
    text = (await keyed.ask(keyed.admin, "GET", "/metrics")).text
    assert "scan" not in text
    series = [line for line in text.splitlines() if line.startswith("trigger_http_requests_total") and '"none"' in line]
    assert len(series) == 2


async def test_health_and_readiness(keyed: KeyedHouse) -> None:
    """Both without a key; readiness ends when the server stops, and says why."""
    assert (await keyed.client.get("/healthz")).json()["status"] == "ok"
    assert (await keyed.client.get("/readyz")).json() == {"status": "ready"}
    keyed.server.watch.stopping = True
    stopping = await keyed.client.get("/readyz")
    assert (stopping.status_code, stopping.json()["status"]) == (503, "stopping")


def test_histograms_count_upwards() -> None:
    """Each bucket holds those below it, and the last all; labels are escaped."""
    metrics = Metrics()
    for seconds in (0.0005, 0.001, 0.3, 100.0):
        metrics.request("GET", 'a"\\\n', 200, seconds)
    state = EnvironmentState(name="prod", workers=1, held=2, available=False)
    lines = metrics.show([state], "").splitlines()
    counts = [int(line.rpartition(" ")[2]) for line in lines if "seconds_bucket" in line]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (2, 4)
    assert 'trigger_http_requests_total{method="GET",route="a\\"\\\\\\n",status="200"} 4' in lines
    assert 'trigger_store_available{environment="prod"} 0' in lines
