"""The process of a check: its answer, its end, and every way in which it can fail."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from devserver.checking.messages import CheckRequest, Memory
from devserver.checking.process import CheckProcess
from devserver.checking.program import answer_to
from devserver.errors import CheckFailed
from tests.devserver.conftest import Write

Pretend = Callable[[str], CheckProcess]


@pytest.fixture
def request_of(root: Path) -> CheckRequest:
    """Return a request for the project."""
    return CheckRequest(root=str(root), parent=os.getpid(), memory=Memory())


@pytest.fixture
def pretend(tmp_path: Path) -> Pretend:
    """Return what makes a check whose program is something else."""

    def make(source: str) -> CheckProcess:
        package = tmp_path / "double" / "devserver" / "checking"
        package.mkdir(parents=True)
        for folder in (package.parent, package):
            (folder / "__init__.py").touch()
        (package / "program.py").write_text(source)
        return CheckProcess(os.environ, [str(package.parent.parent)], limit=5.0)

    return make


def test_answer_of_the_real_program(request_of: CheckRequest, write: Write) -> None:
    """What it says is safe to show, and a larger memory than a pipe holds makes no difference."""
    write("jobs/first.py", "from trigger_sdk import job\n\n@job(id='a')\ndef a():\n    open('x')\n")
    known = {f"{number:032x}": "kind" for number in range(10_000)}
    request = CheckRequest(root=request_of.root, parent=os.getpid(), memory=Memory(is_first=False, known=known))
    answer = CheckProcess(os.environ, sys.path).run(request)
    assert answer is not None
    assert answer.is_made
    assert answer.messages[0][0].startswith("check: new jobs/first.py:5:5: error TRG102")
    assert answer.messages[1][0].startswith("check: 10000 gone, 1 error in 1 job")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise ValueError", "ended with exit code 1"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
        ("print('noise')", "gave no answer that can be read"),
        ("import sys; sys.stdin.close(); raise SystemExit(7)", "ended with exit code 7"),
    ],
    ids=["exception", "crash", "noise", "deaf"],
)
def test_failure_is_named(request_of: CheckRequest, pretend: Pretend, source: str, words: str) -> None:
    """Whatever the program does, the answer is an error with a way out."""
    with pytest.raises(CheckFailed, match=words) as failed:
        pretend(source).run(request_of)
    assert "--no-check" in failed.value.problem.hint


def test_endless_check_is_given_up(request_of: CheckRequest, tmp_path: Path, pretend: Pretend) -> None:
    """After its time, and the process is gone."""
    check = pretend(
        f"import os, pathlib, threading; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()));"
        "threading.Event().wait()"
    )
    with pytest.raises(CheckFailed, match="given up after 5 s"):
        check.run(request_of)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_stop_ends_it_at_once(request_of: CheckRequest, pretend: Pretend) -> None:
    """Before it was started, and while it runs; neither is a failure."""
    check = pretend("import threading; threading.Event().wait()")
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(check.run(request_of)))
    thread.start()
    check.stop()
    thread.join(4)
    assert answers == [None]
    assert check.run(request_of) is None


def test_project_that_cannot_be_loaded_is_told_by_the_worker(request_of: CheckRequest, write: Write) -> None:
    """The check is silent about it, and remembers what was saved."""
    write("trigger.toml", "dirs = [\n")
    answer = answer_to(request_of)
    assert (answer.failure, answer.messages, answer.is_made) == (None, (), False)


def test_mistake_in_the_settings_is_an_answer(request_of: CheckRequest, write: Write) -> None:
    """With its hint."""
    write("trigger.toml", "[check]\ndev = 'no'\n")
    failure = answer_to(request_of).failure
    assert failure is not None
    assert (failure.code, failure.hint) == ("check-settings-invalid", "Write true or false, without quotes.")


def test_bug_is_an_answer(root: Path) -> None:
    """An exception nobody foresaw names its place."""
    failure = answer_to(CheckRequest(root="\0", parent=1, memory=Memory())).failure
    assert failure is not None
    assert failure.code == "check-failed"
    assert "ValueError" in failure.message
