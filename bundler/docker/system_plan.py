"""What an image with system packages and commands is made of: a value, before any engine is asked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from bundler.docker.errors import SystemPlanInvalid
from bundler.docker.presets import Preset, presets_of
from bundler.image.config import ENTRYPOINT, ENVIRONMENT, PROJECT, base_environment, environment
from bundler.image.model import BaseImage
from bundler.model import Layer, Platform
from bundler.settings import BundleSettings

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_HASH_SEED: Final = "PYTHONHASHSEED"

_PACKAGE: Final = re.compile(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[A-Za-z0-9][A-Za-z0-9.+:~-]*)?")
_BASE: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._:/-]*@)?sha256:[0-9a-f]{64}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_FOLDER: Final = re.compile(r"(?:/[A-Za-z0-9._-]+)+")
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPlan:
    """An image that only an engine can make. Checked when it is made: every part can stand in a Dockerfile.

    Attributes:
        base: what is built upon, pinned: ``host/name@sha256:…``, or the id of an image that the engine has.
        platform: what the image runs on.
        dependencies: layers of what is locked, from the bottom up.
        sdk: the layer of the SDK, with the frame of the virtual environment.
        project: the layer of the project's files.
        apt: Debian's packages as they are written in the settings, each perhaps with a version.
        presets: what is installed by a name.
        run: commands of the user, for ``/bin/sh -c``, run as root.
        env: environment variables beside those of the base; commands see them too.
        project_env: those that follow from the project's files, and would have the commands run again.
        labels: of the image.
        user: number of the user that jobs run as.
        group: number of that user's group.
        working_dir: the project's folder.
        interpreter: absolute path of the image's interpreter.
        entrypoint: what is run.
    """

    base: str
    platform: Platform
    dependencies: tuple[Layer, ...]
    sdk: Layer
    project: Layer
    apt: tuple[str, ...] = ()
    presets: tuple[Preset, ...] = ()
    run: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    project_env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    user: int
    group: int
    working_dir: str = PROJECT
    interpreter: str = f"{ENVIRONMENT}/bin/python"
    entrypoint: tuple[str, ...] = ENTRYPOINT

    def __post_init__(self) -> None:
        _all_match((self.base,), _BASE, "base image, pinned by its digest")
        _all_match(self.packages, _PACKAGE, "name of a Debian package")
        _all_match((*self.env, *self.project_env), _VARIABLE, "name of an environment variable")
        _all_match(self.labels, _LABEL, "name of a label")
        _all_match((self.working_dir, self.interpreter), _FOLDER, "absolute path of letters and digits")
        for command in self.run:
            if _INVISIBLE.search(command) or not command.strip():
                raise SystemPlanInvalid(f"the command {command!r} is empty, or has more than one line")
        for value in (*self.env.values(), *self.project_env.values(), *self.labels.values()):
            if "\0" in value:
                raise SystemPlanInvalid("an environment variable or a label has a zero byte in it")

    @property
    def packages(self) -> tuple[str, ...]:
        """All of Debian's packages, in the order of their names, each once."""
        return tuple(sorted({*self.apt, *(name for preset in self.presets for name in preset.apt)}))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All layers, from the bottom up."""
        return (*self.dependencies, self.sdk, self.project)


def needs_engine(settings: BundleSettings) -> bool:
    """Return whether an image can only be made by an engine: it has packages, presets or commands."""
    return bool(settings.apt or settings.presets or settings.run)


def system_plan(
    base: BaseImage,
    settings: BundleSettings,
    *,
    dependencies: Sequence[Layer],
    sdk: Layer,
    project: Layer,
    distributions: Collection[str],
    labels: Mapping[str, str],
    base_id: str = "",
) -> SystemPlan:
    """Return the plan of a project's image.

    Args:
        base: what is built upon.
        settings: packages, presets, commands, environment and user.
        dependencies: layers of what is locked, from the bottom up.
        sdk: the layer of the SDK.
        project: the layer of the project's files.
        distributions: normalised names of what is locked.
        labels: of the image.
        base_id: id of the base in the engine, for one that is in no registry; empty for its own digest.

    Raises:
        PresetUnusable: a preset needs what is not locked.
        SystemPlanInvalid: something cannot be written into a Dockerfile.
    """
    known = base_environment(base)
    presets = presets_of(settings.presets, distributions)
    wanted = environment(settings, project=project.diff_id, known=known)
    late = {_HASH_SEED} - settings.env.keys()
    env = {name: value for preset in presets for name, value in preset.env.items()}
    env |= {name: value for name, value in wanted.items() if known.get(name) != value and name not in late}
    return SystemPlan(
        base=base.reference or base_id or base.digest,
        platform=base.platform,
        dependencies=tuple(dependencies),
        sdk=sdk,
        project=project,
        apt=settings.apt,
        presets=presets,
        run=settings.run,
        env=env,
        project_env={name: wanted[name] for name in sorted(late)},
        labels=dict(sorted(labels.items())),
        user=settings.user,
        group=settings.group,
    )


def _all_match(texts: Collection[str], pattern: re.Pattern[str], what: str) -> None:
    for text in texts:
        if pattern.fullmatch(text) is None:
            raise SystemPlanInvalid(f"{text!r} is no {what}")
