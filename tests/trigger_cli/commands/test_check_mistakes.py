"""`trigger check` given what it cannot use, or that breaks on the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trigger_cli.commands.conftest import BAD, CLEAN, MakeProject
from tests.trigger_cli.ended import Trigger


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--select", "TRG1077"], "Did you mean TRG107"),
        (["--select", "netwrok-outside-task"], "Did you mean TRG101"),
        (["--ignore", "trg101"], "Write its code: TRG101."),
        (["--select", "TRG101,,XYZ9"], "no rule 'XYZ9'"),
        (["--output-format", "xml"], "xml"),
        (["--select", ""], "--select names no code"),
        (["--ignore", ","], "--ignore names no code"),
        (["--stdin-filename", "jobs/a.txt"], "is no Python file"),
        (["--stdin-filename", "jobs"], "is no Python file"),
        (["jobs/baad.py"], "Did you mean 'bad.py'?"),
        (["pyproject.toml"], "is no Python file"),
        (["-"], "--stdin-filename"),
        (["jobs", "--stdin-filename", "jobs/a.py"], "paths were given too"),
        (["--watch", "--fix"], "do not go together"),
        (["--diff", "--add-ignore", "x"], "do not go together"),
        (["--add-ignore", " "], "needs a reason"),
        (["--watch", "--output-format", "sarif"], "no output as sarif"),
        (["--statistics", "--output-format", "junit"], "no output as junit"),
        (["--wathc"], "--watch"),
    ],
)
def test_wrong_usage_is_2_with_a_way_out(
    bad_project: Path, trigger: Trigger, monkeypatch: pytest.MonkeyPatch, argv: list[str], said: str
) -> None:
    """Nothing on standard output, and what to do instead on standard error."""
    monkeypatch.chdir(bad_project)
    ended = trigger("check", *argv)
    assert (ended.code, ended.out) == (2, ""), ended
    assert said in ended.err


def test_no_project_and_no_paths(trigger_process: Trigger, tmp_path: Path) -> None:
    """Exit code 2: there is nothing to check."""
    ended = trigger_process("check", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert "no-project-to-check" in ended.err


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ('[tool.trigger.check]\nselct = ["TRG1"]\n', "Did you mean select?"),
        ("[tool.trigger.check]\nper_file_ignores = {}\n", "Did you mean per-file-ignores?"),
        ('[tool.trigger.check]\nselect = "TRG1"\n', 'Write it as a list: ["TRG1"].'),
        ('[tool.trigger.check]\nignore = ["TRG999"]\n', "there is no rule 'TRG999'"),
        ('[tool.trigger.check.extend-effects]\n"a.b" = "netwrok"\n', "Did you mean network?"),
        ('[tool.trigger.check.extend-effects]\n"httpx get" = "network"\n', "'httpx get' is no name of Python"),
        ("[tool.trigger.check]\nselect = []\n", "it names no code"),
        ('[tool.trigger.check.severity]\nTRG101 = "eror"\n', "Did you mean error?"),
        ("[tool.trigger.chekc]\n", "Did you mean check?"),
        ("check = 3\n", "must be a table"),
        ("[tool.trigger.check\n", "is not valid TOML"),
    ],
)
def test_broken_configuration_is_2(
    make_project: MakeProject, trigger: Trigger, monkeypatch: pytest.MonkeyPatch, check: str, said: str
) -> None:
    """With the place, and what was perhaps meant."""
    monkeypatch.chdir(make_project({"jobs/clean.py": CLEAN}, check=check))
    ended = trigger("check")
    assert (ended.code, ended.out) == (2, ""), ended
    assert said in ended.err
    assert "pyproject.toml" in ended.err


def test_missing_folder_of_jobs_is_2(make_project: MakeProject, trigger_process: Trigger) -> None:
    """The configuration names a folder that is not there."""
    root = make_project({})
    (root / "jobs").rmdir()
    ended = trigger_process("check", cwd=root)
    assert (ended.code, "there is no such folder" in ended.err) == (2, True), ended


def test_unreadable_file_is_2_and_the_rest_is_checked(bad_project: Path, trigger_process: Trigger) -> None:
    """A link to nowhere: an error that names it, beside the findings."""
    (bad_project / "jobs" / "gone.py").symlink_to("nowhere.py")
    ended = trigger_process("check", cwd=bad_project)
    assert ended.code == 2
    assert "error: file-unreadable:" in ended.err
    assert "it is a link to nowhere.py, which is not there" in ended.err
    assert "Found 2 errors" in ended.out
    assert trigger_process("check", "--exit-zero", cwd=bad_project).code == 2


@pytest.mark.parametrize("content", [b"x = (\n", b"# caf\xe9\n", b"# coding: klingon\n", b"x = 1\x00\n"])
def test_file_that_is_no_python_is_a_finding(
    make_project: MakeProject, trigger_process: Trigger, content: bytes
) -> None:
    """Syntax, encoding, null bytes: one finding, and the other files are checked."""
    root = make_project({"jobs/clean.py": CLEAN, "jobs/broken.py": content})
    ended = trigger_process("check", "--output-format", "json", cwd=root)
    assert ended.code == 1
    assert [row["code"] for row in json.loads(ended.out)] == ["TRG901"]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_that_goes_away_ends_it_silently(make_project: MakeProject, unbuffered: str) -> None:
    """`trigger check | head -1` over more findings than a pipe holds: no complaint, and the exit code of findings."""
    calls = "".join(f"    requests.get('{number}')\n" for number in range(400))
    root = make_project(
        {"jobs/many.py": f"import requests\nfrom trigger_sdk import job\n\n\n@job(id='m')\ndef m():\n{calls}"}
    )
    script = Path(sys.executable).with_name("trigger")
    shell = f'set -o pipefail; "{script}" check | head -1'
    done = subprocess.run(
        ["bash", "-c", shell], cwd=root, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("jobs/many.py:7:5: error TRG101")


def test_undecodable_standard_input_is_2(bad_project: Path) -> None:
    """Bytes that are no text."""
    script = Path(sys.executable).with_name("trigger")
    done = subprocess.run(
        [script, "check", "--stdin-filename", "jobs/a.py"],
        cwd=bad_project, input=b"x = '\xff'\n", capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert b"standard input cannot be read" in done.stderr


def test_project_with_two_configurations_is_told(make_project: MakeProject, trigger_process: Trigger) -> None:
    """trigger.toml wins, and its [check] is the one that counts."""
    root = make_project({"jobs/bad.py": BAD, "rates.py": "", "trigger.toml": '[check]\nselect = ["TRG107"]\n'})
    ended = trigger_process("check", "--output-format", "json", cwd=root)
    assert [row["code"] for row in json.loads(ended.out)] == ["TRG107"]
    assert "warning:" in ended.err


def test_folder_that_is_named_holds_more_than_sources(bad_project: Path, trigger_process: Trigger) -> None:
    """An editor's lock, which is a link to nowhere, a folder and a pipe named like modules are no sources."""
    jobs = bad_project / "jobs"
    (jobs / ".#bad.py").symlink_to("someone@host.1:2")
    (jobs / "folder.py").mkdir()
    os.mkfifo(jobs / "pipe.py")
    ended = trigger_process("check", "jobs", cwd=bad_project)
    assert (ended.code, "file-unreadable" in ended.err) == (1, False), ended.err


def test_interpreter_that_is_not_there_is_told(bad_project: Path, trigger_process: Trigger) -> None:
    """A warning: the project's own code is checked all the same."""
    configuration = bad_project / "pyproject.toml"
    text = configuration.read_text()
    configuration.write_text(text.replace("[tool.trigger]\n", '[tool.trigger]\npython = "/nope/python3"\n'))
    ended = trigger_process("check", cwd=bad_project)
    assert ended.code == 1
    assert "warning: python is '/nope/python3', and there is no such interpreter" in ended.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("argv", [["check"], ["check", "--output-format", "json"], ["rule", "TRG101"], ["--help"]])
def test_full_disk_is_told_in_one_line(bad_project: Path, argv: list[str]) -> None:
    """No crash report, no traceback: an error of the environment."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "trigger_cli", *argv],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=bad_project,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.startswith("error: output-not-written: the output cannot be written: No space left")
    assert "Traceback" not in ended.stderr
    assert "trigger has a bug" not in ended.stderr
