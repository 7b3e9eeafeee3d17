"""A project as a user has one: a configuration, a job, a lock with wheels beside it."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import sys
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import trigger_sdk
from bundler.build import Built, build
from bundler.plan import make_plan
from bundler.settings import read_settings, with_options
from bundler.workshop import open_workshop
from tests.fakes.zips import made_wheel
from tests.rig.installed_wheel import installed_wheel
from trigger_sdk.protocol.project import load_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model import Wheel
    from bundler.workshop import Workshop

JOB = '''\
"""A job for tests."""

import greeter
from shop.prices import price
from trigger_sdk import job, task


@task
def greet(name: str) -> str:
    return greeter.say(name)


@job(id="hello")
def hello(name: str) -> str:
    """Greet somebody."""
    return f"{greet(name)} for {price(2)}"
'''

FILES = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1.2"\n\n[tool.trigger]\n',
    "jobs/hello.py": JOB,
    "shop/__init__.py": "",
    "shop/prices.py": "def price(count: int) -> int:\n    return 21 * count\n",
    ".env": "SECRET=never-in-an-image\n",
}

GREETER = {
    "greeter/__init__.py": b"def say(name):\n    return f'hello, {name}'\n",
    "greeter/large.bin": random.Random(7).randbytes(1_200_000),
}
"""Large enough for a layer of its own."""


_LOCK = 'lock-version = "1.0"\ncreated-by = "test"\nextras = ["fast"]\ndependency-groups = ["jobs"]\n\n'


class BundledProject:
    """The project, in a folder of its own.

    Args:
        folder: where it is made.
        base: the text of the setting ``base``.
    """

    def __init__(self, folder: Path, base: str) -> None:
        self.folder = folder
        self.base = base
        for place, text in FILES.items():
            self.write(place, text)
        wheels = folder / "wheels"
        wheels.mkdir()
        made = [made_wheel(wheels, "greeter", GREETER)]
        made += [installed_wheel(wheels, name) for name in ("msgspec", "websockets")]
        self._install(made)
        self.write("pylock.toml", "[[packages]]\n".join([_LOCK, *(_locked(wheel) for wheel in made)]))

    def _install(self, wheels: list[Wheel]) -> None:
        """Make the project's virtual environment, with the wheels and the SDK that is tested."""
        venv.create(self.folder / ".venv", with_pip=False, symlinks=True)
        site = self.folder / f".venv/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
        for wheel in wheels:
            with zipfile.ZipFile(wheel.path) as archive:
                archive.extractall(site)
        (site / "sdk.pth").write_text(f"{Path(trigger_sdk.__path__[0]).parent}\n")

    @property
    def interpreter(self) -> Path:
        """Of the project."""
        return self.folder / ".venv/bin/python"

    def write(self, place: str, text: str) -> None:
        """Write a file of it."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def copy(self, folder: Path) -> BundledProject:
        """Return the same project in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        other = object.__new__(BundledProject)
        other.folder, other.base = folder, self.base
        return other

    def configure(self, table: str) -> None:
        """Write lines into ``[tool.trigger.bundle]``, in the place of those that are there."""
        self.write("pyproject.toml", f"{FILES['pyproject.toml']}\n[tool.trigger.bundle]\n{table}\n")

    def relock(self, name: str, files: Mapping[str, bytes], version: str = "1.0", *, marker: str = "") -> None:
        """Lock another wheel of a distribution, or one of a distribution that was not locked."""
        wheel = made_wheel(self.folder / "wheels", name, files, version=version)
        self._relock(name, _locked(wheel, marker=marker))

    def relock_native(self, name: str, files: Mapping[str, Mapping[str, bytes]]) -> None:
        """Lock a distribution with a wheel for each of several tags, such as ``py3-none-manylinux_2_17_x86_64``."""
        wheels = []
        for tag, contents in files.items():
            wheel = made_wheel(self.folder / "wheels", name, contents, is_pure=False)
            path = wheel.path.rename(wheel.path.with_name(f"{name}-1.0-{tag}.whl"))
            wheels.append(dataclasses.replace(wheel, path=path, filename=path.name))
        self._relock(name, _locked(*wheels))

    def _relock(self, name: str, locked: str) -> None:
        self.unlock(name)
        self.write("pylock.toml", f"{(self.folder / 'pylock.toml').read_text()}[[packages]]\n{locked}")

    def unlock(self, *names: str) -> None:
        """Take distributions out of the lock."""
        head, *entries = (self.folder / "pylock.toml").read_text().split("[[packages]]\n")
        others = [entry for entry in entries if entry.split('"')[1] not in names]
        self.write("pylock.toml", "[[packages]]\n".join([head, *others]))

    def environ(self, cache: Path, **variables: str) -> dict[str, str]:
        """Return the variables of a build."""
        return {"PATH": os.environ["PATH"], "HOME": str(cache), "TRIGGER_CACHE_DIR": str(cache), **variables}

    async def build(self, cache: Path, **variables: str) -> Built:
        """Build it with a cache and further variables."""
        async with open_workshop(self.environ(cache, **variables), home=cache) as workshop:
            return await self.build_in(workshop)

    async def build_in(self, workshop: Workshop, **options: object) -> Built:
        """Build it in a workshop, with options that go before its configuration."""
        project = load_project(self.folder)
        settings = with_options(read_settings(project), {"base": self.base, **options})
        plan = await make_plan(project, settings, self.interpreter, workshop)
        return await build(plan, workshop)


def _locked(*wheels: Wheel, marker: str = "") -> str:
    files = ", ".join(
        f'{{ path = "wheels/{wheel.filename}", hashes = {{ sha256 = "{wheel.sha256}" }} }}' for wheel in wheels
    )
    condition = f"marker = {marker!r}\n" if marker else ""
    return f'name = "{wheels[0].name}"\nversion = "{wheels[0].version}"\n{condition}wheels = [{files}]\n\n'
