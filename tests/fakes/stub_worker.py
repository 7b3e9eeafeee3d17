"""A stand-in for `python -P -m trigger_sdk.worker`: loads `jobs/*.py`, tells how that went, and waits to be ended.

Copied as ``trigger_sdk/worker.py`` into a folder on PYTHONPATH, so that it runs as the real one would. It keeps the
worker's contract with the dev server (environment, status line, signals, stdin) and opens no session.
While a file ``busy`` stands in the project, a worker that is told to drain still holds a run.
"""

import faulthandler
import json
import os
import pathlib
import select
import signal
import sys
import traceback

ROOT = pathlib.Path(os.environ["TRIGGER_PROJECT_ROOT"])


def tell(status: dict[str, object]) -> None:
    """Write the status line."""
    os.write(int(os.environ["TRIGGER_WORKER_STATUS_FD"]), (json.dumps(status) + "\n").encode())


def load() -> int:
    """Execute the job files; returns how many there are."""
    files = sorted((ROOT / "jobs").glob("*.py"))
    for file in files:
        exec(compile(file.read_text(), str(file), "exec"), {"__name__": file.stem})  # noqa: S102 - its purpose
    return len(files)


def problem(error: BaseException) -> dict[str, str]:
    """Describe an error as the worker does."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    line = error.lineno if isinstance(error, SyntaxError) else last.lineno
    file = error.filename if isinstance(error, SyntaxError) else last.filename
    where = f"{pathlib.Path(file or '').relative_to(ROOT)}:{line}"
    return {"code": "import-failed", "message": f"{type(error).__name__}: {error}", "where": where}


def main() -> int:
    """Load, tell, wait."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1, all_threads=False)
    try:
        jobs = load()
    except Exception as error:  # noqa: BLE001 - the user's code
        tell({"status": "failed", "problems": [problem(error)]})
        return 3
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.set_wakeup_fd(waker)
    tell({"status": "ready", "jobs": jobs})
    while True:
        readable, _, _ = select.select([0, wake], [], [])
        if 0 in readable and not os.read(0, 100):
            return 1
        if wake in readable and signal.SIGTERM in os.read(wake, 100):
            break
    while (ROOT / "busy").exists():
        select.select([], [], [], 0.02)
    return 0


if __name__ == "__main__":
    sys.exit(main())
