"""A fixed file still runs: with the outcome it had, and with the same one on replay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.simulation import Simulation
from tests.fakes.user_project import UserProject

HEAD = "import asyncio, os, subprocess, time, urllib.request\nfrom pathlib import Path\nfrom trigger_sdk import job\n\n"

SAFE = {
    "reads a file": 'text = Path(payload["file"]).read_text()\nreturn text.upper()',
    "lists a folder in a loop": 'return [each for each in sorted(os.listdir(payload["folder"])) if each.endswith("t")]',
    "asks in a condition": (
        'if os.path.exists(payload["file"]) and not os.path.isdir(payload["file"]):\n    return 1\nreturn 0'
    ),
    "in a comprehension": 'names = [payload["file"], "nowhere"]\nreturn [os.path.exists(name) for name in names]',
    "in a conditional expression": 'return os.path.getsize(payload["file"]) if payload else 0',
    "as an argument by keyword": 'return dict(size=os.path.getsize(payload["file"]), name="x")',
    "attribute of the result": 'return Path(payload["file"]).read_text().splitlines()[0].strip()',
    "calls of processes": 'subprocess.run(["true"], check=True)\nreturn subprocess.check_output(["ls", "/"]).decode()',
    "parts of a process": 'return subprocess.run(["echo", "a"], capture_output=True, text=True).stdout.strip()',
    "a url": 'return urllib.request.urlopen("file://" + payload["file"]).read().decode()',
    "sleeps": "time.sleep(0.01)\nreturn 1",
    "a sleep on one line": "for n in range(2): time.sleep(0.01)\nreturn 2",
    "environment": 'return os.environ["HOME"] + os.environ.get("NO_SUCH", "-") + str("PATH" in os.environ)',
    "an error that is caught": (
        'try:\n    os.remove("/no/such/file")\nexcept FileNotFoundError:\n    return "gone"\nreturn "there"'
    ),
    "an error that escapes a loop": 'n = 0\nwhile n < 3:\n    n += os.path.exists(payload["file"])\nreturn n',
    "an f-string": "return f\"{os.path.getsize(payload['file'])} bytes\"",
    "an argument with effects": 'names = [payload["file"]]\nsize = os.path.getsize(names.pop())\nreturn [size, names]',
    "several in one expression": 'return os.path.getsize(payload["file"]) + len(os.listdir(payload["folder"]))',
    "power and minus": 'return -os.path.getsize(payload["file"]) ** 2',
    "a default value": 'a = b = os.path.getsize(payload["file"])\nreturn a + b',
    "a local task": 'task = 3\nreturn os.path.getsize(payload["file"]) + task',
    "an assignment expression": 'if (size := os.path.getsize(payload["file"])) > 1:\n    return size\nreturn 0',
    "assert": 'assert os.path.exists(payload["file"]), "no file"\nreturn "ok"',
    "in match": (
        'match os.path.exists(payload["file"]):\n    case True:\n        return "yes"\n    case _:\n        return "no"'
    ),
    "unicode": 'größe = "ü"; n = os.path.getsize(payload["file"])\nreturn größe * n',
}
"""Bodies that safe fixes make clean."""

UNSAFE = {
    "with open": 'with open(payload["file"]) as file:\n    text = file.read()\nreturn text * 2',
    "returns inside with": 'with open(payload["file"]) as file:\n    return file.read()',
    "reads into a list": (
        'rows = []\nwith open(payload["file"]) as file:\n    for x in file:\n        rows = [*rows, x]\nreturn rows'
    ),
    "fills a list": 'out = []\nwith open(payload["file"]) as file:\n    out.append(file.read())\nreturn out',
    "opened and closed": 'file = open(payload["file"])\ntext = file.read()\nfile.close()\nreturn text',
    "two results": (
        'with open(payload["file"]) as file:\n    first = file.readline()\n    rest = file.read()\nreturn [first, rest]'
    ),
    "nested with": (
        'with open(payload["file"]) as one:\n    with open(payload["file"]) as other:\n'
        "        total = one.read() + other.read()\nreturn total"
    ),
    "with in a loop": (
        "total = 0\nfor n in range(3):\n"
        '    with open(payload["file"]) as file:\n        total = total + len(file.read()) + n\nreturn total'
    ),
    "only under a condition": (
        'text = "none"\nif payload:\n    with open(payload["file"]) as file:\n        text = file.read()\nreturn text'
    ),
    "bound in a branch of the block": (
        'text = "none"\nwith open(payload["file"]) as file:\n    for line in file:\n        text = line\nreturn text'
    ),
    "a helper": "return helper(payload['file'])",
    "a text over several lines": (
        'if payload:\n    with open(payload["file"]) as file:\n'
        '        text = file.read() + """\n   as it\nis\n"""\nreturn text'
    ),
    "sqlite": (
        "import sqlite3\nconnection = sqlite3.connect(payload['folder'] + '/x.db')\n"
        "connection.execute('create table if not exists t (n int)')\nconnection.commit()\n"
        "rows = connection.execute('select count(*) from t').fetchall()\nconnection.close()\nreturn len(rows)"
    ),
    "adds to a number": (
        'total = 1\nwith open(payload["file"]) as file:\n    total += len(file.read())\n'
        "if total:\n    total += 1\nreturn total"
    ),
    "names used again": (
        'with open(payload["file"]) as one, open(one.name) as other:\n    first = other.read()\n'
        'with open(payload["file"]) as one, open(one.name) as other:\n    second = other.read()\n'
        'with open(payload["file"]) as one:\n    for each in one:\n        first += each\n'
        'with open(payload["file"]) as one:\n    for each in one:\n        second += each\nreturn first + second'
    ),
    "a connection that a helper opens": (
        "base = opened(payload['folder'] + '/y.db')\nnumbers = [n for (n,) in base.execute('values (1), (2)')]\n"
        "base.close()\nreturn numbers"
    ),
    "a set": 'found = set(payload["names"])\nout = []\nfor name in found:\n    out.append(name)\nreturn sorted(out)',
}
"""Bodies that unsafe fixes make clean."""

HELPER = """\
def helper(path):
    return Path(path).read_text()


def opened(path):
    import sqlite3
    return sqlite3.connect(path)


"""


def _module(body: str, kind: str) -> str:
    lines = body.split("\n")
    inside, in_text = [], False
    for line in lines:
        inside.append(line if in_text else f"    {line}")
        in_text ^= line.count('"""') % 2 == 1
    return f'{HEAD}{HELPER}@job(id="runs")\n{kind} runs(payload: dict):\n' + "\n".join(inside) + "\n"


async def _run(job: Any, payload: object, entries: list[Any] | None = None) -> Simulation:
    """Run a job to its end; waits end by their time."""
    simulation = Simulation(job=job, payload=payload)
    simulation.begin(entries)

    def ended() -> bool:
        for wait in simulation.open_waits():
            simulation.fire(wait)
        return simulation.outcome is not None

    await simulation.pump_until(ended)
    return simulation


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("name", [*SAFE, *UNSAFE])
async def test_fixed_job_has_the_outcome_it_had(
    name: str, kind: str, fixed: Callable[..., str], user: UserProject, tmp_path: Path
) -> None:
    """The body called as it was, the fixed one run, and its replay give the same; the replay executes nothing."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo\n")
    payload = {"file": str(folder / "a.txt"), "folder": str(folder), "names": ["b", "a", "c"]}
    original = _module({**SAFE, **UNSAFE}[name], kind)
    text = fixed(original, unsafe=name in UNSAFE)
    assert text != original

    before = user.module(original, "before")
    expected = before.runs.fn(dict(payload))
    if kind == "async def":
        expected = await expected
    user.write("after.py", text)
    job = user.load("after").runs
    first = await _run(job, dict(payload))
    assert first.outcome is not None
    assert (first.outcome.state, first.outcome.value) == ("completed", expected), text
    second = await _run(job, dict(payload), first.entries)
    assert second.outcome is not None
    assert second.outcome.value == expected
    assert len(second.entries) == len(first.entries)
    if "environ" not in original and "a set" not in name:
        assert any(entry.kind in ("step_completed", "step_failed", "wait_completed") for entry in first.entries)
