"""`trigger build` as users call it: a process in a project, with a cache and a home folder of the test's own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.images import OCI_INDEX, MadeImage, index_of, libc, root_files, sha256, tar_of, write_layout
from tests.fakes.registry_process import PASSWORD, USERNAME
from tests.rig.bundled_project import BundledProject
from tests.rig.layout import Layout
from tests.trigger_cli.ended import Ended

TRIGGER = str(Path(sys.executable).with_name("trigger"))

_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "SSL_CERT_FILE")
_PYTHON = f"usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"


def small_base(folder: Path, python: str = _PYTHON, glibc: str = "2.36") -> str:
    """Make a layout with an image for each platform, as small as a base can be, and return it as ``base`` has it."""
    images = _small_images(python, glibc)
    blobs = [blob for image in images for blob in image.blobs()]
    write_layout(folder, blobs, [image.entry for image in images])
    return f"oci:{folder}"


def push_small_base(host: str, name: str, tag: str) -> None:
    """Put the same into a registry, under a tag."""
    images = _small_images(_PYTHON, "2.36")
    with httpx.Client(base_url=f"http://{host}/v2/{name}", trust_env=False) as client:
        for image in images:
            for blob in (image.config, *image.layers):
                place = client.post("/blobs/uploads/").headers["Location"]
                client.put(place, params={**httpx.URL(place).params, "digest": sha256(blob)}, content=blob)
            kind = {"Content-Type": image.media_type}
            client.put(f"/manifests/{image.digest}", content=image.manifest, headers=kind).raise_for_status()
        index = index_of([image.entry for image in images])
        client.put(f"/manifests/{tag}", content=index, headers={"Content-Type": OCI_INDEX}).raise_for_status()


def _small_images(python: str, glibc: str) -> list[MadeImage]:
    images = []
    for name in ("amd64", "arm64"):
        files = {**root_files(name, python=python), "lib/x86_64-linux-gnu/libc.so.6": libc(glibc)}
        images.append(MadeImage(tars=[tar_of(files)], architecture=name))
    return images


class BuildCommand:
    """The command in a project.

    Args:
        folder: where all of it is made.
        template: the project that is copied.
        base: what it builds upon where no other is said; empty for a small one that cannot be run.

    Attributes:
        project: the project.
        folder: of the project.
        cache: the folder of the cache.
        home: the user's.
    """

    def __init__(self, folder: Path, template: BundledProject, base: str = "") -> None:
        self.project = template.copy(folder / "shop")
        self.folder = self.project.folder
        self.cache = folder / "cache"
        self.home = folder / "home"
        self.home.mkdir()
        self._base = base or small_base(folder / "base")

    def __call__(self, *argv: str, **variables: str) -> Ended:
        """Run it to its end."""
        return self.called_in(self.folder, *argv, **variables)

    def called_in(self, folder: Path, *argv: str, **variables: str) -> Ended:
        """Run it in a folder."""
        done = subprocess.run(
            self.words(argv), cwd=folder, env=self.environ(**variables), capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=90, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        """Start it; options are those of :class:`subprocess.Popen`."""
        usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            self.words(argv), cwd=self.folder, text=True, **{"env": self.environ(), **usual, **options}
        )

    def layout(self, *argv: str, name: str = "out", **variables: str) -> Layout:
        """Build into a folder outside the project and return what is in it."""
        folder = self.folder.parent / name
        ended = self("-o", f"oci:{folder}", *argv, **variables)
        assert ended.code == 0, ended.err
        return Layout(folder, ended.out.strip().rpartition("@")[2])

    def log_in(self, host: str, user: str = USERNAME, password: str = PASSWORD) -> Path:
        """Write credentials for a registry where ``docker login`` does, and return the file."""
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.write_docker_config({"auths": {host: {"auth": login}}})

    def write_docker_config(self, content: dict[str, object]) -> Path:
        """Write the user's configuration of Docker, and return the file."""
        file = self.home / ".docker/config.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content))
        return file

    def words(self, argv: tuple[str, ...]) -> list[str]:
        """Return the whole command."""
        return [TRIGGER, "build", *([] if "--base" in argv else ["--base", self._base]), *argv]

    def environ(self, **variables: str) -> dict[str, str]:
        """Return the variables that it sees: nothing of whoever runs the tests."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        usual = {"HOME": str(self.home), "TRIGGER_CACHE_DIR": str(self.cache), "COLUMNS": "100"}
        return {**kept, **usual, **variables}
