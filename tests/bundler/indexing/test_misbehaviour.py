"""Modules that do what they should not while they are imported: each is told clearly, or does no harm."""

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from bundler.indexing.errors import IndexCrashed, IndexFailed, IndexTimedOut
from tests.bundler.indexing.conftest import Indexed

FAULTS = {
    "import error": ("import no_such_module\n", "No module named 'no_such_module'", "Install what provides"),
    "variable": (
        'import os\nos.environ["STRIPE_KEY"]\n',
        "the environment variable STRIPE_KEY is not set",
        "`prepare`",
    ),
    "variable, wrapped": (
        'import os\ntry:\n    os.environ["STRIPE_KEY"]\nexcept KeyError as e:\n    raise OSError("config") from e\n',
        "the environment variable STRIPE_KEY is not set",
        "[tool.trigger.bundle] env = { STRIPE_KEY",
    ),
    "key of a dict": ('{}["STRIPE_KEY"]\n', "KeyError: 'STRIPE_KEY'", "Correct jobs/a.py:1"),
    "exit": ("import sys\nsys.exit(0)\n", "SystemExit: 0", "__main__"),
    "syntax": ("def (\n", "SyntaxError", "Correct jobs/a.py:1"),
    "interrupt": ("raise KeyboardInterrupt\n", "KeyboardInterrupt", ""),
    "group": ("raise ExceptionGroup('several', [ValueError(1)])\n", "ExceptionGroup: several", "Correct"),
    "recursion": ("def f(): f()\nf()\n", "RecursionError", "Correct"),
    "no jobs": ("x = 1\n", "no jobs found in jobs", "Declare one"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_told_with_its_traceback(project: Indexed, fault: str) -> None:
    """Without frames of ours, with the user's own paths and the remedy."""
    source, message, hint = FAULTS[fault]
    project.write("jobs/a.py", source)
    with pytest.raises(IndexFailed) as raised:
        project.index()
    problem = raised.value.problems[0]
    assert message in problem.message
    assert hint in problem.hint
    assert str(project.work) not in str(problem)
    assert "trigger_sdk/" not in problem.detail
    if fault == "variable":
        assert f'File "{project.root}/jobs/a.py", line 2' in problem.detail
        assert problem.where == "jobs/a.py:2"


def test_all_that_is_wrong_is_told_at_once(project: Indexed) -> None:
    """Each broken module is a problem of its own."""
    for name in "abc":
        project.write(f"jobs/{name}.py", "1 / 0")
    with pytest.raises(IndexFailed) as raised:
        project.index()
    assert [problem.where for problem in raised.value.problems] == ["jobs/a.py:1", "jobs/b.py:1", "jobs/c.py:1"]


SETTINGS = """
    from pydantic import BaseModel

    class BaseSettings(BaseModel):
        def __init__(__pydantic_self__, _env_prefix=None):
            super().__init__()
"""
"""The part of `pydantic_settings.main` that is on the stack when a variable is missing."""


def test_settings_class_without_its_variables(project: Indexed) -> None:
    """What pydantic-settings does not find is named as the variables that it looked for."""
    project.write("pydantic_settings/__init__.py", "from pydantic_settings.main import BaseSettings")
    project.write("pydantic_settings/main.py", SETTINGS)
    project.job("""
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            model_config = {"env_prefix": "shop_"}
            key: str
            region: str
        Settings()
    """)
    with pytest.raises(IndexFailed, match="variables SHOP_KEY and SHOP_REGION are not set"):
        project.index()


@pytest.mark.parametrize(
    ("source", "message", "where"),
    [
        ("import os; os._exit(5)\n", "ended with exit code 5 while jobs.a was imported", ""),
        ("import os; os._exit(0)\n", "ended with exit code 0 while jobs.a was imported", ""),
        ("import os; os.kill(os.getpid(), 9)\n", "was killed by SIGKILL while jobs.a was imported", ""),
        (
            "import ctypes\nctypes.string_at(0)\n",
            "SIGSEGV while jobs.a was imported: Segmentation fault",
            "jobs/a.py:2",
        ),
        ("import os; os.closerange(3, 9999); os._exit(1)\n", "ended with exit code 1", ""),
    ],
)
def test_end_of_the_process_is_told(project: Indexed, source: str, message: str, where: str) -> None:
    """With the module, the last that it wrote, and the line where the interpreter could still tell."""
    project.job(f"import os; os.write(1, b'the last word')\n{source}")
    with pytest.raises(IndexCrashed) as raised:
        project.index()
    problem = raised.value.problem
    assert message in problem.message
    assert "the last word" in problem.detail
    assert problem.where == (where and "jobs/a.py:3")


@pytest.mark.parametrize(
    "source",
    ["import time\ntime.sleep(999)\n", "while True:\n    pass\n", "import threading\nthreading.Event().wait()\n",
     "import signal, os\nsignal.pthread_sigmask(0, range(1, 64)); os.read(os.pipe()[0], 1)\n"],
)  # fmt: skip
def test_hang_is_told_with_its_place(project: Indexed, source: str) -> None:
    """In Python, in C, with all signals blocked."""
    project.write("lib.py", source)
    project.job("import lib\n")
    with pytest.raises(IndexTimedOut) as raised:
        project.index(timeout=1.0)
    problem = raised.value.problem
    assert problem.message.startswith("the jobs are not imported after 1 s: it hangs at lib.py:")
    assert f"{project.root}/lib.py" in problem.detail
    assert f"{project.root}/jobs/a.py:1" in problem.detail
    assert "frozen" not in problem.detail


def test_hang_that_cannot_tell_is_ended(project: Indexed) -> None:
    """A process that took the clock away or is stopped: the module is known."""
    project.job("import faulthandler, time\nfaulthandler.cancel_dump_traceback_later()\ntime.sleep(999)\n")
    with pytest.raises(IndexTimedOut, match=r"it hangs in the import of jobs\.a"):
        project.index(timeout=0.5)


@pytest.mark.parametrize(
    "source",
    [
        "for _ in range(300_000): print('x' * 100)\n",
        "import os\nfor _ in range(3000): os.write(1, b'y' * 65536)\n",
        "print('z' * 50_000_000)\n",
    ],
)
def test_floods_do_no_harm(project: Indexed, source: str) -> None:
    """Of output by print, past Python, and without a line end."""
    project.job(source)
    assert [job.id for job in project.index().jobs] == ["a"]


def test_output_cannot_be_taken_for_the_answer(project: Indexed) -> None:
    """Whatever is written to stdout and stderr, by whichever way."""
    forged = json.dumps({"format": 1, "sdk": "0", "python": "3", "code": "x"})
    project.job(
        f"import os, sys\nprint({forged!r})\nos.write(1, {forged.encode()!r})\nsys.__stdout__.write({forged!r})\n"
    )
    assert [job.id for job in project.index().jobs] == ["a"]


def test_threads_and_processes_that_are_left_end(project: Indexed, tmp_path: Path) -> None:
    """Neither threads that run on nor a child that holds the pipes keep the build; the child does not outlive it."""
    note = tmp_path / "pid"
    project.job(f"""
        import os, subprocess, sys, threading, time, atexit
        threading.Thread(target=time.sleep, args=(999,)).start()
        atexit.register(time.sleep, 999)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(999)"])
        open({str(note)!r}, "w").write(str(child.pid))
    """)
    began = time.monotonic()
    assert project.index().jobs
    assert time.monotonic() - began < 15
    _wait_for_end(int(note.read_text()))


def _wait_for_end(pid: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        os.sched_yield()
    raise AssertionError(pid)


async def test_cancelled_build_leaves_nothing(project: Indexed, tmp_path: Path) -> None:
    """The process ends with it, and its folder is gone."""
    note = tmp_path / "pid"
    project.job(f"import os, time\nopen({str(note)!r}, 'w').write(str(os.getpid()))\ntime.sleep(999)\n")
    task = asyncio.create_task(project.begin())
    end = time.monotonic() + 20
    while not (note.exists() and note.read_text()) and time.monotonic() < end:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    _wait_for_end(int(note.read_text()))
    assert list(project.work.iterdir()) == []


def test_default_that_json_cannot_hold_is_told(project: Indexed) -> None:
    """A payload whose default is not a number: the job is named."""
    project.write("jobs/a.py", """
        import dataclasses
        from trigger_sdk import job
        @dataclasses.dataclass
        class P:
            x: float = float("nan")
        @job(id="a")
        async def a(p: P): ...
    """)  # fmt: skip
    project.job(name="b")
    with pytest.raises(IndexFailed, match="the payload of job 'a' cannot be described in JSON") as raised:
        project.index()
    assert [problem.where for problem in raised.value.problems] == ["jobs/a.py:7"]
