"""The page about images: its commands are run, with a registry and an index in the places of its examples."""

import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

import trigger_sdk
from bundler.settings import PRESETS, BundleSettings, settings_from
from tests.docs.session import TIMEOUT, require_as_shown
from tests.fakes.index import FakeIndex, Offered
from tests.fakes.registry_process import Auth, RegistryProcess
from tests.rig.build_command import push_small_base
from tests.rig.installed_wheel import installed_wheel

REGISTRY = "registry.example"


@pytest.fixture(scope="module")
def page(repository: Path) -> Path:
    """Return the page."""
    return repository / "docs/guides/build.md"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[FakeIndex]:
    """Return an index with what the page's project requires, the SDK as it is here among it."""
    with FakeIndex() as index:
        index.offer("greeter", files={"greeter/__init__.py": b"def greet(name):\n    return f'Hello, {name}'\n"})
        for name in ("msgspec", "websockets"):
            wheel = installed_wheel(tmp_path, name)
            index.add(Offered(project=name, filename=wheel.filename, content=wheel.path.read_bytes()))
        found = distribution("trigger-sdk")
        root = Path(trigger_sdk.__path__[0])
        files = {f"trigger_sdk/{path.relative_to(root).as_posix()}": path.read_bytes() for path in root.rglob("*.py")}
        metadata = (found.read_text("METADATA") or "").encode()
        files[f"trigger_sdk-{found.version}.dist-info/METADATA"] = metadata
        index.offer("trigger-sdk", found.version, files=files)
        yield index


@pytest.mark.timeout(TIMEOUT + 30)
def test_marked_blocks_run(
    page: Path,
    index: FakeIndex,
    shared_registry: Callable[[Auth], RegistryProcess],
    tmp_path: Path,
) -> None:
    """The page's commands succeed in order, and print what the page shows."""
    host = shared_registry("none").host
    push_small_base(host, "python", "3.11-slim")
    ours = tmp_path / page.name
    ours.write_text(page.read_text().replace(REGISTRY, host))
    variables = {
        "UV_DEFAULT_INDEX": index.simple, "UV_NO_CONFIG": "1", "UV_NO_CACHE": "1", "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
    }  # fmt: skip
    require_as_shown(ours, tmp_path, variables)


def test_settings_are_settings(page: Path, tmp_path: Path) -> None:
    """Each snippet of configuration on the page is understood; each preset is named on it."""
    text = page.read_text()
    tables: list[dict[str, Any]] = [tomllib.loads(part.split("\n```")[0]) for part in text.split("```toml\n")[1:]]
    assert len(tables) >= 3
    for table in tables:
        assert settings_from(table["tool"]["trigger"]["bundle"], tmp_path / "pyproject.toml") != BundleSettings()
    assert all(preset in text for preset in PRESETS)
