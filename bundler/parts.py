"""The layers of an image for one platform, and what it is built upon."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bundler.dependencies import SDK, dependencies
from bundler.errors import BundlerError
from bundler.files.imports import check_imports
from bundler.image.bases.choice import base_source
from bundler.image.config import ENVIRONMENT
from bundler.image.sbom import components, distribution, sbom
from bundler.layers import Scheme, Skipped, compiler_for, group, project_layer, sdk_layer, wheel_layers
from bundler.model import Target
from bundler.wheels.modules import modules_of
from trigger_sdk.protocol.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bundler.dependencies import Dependencies
    from bundler.image.model import BaseImage
    from bundler.layers import Collision, Compiler
    from bundler.model import Layer, Platform
    from bundler.plan import Plan
    from bundler.workshop import Workshop
    from trigger_sdk.protocol.problem import Problem

_OWN_LAYERS: Final = 3
"""Those of the SDK, the project and the manifest."""

_COLLISIONS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the image for one platform is made of.

    Attributes:
        base: what it is built upon.
        dependencies: layers of wheels, from the bottom up.
        sdk: the layer of the SDK.
        project: the layer of the project's files.
        distributions: normalised names of what is installed.
        sbom: what is in it.
        warnings: imports that may fail in the image.
        notes: what the user should be told.
    """

    base: BaseImage
    dependencies: tuple[Layer, ...]
    sdk: Layer
    project: Layer
    distributions: frozenset[str]
    sbom: bytes
    warnings: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers, from the bottom up."""
        return (*self.dependencies, self.sdk, self.project)


async def parts_of(plan: Plan, platform: Platform, workshop: Workshop) -> Parts:
    """Return what the image for one platform is made of.

    Raises:
        BundlerError: the base, a lock, a wheel or an import cannot be used.
    """
    return await _Making(plan, workshop, platform).parts()


class _Making:
    """Makes the layers for one platform."""

    def __init__(self, plan: Plan, workshop: Workshop, platform: Platform) -> None:
        self._plan = plan
        self._workshop = workshop
        self._platform = platform
        self._notes: list[str] = []
        self._warnings: tuple[Problem, ...] = ()

    async def parts(self) -> Parts:
        """Return what the image is made of."""
        plan, workshop = self._plan, self._workshop
        base = await self._base()
        # Which wheels run depends on the base's C library; where the base vouches for itself, on what it has for years.
        known = {"glibc": base.glibc} if base.glibc is not None else {}
        target = Target(python=plan.interpreter.version, platform=self._platform, **known)
        found = await dependencies(plan, target, workshop)
        self._notes += found.notes
        return await asyncio.to_thread(self._layers, base, target, found)

    async def _base(self) -> BaseImage:
        plan, workshop = self._plan, self._workshop
        text = plan.settings.base
        source = base_source(
            text,
            client=workshop.client,
            cache=workshop.cache,
            folder=plan.project.root,
            engine=workshop.engine() if text.startswith("docker:") else None,
            interpreter=plan.settings.python,
        )
        try:
            return await source.image(self._platform, plan.interpreter.version)
        except BundlerError as error:
            if not error.problem.where:
                # Registries are asked for other things too, and nobody may have named a base.
                name = text or "the default, python:{}.{}-slim".format(*plan.interpreter.version)
                error.problem = replace(error.problem, where=f"the base image ({name})")
            raise

    def _layers(self, base: BaseImage, target: Target, found: Dependencies) -> Parts:
        plan, cache = self._plan, self._workshop.cache
        self._check_imports(target, found)
        scheme = Scheme.of_environment(ENVIRONMENT, target.python)
        compiler = self._compiler(target)
        history = f"{plan.history} {self._platform}"
        groups = group(found.wheels, plan.settings.layers, taken=len(base.layers) + _OWN_LAYERS)
        layers, collided = wheel_layers(
            groups, scheme=scheme, cache=cache, compiler=compiler, history=history, progress=self._workshop.progress
        )
        self._note_collisions(collided)
        sdk = sdk_layer(
            found.sdk, scheme=scheme, cache=cache, compiler=compiler, history=history, base_python=base.python
        )
        project = project_layer(
            plan.selection.files, cache=cache, uid=plan.settings.user, gid=plan.settings.group, compiler=compiler,
            history=history,
        )  # fmt: skip
        return Parts(
            base=base,
            dependencies=tuple(layers),
            sdk=sdk,
            project=project,
            distributions=frozenset(entry.name for entry in found.distributions),
            sbom=self._sbom(base, found),
            warnings=self._warnings,
            notes=tuple(self._notes),
        )

    def _check_imports(self, target: Target, found: Dependencies) -> None:
        plan, cache = self._plan, self._workshop.cache
        report = check_imports(
            plan.project,
            plan.selection,
            python=target.python,
            distributions=modules_of(found.wheels, cache),
            cache=cache,
        )
        report.require()
        reached = {place.partition("/")[0] for place in report.reached}
        self._warnings = (*report.warnings, *(_unreached(warning, reached) for warning in report.unreached))

    def _compiler(self, target: Target) -> Compiler | None:
        if not self._plan.settings.bytecode:
            return None
        chosen = compiler_for(target, self._plan.interpreter)
        if isinstance(chosen, Skipped):
            self._notes.append(chosen.reason)
            return None
        return chosen

    def _note_collisions(self, collided: Sequence[Collision]) -> None:
        for each in collided[:_COLLISIONS_SHOWN]:
            dropped = " and ".join(each.dropped)
            self._notes.append(
                f"/{each.place} is in several wheels: that of {each.kept} goes in, not that of {dropped}"
            )
        if len(collided) > _COLLISIONS_SHOWN:
            self._notes.append(f"{len(collided) - _COLLISIONS_SHOWN} more files are in several wheels")

    def _sbom(self, base: BaseImage, found: Dependencies) -> bytes:
        plan = self._plan
        sdk = [found.sdk] if found.sdk is not None else []
        listed = components((*found.wheels, *sdk), found.distributions)
        if found.sdk is None:
            listed = (*listed, distribution(SDK, VERSION))
        return sbom(name=plan.project.name, version=plan.origin.version, components=listed, base=base)


def _unreached(warning: Problem, reached: Collection[str]) -> Problem:
    """Return what to do about an import that would fail in a file that no job reaches: tests, scripts.

    Args:
        warning: the import.
        reached: names in the project's root that have files of jobs in them.
    """
    place = warning.where.rpartition(":")[0]
    top, slash, _ = place.partition("/")
    pattern = place if not slash or top in reached else top
    hint = f'No job reaches this file. Leave it out of the image: exclude = ["{pattern}"] in the table `bundle`.'
    return replace(warning, hint=hint)
