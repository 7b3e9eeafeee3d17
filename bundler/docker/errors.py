"""What can go wrong with a Docker engine."""

from __future__ import annotations

from typing import ClassVar

from bundler.errors import BundlerError


class EngineMissing(BundlerError):
    """No Docker engine answers where the ``docker`` command would look for one."""

    code: ClassVar[str] = "engine-missing"
    hint: ClassVar[str] = "Start Docker, or say with DOCKER_HOST or `docker context use` where it is."


class EngineForbidden(BundlerError):
    """A Docker engine is there, and this user may not ask it."""

    code: ClassVar[str] = "engine-forbidden"
    hint: ClassVar[str] = "Add yourself to the group that owns its socket, and log in again; or use a rootless engine."


class EngineUnusable(BundlerError):
    """A Docker engine is too old, runs no Linux containers, or is none."""

    code: ClassVar[str] = "engine-unusable"
    hint: ClassVar[str] = "Use Docker 19.03 or later with Linux containers."


class EngineFailed(BundlerError):
    """A Docker engine does not do what it was asked for; its own words are in the message."""

    code: ClassVar[str] = "engine-failed"
    hint: ClassVar[str] = "Try the same with `docker`; what it writes to its log says more."


class EngineLost(BundlerError):
    """A Docker engine went away in the middle of its work. Nothing of it is used."""

    code: ClassVar[str] = "engine-lost"
    hint: ClassVar[str] = "See whether the engine runs, and build again: it goes on from the last finished step."


class ImageBuildFailed(BundlerError):
    """A command that builds the image ended with an error; its last output is in the detail."""

    code: ClassVar[str] = "image-build-failed"
    hint: ClassVar[str] = "Correct the command, or what it needs; `trigger build --dockerfile` prints the whole."


class PresetUnusable(BundlerError):
    """A preset needs a distribution that is not locked."""

    code: ClassVar[str] = "preset-unusable"
    hint: ClassVar[str] = "Lock the distribution, or take the preset out of the bundle's settings."


class SystemPlanInvalid(BundlerError):
    """A name, a version or a path cannot be written into a Dockerfile so that it means itself."""

    code: ClassVar[str] = "system-plan-invalid"
    hint: ClassVar[str] = "Correct it in the bundle's settings."
