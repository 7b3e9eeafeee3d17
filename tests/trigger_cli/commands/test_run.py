"""`trigger run` and `trigger event send`, against a server in memory."""

import json
from pathlib import Path

import pytest

from tests.fakes.api_server import FakeApi
from tests.trigger_cli.ended import Trigger

ENDED = {"started_at": "2026-11-24T11:02:03.200000Z", "finished_at": "2026-11-24T11:02:04.200000Z", "attempt": 1}
COMPLETED = {"state": "completed", "output": {"text": "Hello, Ada!"}, **ENDED}
FAILED = {
    "state": "failed",
    "error": {
        "type": "ValueError",
        "message": "card declined",
        "traceback": "Traceback ...\nValueError: card declined",
    },
    **ENDED,
}


@pytest.fixture
def hello(server: FakeApi) -> FakeApi:
    """Return a server that knows the job `hello`."""
    server.state.jobs = [
        {"id": "hello", "name": "hello", "file": "jobs/hello.py", "line": 3, "queue": {"name": "hello"}}
    ]
    return server


def test_run_prints_the_id_alone(hello: FakeApi, trigger: Trigger) -> None:
    """Standard output is the id, fit for `$(...)`."""
    ended = trigger("run", "hello", "--payload", '{"name": "Ada"}')
    assert (ended.code, ended.out, ended.err) == (0, f"run_{1:026d}\n", "")
    assert hello.state.requests == [("POST", "/api/v1/jobs/hello/runs", {"payload": {"name": "Ada"}, "options": {}})]


def test_run_passes_options(hello: FakeApi, trigger: Trigger) -> None:
    """Each option arrives under the API's name, durations in seconds; what is not given is left out."""
    trigger(
        "run", "hello", "--idempotency-key", "k", "--idempotency-ttl", "1h", "--delay", "1m30s", "--ttl", "2d",
        "--priority", "3", "--queue", "q", "--concurrency-key", "c", "--tag", "a", "--tag", "b",
        "--metadata", '{"x": 1}', "--max-duration", "90", "--on-version", "v1",
    )  # fmt: skip
    assert hello.state.requests[0][2]["options"] == {
        "idempotency_key": "k", "idempotency_ttl": 3600.0, "delay": 90.0, "ttl": 172800.0, "priority": 3, "queue": "q",
        "concurrency_key": "c", "tags": ["a", "b"], "metadata": {"x": 1}, "max_duration": 90.0, "version": "v1",
    }  # fmt: skip


def test_run_reads_payload_from_file(hello: FakeApi, trigger: Trigger, tmp_path: Path) -> None:
    """`@file` is read."""
    (tmp_path / "payload.json").write_text('{"name": "Bö"}', encoding="utf-8")
    assert trigger("run", "hello", "-p", "@payload.json").code == 0
    assert hello.state.requests[0][2]["payload"] == {"name": "Bö"}


def test_run_reads_payload_from_stdin(hello: FakeApi, trigger_process: Trigger) -> None:
    """`-` is standard input."""
    assert trigger_process("run", "hello", "--payload", "-", "--url", hello.url, stdin="[1, 2]").code == 0
    assert hello.state.requests[0][2]["payload"] == [1, 2]


def test_run_wait_prints_the_output(hello: FakeApi, trigger: Trigger) -> None:
    """With --wait, steps and logs are talk, and the output alone is data."""
    run_id = f"run_{1:026d}"
    hello.state.script["next"] = [{"state": "running"}, COMPLETED]
    hello.state.steps[run_id] = [
        {"id": "1", "name": "greet", "kind": "task", "state": "completed", "attempts": 2, "line": "jobs/hello.py:9",
         "started_at": "2026-11-24T11:02:03.300000Z", "finished_at": "2026-11-24T11:02:03.500000Z"}
    ]  # fmt: skip
    hello.state.logs[run_id] = [
        {
            "at": "2026-11-24T11:02:03.400000Z",
            "level": 20,
            "logger": "job",
            "step": "1",
            "text": "hi \x1b[31mthere",
            "stream": "log",
        }
    ]
    ended = trigger("run", "hello", "--wait")
    assert ended.code == 0
    assert json.loads(ended.out) == {"text": "Hello, Ada!"}
    assert "greet" in ended.err
    assert "hi \\x1b[31mthere" in ended.err
    assert ended.err.count("greet") == 1


def test_run_wait_of_a_failed_run_ends_with_one(hello: FakeApi, trigger: Trigger) -> None:
    """A failed run is exit code 1, with its error on standard error and nothing on standard output."""
    hello.state.script["next"] = [FAILED]
    ended = trigger("run", "hello", "--wait")
    assert (ended.code, ended.out) == (1, "")
    assert "run-failed: hello failed after 1.00s: ValueError: card declined" in ended.err
    assert "trigger runs show" in ended.err


def test_run_wait_json_is_the_run(hello: FakeApi, trigger: Trigger) -> None:
    """With --wait --json, standard output is the run, failed or not."""
    hello.state.script["next"] = [FAILED]
    ended = trigger("run", "hello", "--wait", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["error"]["message"] == "card declined"


def test_run_wait_gives_up_after_timeout(hello: FakeApi, trigger: Trigger) -> None:
    """--timeout ends the waiting, not the run."""
    ended = trigger("run", "hello", "--wait", "--timeout", "50ms")
    assert (ended.code, ended.out) == (1, "")
    assert "wait-timed-out" in ended.err
    assert all(path.endswith("/runs") for method, path, _ in hello.state.requests if method == "POST")


def test_run_of_an_unknown_job_is_refused(hello: FakeApi, trigger: Trigger) -> None:
    """The server's problem is shown with its code, message and hint; exit code 4."""
    ended = trigger("run", "helo")
    assert (ended.code, ended.out) == (4, "")
    assert "error: unknown-job: There is no job 'helo'" in ended.err
    assert "hint: try another" in ended.err


def test_run_shows_the_fields_of_an_invalid_payload(hello: FakeApi, trigger: Trigger) -> None:
    """Each field that does not fit is a line with its path and reason."""
    problem = {
        "code": "invalid-payload",
        "message": "does not fit",
        "fields": [{"path": "user.age", "reason": "not an int"}],
    }
    hello.state.refusals["POST /api/v1/jobs/hello/runs"] = (422, problem)
    ended = trigger("run", "hello", "--payload", "{}")
    assert ended.code == 4
    assert "user.age: not an int" in ended.err


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ("{a: 1}", "line 1, column 2"),
        ("", "is not JSON"),
        ("NaN", "NaN"),
        ("@missing.json", "missing.json"),
        ('{"a": 1}}', "Extra data"),
    ],
)
def test_bad_payload_is_refused_here(hello: FakeApi, trigger: Trigger, payload: str, said: str) -> None:
    """What is not JSON never leaves this machine; the message says where it breaks."""
    ended = trigger("run", "hello", "--payload", payload)
    assert (ended.code, hello.state.requests) == (2, [])
    assert "bad-payload" in ended.err
    assert said in ended.err


@pytest.mark.parametrize("text", ["soon", "-1", "1x", "", "inf", "nan", "1h 30"])
def test_bad_duration_names_the_option(hello: FakeApi, trigger: Trigger, text: str) -> None:
    """A duration that is none is refused before anything is started."""
    ended = trigger("run", "hello", f"--delay={text}")
    assert (ended.code, hello.state.requests) == (2, [])
    assert "--delay" in ended.err


def test_event_send_prints_the_id(server: FakeApi, trigger: Trigger) -> None:
    """The event's id is data; how many waits it ended is talk."""
    ended = trigger("event", "send", "cart.checked-out", "--payload", '{"user": 1}', "--id", "e1")
    assert (ended.code, ended.out) == (0, "e1\n")
    assert "ended 2 waits" in ended.err
    assert server.state.requests == [
        ("POST", "/api/v1/events", {"name": "cart.checked-out", "payload": {"user": 1}, "id": "e1"})
    ]


def test_event_send_json(server: FakeApi, trigger: Trigger) -> None:
    """With --json the answer is data and nothing is talk."""
    ended = trigger("event", "send", "x", "--json")
    assert (json.loads(ended.out), ended.err) == ({"id": "evt_1", "matched": 2}, "")


def test_jobs_list(hello: FakeApi, trigger: Trigger) -> None:
    """Jobs are listed with queue and place; --json gives the manifests."""
    assert "jobs/hello.py:3" in trigger("jobs", "list").out
    assert json.loads(trigger("jobs", "list", "--json").out) == {"jobs": hello.state.jobs}
