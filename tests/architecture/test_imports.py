"""The arrows between packages: the contracts in pyproject.toml, and what those cannot say."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.architecture.source import PACKAGES, Module, read_toml

SDK_DEPENDENCIES = {"msgspec", "websockets"}

LOADED_BY_NAME = {
    "httptools": "uvicorn picks it up when it is installed",
    "httpx": "the worker of `trigger demo`, whose ticket shop talks HTTP, runs in our own environment",
    "sniffio": "httpcore looks for it at each request and each lock, and that takes long when it is not there",
    "websockets": "uvicorn serves WebSockets with it",
    "uvloop": "uvicorn picks it up when it is installed",
}
"""Dependencies that no file of ours imports, and who does."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Return the import graph of all packages."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_import_contracts_hold(repository: Path) -> None:
    """`lint-imports` finds every contract kept."""
    lint_imports = Path(sys.executable).parent / "lint-imports"
    run = subprocess.run(
        [lint_imports, "--no-cache"], cwd=repository, capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_protocol_imports_nothing_else_of_the_sdk(graph: grimp.ImportGraph) -> None:
    """The tools import trigger_sdk.protocol; whatever it drags along would be imported with it."""
    protocol = {name for name in graph.modules if name.startswith("trigger_sdk.protocol")}
    offenders = {
        (importer, imported)
        for importer in protocol
        for imported in graph.find_modules_directly_imported_by(importer)
        if imported not in protocol
    }
    assert offenders == set()


def third_party(modules: list[Module], names: set[str]) -> set[str]:
    """Return what the packages ``names`` import from neither the standard library nor this house."""
    imported: set[str] = set().union(*(module.imported() for module in modules if module.package in names))
    return imported - set(sys.stdlib_module_names) - set(PACKAGES) - {"_typeshed"}  # type checkers have that one


def test_sdk_imports_two_libraries_only(modules: list[Module]) -> None:
    """pydantic and attrs are looked up in sys.modules, never imported: a user who has them has imported them."""
    assert third_party(modules, {"trigger_sdk"}) <= SDK_DEPENDENCIES


def declared(pyproject: Path) -> set[str]:
    """Return the names of a distribution's dependencies as import names."""
    project = read_toml(pyproject)["project"]
    optional = [line for lines in project.get("optional-dependencies", {}).values() for line in lines]
    requirements = [*project["dependencies"], *optional]
    names = {"".join(c if c.isalnum() or c in "-_" else " " for c in line).split()[0] for line in requirements}
    return {name.replace("-", "_") for name in names}


def test_every_import_is_declared(modules: list[Module], repository: Path) -> None:
    """What the tools import stands in pyproject.toml: nothing comes along by luck."""
    assert third_party(modules, set(PACKAGES) - {"trigger_sdk"}) <= declared(repository / "pyproject.toml")
    assert third_party(modules, {"trigger_sdk"}) <= declared(repository / "sdk" / "pyproject.toml")


def test_every_dependency_is_used(modules: list[Module], repository: Path) -> None:
    """What stands in pyproject.toml is imported, or loaded by a library that is."""
    tools = third_party(modules, set(PACKAGES) - {"trigger_sdk"})
    assert declared(repository / "pyproject.toml") - tools - set(LOADED_BY_NAME) - {"trigger_sdk"} == set()
    assert declared(repository / "sdk" / "pyproject.toml") == third_party(modules, {"trigger_sdk"})
