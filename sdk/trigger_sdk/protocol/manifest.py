"""What a worker tells of the jobs it can run."""

from __future__ import annotations

from typing import Any

import msgspec


class QueueSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A queue and how many runs of it go at once (None is without limit)."""

    name: str
    concurrency: int | None = None


class JobManifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One job.

    Attributes:
        id: the job's id, unique in the project.
        name: the function's qualified name.
        file: source file relative to the project, with ``/``.
        line: line of the definition.
        version: the author's own version of the job, free text.
        queue: the queue its runs go to.
        payload_schema: JSON schema of the payload, or None when the parameter has no annotation.
        max_duration: seconds, or None.
        sync: True when the body is a plain ``def``.
        description: first line of the docstring.
    """

    id: str
    name: str
    file: str
    line: int
    queue: QueueSpec
    version: str = ""
    payload_schema: dict[str, Any] | None = None
    max_duration: float | None = None
    sync: bool = False
    description: str = ""
