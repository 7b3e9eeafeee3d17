"""What code versions declare: jobs, and the queues with their limits."""

from __future__ import annotations

from collections.abc import Sequence

from engine.board import encode_manifest, known_jobs
from engine.store.statements import runs, sessions
from engine.transaction import Transaction
from trigger_sdk.protocol.manifest import JobManifest


def save(tx: Transaction, code: str, jobs: Sequence[JobManifest]) -> None:
    """Keep a code version's jobs; it becomes the newest, and its queue limits hold from now on."""
    tx.sql.write(sessions.SAVE_CODE, {"code": code, "num": tx.sql.take(1), "manifest": encode_manifest(list(jobs))})
    tx.reshaped = True
    tx.board.jobs = known_jobs(code, list(jobs))
    for queue in {job.queue.name: job.queue for job in jobs}.values():
        known = queue.name in tx.board.limits
        if known and tx.board.limits[queue.name] == queue.concurrency:
            continue
        tx.sql.write(sessions.SAVE_QUEUE, {"name": queue.name, "concurrency": queue.concurrency})
        tx.board.limits[queue.name] = queue.concurrency
        if tx.sql.run(runs.UNPARK_QUEUE, {"queue": queue.name}):
            tx.board.mark_all_ready(tx.sql)
