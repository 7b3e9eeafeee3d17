"""`trigger runs`: listing, showing, acting; ids in short."""

import json

import pytest

from tests.fakes.api_server import FakeApi, make_run
from tests.trigger_cli.ended import Trigger

OLD = "run_01JABCDEFGHJKMNPQRSTVWXYZ1"
NEW = "run_01JABCDEFGHJKMNPQRSTVWXYZ2"


@pytest.fixture
def two(server: FakeApi) -> FakeApi:
    """Return a server with two runs."""
    ended = {"started_at": "2026-11-24T11:02:03.200000Z", "finished_at": "2026-11-24T11:02:04.200000Z", "attempt": 1}
    server.state.runs = {
        OLD: make_run(OLD, state="completed", output=1, **ended),
        NEW: make_run(NEW, job="other", state="failed", error={"type": "E", "message": "boom"}, **ended),
    }
    return server


def test_list_newest_first(two: FakeApi, trigger: Trigger) -> None:
    """One line per run, newest first, nothing coloured when piped."""
    ended = trigger("runs", "list")
    heading, first, second = ended.out.splitlines()
    assert heading.split() == ["STATE", "RUN", "JOB", "CREATED", "TOOK", "TAGS"]
    assert first.startswith(f"✗ failed     {NEW}")
    assert OLD in second
    assert "\x1b" not in ended.out


@pytest.mark.parametrize(("option", "value", "id"), [("--job", "other", NEW), ("--state", "completed", OLD)])
def test_list_filters(two: FakeApi, trigger: Trigger, option: str, value: str, id: str) -> None:
    """Filters are the server's."""
    runs = json.loads(trigger("runs", "list", option, value, "--json").out)["runs"]
    assert [run["id"] for run in runs] == [id]


def test_list_asks_for_pages(server: FakeApi, trigger: Trigger) -> None:
    """More than a page is fetched page by page, and not one more than asked for."""
    for number in range(450):
        server.state.runs[f"run_{number:026d}"] = make_run(f"run_{number:026d}")
    runs = json.loads(trigger("runs", "list", "--limit", "420", "--json").out)["runs"]
    assert len(runs) == 420
    assert [path.split("limit=")[1].split("&")[0] for _, path, _ in server.state.requests] == ["200", "200", "20"]


def test_list_of_nothing(server: FakeApi, trigger: Trigger) -> None:
    """No runs: nothing on standard output, a word on standard error, exit code 0."""
    ended = trigger("runs", "list")
    assert (ended.code, ended.out, ended.err) == (0, "", "no runs\n")


def test_list_is_coloured_on_demand(two: FakeApi, trigger: Trigger, monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR colours what is piped; NO_COLOR beats it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in trigger("runs", "list").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in trigger("runs", "list").out


@pytest.mark.parametrize("id", [NEW, "last", "WXYZ2", "wxyz2", "z2"])
def test_show_finds_by_short_id(two: FakeApi, trigger: Trigger, id: str) -> None:
    """A whole id, `last` and a unique end all mean the run."""
    ended = trigger("runs", "show", id, "--json")
    assert json.loads(ended.out)["id"] == NEW


def test_show_by_ambiguous_id_names_the_candidates(two: FakeApi, trigger: Trigger) -> None:
    """An id that several runs begin with is refused, with all of them."""
    ended = trigger("runs", "show", "01JABC")
    assert ended.code == 2
    assert "ambiguous-run" in ended.err
    assert OLD in ended.err
    assert NEW in ended.err


@pytest.mark.parametrize("id", ["nothing", "run_00000000000000000000000009", "", "run_"])
def test_show_of_an_unknown_run(two: FakeApi, trigger: Trigger, id: str) -> None:
    """No such run is a refusal."""
    ended = trigger("runs", "show", id)
    assert ended.code == 4
    assert "run-not-found" in ended.err


def test_show_last_without_runs(server: FakeApi, trigger: Trigger) -> None:
    """`last` of nothing is a refusal that says how to start."""
    ended = trigger("runs", "show", "last")
    assert ended.code == 4
    assert "trigger run JOB" in ended.err


def test_show_with_logs(two: FakeApi, trigger: Trigger) -> None:
    """--logs adds what the run wrote, in text and in JSON."""
    line = {
        "at": "2026-11-24T11:02:03.400000Z",
        "level": 30,
        "logger": "x",
        "step": "",
        "text": "careful",
        "stream": "log",
    }
    two.state.logs[OLD] = [line]
    assert "+0.200s WARNING careful" in trigger("runs", "show", OLD, "--logs").out
    assert json.loads(trigger("runs", "show", OLD, "--logs", "--json").out)["logs"] == [line]
    assert "logs" not in json.loads(trigger("runs", "show", OLD, "--json").out)


def test_show_watch_waits_for_the_end(two: FakeApi, trigger: Trigger) -> None:
    """Piped, --watch prints once, when the run has ended."""
    two.state.runs[NEW]["state"] = "queued"
    two.state.script[NEW] = [{"state": "running"}, {"state": "running"}, {"state": "completed", "output": 5}]
    ended = trigger("runs", "show", NEW, "--watch")
    assert ended.code == 0
    assert ended.out.count("completed") == 1
    assert "running" not in ended.out


def test_cancel_resume_replay(two: FakeApi, trigger: Trigger) -> None:
    """Each action is one POST, and says what came of it."""
    two.state.runs[OLD]["state"] = "waiting"
    assert trigger("runs", "cancel", OLD).out == f"{OLD}  canceled\n"
    assert trigger("runs", "resume", NEW).out == f"{NEW}  queued\n"
    assert trigger("runs", "replay", NEW).out == f"{NEW}r\n"
    assert json.loads(trigger("runs", "replay", NEW, "--json").out) == {"runs": [{"id": f"{NEW}r"}]}


def test_action_on_several_goes_on_after_a_refusal(two: FakeApi, trigger: Trigger) -> None:
    """One run that cannot be cancelled does not keep the others from it; the exit code tells."""
    two.state.runs[NEW]["state"] = "waiting"
    ended = trigger("runs", "cancel", OLD, NEW)
    assert ended.code == 4
    assert ended.out == f"{NEW}  canceled\n"
    assert "run-final" in ended.err


def test_action_on_one_that_is_refused(two: FakeApi, trigger: Trigger) -> None:
    """A single refusal is the command's own end."""
    ended = trigger("runs", "cancel", OLD)
    assert (ended.code, ended.out) == (4, "")
    assert f"error: run-final: {OLD} is completed already" in ended.err


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_text_that_the_stream_cannot_carry(two: FakeApi, trigger_process: Trigger, encoding: str) -> None:
    """Foreign letters on an ASCII stream, and broken text anywhere, are escaped: no crash, and JSON stays JSON."""
    two.state.runs[OLD] |= {"output": "Grüße 日本 \ud800", "tags": ["Grüße"], "job": "日本"}
    environment = {"PYTHONIOENCODING": encoding}
    for argv in (["runs", "show", OLD], ["runs", "list"]):
        ended = trigger_process(*argv, "--url", two.url, env=environment)
        assert (ended.code, ended.err) == (0, "")
    shown = trigger_process("runs", "show", OLD, "--json", "--url", two.url, env=environment)
    assert json.loads(shown.out)["output"] == "Grüße 日本 \ud800"
