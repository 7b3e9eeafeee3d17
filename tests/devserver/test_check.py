"""`trigger dev` checks what is saved: what a developer reads of it; nothing ever waits for it or falls with it."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.devserver.conftest import Start, Write
from tests.fakes.dev_process import DevProcess
from tests.fakes.processes import kill, until

CLEAN = """\
from trigger_sdk import job

from rates import rate


@job(id="invoice")
async def invoice(payload: float) -> float:
    return payload * rate("usd")
"""

RATES = """\
def rate(currency: str) -> float:
    return 2.0
"""

LOADED = """\
from pathlib import Path


def rate(currency: str) -> float:
    return float(Path(currency).read_text())
"""


@pytest.fixture
def jobs(write: Write) -> Path:
    """Write a job and what it calls; returns the job's file."""
    write("rates.py", RATES)
    return write("jobs/first.py", CLEAN)


def says(dev: DevProcess, text: str, times: int = 1) -> None:
    """Wait until the output holds a text so many times."""
    until(lambda: dev.output.count(text) >= times, f"output with {times} x {text!r}")


def checks(dev: DevProcess) -> list[str]:
    """Return the first lines of what the check has said, without their time."""
    return [line.split("check: ", 1)[1] for line in dev.output.splitlines() if " check: " in line]


def test_saved_effect_is_found_and_gone_when_mended(jobs: Path, write: Write, start: Start) -> None:
    """The finding says where, in the job whose file was not saved, with the way down to the file that was; once."""
    dev = start()
    says(dev, "check: no findings in 1 job")
    write("rates.py", LOADED)
    says(dev, "rates.py:5 calls ")
    found = "new jobs/first.py:8:22: error TRG102 filesystem-outside-task"
    assert [line.startswith(found) for line in checks(dev)] == [False, True]
    write("rates.py", f"{LOADED}\n\nRATE = 1\n")
    says(dev, "ready in", 3)
    write("rates.py", RATES)
    says(dev, "check: clean again")
    assert len(checks(dev)) == 3
    assert dev.output.count("TRG102") == 1
    assert dev.wait(dev.trigger("invoice", 3.0))["output"] == 6.0


def test_more_than_a_screen_is_counted(jobs: Path, write: Write, start: Start) -> None:
    """At the start many findings are a number; a save shows those of its file, and counts the rest."""
    many = "".join(f"\n@job(id='j{n}')\ndef j{n}():\n    open('f{n}')\n" for n in range(7))
    write("jobs/many.py", f"from trigger_sdk import job\n{many}")
    dev = start()
    says(dev, "check: 7 errors in 7 jobs; `trigger check` shows them")
    write("rates.py", LOADED)
    says(dev, "check: 8 errors in 8 jobs; `trigger check` shows them")
    assert [line[:22] for line in checks(dev)[1:-1]] == ["new jobs/first.py:8:22"]
    write("jobs/many.py", f"from trigger_sdk import job\n{many}\n")
    says(dev, "check: 8 errors in 8 jobs; `trigger check` shows them", 2)
    assert len(re.findall(r"check: jobs/many\.py:\d+:5: error TRG102", dev.output)) == 5


def test_syntax_error_is_told_once(jobs: Path, write: Write, start: Start) -> None:
    """The worker tells it; what is not seen meanwhile is neither gone nor new."""
    write("rates.py", LOADED)
    dev = start()
    says(dev, "check: jobs/first.py:8:22: error TRG102")
    write("rates.py", "def (\n")
    says(dev, "where: rates.py:1")
    until(lambda: not dev.check_pids(), "the check has ended")
    write("rates.py", LOADED)
    says(dev, "ready in", 2)
    write("rates.py", RATES)
    says(dev, "check: clean again")
    assert "TRG901" not in dev.output
    assert dev.output.count("TRG102") == 1


def test_broken_module_that_no_worker_imports_is_found(jobs: Path, write: Write, start: Start) -> None:
    """A module that a task imports late is read by the check."""
    write("late.py", "def (\n")
    write(
        "jobs/second.py",
        "from trigger_sdk import job, task\n\n@task\ndef work():\n    import late\n\n@job(id='second')\n"
        "async def second():\n    await work()\n",
    )
    dev = start()
    says(dev, "check: late.py:1:5: error TRG901 syntax-error")
    write("late.py", "VALUE = 1\n")
    says(dev, "check: clean again")


def test_configuration_of_the_check(jobs: Path, write: Write, start: Start) -> None:
    """A mistake in it is told once, as a warning; what it ignores is gone; it may turn the check off, and on again."""
    dev = start()
    says(dev, "check: no findings")
    write("trigger.toml", "[check]\nselct = []\n")
    says(dev, "warning: check-settings-invalid")
    says(dev, "Did you mean select?")
    write("rates.py", LOADED)
    says(dev, "ready in", 3)
    until(lambda: not dev.check_pids(), "the check has ended")
    write("trigger.toml", "[check]\n")
    says(dev, "check: new jobs/first.py:8:22: error TRG102")
    assert dev.output.count("check-settings-invalid") == 1
    write("trigger.toml", '[check]\nignore = ["TRG102"]\n')
    says(dev, "check: clean again")
    write("trigger.toml", "[check]\ndev = false\n")
    says(dev, "ready in", 6)
    write("rates.py", RATES)
    says(dev, "ready in", 7)
    write("trigger.toml", "[check]\n")
    write("rates.py", LOADED)
    says(dev, "check: new jobs/first.py:8:22: error TRG102", 2)
    assert dev.output.count("warning:") == 1


@pytest.mark.parametrize("arguments", [("--no-check",), ("--no-check", "--no-reload")])
def test_check_can_be_off(jobs: Path, write: Write, start: Start, arguments: tuple[str, ...]) -> None:
    """No process, no word."""
    write("rates.py", LOADED)
    dev = start(*arguments)
    assert dev.wait(dev.trigger("invoice", 1.0))["state"] in ("failed", "completed")
    assert (dev.check_pids(), checks(dev)) == ([], [])


def test_without_reload_the_start_is_checked(jobs: Path, write: Write, start: Start) -> None:
    """The code that is served is checked once."""
    write("rates.py", LOADED)
    dev = start("--no-reload")
    says(dev, "check: jobs/first.py:8:22: error TRG102")


def test_damaged_cache_is_made_anew(jobs: Path, root: Path, write: Write, start: Start) -> None:
    """Entries that are rubbish, and a folder that is a file, matter to nobody."""
    dev = start()
    says(dev, "check: no findings")
    for entry in (root / ".trigger" / "cache" / "check").rglob("*.msgpack"):
        entry.write_bytes(b"\xc1 rubbish")
    write("rates.py", LOADED)
    says(dev, "check: new jobs/first.py:8:22")
    (root / ".trigger" / "cache").rename(root / ".trigger" / "moved")
    (root / ".trigger" / "cache").write_text("no folder")
    write("rates.py", RATES)
    says(dev, "check: clean again")
    assert "warning:" not in dev.output


@pytest.fixture
def hanging(jobs: Path, root: Path, start: Start) -> DevProcess:
    """Return a dev server whose next check never ends: what it keeps are pipes that nobody writes to."""
    first = start()
    says(first, "check: no findings")
    first.stop()
    for entry in (root / ".trigger" / "cache" / "check").rglob("*.msgpack"):
        entry.unlink()
        os.mkfifo(entry)
    dev = start()
    until(dev.check_pids, "a check is under way")
    return dev


def test_check_that_hangs_holds_nothing_up(hanging: DevProcess, write: Write) -> None:
    """Runs, reloads and the end: none waits, and no process is left."""
    assert hanging.wait(hanging.trigger("invoice", 3.0))["output"] == 6.0
    before = hanging.check_pids()
    write("rates.py", RATES.replace("2.0", "5.0"))
    assert hanging.wait(hanging.trigger("invoice", 3.0))["state"] == "completed"
    until(lambda: hanging.check_pids() and hanging.check_pids() != before, "the check of the save")
    assert len(hanging.check_pids()) == 1
    assert hanging.wait(hanging.trigger("invoice", 3.0))["output"] == 15.0
    began = time.monotonic()
    assert hanging.stop() == 130
    assert time.monotonic() - began < 5
    assert hanging.check_pids() == []
    assert hanging.output.count("check-failed") == 0


def test_check_that_dies_is_one_warning(hanging: DevProcess, write: Write) -> None:
    """It is told once, whatever is saved afterwards."""
    kill(hanging.check_pids())
    says(hanging, "warning: check-failed: the process of the check was killed by SIGKILL")
    write("rates.py", RATES.replace("2.0", "5.0"))
    until(hanging.check_pids, "the check of the save")
    kill(hanging.check_pids())
    write("rates.py", RATES.replace("2.0", "6.0"))
    until(lambda: hanging.wait(hanging.trigger("invoice", 1.0))["output"] == 6.0, "the save is served")
    assert hanging.output.count("check-failed") == 1


def test_check_ends_with_a_server_that_is_killed(hanging: DevProcess) -> None:
    """Nobody else would end it."""
    assert len(hanging.check_pids()) == 1
    os.kill(hanging.pid, signal.SIGKILL)
    until(lambda: not hanging.check_pids(), "the check is gone")


def test_folders_called_like_our_packages(root: Path, jobs: Path, write: Write, start: Start) -> None:
    """PYTHONPATH leads the worker to the user's `analyzer`, and the check to ours."""
    write("analyzer/__init__.py", "raise ValueError('not ours')\n")
    write("devserver/__init__.py", "raise ValueError('not ours')\n")
    dev = start(PYTHONPATH=str(root))
    says(dev, "check: no findings in 1 job")
    assert "check-failed" not in dev.output
