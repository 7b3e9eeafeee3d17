"""What never goes into an image, whatever the settings say: secrets, version control, environments, caches, images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trigger_sdk.protocol.project_model import STATE_FOLDER

if TYPE_CHECKING:
    from pathlib import Path

_FOLDERS: Final = frozenset(
    (
        STATE_FOLDER,
        *(".git", ".hg", ".svn", ".bzr", ".jj", ".sl", ".pijul", "_darcs", "CVS"),
        *("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"),
        *(".tox", ".nox", ".cache", ".ipynb_checkpoints", ".pytype", ".pyre", "__pypackages__"),
        *("site-packages", "dist-packages"),
    )
)

_FILES: Final = frozenset((".git", ".DS_Store", "Thumbs.db", ".coverage", ".netrc", ".pypirc"))
"""``.git`` is a file in a worktree and in a submodule."""

_ENV: Final = ".env"
_COMPILED: Final = (".pyc", ".pyo")
_CACHE_TAG: Final = "CACHEDIR.TAG"
"""File by which a program marks a folder as its cache."""
_IMAGES: Final = "oci-layout"
"""File in a folder of images, such as an earlier build has left: an image would hold all before it."""


def is_never_folder(name: str, path: Path) -> bool:
    """Tell whether nothing in a folder goes into an image."""
    return (
        is_never_folder_name(name)
        or (path / "pyvenv.cfg").is_file()
        or (path / "conda-meta").is_dir()
        or (path / _CACHE_TAG).is_file()
        or (path / _IMAGES).is_file()
    )


def is_never_folder_name(name: str) -> bool:
    """Tell whether nothing in a folder of that name goes into an image, whatever is in it."""
    return name in _FOLDERS or name.startswith(_ENV)


def is_never_file(name: str) -> bool:
    """Tell whether a file of that name goes into no image."""
    return name in _FILES or name.startswith(_ENV) or name.endswith(_COMPILED)
