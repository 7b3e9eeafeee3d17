"""`trigger check`: what it says and how it ends, as processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trigger_cli.commands.conftest import BAD, CLEAN, RATES, MakeProject
from tests.trigger_cli.ended import Trigger


def codes(out: str) -> list[str]:
    """Return the codes of a JSON output."""
    return [row["code"] for row in json.loads(out)]


def test_clean_project_ends_well(make_project: MakeProject, trigger_process: Trigger) -> None:
    """Exit code 0, with how much was looked at."""
    ended = trigger_process("check", cwd=make_project({"jobs/clean.py": CLEAN}))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("No findings in 1 job (")


def test_findings_are_shown_with_their_chain(bad_project: Path, trigger_process: Trigger) -> None:
    """Exit code 1; the call in the body, the way to the effect, what can be fixed; from any folder of the project."""
    ended = trigger_process("check", cwd=bad_project / "jobs")
    assert ended.code == 1, ended.err
    assert "bad.py:9:13: error TRG101 network-outside-task" in ended.out
    assert "rates.py:5 calls requests.get" in ended.out
    assert "bad.py:10:5: error TRG107 blocking-sleep [fix available]" in ended.out
    assert "Found 2 errors in 2 jobs" in ended.out
    assert "fixable with --fix" in ended.out
    assert "\x1b" not in ended.out


def test_colours_on_demand(bad_project: Path, trigger_process: Trigger) -> None:
    """FORCE_COLOR colours what is piped; NO_COLOR beats it."""
    assert "\x1b[31merror" in trigger_process("check", cwd=bad_project, env={"FORCE_COLOR": "1", "NO_COLOR": ""}).out
    assert "\x1b" not in trigger_process("check", cwd=bad_project, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out


def test_hints_do_not_count(make_project: MakeProject, trigger_process: Trigger) -> None:
    """Exit code 0 with hints, 1 with warnings."""
    jobs = CLEAN.replace("from trigger", "import uuid\nfrom trigger").replace(
        "    return await", "    uuid.uuid4()\n    return await"
    )
    root = make_project({"jobs/clean.py": jobs})
    ended = trigger_process("check", cwd=root)
    assert (ended.code, "Found 1 hint in 1 job" in ended.out) == (0, True), ended
    (root / "jobs" / "clean.py").write_text(f"{jobs}    # trigger: ignore[TRG101] nothing\n")
    (root / "jobs" / "clean.py").write_text(
        jobs.replace("await total()", "await total()  # trigger: ignore[TRG101] no")
    )
    ended = trigger_process("check", cwd=root)
    assert (ended.code, "1 warning" in ended.out) == (1, True), ended


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--select", "TRG107"], ["TRG107"]),
        (["--select", "TRG101,TRG107", "--ignore", "TRG107"], ["TRG101"]),
        (["--select", "TRG101", "--select", "TRG107"], ["TRG101", "TRG107"]),
        (["--ignore", "TRG1"], []),
        (["--select", "ALL", "--ignore", "TRG101"], ["TRG107"]),
    ],
)
def test_selection(bad_project: Path, trigger_process: Trigger, argv: list[str], expected: list[str]) -> None:
    """Codes with commas or repeated, prefixes, ALL."""
    ended = trigger_process("check", *argv, "--output-format", "json", cwd=bad_project)
    assert codes(ended.out) == expected
    assert ended.code == bool(expected)


def test_selection_beats_the_configuration(make_project: MakeProject, trigger_process: Trigger) -> None:
    """--select replaces both lists of the configuration, --ignore adds; patterns of files hold."""
    root = make_project(
        {"jobs/bad.py": BAD, "rates.py": RATES, "jobs/old/bad.py": BAD.replace('"bad"', '"old"')},
        check='[tool.trigger.check]\nignore = ["TRG101"]\nper-file-ignores = { "jobs/old/**" = ["ALL"] }\n',
    )

    def found(*argv: str) -> list[str]:
        return codes(trigger_process("check", *argv, "--output-format", "json", cwd=root).out)

    assert found() == ["TRG107"]
    assert found("--select", "TRG101") == ["TRG101"]
    assert found("--ignore", "TRG107") == []


@pytest.mark.parametrize("format", ["text", "concise", "json", "github", "gitlab", "sarif", "junit"])
def test_every_format_is_written(bad_project: Path, trigger_process: Trigger, format: str) -> None:
    """Something that names the finding, and the same exit code."""
    ended = trigger_process("check", "--output-format", format, cwd=bad_project)
    assert (ended.code, ended.err) == (1, "")
    assert "TRG101" in ended.out
    assert "jobs/bad.py" in ended.out


def test_github_paths_are_relative_to_the_workspace(bad_project: Path, trigger_process: Trigger) -> None:
    """Annotations find their file when the project is a folder of the checkout."""
    env = {"GITHUB_WORKSPACE": str(bad_project.parent)}
    ended = trigger_process("check", "--output-format", "github", cwd=bad_project, env=env)
    assert "::error file=shop/jobs/bad.py,line=9," in ended.out


def test_statistics_and_exit_zero(bad_project: Path, trigger_process: Trigger) -> None:
    """Counts by rule, as a table and as JSON."""
    ended = trigger_process("check", "--statistics", "--exit-zero", cwd=bad_project)
    assert ended.code == 0
    assert [line.split()[:2] for line in ended.out.splitlines()[1:]] == [["1", "TRG101"], ["1", "TRG107"]]
    rows = json.loads(trigger_process("check", "--statistics", "--output-format", "json", cwd=bad_project).out)
    assert rows[1] == {"code": "TRG107", "name": "blocking-sleep", "severity": "error", "count": 1, "fixable": 1}


def test_jobs_are_listed(bad_project: Path, trigger_process: Trigger) -> None:
    """Ids, places, steps and findings; exit code 0."""
    ended = trigger_process("check", "--show-jobs", cwd=bad_project)
    assert ended.code == 0
    assert "jobs/bad.py:8" in ended.out
    rows = json.loads(trigger_process("check", "--show-jobs", "--output-format", "json", cwd=bad_project).out)
    assert [(row["id"], row["steps"], row["findings"]) for row in rows] == [
        ("bad", [], ["TRG101", "TRG107"]),
        ("clean", ["total"], []),
    ]


def test_standard_input_is_checked_as_a_file(bad_project: Path, trigger_process: Trigger) -> None:
    """Imports are found from where the file would lie; the file itself need not exist, and is not written."""
    argv = ("check", "-", "--stdin-filename", "jobs/new.py", "--output-format", "concise")
    ended = trigger_process(*argv, cwd=bad_project, stdin=BAD)
    assert ended.code == 1
    assert "jobs/new.py:9:13: error TRG101" in ended.out
    assert not (bad_project / "jobs" / "new.py").exists()


def test_cache_is_kept_out_of_the_repository(bad_project: Path, trigger_process: Trigger) -> None:
    """`.trigger` has a .gitignore; --no-cache leaves nothing; a second check finds the same."""
    first = trigger_process("check", "--no-cache", cwd=bad_project)
    assert not (bad_project / ".trigger").exists()
    assert trigger_process("check", cwd=bad_project) == first
    assert (bad_project / ".trigger" / ".gitignore").read_text() == "*\n"
    assert trigger_process("check", cwd=bad_project) == first


def test_paths_of_several_projects(make_project: MakeProject, trigger_process: Trigger, tmp_path: Path) -> None:
    """Each is checked with its own configuration, from wherever one stands."""
    one = make_project({"jobs/bad.py": BAD, "rates.py": RATES}, name="one")
    make_project(
        {"jobs/bad.py": BAD, "rates.py": RATES}, name="two", check='[tool.trigger.check]\nignore = ["TRG107"]\n'
    )
    ended = trigger_process("check", "one", "two/jobs/bad.py", "--output-format", "concise", cwd=tmp_path)
    assert [line.split()[0] for line in ended.out.splitlines()[:3]] == [
        "one/jobs/bad.py:9:13:", "one/jobs/bad.py:10:5:", "two/jobs/bad.py:9:13:",
    ]  # fmt: skip
    assert "in 2 jobs" in ended.out
    assert trigger_process("check", str(one / "rates.py"), cwd=tmp_path).code == 0


def test_file_in_no_project_is_checked_with_the_defaults(trigger_process: Trigger, tmp_path: Path) -> None:
    """What it imports beside itself is found, and nothing is left behind."""
    folder = tmp_path / "loose" / "package"
    folder.mkdir(parents=True)
    (folder / "bad.py").write_text(BAD)
    (folder / "rates.py").write_text(RATES)
    ended = trigger_process("check", "loose/package/bad.py", "--output-format", "json", cwd=tmp_path)
    assert codes(ended.out) == ["TRG101", "TRG107"], ended.err
    assert not list(tmp_path.rglob(".trigger"))


def test_no_jobs_is_said(make_project: MakeProject, trigger_process: Trigger) -> None:
    """Silence would look like approval: a warning, with what to do."""
    root = make_project({"jobs/empty.py": "x = 1\n", "other/notes.txt": ""})
    for argv in ((), ("other",), ("jobs/empty.py",)):
        ended = trigger_process("check", *argv, cwd=root)
        assert ended.code == 0
        assert "warning: no-jobs:" in ended.err
        assert "nothing was checked" in ended.err


def test_startup_leaves_out_what_is_not_needed(make_project: MakeProject) -> None:
    """A check without findings imports no engine, server, HTTP, watcher, or libcst."""
    program = (
        "import sys; sys.argv[:] = ['trigger', 'check']\n"
        "from trigger_cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('MODULES', *sorted(sys.modules))"
    )
    root = make_project({"jobs/clean.py": CLEAN})
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=root,
        env=os.environ,
    )
    modules = set(done.stdout.rsplit("MODULES ", 1)[1].split())
    heavy = {
        "engine",
        "executor",
        "devserver",
        "libcst",
        "pygls",
        "watchfiles",
        "httpx",
        "rich",
        "asyncio",
        "sqlalchemy",
    }
    assert not modules & heavy
