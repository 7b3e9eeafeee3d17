"""The two wheels hold what they should, under the names they should, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGES, read_toml
from trigger_sdk.protocol.version import VERSION


@pytest.fixture(scope="module")
def wheels(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, zipfile.ZipFile]:
    """Return both wheels, built from the checkout, by distribution name."""
    built = {}
    for name, folder in {"trigger_cli": repository, "trigger_sdk": repository / "sdk"}.items():
        target = tmp_path_factory.mktemp(name)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target],
            cwd=folder, check=True, capture_output=True, timeout=100,
        )  # fmt: skip
        (wheel,) = target.iterdir()
        assert wheel.name == f"{name}-{VERSION}-py3-none-any.whl"
        built[name] = zipfile.ZipFile(wheel)
    return built


def top_level(wheel: zipfile.ZipFile) -> set[str]:
    """Return the names a wheel puts into site-packages, its metadata left out."""
    return {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}


def test_cli_wheel_holds_the_tools(wheels: dict[str, zipfile.ZipFile]) -> None:
    """Every package but the SDK, and neither tests nor templates at the top level."""
    assert top_level(wheels["trigger_cli"]) == set(PACKAGES) - {"trigger_sdk"}


def test_cli_wheel_carries_the_templates(wheels: dict[str, zipfile.ZipFile], repository: Path) -> None:
    """Every committed template file is there, as data of trigger_cli."""
    shipped = {name for name in wheels["trigger_cli"].namelist() if name.startswith("trigger_cli/_templates/")}
    kept = subprocess.run(
        ["git", "ls-files", "-z", "templates"], cwd=repository, capture_output=True, text=True, check=True, timeout=60
    )
    files = [name for name in kept.stdout.split("\0") if name and (repository / name).is_file()]
    assert {name.replace("templates/", "trigger_cli/_templates/", 1) for name in files} <= shipped


def test_sdk_wheel_holds_the_sdk(wheels: dict[str, zipfile.ZipFile]) -> None:
    """One package, with its types."""
    assert top_level(wheels["trigger_sdk"]) == {"trigger_sdk"}
    assert "trigger_sdk/py.typed" in wheels["trigger_sdk"].namelist()


def test_distributions_fit_together(repository: Path) -> None:
    """trigger-cli asks for the SDK of its own minor version."""
    major, minor, _ = map(int, VERSION.split("."))
    wanted = f"trigger-sdk>={major}.{minor},<{major}.{minor + 1}"
    assert wanted in read_toml(repository / "pyproject.toml")["project"]["dependencies"]
