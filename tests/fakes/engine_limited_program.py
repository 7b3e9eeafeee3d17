"""A process whose files may not grow: ``python -P engine_limited_program.py DATABASE``.

Appends until writes fail, shows that calls from outside are refused, lifts the limit, and prints what became of it all.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from engine.engine import Engine
from engine.errors import EngineError
from engine.store.sqlite import SqliteStore
from tests.fakes.engine_world import PAYLOAD, RecordingListener, completed, manifest

STEPS = 40


async def main() -> None:
    """Play it."""
    path = Path(sys.argv[1])
    listener = RecordingListener()
    engine = await Engine.open(SqliteStore(path), listener=listener)
    await engine.save_manifest("c", [manifest("a")])
    await engine.open_session("w", "c", ["a"], 10)
    await engine.create_run("a", PAYLOAD)
    while not listener.assignments:
        await asyncio.sleep(0.001)
    run = listener.assignments[0][1]
    size = path.with_name(f"{path.name}-wal").stat().st_size
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, hard))
    appended = [engine.append(run.run, run.token, n, [completed(str(n), value=b"\x00" * 9_000)]) for n in range(STEPS)]
    while engine.problem is None:
        await asyncio.sleep(0.001)
    refused = ""
    try:
        await engine.create_run("a", PAYLOAD)
    except EngineError as error:
        refused = error.problem.code
    pending = sum(not one.done() for one in appended)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await asyncio.gather(*appended)
    steps = await engine.steps(run.run)
    await engine.close()
    json.dump({"refused": refused, "pending_while_full": pending, "steps": len(steps), "appended": STEPS}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())
