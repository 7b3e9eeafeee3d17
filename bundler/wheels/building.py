"""Building wheels from sources, with uv: for what has no wheel that fits.

A build runs the code of the distribution, here. It is kept under what it was built of, for which Python and machine;
a folder whose build may depend on more than the files in it is built each time.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from bundler.layers.archive import Archive
from bundler.locks.errors import LockToolFailed, WheelBuildFailed, WheelMissing
from bundler.locks.model import Distribution, Folder, Git, WheelFile
from bundler.locks.tools import Tools
from bundler.model import Target, Wheel
from bundler.wheels.fetch import Fetcher
from bundler.wheels.source_tree import digest_of_tree
from bundler.wheels.store import WheelStore
from bundler.wheels.tags import best_wheel

EPOCH: Final = "315532800"
"""The earliest time that a zip archive can hold: builds by backends that know SOURCE_DATE_EPOCH are the same."""


_SYMBOLS: Final = re.compile(rb"GLIBC_2\.(\d{1,3})(?=[.\0])")
_LONGEST_SYMBOL: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """Builds wheels and keeps them.

    Attributes:
        store: where they are kept.
        tools: uv and git.
    """

    store: WheelStore
    tools: Tools

    def build(self, distribution: Distribution, sources: Path | None, target: Target, interpreter: Path) -> Wheel:
        """Return the wheel of a distribution, built for a target that this machine can build for.

        Args:
            distribution: whose plan says that it is built.
            sources: its archive, checked, under the name it has; None for a folder or a repository.
            target: what it must run on.
            interpreter: runs the build; of the target's version.

        Raises:
            WheelBuildFailed: it cannot be built, or gives another distribution.
            WheelMissing: what was built does not run on the target.
            LockToolMissing: uv or git is not there.
        """
        key = _key(distribution, target)
        if key and (found := self.store.find_built(distribution, key)) is not None:
            return found
        with tempfile.TemporaryDirectory(prefix="trigger-build-") as made:
            folder = Path(made)
            place = sources or self._sources(distribution, folder / "sources")
            path = self._run(distribution, place, folder / "wheel", interpreter)
            built = _checked(distribution, path, target)
            return self.store.keep_built(built, path, key or f"folder {hashlib.sha256(path.read_bytes()).hexdigest()}")

    def _sources(self, distribution: Distribution, folder: Path) -> Path:
        source = distribution.source
        if isinstance(source, Folder):
            return source.path
        if not isinstance(source, Git):
            raise WheelBuildFailed(f"the lock has no sources of {distribution}")
        folder.mkdir()
        why = f"to get the sources of {distribution}"
        for command in (
            ["git", "init", "--quiet"],
            # With tags and all that was before: many a backend makes the version of them.
            ["git", "fetch", "--quiet", "--tags", "--", source.url, source.commit],
            ["git", "-c", "advice.detachedHead=false", "checkout", "--quiet", source.commit],
            # Submodules with a relative address are relative to that.
            ["git", "config", "remote.origin.url", source.url],
            ["git", "submodule", "--quiet", "update", "--init", "--recursive"],
        ):
            try:
                self.tools.run(command, folder=folder, why=why)
            except LockToolFailed as error:
                raise WheelBuildFailed(
                    f"the sources of {distribution} cannot be got: {error.message}", detail=error.problem.detail
                ) from None
        place = (folder / source.subdirectory).resolve()
        if not place.is_dir() or not place.is_relative_to(folder.resolve()):
            raise WheelBuildFailed(f"the repository of {distribution} has no folder '{source.subdirectory}'")
        return place

    def _run(self, distribution: Distribution, sources: Path, out: Path, interpreter: Path) -> Path:
        command = [
            "uv", "build", "--wheel", "--python", str(interpreter), "--no-create-gitignore", "--out-dir", str(out),
            str(sources),
        ]  # fmt: skip
        tools = replace(self.tools, environ={"SOURCE_DATE_EPOCH": EPOCH, **self.tools.environ})
        try:
            tools.run(command, folder=out.parent, why=f"to build {distribution}, which has no wheel that fits")
        except LockToolFailed as error:
            raise WheelBuildFailed(f"{distribution} cannot be built", detail=error.problem.detail) from None
        wheels = sorted(out.glob("*.whl"))
        if len(wheels) != 1:
            raise WheelBuildFailed(f"the build of {distribution} gave {len(wheels)} wheels")
        return wheels[0]


async def fetch_sources(fetcher: Fetcher, distribution: Distribution, folder: Path) -> Path | None:
    """Fetch the archive of a distribution's sources; None when its sources are a folder or a repository.

    Args:
        fetcher: fetches and checks it.
        distribution: whose sources.
        folder: where it is put under its own name, which builders read; the caller removes it.
    """
    if distribution.sdist is None:
        return None
    (kept,) = await fetcher.fetch([(replace(distribution, version=distribution.version or "0"), distribution.sdist)])
    path = folder / distribution.sdist.filename
    path.symlink_to(kept.path.resolve())
    return path


def _key(distribution: Distribution, target: Target) -> str:
    """Return what a build depends on; empty where that is not known."""
    source = distribution.source
    if isinstance(source, Folder):
        what = digest_of_tree(source.path)
        if not what:
            return ""
    elif isinstance(source, Git):
        what = f"{source.url} {source.commit} {source.subdirectory}"
    elif distribution.sdist is not None and distribution.sdist.sha256s:
        what = " ".join(sorted(distribution.sdist.sha256s))
    else:
        return ""
    return f"{what} for {target.python} on {target.platform} with {target.glibc}"


def _checked(distribution: Distribution, path: Path, target: Target) -> Distribution:
    """Return the distribution with the version that was built, when that is what was asked for and runs there."""
    other = WheelBuildFailed(f"the build of {distribution} gave '{path.name}'")
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
        wanted = Version(distribution.version) if distribution.version else version
    except (InvalidWheelFilename, InvalidVersion):
        raise other from None
    if (name, version) != (distribution.name, wanted):
        raise other
    built = replace(distribution, version=distribution.version or str(version), wheels=(WheelFile(filename=path.name),))
    if best_wheel(built, target) is None or _glibc(path) > target.glibc:
        raise WheelMissing(
            f"what was built of {distribution}, '{path.name}', does not run on {target.platform} with Python "
            f"{target.python[0]}.{target.python[1]} and glibc {target.glibc[0]}.{target.glibc[1]}",
            hint="Choose a base image as new as this machine, or lock a version that has a wheel.",
        )
    return built


def _glibc(path: Path) -> tuple[int, int]:
    """Return the newest version of glibc that a wheel's libraries name symbols of: its tag does not tell."""
    newest = 0
    with Archive(path) as archive:
        for member in archive.members:
            if ".so" in member.name.rpartition("/")[2]:
                last = b""
                for piece in archive.content(member):
                    newest = max([newest, *(int(found) for found in _SYMBOLS.findall(last + piece))])
                    last = piece[-_LONGEST_SYMBOL:]
    return 2, newest
