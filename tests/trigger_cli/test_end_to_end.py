"""The commands against the real dev server, in a project whose own folders are called like our packages."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.dev_process import DevProcess
from tests.trigger_cli.ended import Trigger

NAMES = ("analyzer", "engine", "templates", "executor", "devserver")

JOBS = '''\
"""Jobs that import the project's own packages, which are called like ours."""
from dataclasses import dataclass
from datetime import timedelta

import bundler
import engine
from analyzer import words
from trigger_sdk import job, task, wait_for_event


@dataclass
class Text:
    text: str
    fail: bool = False


@task
async def count(text: str) -> int:
    if text == "boom":
        raise ValueError("boom: no such word")
    return words.count(text)


@job(id="count-words")
async def count_words(payload: Text) -> dict[str, int]:
    print("counting", payload.text)
    number = await count(payload.text)
    return {"words": number, "engine": engine.NUMBER, "bundler": bundler.NUMBER}


@job(id="wait")
async def wait(payload: str) -> str:
    event = await wait_for_event("go", filter={"to": [payload]}, timeout=timedelta(minutes=5))
    return event.payload["word"]
'''


@pytest.fixture
def project(tmp_path: Path, trigger_process: Trigger) -> Path:
    """Return a project that was there before trigger, with `trigger init` run in it."""
    folder = tmp_path / "crowded"
    folder.mkdir()
    for name in NAMES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("NUMBER = 7\n")
    (folder / "analyzer" / "words.py").write_text("def count(text):\n    return len(text.split())\n")
    (folder / "bundler.py").write_text("NUMBER = 8\n")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "crowded"\nversion = "1"\ndependencies = ["trigger-sdk"]\n'
    )
    assert trigger_process("init", "--yes", cwd=folder).code == 0
    (folder / "jobs" / "words.py").write_text(JOBS)
    return folder


def test_life_of_a_project(
    project: Path, trigger_process: Trigger, dev_project: Callable[..., DevProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command finds the dev server from the project's folder, and does its work against the real one."""
    monkeypatch.delenv("TRIGGER_API_URL", raising=False)
    dev_project(project, PYTHONPATH=".")

    def run(*argv: str) -> tuple[int, str, str]:
        ended = trigger_process(*argv, cwd=project / "jobs", env={"PYTHONPATH": ".."})
        return ended.code, ended.out, ended.err

    code, out, _ = run("jobs", "list", "--json")
    assert {job["id"] for job in json.loads(out)["jobs"]} == {"hello", "count-words", "wait"}

    code, out, err = run("run", "count-words", "--payload", '{"text": "a b c"}', "--wait", "--tag", "t1")
    assert (code, json.loads(out)) == (0, {"words": 3, "engine": 7, "bundler": 8}), err
    assert "count" in err
    assert "counting a b c" in err

    code, out, err = run("run", "count-words", "--payload", '{"text": 5}')
    assert (code, "text" in err) == (4, True), err

    code, out, err = run("run", "cout-words")
    assert (code, "count-words" in err) == (4, True), err

    code, out, err = run("run", "wait", "--payload", '"ada"')
    waiting = out.strip()
    assert run("event", "send", "go", "--payload", '{"to": "ada", "word": "now"}')[0] == 0
    code, out, err = run("runs", "show", waiting, "--watch")
    assert (code, "wait for go" in out, '"now"' in out) == (0, True, True), out + err

    code, out, err = run("runs", "list", "--tag", "t1", "--json")
    assert [found["job"] for found in json.loads(out)["runs"]] == ["count-words"]


def test_failed_run_is_shown_resumed_and_replayed(
    project: Path, trigger_process: Trigger, dev_project: Callable[..., DevProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure shows its cause and place; resume goes on from it, replay starts anew, cancel ends a wait."""
    monkeypatch.delenv("TRIGGER_API_URL", raising=False)
    # Once, so that nobody waits for retries.
    jobs = project / "jobs" / "words.py"
    jobs.write_text(
        JOBS.replace("@task\n", "@task(retry=Retry(max_attempts=1))\n").replace("import job,", "import Retry, job,")
    )
    dev_project(project)

    def run(*argv: str) -> tuple[int, str, str]:
        ended = trigger_process(*argv, cwd=project)
        return ended.code, ended.out, ended.err

    code, out, err = run("run", "count-words", "--payload", '{"text": "boom"}', "--wait")
    assert (code, out) == (1, "")
    assert "ValueError: boom: no such word" in err
    assert "trigger_sdk/_runtime" not in err
    code, out, err = run("runs", "show", "last", "--logs")
    assert code == 0
    assert "✗" in out
    assert "at jobs/words.py:" in out
    failed = json.loads(run("runs", "show", "last", "--json")[1])
    assert failed["steps"][0]["state"] == "failed"

    code, out, err = run("runs", "resume", failed["id"])
    assert (code, out.startswith(failed["id"])) == (0, True), err
    code, out, err = run("runs", "show", failed["id"], "--watch", "--json")
    assert json.loads(out)["state"] == "failed"
    code, out, err = run("runs", "replay", failed["id"])
    assert (code, out.strip() != failed["id"]) == (0, True), err

    waiting = run("run", "wait", "--payload", '"nobody"')[1].strip()
    assert run("runs", "cancel", waiting)[0] == 0
    assert json.loads(run("runs", "show", waiting, "--watch", "--json")[1])["state"] == "canceled"
    code, out, err = run("runs", "cancel", failed["id"])
    assert (code, "run-final" in err) == (4, True), err
