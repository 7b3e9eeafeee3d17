"""Modules are named after what they hold, and tests never shadow what they test."""

from pathlib import Path

from tests.architecture.source import PACKAGES, Module

SAY_NOTHING = {"manager", "managers", "helper", "helpers", "util", "utils", "common", "misc", "base"}
"""Words that tell no reader what is inside."""


def empty_words(path: Path) -> set[str]:
    """Return which parts of a path are, or end in, a word that says nothing."""
    stems = [part.removesuffix(".py").strip("_") for part in path.parts]
    return {stem for stem in stems if stem.rsplit("_", 1)[-1] in SAY_NOTHING}


def test_modules_are_named_after_what_they_hold(modules: list[Module], repository: Path) -> None:
    """No module, folder or test is called helpers, utils and the like."""
    tests = [path.relative_to(repository) for path in (repository / "tests").rglob("*.py")]
    offenders = {path for path in [*(module.path for module in modules), *tests] if empty_words(path)}
    assert offenders == set()


def test_tests_are_no_package(repository: Path) -> None:
    """There is no __init__.py under tests/: tests/engine/__init__.py would shadow the real engine."""
    assert list((repository / "tests").rglob("__init__.py")) == []


def test_templates_are_no_package(repository: Path) -> None:
    """templates/ is data: as a package in site-packages it would shadow a user's folder of that name."""
    assert not (repository / "templates" / "__init__.py").exists()


def test_every_shipped_package_is_a_regular_package(repository: Path) -> None:
    """Each has an __init__.py with a docstring; a namespace folder would merge with a user's."""
    missing = [name for name, folder in PACKAGES.items() if not (repository / folder / "__init__.py").exists()]
    assert missing == []


def test_every_module_says_what_it_is_for(modules: list[Module]) -> None:
    """Each file that holds code begins with a docstring."""
    first = {module.path: module.source.lstrip().startswith(('"""', 'r"""')) for module in modules if module.source}
    assert [path for path, documented in first.items() if not documented] == []
