"""What a worker left behind is turned into a problem that says what to do."""

import signal
from pathlib import Path

import pytest

from devserver.errors import InterpreterTooOld, SdkMissing, WorkerCrashed
from devserver.failures import explain_end, split_dump, stuck_problem
from devserver.interpreter import Interpreter
from trigger_sdk.protocol.project import Project

PYTHON = Interpreter(path="/p/bin/python", origin="the project's .venv")


def explain(
    project: Project, code: int, *stderr: str, ready: bool = False
) -> WorkerCrashed | SdkMissing | InterpreterTooOld:
    """Explain the end of a worker."""
    return explain_end(code, stderr, ready=ready, interpreter=PYTHON, project=project)


@pytest.mark.parametrize(
    "text",
    [
        "Error while finding module specification for 'trigger_sdk.worker' (No module named 'trigger_sdk')",
        "/p/bin/python: No module named trigger_sdk.worker",
    ],
)
def test_sdk_is_missing(project: Project, text: str) -> None:
    """The interpreter, why it was chosen, and the command that mends it."""
    error = explain(project, 1, text)
    assert isinstance(error, SdkMissing)
    assert "/p/bin/python (the project's .venv)" in error.message
    assert error.problem.hint == "Install it there: /p/bin/python -m pip install trigger-sdk"


def test_interpreter_is_too_old(project: Project) -> None:
    """A Python before 3.11 does not know -P."""
    assert isinstance(explain(project, 2, "Unknown option: -P", "usage: python [option]"), InterpreterTooOld)


def test_text_about_the_sdk_from_a_job_is_no_missing_sdk(project: Project) -> None:
    """Once the worker served, the SDK is there."""
    assert isinstance(explain(project, 1, "No module named trigger_sdk.worker", ready=True), WorkerCrashed)


@pytest.mark.parametrize(
    ("code", "words"),
    [(-signal.SIGKILL, "was killed by SIGKILL"), (-signal.SIGSEGV, "SIGSEGV"), (7, "ended with exit code 7")],
)
def test_end_is_named(project: Project, code: int, words: str) -> None:
    """A signal by its name, an exit by its code."""
    assert words in explain(project, code, ready=True).message


def test_worker_that_gave_up_is_not_blamed_on_the_jobs(project: Project) -> None:
    """Such as after a mistake of the server: the reason was told before."""
    assert "Something in the jobs" in explain(project, 1, ready=True).problem.hint
    assert "what it and the server said" in explain(project, 3, ready=True).problem.hint


def test_crash_below_python_names_the_line(project: Project, root: Path) -> None:
    """A dump of faulthandler leads to the innermost line of the project."""
    error = explain(
        project,
        -signal.SIGSEGV,
        "Fatal Python error: Segmentation fault",
        "",
        "Current thread 0x00007f (most recent call first):",
        '  File "/usr/lib/python3.11/ctypes/__init__.py", line 517 in string_at',
        f'  File "{root}/jobs/first.py", line 3 in crunch',
        '  File "/usr/lib/python3.11/threading.py", line 975 in run',
        ready=True,
    )
    assert error.problem.where == "jobs/first.py:3"
    assert error.message.endswith("SIGSEGV: Segmentation fault")


def test_dump_is_parted_from_other_lines(root: Path) -> None:
    """What else was written is kept, in order; the main thread's frames come first."""
    lines = [
        "before",
        "Thread 0x01 (most recent call first):",
        '  File "/a.py", line 1 in other',
        "",
        "Current thread 0x02 (most recent call first):",
        '  File "/b.py", line 2 in inner',
        '  File "/c.py", line 3 in outer',
        "after",
    ]
    frames, others = split_dump(lines)
    assert [frame.function for frame in frames] == ["inner", "outer", "other"]
    assert others == ["before", "after"]


def test_stuck_without_a_stack_still_tells(project: Project) -> None:
    """A worker that does not answer is reported without its place."""
    problem = stuck_problem([], project, 5.2)
    assert problem.where == ""
    assert "not ready after 5 s" in problem.message
