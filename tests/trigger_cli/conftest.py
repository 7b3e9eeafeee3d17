"""A fake server, and ways to call the command line: in this process, and as users do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.api_server import FakeApi
from tests.trigger_cli.ended import Ended, Trigger
from trigger_cli.outcome import run_command_line


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """Run a fake server that the environment points to, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    with FakeApi() as fake:
        monkeypatch.setenv("TRIGGER_API_URL", fake.url)
        yield fake


@pytest.fixture
def trigger(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Trigger:
    """Return a function that runs a command line in this process, without a terminal."""
    for name in ("FORCE_COLOR", "NO_COLOR", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*argv: str) -> Ended:
        capsys.readouterr()
        code = run_command_line(argv)
        captured = capsys.readouterr()
        return Ended(int(code), captured.out, captured.err)

    return run


@pytest.fixture
def trigger_process(tmp_path: Path) -> Trigger:
    """Return a function that runs the installed console script in a process of its own, in the test's folder."""
    script = Path(sys.executable).with_name("trigger")

    def run(*argv: str, cwd: Path | None = None, env: dict[str, str] | None = None, stdin: str = "") -> Ended:
        done = subprocess.run(
            [script, *argv],
            cwd=cwd or tmp_path,
            env={**os.environ, "COLUMNS": "100", **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    return run
