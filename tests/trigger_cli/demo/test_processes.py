"""The demo's processes: services for real, and finding the worker to kill."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from trigger_cli.demo.processes import kill_worker, services, started, until
from trigger_cli.errors import DemoFailed
from trigger_cli.scaffold.plan import make_plan
from trigger_cli.scaffold.templates import find_template, templates_folder
from trigger_cli.scaffold.write import carry_out


def test_services_start_and_stop(tmp_path: Path) -> None:
    """The ticket template's services answer while they are wanted, and are gone afterwards."""
    carry_out(make_plan(find_template("ticket", templates_folder()), tmp_path / "ticket"))
    with services(tmp_path / "ticket") as url, urllib.request.urlopen(url + "/requests", timeout=10) as answer:
        assert json.load(answer) == {"requests": []}
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url + "/requests", timeout=10)


def test_process_that_ends_at_once_is_told(tmp_path: Path) -> None:
    """A process that cannot start fails the demo with what it wrote, and not after half a minute."""
    (tmp_path / "services.py").write_text("raise SystemExit('no such luck')")
    with pytest.raises(DemoFailed) as caught, services(tmp_path):
        pass
    assert "no such luck" in caught.value.problem.detail


def test_worker_is_found_among_descendants(tmp_path: Path) -> None:
    """The worker is the descendant that runs the SDK's worker module; its parent survives."""
    wait = "import sys; sys.stdin.read()"
    program = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {wait!r}, 'trigger_sdk.worker'], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "print(child.wait(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert kill_worker(parent.pid) == worker
        assert parent.stdout.readline() == "-9\n"
        with pytest.raises(DemoFailed, match="no worker"):
            kill_worker(parent.pid)
        assert parent.poll() is None
        parent.kill()


def test_started_process_is_ended(tmp_path: Path) -> None:
    """A process does not outlive its context, even when that fails."""
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    log = tmp_path / "log"
    with pytest.raises(ZeroDivisionError), started(command, folder=tmp_path, log=log, env=os.environ) as process:
        _ = 1 / 0
    assert process.returncode is not None


def test_until_says_what_did_not_happen() -> None:
    """Waiting ends, and names what it was for."""
    with pytest.raises(DemoFailed, match=r"the moon did not happen within 0\.05 s"):
        until(lambda: None, "the moon", seconds=0.05)
