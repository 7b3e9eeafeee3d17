"""`trigger dev` as a developer meets it: the real server, the real worker, and everything that can happen to them."""

import os
import signal
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.devserver.conftest import Start, Write
from tests.fakes.dev_process import DevProcess, free_port
from tests.fakes.processes import environment, until

JOBS = """
import time
from trigger_sdk import job, task

@task
def work(name):
    print("working on", name)
    return name

@task
def nap(seconds):
    print("napping")
    time.sleep(seconds)
    return "slept"

@job(id="greet")
async def greet(payload: str) -> str:
    done = await work(payload)
    print("greeting", done)
    return "hello " + done

@job(id="nap")
async def nap_job(payload: float) -> str:
    return await nap(payload)
"""

NEWLINE = "\n"


@pytest.fixture
def jobs(write: Write) -> Path:
    """Write the jobs; returns their file."""
    return write("jobs/first.py", JOBS)


def trigger_dev(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `trigger dev` where it is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "trigger_cli", "dev", *arguments],
        cwd=folder, env=environment("refused"), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def says(dev: DevProcess, *texts: str) -> None:
    """Wait until the output holds every text."""
    until(lambda: all(text in dev.output for text in texts), f"output with {texts}")


def ends(dev: DevProcess, number: signal.Signals) -> int:
    """Send the server a signal and return its exit code; no worker is left."""
    assert dev._process is not None
    dev._process.send_signal(number)
    code = dev._process.wait(30)
    assert dev.worker_pids() == []
    return code


def test_output_of_a_run_is_attributed_and_shown_once(jobs: Path, start: Start) -> None:
    """Lines of body and task, with job, run and step; each once."""
    dev = start()
    run = dev.trigger("greet", "Ada")
    assert dev.wait(run)["output"] == "hello Ada"
    says(dev, "completed in", "greeting Ada")
    line = next(line for line in dev.output.splitlines() if "working on Ada" in line)
    assert line.split()[1:] == ["greet", run[-6:], "#1", "working", "on", "Ada"]
    for text in ("working on Ada", "greeting Ada", "started", "completed in"):
        assert dev.output.count(text) == 1


def test_save_reloads_and_loses_no_line(jobs: Path, start: Start) -> None:
    """A run that is under way ends on the code it began with, a new one gets the new code, and both are heard."""
    dev = start()
    old = dev.trigger("nap", 1.5)
    says(dev, "napping")
    jobs.write_text(JOBS.replace("hello", "good morning").replace('return "slept"', 'return "overslept"'))
    says(dev, "reload: jobs/first.py changed", "1 run to be finished by the code before")
    assert dev.wait(dev.trigger("greet", "Bob"))["output"] == "good morning Bob"
    assert dev.wait(old)["output"] == "slept"
    until(lambda: len(dev.worker_pids()) == 1, "the old worker is gone")
    says(dev, "greeting Bob")
    assert "worker-crashed" not in dev.output


def test_broken_save_is_shown_and_a_fix_recovers(jobs: Path, start: Start) -> None:
    """The old code goes on; the error names file and line and shows none of our own frames."""
    dev = start()
    jobs.write_text(f"{JOBS}\nprice = 1 / 0\n")
    says(dev, "ZeroDivisionError", f"jobs/first.py:{JOBS.count(NEWLINE) + 2}", "the code before this save goes on")
    assert "trigger_sdk/_runtime" not in dev.output
    assert dev.wait(dev.trigger("greet", "Ada"))["output"] == "hello Ada"
    jobs.write_text(JOBS.replace("hello", "welcome"))
    until(lambda: dev.output.count("ready in") == 2, "the fix is ready")
    assert dev.wait(dev.trigger("greet", "Ada"))["output"] == "welcome Ada"


def test_broken_code_at_the_start_waits_for_a_save(write: Write, start: Start) -> None:
    """The server stays up, and serves as soon as it can."""
    write("jobs/first.py", "def broken(:\n")
    dev = start(ready=False)
    says(dev, "jobs/first.py:1", "no jobs are served")
    write("jobs/first.py", JOBS)
    dev.wait_ready()
    assert dev.wait(dev.trigger("greet", "Ada"))["state"] == "completed"


def test_duplicate_job_names_both_files(jobs: Path, write: Write, start: Start) -> None:
    """Two jobs of one id are refused, and both places are named."""
    write("jobs/second.py", JOBS)
    dev = start(ready=False)
    says(dev, "jobs/first.py", "jobs/second.py", "no jobs are served")


def test_killed_worker_is_replaced(jobs: Path, start: Start) -> None:
    """Its run goes on in the next one."""
    dev = start()
    run = dev.trigger("nap", 1.0)
    says(dev, "napping")
    dev.kill_worker()
    assert dev.wait(run)["output"] == "slept"
    says(dev, "was killed by SIGKILL", "another worker starts now")


def test_killed_server_leaves_nothing_in_the_way(jobs: Path, start: Start) -> None:
    """The worker goes with it, the lock is free, the database is whole, and the run goes on."""
    dev = start()
    run = dev.trigger("nap", 1.0)
    says(dev, "napping")
    workers = dev.worker_pids()
    dev.kill()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the worker is gone")
    dev.start()
    assert dev.wait(run)["output"] == "slept"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)], ids=["int", "term", "hup"]
)
def test_signal_ends_in_order(jobs: Path, root: Path, start: Start, number: signal.Signals, code: int) -> None:
    """Ctrl-C, a stop, a closed terminal: the workers end first, and nobody is sent to a server that is gone."""
    dev = start()
    assert ends(dev, number) == code
    assert not (root / ".trigger" / "dev.json").exists()
    assert "Traceback" not in dev.output


def test_step_in_flight_gets_its_grace(jobs: Path, start: Start) -> None:
    """What is about to end may end."""
    dev = start()
    run = dev.trigger("nap", 1.0)
    says(dev, "napping")
    assert ends(dev, signal.SIGINT) == 130
    assert "1 run gets up to 5 s" in dev.output
    dev.start()
    assert dev.wait(run)["output"] == "slept"
    assert dev.output.count("napping") == 1


def test_second_interrupt_ends_at_once(jobs: Path, start: Start) -> None:
    """Whoever presses Ctrl-C twice does not wait for a long step."""
    dev = start()
    dev.trigger("nap", 60.0)
    says(dev, "napping")
    assert dev._process is not None
    dev._process.send_signal(signal.SIGINT)
    says(dev, "Ctrl-C again stops now")
    assert ends(dev, signal.SIGINT) == 130


def test_second_server_in_the_project_is_refused(jobs: Path, root: Path, start: Start) -> None:
    """The problem names the first one."""
    dev = start()
    second = trigger_dev(root, "--port", "0")
    assert second.returncode == 3
    assert "dev-already-running" in second.stderr
    assert dev.url in second.stderr
    assert f"kill {dev.pid}" in second.stderr


def test_port_in_use_is_named(jobs: Path, root: Path) -> None:
    """Nothing is left behind: no worker, no lock."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = trigger_dev(root, "--port", str(port))
    assert refused.returncode == 3
    assert f"port-in-use: port {port} is in use" in refused.stderr
    assert f"--port {port + 1}" in refused.stderr


@pytest.mark.parametrize("option", ["", "--project=nowhere"])
def test_project_that_is_not_there(tmp_path: Path, option: str) -> None:
    """A folder without a project, and no folder at all."""
    refused = trigger_dev(tmp_path, *filter(None, [option]))
    assert refused.returncode == 3
    assert "error: project-missing" in refused.stderr


def test_interpreter_that_is_not_there(jobs: Path, root: Path, write: Write) -> None:
    """The configured one is named."""
    write("trigger.toml", 'python = "./no/python"\n')
    refused = trigger_dev(root, "--port", "0")
    assert refused.returncode == 3
    assert "interpreter-missing" in refused.stderr


def test_interpreter_without_the_sdk(jobs: Path, root: Path) -> None:
    """The project's own environment lacks it: the command ends, and says how to install it there."""
    venv.create(root / ".venv", with_pip=False)
    refused = trigger_dev(root, "--port", "0")
    assert refused.returncode == 3, refused.stdout + refused.stderr
    assert "sdk-missing" in refused.stderr
    assert f"{root}/.venv/bin/python -m pip install trigger-sdk" in refused.stderr


def test_reload_can_be_off(jobs: Path, start: Start) -> None:
    """--no-reload keeps the code that was loaded."""
    dev = start("--no-reload")
    jobs.write_text(JOBS.replace("hello", "good morning"))
    assert dev.wait(dev.trigger("greet", "Ada"))["output"] == "hello Ada"
    assert "reload:" not in dev.output


def test_touch_does_not_reload(jobs: Path, start: Start) -> None:
    """Same content, same worker."""
    dev = start()
    os.utime(jobs)
    jobs.with_name("app.log").write_text("a line")
    jobs.write_text(JOBS)
    assert dev.wait(dev.trigger("greet", "Ada"))["state"] == "completed"
    assert "reload:" not in dev.output


def test_configuration_is_reloaded(jobs: Path, write: Write, start: Start) -> None:
    """Other folders are loaded and watched; a broken configuration is shown, and the old one goes on."""
    dev = start()
    write("trigger.toml", 'dirs = ["jobs"\n')
    says(dev, "project-invalid", "the code before this save goes on")
    write("more/third.py", JOBS.replace('"greet"', '"wave"').replace('"nap"', '"doze"'))
    write("trigger.toml", 'dirs = ["jobs", "more"]\n')
    says(dev, "new: doze, wave")
    assert dev.wait(dev.trigger("wave", "Ada"))["state"] == "completed"


def test_variables_are_reloaded(write: Write, start: Start) -> None:
    """A saved .env reaches the next worker."""
    write(
        "jobs/first.py",
        "import os\nfrom trigger_sdk import job\n\n@job(id='shop')\ndef shop():\n    return os.environ['SHOP']\n",
    )
    write(".env", "SHOP=one\n")
    dev = start()
    assert dev.wait(dev.trigger("shop"))["output"] == "one"
    write(".env", "SHOP=two\n")
    until(lambda: dev.output.count("ready in") == 2, "the new worker is ready")
    assert dev.wait(dev.trigger("shop"))["output"] == "two"


def test_module_that_hangs_is_reported(write: Write, start: Start) -> None:
    """After some seconds the developer is told, and a save that does not hang recovers."""
    write("jobs/first.py", "import threading\n\nthreading.Event().wait()\n")
    dev = start(ready=False)
    says(dev, "worker-stuck", "is not ready after", "jobs/first.py:3 is being imported")
    write("jobs/first.py", JOBS)
    dev.wait_ready()


def test_reader_of_the_output_goes(jobs: Path, root: Path) -> None:
    """`trigger dev | head -3` ends in order when head has seen enough."""
    mark = "reader-goes"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "trigger_cli", "dev", "--port", "0"],
        cwd=root, env=environment(mark), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    jobs.write_text(JOBS + "\n")
    with process.stderr:
        assert process.wait(30) == 0
        assert process.stderr.read() == b""


RUN = """
import sys
from devserver.options import DevOptions
from devserver.run import run
sys.exit(run(DevOptions(port=int(sys.argv[1]))))
"""


def test_closed_output_is_no_obstacle(jobs: Path, root: Path) -> None:
    """Started with standard output closed, it serves; no line ends up in a file that got the number."""
    port = free_port()
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-P", "-c", RUN, str(port)],
        cwd=root, env=environment("closed"),
    )  # fmt: skip

    def answers() -> bool:
        assert process.poll() is None
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return (root / ".trigger" / "dev.json").exists()
        return False

    until(answers, "the server answers")
    process.terminate()
    assert process.wait(30) == 0


def test_hangup_is_ignored_under_nohup(jobs: Path, start: Start) -> None:
    """Whoever starts it with nohup means it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        dev = start()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert dev._process is not None
    dev._process.send_signal(signal.SIGHUP)
    assert dev.wait(dev.trigger("greet", "Ada"))["state"] == "completed"


@pytest.fixture
def small_disk(root: Path) -> Iterator[Path]:
    """Put the project's `.trigger` on a disk of 2 MiB; returns a file that fills it as far as it is written."""
    folder = root / ".trigger"
    folder.mkdir()
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, timeout=60, check=False).returncode:
        pytest.skip("mounting needs root")
    yield folder / "ballast"
    subprocess.run(["umount", "--lazy", folder], check=True, timeout=60)


def fill(ballast: Path, leave: int = 0) -> None:
    """Fill the disk with a file, but for some bytes."""
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    os.truncate(ballast, max(0, ballast.stat().st_size - leave))


def test_disk_without_room_for_the_database(jobs: Path, root: Path, small_disk: Path) -> None:
    """The problem is named, and no worker is left."""
    fill(small_disk, leave=16384)
    refused = trigger_dev(root, "--port", "0")
    assert refused.returncode == 3, refused.stderr
    assert refused.stderr.startswith("error: ")
    assert "hint:" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_disk_that_fills_up_is_told(jobs: Path, start: Start, small_disk: Path) -> None:
    """The developer hears of it, and of its end; what was started then goes on."""
    dev = start()
    fill(small_disk)
    with ThreadPoolExecutor(1) as pool:
        # The engine took it before it knew: it is answered when there is room.
        first = pool.submit(dev.trigger, "greet", "".join(map(str, range(100_000))))
        says(dev, "store-unavailable")
        refused = dev.request("POST", "/jobs/greet/runs", {"payload": "Ada"})
        small_disk.unlink()
        says(dev, "takes writes again")
        assert dev.wait(first.result(30))["state"] == "completed"
    assert refused.status_code == 503
    assert dev.output.count("store-unavailable") == 1
