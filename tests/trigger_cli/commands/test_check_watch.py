"""`trigger check --watch`, as a process that is talked to by saving files."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trigger_cli.commands.conftest import BAD

DEADLINE_S = 30.0

_WITH_INTERRUPTS = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Starts a program as a terminal does: in the background job of a shell, Ctrl-C is ignored."""


class Watching:
    """A watch that runs, and what it has written so far."""

    def __init__(self, folder: Path, *argv: str) -> None:
        script = Path(sys.executable).with_name("trigger")
        self.process = subprocess.Popen(
            [sys.executable, "-c", _WITH_INTERRUPTS, script, "check", "--watch", *argv],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "COLUMNS": "100"},
        )  # fmt: skip
        self.text = ""
        self._seen = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line

    def until(self, wanted: str) -> None:
        """Wait until something is written after what was waited for before."""
        deadline = time.monotonic() + DEADLINE_S
        while wanted not in self.text[self._seen :]:
            assert time.monotonic() < deadline, f"not written: {wanted}\n{self.text}"
            assert self.process.poll() is None, self.text
            threading.Event().wait(0.02)
        self._seen += self.text[self._seen :].index(wanted) + len(wanted)

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def close(self) -> None:
        """End it, however it stands."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def watching() -> Iterator[Callable[..., Watching]]:
    """Return what starts a watch; ended with the test."""
    started: list[Watching] = []

    def start(folder: Path, *argv: str) -> Watching:
        started.append(Watching(folder, *argv))
        return started[-1]

    yield start
    for each in started:
        each.close()


def test_watch_follows_what_is_saved(bad_project: Path, watching: Callable[..., Watching]) -> None:
    """Saves, broken files, deleted files, a configuration that is broken and mended; then Ctrl-C, without noise."""
    watch = watching(bad_project)
    watch.until("2 errors. Watching for changes, Ctrl-C ends.")
    bad = bad_project / "jobs" / "bad.py"
    bad.write_text(BAD.replace("    time.sleep(3)\n", ""))
    watch.until("jobs/bad.py changed, checking")
    watch.until(" 1 error. Watching")
    bad.write_text("def (\n")
    watch.until("error TRG901 syntax-error")
    watch.until("Watching")
    bad.unlink()
    watch.until("No findings. Watching")
    configuration = bad_project / "pyproject.toml"
    text = configuration.read_text()
    configuration.write_text(text + "[tool.trigger.check]\nselct = []\n")
    watch.until("Did you mean select?")
    watch.until("The check could not be made. Watching")
    configuration.write_text(text + '[tool.trigger.check]\nselect = ["TRG107"]\n')
    watch.until("No findings. Watching")
    bad.write_text(BAD)
    watch.until("error TRG107")
    watch.until(" 1 error. Watching")
    assert watch.interrupt() == 130
    assert "Traceback" not in watch.text
    assert "\x1b" not in watch.text


def test_watched_path_may_go_away(bad_project: Path, watching: Callable[..., Watching]) -> None:
    """A file that was named is deleted and comes back."""
    watch = watching(bad_project, "jobs/bad.py", "--output-format", "concise")
    watch.until("2 errors. Watching")
    bad = bad_project / "jobs" / "bad.py"
    bad.unlink()
    watch.until("No findings. Watching")
    bad.write_text(BAD)
    watch.until("2 errors. Watching")
    assert watch.interrupt() == 130
