"""Exit codes, problems as text and as JSON, did-you-mean, broken pipes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.api_server import FakeApi, make_run
from tests.trigger_cli.ended import Trigger
from trigger_cli.app import ENTRIES
from trigger_cli.errors import ExitCode, ServerUnreachable, UnknownTemplate
from trigger_cli.outcome import exit_code_of
from trigger_sdk.protocol.errors import ProjectInvalid
from trigger_sdk.protocol.problem import TriggerError


@pytest.mark.parametrize(
    ("argv", "suggestion"),
    [
        (["rusn"], "trigger run"),
        (["list"], "trigger runs list"),
        (["serve"], "trigger server"),
        (["runs", "lsit"], "trigger runs list"),
        (["runs", "cancle"], "trigger runs cancel"),
        (["evnt"], "trigger event"),
    ],
)
def test_unknown_command_suggests(trigger: Trigger, argv: list[str], suggestion: str) -> None:
    """A near miss, and a word that other tools have, lead to the command that is meant."""
    ended = trigger(*argv)
    assert ended.code == 2
    assert "unknown-command" in ended.err
    assert suggestion in ended.err


def test_unknown_command_without_likeness_names_the_help(trigger: Trigger) -> None:
    """A word like nothing here suggests nothing."""
    ended = trigger("xyzzy")
    assert (ended.code, "did you mean" in ended.err) == (2, False)
    assert "trigger --help" in ended.err


@pytest.mark.parametrize("argv", [[], ["runs"], ["event"]])
def test_group_without_command_shows_help(trigger: Trigger, argv: list[str]) -> None:
    """Nothing to do is a usage error that shows what there is, on standard error."""
    ended = trigger(*argv)
    assert (ended.code, ended.out) == (2, "")
    assert "Commands:" in ended.err


@pytest.mark.parametrize(
    "argv", [["--foo"], ["run"], ["runs", "list", "--limit", "0"], ["runs", "list", "--state", "x"]]
)
def test_usage_errors_end_with_two(trigger: Trigger, argv: list[str]) -> None:
    """What typer refuses is a problem like every other, and names the help."""
    ended = trigger(*argv)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("error: usage: ")
    assert "--help" in ended.err


def test_unknown_option_suggests(trigger: Trigger) -> None:
    """A misspelt option leads to the right one."""
    assert "did you mean --state" in trigger("runs", "list", "--stat", "failed").err


def test_problem_with_json_is_json_on_stderr(trigger: Trigger) -> None:
    """With --json, standard output stays empty and the problem can be read by programs."""
    ended = trigger("runs", "list", "--json", "--url", "http://127.0.0.1:1")
    assert (ended.code, ended.out) == (3, "")
    assert json.loads(ended.err)["error"]["code"] == "server-unreachable"


def test_exit_codes_by_origin() -> None:
    """Our own errors state their code; a configuration is usage; what packages below raise is the environment."""

    class Below(TriggerError):
        code = "below"

    assert exit_code_of(UnknownTemplate("x")) == ExitCode.USAGE
    assert exit_code_of(ServerUnreachable("x")) == ExitCode.ENVIRONMENT
    assert exit_code_of(ProjectInvalid("x")) == ExitCode.USAGE
    assert exit_code_of(Below("x")) == ExitCode.ENVIRONMENT


def test_bug_is_saved_to_a_file(
    server: FakeApi, trigger: Trigger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash of ours ends with 70, keeps the traceback in a file and shows none; arguments are not in it."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    server.state.runs["run_x"] = {"not": "a run"}
    ended = trigger("runs", "list", "--job", "secret-name")
    # The fake filters by a key that this one has not, and drops the connection: a server that is none.
    assert ended.code == 3
    server.state.runs = {"run_x": {"id": "run_x", "job": "hello", "state": "failed"}}
    ended = trigger("runs", "list", "--job", "hello")
    assert ended.code == 70
    assert "internal-error" in ended.err
    assert "Traceback" not in ended.err
    [report] = tmp_path.glob("trigger-crash-*.txt")
    text = report.read_text()
    assert str(report) in ended.err
    assert "KeyError" in text
    assert "hello" not in text.split("Traceback")[0]


def test_reader_that_leaves_is_no_error(server: FakeApi) -> None:
    """`trigger runs list | head -1` ends silently, even when there is more than a pipe holds."""
    for number in range(1000):
        server.state.runs[f"run_{number:026d}"] = make_run(f"run_{number:026d}", tags=["x" * 100])
    script = Path(sys.executable).with_name("trigger")
    command = [str(script), "runs", "list", "--limit", "1000", "--url", server.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_summaries_are_the_commands_own() -> None:
    """Each command of the overview exists and can say what it does."""
    from trigger_cli.app import make_command

    command = make_command()
    for entry in ENTRIES:
        found = command.get_command(None, entry.name)
        assert found.name == entry.name
        assert found.help


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("argv", "code"), [(["--version"], 0), (["--help"], 0), (["runs", "list"], 3), (["nope"], 2)])
def test_closed_streams_are_no_obstacle(tmp_path: Path, closed: str, argv: list[str], code: int) -> None:
    """Started with standard streams closed, a command ends as it would have, without a traceback."""
    ended = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-P", "-m", "trigger_cli", *argv],
        cwd=tmp_path, env={**os.environ, "TRIGGER_API_URL": "http://127.0.0.1:9"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
