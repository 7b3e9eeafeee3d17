"""Ctrl-C while a command waits."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.fakes.api_server import FakeApi


def test_interrupt_ends_the_waiting_and_not_the_run(server: FakeApi) -> None:
    """SIGINT ends `trigger run --wait` with 130, says that the run goes on, and cancels nothing."""
    server.state.jobs = [{"id": "hello"}]
    script = Path(sys.executable).with_name("trigger")
    with subprocess.Popen(
        [script, "run", "hello", "--wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        run_id = process.stderr.readline().strip()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == f"{run_id} goes on; cancel it with: trigger runs cancel {run_id}\n"
    assert not [path for method, path, _ in server.state.requests if path.endswith("cancel")]
