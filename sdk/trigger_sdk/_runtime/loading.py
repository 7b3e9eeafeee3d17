"""Loading a project's jobs into a worker process: everything between the interpreter's start and the session."""

from __future__ import annotations

import gc
import importlib
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trigger_sdk._declare.registry import declared
from trigger_sdk._runtime import discovery, guard, instrument, name_guard, output
from trigger_sdk._runtime.manifest import code_version, manifest_of
from trigger_sdk._runtime.places import Places
from trigger_sdk.protocol.problem import Problem, TriggerError
from trigger_sdk.protocol.project import Project, load_project
from trigger_sdk.protocol.project_files import job_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from trigger_sdk._declare.job import Job
    from trigger_sdk.protocol.manifest import JobManifest
    from trigger_sdk.protocol.messages import LogLine


class Forwarding:
    """Where output goes: to a list until there is a session, to the session then."""

    def __init__(self, emit: Callable[[LogLine], None]) -> None:
        self.emit = emit

    def __call__(self, line: LogLine) -> None:
        """Pass a line on."""
        self.emit(line)


@dataclass(kw_only=True)
class Loaded:
    """What a worker needs to serve.

    Attributes:
        project: the configuration.
        jobs: the declared jobs by id.
        manifests: their descriptions.
        places: how source places are written.
        code: version of the loaded code.
        problems: why the project cannot be served; empty when it can.
        output: where output goes.
    """

    project: Project
    places: Places
    output: Forwarding
    jobs: dict[str, Job[Any, Any]] = field(default_factory=dict)
    manifests: list[JobManifest] = field(default_factory=list)
    code: str = ""
    problems: list[Problem] = field(default_factory=list)

    def forward(self, emit: Callable[[LogLine], None]) -> None:
        """Send output to ``emit`` from now on."""
        self.output.emit = emit


def load(
    root: Path,
    emit: Callable[[LogLine], None],
    *,
    importing: Callable[[str], None] = lambda _name: None,
    hint: Callable[[BaseException], str] = lambda _error: "",
) -> Loaded:
    """Import a project's job modules with calls recorded and bodies guarded; output goes to ``emit``.

    Raises nothing for what is wrong with the project: that is in ``problems``.

    Args:
        root: the project's folder.
        emit: hears what modules print.
        importing: hears the name of each job module before it is imported.
        hint: returns what to do about an exception of an import, empty for the usual advice.
    """

    def import_module(name: str) -> ModuleType:
        importing(name)
        return importlib.import_module(name)

    forwarding = Forwarding(emit)
    try:
        project = load_project(root)
    except TriggerError as error:
        places = Places(root, lambda path: path.is_relative_to(root))
        return Loaded(project=Project(root=root), places=places, output=forwarding, problems=[error.problem])
    places = Places(project.root, project.is_project_file)
    loaded = Loaded(project=project, places=places, output=forwarding)
    name_guard.install(project)
    for source_root in reversed(project.import_roots):
        sys.path.insert(0, str(source_root))
    instrument.install(project)
    guard.install(project)
    output.capture(forwarding)
    try:
        found = discovery.discover(project, declared=lambda: declared, import_module=import_module, hint=hint)
        loaded.problems = list(found)
    except TriggerError as error:
        loaded.problems = [error.problem]
    guard.install(project)  # again: modules that were imported meanwhile have methods to guard as well
    if not loaded.problems:
        _describe(loaded)
    gc.collect()
    gc.freeze()  # what was imported lives as long as the process; the collector need not look at it again
    return loaded


def _describe(loaded: Loaded) -> None:
    for job in declared:
        try:
            loaded.manifests.append(manifest_of(job, loaded.places.relative))
        except Exception as error:  # noqa: BLE001 - an annotation of the user's that cannot be resolved or described
            where = loaded.places.relative(f"{job.file}:{job.line}")
            loaded.problems.append(Problem(code="job-invalid", message=str(error), where=where))
        loaded.jobs[job.id] = job
    loaded.code = code_version(loaded.project.is_project_file, job_files(loaded.project))
