"""A small project with dependencies, as far as an image is made of it: files, wheels, layers and a plan."""

import dataclasses
import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path

from bundler.cache import Cache
from bundler.docker.system_plan import SystemPlan, system_plan
from bundler.image.config import ENVIRONMENT
from bundler.image.model import BaseImage, BaseLayer
from bundler.layers import Scheme, group, project_layer, sdk_layer, wheel_layers
from bundler.model import Layer, Platform, ProjectFile, Wheel
from bundler.settings import BundleSettings
from tests.fakes.zips import made_wheel
from tests.rig.debian_image import DebianBase
from tests.rig.installed_wheel import installed_wheel

MAIN = """
import os, sys
import greeter, msgspec, websockets
import trigger_sdk
print(greeter.say("world"), msgspec.json.encode({"a": 1}).decode(), sys.version_info[:2], os.getuid(), os.getgid())
"""
"""What the project's program says: ``hello, world {"a":1} (3, 11) 10001 10001``."""

SAYS = b'hello, world {"a":1} (3, 11) 10001 10001\n'

_GREETER = {
    "greeter/__init__.py": b"from greeter.large import LINES\n\ndef say(name):\n"
    b"    assert len(LINES) == 20_000\n    return f'hello, {name}'\n\ndef main():\n    print(say('script'))\n",
    "greeter/large.py": b"LINES = [\n" + b"".join(b"    'line %d',\n" % number for number in range(20_000)) + b"]\n",
    "greeter/empty.py": b"",
    "greeter-1.0.dist-info/entry_points.txt": b"[console_scripts]\ngreet = greeter:main\n",
}


class SystemProject:
    """The project.

    Attributes:
        files: contents by their places; change them as a user would.
        wheels: what is locked.
    """

    def __init__(self, folder: Path, cache: Cache, base: DebianBase) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._cache = cache
        self._base = base
        self.files = {"main.py": MAIN.encode(), "data/table.txt": b"1 2 3\n" * 1000}
        self.wheels: list[Wheel] = [
            made_wheel(folder, "greeter", _GREETER),
            *(installed_wheel(folder, name) for name in ("msgspec", "websockets")),
        ]

    def add_wheel(self, name: str, files: Mapping[str, bytes]) -> None:
        """Lock one more distribution."""
        self.wheels.append(made_wheel(self._folder, name, files))

    @property
    def base(self) -> BaseImage:
        """The base, as a build knows it."""
        layer = BaseLayer(
            digest=self._base.diff_id, size=self._base.layer.stat().st_size, diff_id=self._base.diff_id,
            media_type="application/vnd.oci.image.layer.v1.tar", open=lambda: self._base.layer.open("rb"),
        )  # fmt: skip
        return BaseImage(
            name="tar:base.tar", reference="", digest=self._base.image_id, config=json.loads(self._base.config),
            layers=(layer,), platform=Platform(architecture="amd64"), python=self._base.python,
        )  # fmt: skip

    @property
    def scheme(self) -> Scheme:
        """Where dependencies go."""
        return Scheme.of_prefix(ENVIRONMENT, (3, 11), interpreter=f"{ENVIRONMENT}/bin/python")

    def dependencies(self) -> list[Layer]:
        """Return the layers of the wheels, two at most."""
        made, _ = wheel_layers(group(self.wheels, 2), scheme=self.scheme, cache=self._cache)
        return made

    def sdk(self) -> Layer:
        """Return the layer of the SDK."""
        return sdk_layer(scheme=self.scheme, cache=self._cache, base_python=self._base.python)

    def project(self) -> Layer:
        """Return the layer of the project's files."""
        listed = []
        for place, content in sorted(self.files.items()):
            path = self._folder / "project" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            listed.append(ProjectFile(place=place, source=path, size=len(content)))
        return project_layer(listed, cache=self._cache)

    def plan(self, settings: BundleSettings | None = None, *, labels: Mapping[str, str] | None = None) -> SystemPlan:
        """Return the plan of its image; the image greets."""
        plan = system_plan(
            self.base, settings or BundleSettings(), dependencies=self.dependencies(), sdk=self.sdk(),
            project=self.project(), distributions={wheel.name for wheel in self.wheels}, labels=labels or {},
        )  # fmt: skip
        return dataclasses.replace(plan, entrypoint=(plan.interpreter, "-P", "/app/main.py"))

    def expected(self) -> dict[str, list[object]]:
        """Return what must be under /opt and /app of its image: content or target, mode, owner, group, time."""
        found: dict[str, list[object]] = {"/opt": ["", "0o40755", 0, 0, 0]}
        for layer in (*self.dependencies(), self.sdk(), self.project()):
            with layer.blob.open() as stream, tarfile.open(fileobj=io.BytesIO(gzip.decompress(stream.read()))) as tar:
                for member in tar.getmembers():
                    kind = stat.S_IFDIR if member.isdir() else stat.S_IFLNK if member.issym() else stat.S_IFREG
                    file = tar.extractfile(member) if member.isreg() else None
                    content = hashlib.sha256(file.read()).hexdigest() if file is not None else member.linkname
                    mode = oct(kind | member.mode)
                    found[f"/{member.name}"] = [content, mode, member.uid, member.gid, member.mtime]
        return found
