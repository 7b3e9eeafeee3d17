"""What a wheel built of a folder depends on."""

from pathlib import Path

import pytest

from bundler.wheels.source_tree import digest_of_tree

PYPROJECT = """[project]
name = "part"
version = "1.0"

[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the sources of a distribution that a usual backend builds."""
    root = tmp_path / "part"
    (root / "src/part").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "src/part/__init__.py").write_text("x = 1\n")
    return root


def test_same_sources_have_one_digest(folder: Path, tmp_path: Path) -> None:
    """Wherever they lie; caches and version control are no part of them."""
    before = digest_of_tree(folder)
    assert len(before) == 64
    (folder / "src/part/__pycache__").mkdir()
    (folder / "src/part/__pycache__/x.pyc").write_bytes(b"x")
    (folder / ".git").mkdir()
    (folder / ".git/HEAD").write_text("x")
    assert digest_of_tree(folder.rename(tmp_path / "elsewhere")) == before


@pytest.mark.parametrize("place", ["src/part/__init__.py", "src/part/data.bin", "README.md", "pyproject.toml"])
def test_changed_file_is_another_digest(folder: Path, place: str) -> None:
    """Any file may be what a backend reads."""
    before = digest_of_tree(folder)
    (folder / place).write_text(f"{PYPROJECT}\n# more\n")
    assert digest_of_tree(folder) not in {before, ""}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hatchling.build", "backend"),
        ('"]', '", "hatch-vcs"]'),
        ("[build-system]", "[build-system]\nbackend-path = ['.']"),
        ("[project]", "[tool.hatch.version]\nsource = 'vcs'\n[project]"),
        ("[project]", "[tool.hatch.build.hooks.custom]\n[project]"),
        ("[project]", "[tool.hatch.build.force-include]\n'../x' = 'x'\n[project]"),
        ("[project]", "[["),
    ],
)
def test_what_depends_on_more_has_no_digest(folder: Path, old: str, new: str) -> None:
    """Unknown backends, plugins, hooks, versions of a repository, files of other folders: it is built each time."""
    (folder / "pyproject.toml").write_text(PYPROJECT.replace(old, new))
    assert digest_of_tree(folder) == ""


def test_link_that_leads_out_has_no_digest(folder: Path, tmp_path: Path) -> None:
    """To a file and to a folder."""
    (tmp_path / "other").mkdir()
    (folder / "linked").symlink_to(tmp_path / "other")
    assert digest_of_tree(folder) == ""
    (folder / "linked").unlink()
    (tmp_path / "other.py").write_text("x")
    (folder / "linked.py").symlink_to(tmp_path / "other.py")
    assert digest_of_tree(folder) == ""


def test_program_of_setuptools_has_no_digest(folder: Path) -> None:
    """A setup.py may do anything."""
    (folder / "pyproject.toml").write_text(
        PYPROJECT.replace("hatchling.build", "setuptools.build_meta").replace("hatchling>=1.27", "setuptools")
    )
    assert digest_of_tree(folder)
    (folder / "setup.py").write_text("")
    assert digest_of_tree(folder) == ""
