"""Check projects that use other libraries' @job, @task and @flow: those libraries themselves, from PyPI.

    python -m tests.analyzer.other_libraries FOLDER dagster prefect celery

downloads (``pip download``), unpacks and checks each, and prints a line of figures. Nothing may be found in them: none
of their functions is a job of ours, whatever its decorator is called.
"""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.check import check
from analyzer.settings import CheckSettings
from trigger_sdk.protocol.project import load_project

if TYPE_CHECKING:
    from collections.abc import Sequence

DISTRIBUTIONS = (
    "dagster",
    "prefect",
    "apache-airflow-core",
    "apache-airflow-task-sdk",
    "celery",
    "rq",
    "dramatiq",
    "luigi",
    "huey",
)
"""What is checked when nothing is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What the check saw in one distribution.

    Attributes:
        name: the distribution.
        files: Python files in it.
        jobs: functions that were taken for jobs.
        findings: a line for each diagnostic.
        seconds: how long it took.
    """

    name: str
    files: int
    jobs: int
    findings: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}: {self.files} files, {self.jobs} jobs, {len(self.findings)} findings, {self.seconds:.1f} s"


def download(folder: Path, names: Sequence[str]) -> None:
    """Download wheels into ``folder``, without what they depend on. Raises CalledProcessError without a network."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), *names], check=True, capture_output=True)


def count(wheel: Path, root: Path) -> Count:
    """Unpack a wheel into ``root`` as a project of its own and check it."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(root, [name for name in archive.namelist() if name.endswith(".py")])
    folders = sorted(place.name for place in root.iterdir())
    (root / "trigger.toml").write_text(f"dirs = {folders!r}\n".replace("'", '"'), encoding="utf-8")
    begin = time.monotonic()
    report = check(load_project(root), CheckSettings(), cache=None)
    return Count(
        name=wheel.name.split("-")[0],
        files=sum(1 for _ in root.rglob("*.py")),
        jobs=len(report.jobs),
        findings=tuple(
            f"{each.location.file}:{each.location.row}: {each.code} {each.message}" for each in report.diagnostics
        ),
        seconds=time.monotonic() - begin,
    )


def main(arguments: Sequence[str]) -> int:
    """Print the figures; exit code 1 when anything was found."""
    folder = Path(arguments[0]).resolve()
    wheels = folder / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    download(wheels, arguments[1:] or DISTRIBUTIONS)
    failed = False
    for wheel in sorted(wheels.glob("*.whl")):
        root = folder / wheel.name.split("-")[0]
        root.mkdir(exist_ok=True)
        result = count(wheel, root)
        failed |= bool(result.findings or result.jobs)
        sys.stdout.write(f"{result}\n" + "".join(f"  {line}\n" for line in result.findings))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
