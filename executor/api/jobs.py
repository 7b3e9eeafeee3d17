"""``GET /api/v1/jobs``, and finding the job a request names."""

from __future__ import annotations

import msgspec

from engine.engine import Engine
from engine.model import KnownJob
from executor.api.answers import Answer
from executor.api.bodies import did_you_mean
from executor.api.call import Call
from executor.api.rendering import JobView, show_job
from executor.api.routes import Operation
from executor.errors import UnknownJob


class JobsView(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs of the newest code."""

    jobs: list[JobView]


class Jobs:
    """Shows jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def operations(self) -> list[Operation]:
        """Return what this serves."""
        return [
            Operation(
                method="GET",
                path="/api/v1/jobs",
                handler=self.list_jobs,
                about="List the jobs of the newest code.",
                answer=JobsView,
            )
        ]

    async def list_jobs(self, call: Call) -> Answer:
        """List the jobs that the newest code declares, by id."""
        call.query(())
        return Answer.json({"jobs": [show_job(job) for job in await self._engine.jobs()]})


async def find_job(engine: Engine, job_id: str, where: str = "") -> KnownJob:
    """Return a job of the newest code.

    Raises:
        UnknownJob: there is none with this id; the hint names what resembles it, or how jobs become known.
    """
    job = engine.job(job_id)
    if job is not None:
        return job
    known = [one.manifest.id for one in await engine.jobs()]
    shown = job_id[:200]
    if not known:
        raise UnknownJob(
            f"no job is called '{shown}': no worker has declared any job yet",
            hint="Start `trigger dev` in the project, and check that `dirs` in its settings names the jobs' folder.",
            where=where,
        )
    listed = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")  # noqa: PLR2004 - as many as one reads
    raise UnknownJob(
        f"no job is called '{shown}'",
        hint=did_you_mean(job_id, known) or f"The jobs are: {listed}. Is its file in a folder of the project's `dirs`?",
        where=where,
    )
