"""What the worker tells of the jobs it loaded, and of the code they came from."""

from __future__ import annotations

import hashlib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trigger_sdk._codec import payload_schema
from trigger_sdk.protocol.manifest import JobManifest, QueueSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trigger_sdk._declare.job import Job


def manifest_of(job: Job[Any, Any], relative: Callable[[str], str]) -> JobManifest:
    """Describe a job. Raises JobDeclarationError when its signature or payload type cannot be used."""
    file, _, line = relative(f"{job.file}:{job.line}").rpartition(":")
    doc = inspect.getdoc(job.fn) or ""
    return JobManifest(
        id=job.id,
        name=job.fn.__qualname__,
        file=file,
        line=int(line),
        version=job.version,
        queue=QueueSpec(name=job.queue.name, concurrency=job.queue.concurrency),
        payload_schema=payload_schema(job.signature.payload_type) if job.signature.payload else None,
        max_duration=job.max_duration,
        sync=not job.is_async,
        description=doc.split("\n", 1)[0],
    )


def code_version(is_project_file: Callable[[Path], bool], files: Iterable[Path] = ()) -> str:
    """Return a short hash over the sources of the project's loaded modules: the same code has the same version."""
    paths = set(files)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and is_project_file(Path(file)):
            paths.add(Path(file))
    digest = hashlib.sha256()
    for path in sorted(paths):
        try:
            content = path.read_bytes()
        except OSError:
            continue  # deleted since it was imported: the next reload tells
        digest.update(f"{path.name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:12]
