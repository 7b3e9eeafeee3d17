"""`import trigger_sdk` is cheap and does nothing: every command and every user's module pays for it."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROBE = """
import json, sys, threading, time
events = []
sys.addaudithook(lambda event, args: events.append(event) if event.startswith(WATCHED) or (
    event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")) else None)
before = set(sys.modules)
began = time.perf_counter()
import MODULE
seconds = time.perf_counter() - began
print(json.dumps({"loaded": sorted(set(sys.modules) - before), "events": events,
                  "threads": threading.active_count(), "seconds": seconds}))
"""

WATCHED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.spawn", "os.mkdir", "os.remove", "_thread.")

HEAVY = {
    "alembic", "asyncio", "concurrent", "http", "httpx", "msgspec", "multiprocessing", "pydantic", "rich", "socket",
    "sqlalchemy", "sqlite3", "ssl", "subprocess", "typer", "unittest", "urllib", "websockets",
}  # fmt: skip
"""What no import of the SDK may load before a name of it is used."""


def probe(module: str) -> dict[str, Any]:
    """Import ``module`` in a fresh interpreter; return what was loaded, what happened and how long it took."""
    code = PROBE.replace("WATCHED", repr(WATCHED)).replace("MODULE", module)
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.fixture(scope="module")
def imported() -> dict[str, Any]:
    """Return what importing trigger_sdk did."""
    return probe("trigger_sdk")


def test_import_loads_nothing_heavy(imported: dict[str, Any]) -> None:
    """asyncio, websockets, pydantic and their like wait until a name is used."""
    assert {name.split(".")[0] for name in imported["loaded"]} & HEAVY == set()


def test_import_does_nothing(imported: dict[str, Any]) -> None:
    """No socket, process, thread or file that is written."""
    assert imported["events"] == []
    assert imported["threads"] == 1


def test_problem_is_cheap_for_tools() -> None:
    """The command line imports trigger_sdk.protocol.problem at start; that loads no more than the SDK itself."""
    loaded = {name.split(".")[0] for name in probe("trigger_sdk.protocol.problem")["loaded"]}
    assert loaded & HEAVY == set()


def test_import_is_quick() -> None:
    """The best of five takes under 50 ms; it is about 1 ms on an idle machine."""
    assert min(probe("trigger_sdk")["seconds"] for _ in range(5)) < 0.05
