"""BuildKit on the same project: the Dockerfile that people write for uv, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.bundle_project import BundleProject
from benchmarks.figures import Figure
from tests.rig.dockerd_process import DockerdProcess

_DOCKER: Final = "/usr/bin/docker"
"""The client of Debian's docker.io; BuildKit is in its engine."""

_DOCKERFILE: Final = """\
FROM {base} AS dependencies
RUN --mount=type=bind,source=.bench,target=/bench /bench/uv pip install --quiet --no-index --find-links /bench/wheels \\
    --no-deps --target /deps --python /usr/bin/python3.11 -r /bench/requirements.txt
FROM {base}
COPY --from=dependencies /deps /deps
ENV PYTHONPATH=/deps
COPY app /app/app
COPY jobs /app/jobs
WORKDIR /app
"""

_STARTED: Final = (
    "import sys; from pathlib import Path; from trigger_sdk._runtime.loading import load;"
    "loaded = load(Path('/app'), lambda line: None);"
    "sys.stdout = sys.__stdout__; loaded.jobs['report'].fn(10)"
)
"""Loads the project as a worker does, and calls the body."""


class BuildKit:
    """An engine; a context manager.

    Args:
        folder: for its context.
        base: name of the base image in a registry.
        registry: where it pushes to.
    """

    def __init__(self, folder: Path, base: str, registry: str) -> None:
        self._folder = folder
        self._base = base
        self._registry = registry
        self._engine = DockerdProcess()
        self._number = 0

    def __enter__(self) -> Self:
        self._engine.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._engine.close()

    def figures(self, project: BundleProject, wheels: Sequence[Path], repetitions: int) -> Iterator[Figure]:
        """Build the image without anything cached, and return how long that took."""
        bench = project.root / ".bench"
        (bench / "wheels").mkdir(parents=True)
        requirements = subprocess.run(
            [str(Path(sys.executable).parent / "uv"), "export", "--quiet", "--no-hashes", "--no-emit-project"],
            cwd=project.root, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        (bench / "requirements.txt").write_text(requirements)
        shutil.copy(Path(sys.executable).parent / "uv", bench / "uv")
        for wheel in wheels:
            shutil.copy(wheel, bench / "wheels" / _filename(wheel))
        (project.root / "Dockerfile").write_text(_DOCKERFILE.format(base=self._base))
        (project.root / ".dockerignore").write_text(".venv\n.trigger\n")
        samples = [self.build(project, "--no-cache") for _ in range(repetitions)]
        self.build(project)
        yield Figure.of("bundle_cold_buildkit_s", samples, "s")

    def build(self, project: BundleProject, *options: str) -> float:
        """Build and push the project, and return the seconds that took."""
        self._number += 1
        name = f"{self._registry}/buildkit:{self._number}"
        began = time.perf_counter()
        self._docker("build", "--quiet", "--network", "none", *options, "--tag", name, ".", folder=project.root)
        self._docker("push", "--quiet", name, folder=project.root)
        return time.perf_counter() - began

    def starts(self, image: str, repetitions: int) -> list[float]:
        """Return the seconds from ``docker run`` to the first line of the body."""
        self._docker("pull", "--quiet", image, folder=self._folder.parent)
        return [self._start(image) for _ in range(repetitions + 1)][1:]

    def _start(self, image: str) -> float:
        began = time.perf_counter()
        command = [
            _DOCKER, "run", "--rm", "--network", "none", "--entrypoint", "/opt/trigger/bin/python", image, "-P", "-c",
            _STARTED,
        ]  # fmt: skip
        with subprocess.Popen(command, env=self._environ, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            taken = time.perf_counter() - began
            process.stdout.read()
        assert line.strip() == "first line of the body", line
        return taken

    @property
    def _environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "DOCKER_HOST": self._engine.address, "DOCKER_BUILDKIT": "1"}

    def _docker(self, *arguments: str, folder: Path) -> None:
        done = subprocess.run(
            [_DOCKER, *arguments], cwd=folder, env=self._environ, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]


def _filename(wheel: Path) -> str:
    """Return the name that a wheel must have, by what is in it."""
    with zipfile.ZipFile(wheel) as archive:
        record = next(name for name in archive.namelist() if name.endswith(".dist-info/WHEEL"))
        tags = [line.split(": ")[1] for line in archive.read(record).decode().splitlines() if line.startswith("Tag: ")]
    kinds = [".".join(dict.fromkeys(tag.split("-")[part] for tag in tags)) for part in range(3)]
    return f"{record.partition('.dist-info')[0]}-{'-'.join(kinds)}.whl"
