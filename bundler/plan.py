"""What a build will put into an image, found out from the project alone: its files, its lock, its interpreter."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.files.collect import collect
from bundler.interpreter import read_interpreter
from bundler.locks.reading import read_lock
from bundler.locks.resolved import Wanted
from bundler.model import Platform, telling
from bundler.origin import origin_of
from bundler.wheels.tags import own_target

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.files.collect import Selection
    from bundler.interpreter import Interpreter
    from bundler.locks.model import Lock
    from bundler.origin import Origin
    from bundler.settings import BundleSettings
    from bundler.workshop import Workshop
    from trigger_sdk.protocol.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What goes into an image.

    Attributes:
        project: whose image it is.
        settings: how it is made.
        interpreter: of the project; the image has the same version.
        selection: the project's files.
        lock: its dependencies.
        origin: where its code comes from.
        platforms: what the image is for, in order.
    """

    project: Project
    settings: BundleSettings
    interpreter: Interpreter
    selection: Selection
    lock: Lock
    origin: Origin
    platforms: tuple[Platform, ...]

    @property
    def history(self) -> str:
        """Names the project among those that share a cache."""
        return str(self.project.root)


async def make_plan(project: Project, settings: BundleSettings, interpreter: Path, workshop: Workshop) -> Plan:
    """Read what a project is made of.

    Args:
        project: the project.
        settings: its settings.
        interpreter: runs its code on this machine.
        workshop: what the build works with.

    Raises:
        FilesRefused: files that cannot go in.
        InterpreterUnusable, LockNotFound, LockInvalid, LockStale, LockToolMissing, LockToolFailed: as they say.
    """
    found = await asyncio.to_thread(read_interpreter, interpreter, workshop.cache)
    wanted = Wanted(project=project.root, python=found.version, groups=settings.groups, extras=settings.extras)
    with telling(workshop.progress, "read the lock"):
        selection, lock, origin = await asyncio.gather(
            asyncio.to_thread(collect, project, settings),
            asyncio.to_thread(read_lock, wanted, workshop.tools, settings.lock),
            asyncio.to_thread(origin_of, project.root, workshop.environ),
        )
    return Plan(
        project=project,
        settings=settings,
        interpreter=found,
        selection=selection,
        lock=lock,
        origin=origin,
        platforms=settings.platforms or (own_platform(),),
    )


def own_platform() -> Platform:
    """Return what images for machines such as this one run on: Linux, whatever this machine runs."""
    own = own_target()
    return own.platform if own is not None else Platform(architecture="amd64")
