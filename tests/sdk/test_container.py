"""The first process of a container: real processes, in a PID namespace of their own where it must be the first."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

SECONDS = 20.0
INIT = [sys.executable, "-P", "-m", "trigger_sdk.container"]
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

CATCHING = """
import os, signal, sys, time
def caught(number, frame):
    os.write(1, signal.Signals(number).name.encode() + b"\\n")  # print cannot be called from within itself
    if number == signal.SIGUSR2:
        sys.exit(7)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, caught)
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.write(1, b"up\\n")
while True:
    signal.pause()
"""

ORPHANS = """
import os, sys, time
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
end = time.monotonic() + 10
def zombies():
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                state = open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0]
            except OSError:
                continue
            found += [name] if state == "Z" else []
    return found
while zombies() and time.monotonic() < end:
    time.sleep(0.01)
print(len(zombies()), os.getppid(), flush=True)
"""

LEAVING = """
import os, signal, sys, time
def stay(name, ignores):
    if os.fork() == 0:
        os.setsid()
        if ignores:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        else:
            def end(number, frame):
                print(name, "told", flush=True)
                os._exit(0)
            signal.signal(signal.SIGTERM, end)
        os.write(ready, b".")
        while True:
            time.sleep(60)
come, ready = os.pipe()
stay("polite", False)
if len(sys.argv) > 1:
    stay("rude", True)
for _ in range(len(sys.argv)):
    os.read(come, 1)
sys.exit(4)
"""


@pytest.fixture(params=["first", "second"])
def prefix(request: pytest.FixtureRequest, missing_service: Callable[[str], NoReturn]) -> list[str]:
    """Return what to put before the command: it is the first process of a namespace, or any other."""
    if request.param == "second":
        return []
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing_service("root and unshare")
    return NAMESPACE


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return what starts a command in a session of its own; ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(command: list[str], **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command, env={"PATH": os.environ["PATH"], **environment}, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process writes."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def init_of(process: subprocess.Popen[str], prefix: list[str]) -> int:
    """Return the number that the init has here, outside its namespace."""
    if not prefix:
        return process.pid
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def test_signals_reach_the_child(prefix: list[str], start: Callable[..., subprocess.Popen[str]]) -> None:
    """Each of them, and a second TERM is only a second TERM; INT comes as TERM. Its exit code is passed on."""
    process = start([*prefix, *INIT, sys.executable, "-c", CATCHING])
    assert line(process) == "up"
    init = init_of(process, prefix)
    sent = [signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1]
    received = []
    for number in sent:
        os.kill(init, number)
        received.append(line(process))
    assert received == ["SIGTERM", "SIGTERM", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"]
    os.kill(init, signal.SIGUSR2)
    assert line(process) == "SIGUSR2"
    assert process.wait(SECONDS) == 7


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV"), (signal.SIGTERM, ""), (40, "signal 40")],
)
def test_killed_child_is_128_and_the_signal(
    prefix: list[str], start: Callable[..., subprocess.Popen[str]], number: int, said: str
) -> None:
    """What nobody asked for is told."""
    process = start([*prefix, *INIT, sys.executable, "-c", f"import os; os.kill(os.getpid(), {number})"])
    _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + number
    assert (said in told) if said else told == ""


def test_orphans_are_reaped(
    start: Callable[..., subprocess.Popen[str]], missing_service: Callable[[str], NoReturn]
) -> None:
    """Those of twenty double forks: no zombie is left while the child still runs."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing_service("root and unshare")
    process = start([*NAMESPACE, *INIT, sys.executable, "-c", ORPHANS])
    assert line(process) == "0 1"
    assert process.wait(SECONDS) == 0


def test_what_is_left_running_is_told_to_end(
    start: Callable[..., subprocess.Popen[str]], missing_service: Callable[[str], NoReturn]
) -> None:
    """It gets its chance, and the init does not wait longer than it needs."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing_service("root and unshare")
    began = time.monotonic()
    process = start([*NAMESPACE, *INIT, sys.executable, "-c", LEAVING])
    said, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, said) == (4, "polite told\n")
    assert time.monotonic() - began < 4


def test_what_does_not_end_is_killed(
    start: Callable[..., subprocess.Popen[str]], missing_service: Callable[[str], NoReturn]
) -> None:
    """After a grace."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing_service("root and unshare")
    process = start([*NAMESPACE, *INIT, sys.executable, "-c", LEAVING, "rude"])
    said, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, said) == (4, "polite told\n")


def test_others_are_left_alone_by_one_that_is_not_the_first(start: Callable[..., subprocess.Popen[str]]) -> None:
    """Only the child's own group is ended: everybody would be the machine."""
    bystander = start([sys.executable, "-c", "print('up', flush=True); import time; time.sleep(60)"])
    assert line(bystander) == "up"
    process = start([*INIT, sys.executable, "-c", "import os; os.fork() or __import__('time').sleep(60)"])
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert bystander.poll() is None


def test_missing_server_is_told(start: Callable[..., subprocess.Popen[str]]) -> None:
    """Before anything of the project is imported."""
    process = start(INIT, TRIGGER_PROJECT_ROOT="/nowhere")
    _, told = process.communicate(timeout=SECONDS)
    assert process.returncode == 3
    assert "TRIGGER_WORKER_URL is not set" in told
    assert "hint: " in told


def test_missing_command_is_told(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """With the codes of a shell."""
    (tmp_path / "data").touch()
    for command, code in (("/no/such/program", 127), (str(tmp_path / "data"), 126)):
        process = start([*INIT, command])
        _, told = process.communicate(timeout=SECONDS)
        assert process.returncode == code
        assert f"{command} cannot be executed" in told


def test_worker_that_cannot_load_says_why(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """In words on stderr: nobody reads a status line there. What modules printed is shown too."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "a.py").write_text("print('importing')\nimport no_such_module\n")
    process = start(INIT, TRIGGER_PROJECT_ROOT=str(tmp_path), TRIGGER_WORKER_URL="ws://127.0.0.1:9/")
    said, told = process.communicate(timeout=SECONDS)
    assert (process.returncode, said) == (3, "importing\n")
    assert told.startswith(
        "error: jobs/a.py cannot be imported: ModuleNotFoundError: No module named 'no_such_module'\n"
    )
    assert "  where: jobs/a.py:2\n" in told


def test_init_is_light() -> None:
    """What it imports stays in memory for as long as the container runs."""
    code = "import sys; before = set(sys.modules); import trigger_sdk.container; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name for name in done.stdout.split() if not name.startswith(("trigger_sdk", "_", "collections", "re"))}
    assert loaded & {"asyncio", "subprocess", "threading", "ctypes", "logging", "pathlib", "msgspec", "json"} == set()
