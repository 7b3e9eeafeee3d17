"""The wheels of an image: those that the lock names for its platform, and the SDK's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bundler.errors import SdkNotFound
from bundler.locks.model import Folder
from bundler.locks.resolved import Wanted, resolve_requirements
from bundler.locks.selection import select
from bundler.model import telling
from trigger_sdk.protocol.version import VERSION

if TYPE_CHECKING:
    from bundler.locks.model import Distribution
    from bundler.model import Target, Wheel
    from bundler.plan import Plan
    from bundler.workshop import Workshop

SDK: Final = "trigger-sdk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """What an image has installed.

    Attributes:
        wheels: of the locked distributions, without the SDK, by name.
        sdk: the SDK's wheel; None where the one beside this command line goes in.
        distributions: what the locks say of all of them.
        notes: what the user should be told.
    """

    wheels: tuple[Wheel, ...]
    sdk: Wheel | None
    distributions: tuple[Distribution, ...]
    notes: tuple[str, ...] = ()


async def dependencies(plan: Plan, target: Target, workshop: Workshop) -> Dependencies:
    """Choose, fetch and build what a target needs.

    Raises:
        LockStale, LockInvalid, LockUntrusted, LockToolMissing, LockToolFailed: the lock cannot be used.
        WheelMissing, WheelUnavailable, WheelBuildFailed, WheelTooLarge, DigestMismatch: a wheel cannot be had.
        SdkNotFound: the SDK is neither locked nor installed.
    """
    found = select(plan.lock, target, plan.settings.groups, plan.settings.extras)
    sdk = next((entry for entry in found if entry.name == SDK), None)
    if sdk is not None and not isinstance(sdk.source, Folder):
        wheels = await workshop.acquirer.wheels(found, target, plan.interpreter)
        ours = next(wheel for wheel in wheels if wheel.name == SDK)
        return Dependencies(
            wheels=tuple(wheel for wheel in wheels if wheel is not ours), sdk=ours, distributions=found
        )  # fmt: skip
    # Sources of the SDK in a folder are those that this command line is run from, or should be.
    locked = tuple(entry for entry in found if entry is not sdk)
    more, notes = await asyncio.to_thread(_missing, locked, plan, target, workshop)
    together = tuple(sorted((*locked, *more), key=lambda entry: entry.name))
    wheels = await workshop.acquirer.wheels(together, target, plan.interpreter)
    return Dependencies(wheels=wheels, sdk=None, distributions=together, notes=notes)


def sdk_version(plan: Plan) -> str:
    """Return the version of the SDK that the image will have."""
    locked = [entry for entry in plan.lock.distributions if entry.name == SDK and not isinstance(entry.source, Folder)]
    return locked[0].version if locked and locked[0].version else VERSION


def _missing(
    locked: tuple[Distribution, ...], plan: Plan, target: Target, workshop: Workshop
) -> tuple[tuple[Distribution, ...], tuple[str, ...]]:
    """Return what the SDK needs and the lock does not have."""
    names = {entry.name for entry in locked}
    requirements = [text for text in _requirements(target) if canonicalize_name(Requirement(text).name) not in names]
    if not requirements:
        return (), ()
    wanted = Wanted(project=plan.project.root, python=target.python)
    with telling(workshop.progress, "resolve what trigger-sdk needs"):
        resolved = resolve_requirements(requirements, wanted, workshop.tools)
    listed = ", ".join(str(entry) for entry in resolved if entry.name not in names)
    note = f"{plan.lock.path.name} does not lock {SDK}: what it needs was resolved now ({listed}); add {SDK} to it"
    return tuple(entry for entry in resolved if entry.name not in names), (note,)


def _requirements(target: Target) -> list[str]:
    """Return what the installed SDK requires on a target."""
    try:
        text = distribution(SDK).read_text("METADATA") or ""
    except PackageNotFoundError as error:
        raise SdkNotFound(f"{SDK} is not installed") from error
    environment = {"python_version": f"{target.python[0]}.{target.python[1]}", "sys_platform": "linux", "extra": ""}
    found = []
    for line in Parser().parsestr(text).get_all("Requires-Dist", []):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            requirement.marker = None
            found.append(str(requirement))
    return found
