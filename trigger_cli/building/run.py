"""One `trigger build`, from the options to the exit code."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.build import build
from bundler.engine_build import dockerfile_of
from bundler.files.collect import collect
from bundler.files.listing import as_json, as_text
from bundler.image.outputs.choice import output as output_of
from bundler.plan import make_plan
from bundler.settings import read_settings, with_options
from bundler.workshop import open_workshop
from devserver.interpreter import choose_interpreter
from trigger_cli.building.progress import BuildProgress
from trigger_cli.building.showing import result_object, say_built, say_plan
from trigger_cli.errors import ExitCode, NoProjectToBuild, UsageProblem
from trigger_cli.terminal import Terminal
from trigger_sdk.protocol.project import load_project

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from bundler.settings import BundleSettings
    from trigger_cli.building.options import BuildOptions
    from trigger_sdk.protocol.project import Project


_NO_NAME = re.compile("[^a-z0-9]+")

CACHE_BYTES = 20 << 30
"""What the cache may hold once a build has ended (20 GiB); what was used within the hour stays."""


def run_build(options: BuildOptions) -> int:
    """Build what the options say, show what came of it, and return the exit code.

    Raises:
        TriggerError: nothing could be built.
    """
    terminal = Terminal.of_process()
    if options.list_files and options.dockerfile:
        raise UsageProblem("--list-files and --dockerfile each show something else", hint="Give one of them.")
    project = load_project(Path.cwd())
    if project.config_file is None:
        raise NoProjectToBuild("there is no project in this folder or above it")
    for note in project.notes:
        terminal.say(f"{terminal.err_palette.yellow('warning:')} {note}")
    settings = with_options(read_settings(project), options.settings)
    if options.list_files:
        selection = collect(project, settings)
        terminal.out.write(as_json(selection) if options.json else as_text(selection))
        return ExitCode.DONE
    return _run(_Run(options, project, settings, terminal).run())


class _Run:
    """One build."""

    def __init__(self, options: BuildOptions, project: Project, settings: BundleSettings, terminal: Terminal) -> None:
        self._options = options
        self._project = project
        self._settings = settings
        self._terminal = terminal

    async def run(self) -> int:
        options, terminal, settings = self._options, self._terminal, self._settings
        interpreter = Path(choose_interpreter(self._project, os.environ, options.python).path)
        with BuildProgress(terminal, has_lines=not options.json) as progress:
            async with open_workshop(
                os.environ, home=Path.home(), plain_http=options.plain_http, progress=progress
            ) as workshop:
                if options.dockerfile:
                    plan = await make_plan(self._project, settings, interpreter, workshop)
                    terminal.out.write(await dockerfile_of(plan, workshop))
                    return ExitCode.DONE
                # What cannot be written to is said before anything is built.
                output = output_of(
                    options.output,
                    repository=self._repository(),
                    client=workshop.client,
                    cache=workshop.cache,
                    folder=Path.cwd(),
                    engine=workshop.engine() if options.output == "docker" else None,
                )
                plan = await make_plan(self._project, settings, interpreter, workshop)
                say_plan(terminal, plan)
                built = await build(plan, workshop, for_engine=options.output == "docker")
                try:
                    reference = await output.write(built.bundle, tags=settings.tags, progress=progress)
                finally:
                    if built.without_index:
                        await workshop.engine().remove(built.without_index)
                sources = dict(workshop.client.sources)
                workshop.cache.tidy(CACHE_BYTES)
        say_built(terminal, options, built, sources, progress.took)
        if options.json:
            terminal.print_json(result_object(built, reference))
        else:
            terminal.print_now(reference)
        return ExitCode.DONE

    def _repository(self) -> str:
        """Return what the image is called: as configured, and without that, on this machine, as the project is."""
        if self._settings.repository or self._options.output == "registry":
            return self._settings.repository
        return _NO_NAME.sub("-", self._project.name.lower()).strip("-") or "project"


def _run(work: Coroutine[Any, Any, int]) -> int:
    return asyncio.run(work)
