"""The project's source files by content: what a save changed, if anything.

Watched are the Python files below the project's import roots, and ``trigger.toml``, ``pyproject.toml`` and ``.env`` in
its root. Hidden folders, virtual environments and installed packages are not looked into.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final, Literal

from devserver.dotenv import FILE_NAME as ENV_FILE
from trigger_sdk.protocol.project import PYPROJECT, TRIGGER_TOML, Project
from trigger_sdk.protocol.project_model import is_foreign_folder

CONFIGURATION: Final = (TRIGGER_TOML, PYPROJECT, ENV_FILE)
"""Files in the root that decide how the project runs."""

CLOCK_STEP_NS: Final = 50_000_000
"""Two writes within a step of the file system's clock leave the same time stamp; this is more than such a step."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Change:
    """A source file that is not as it was.

    Attributes:
        path: relative to the root, with ``/``.
        kind: what happened to it.
    """

    path: str
    kind: Literal["changed", "created", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A file as it was when it was last read.

    Attributes:
        stamp: its size, inode and times.
        digest: hash of its content.
        settled: False when it was written so recently that another write could leave the same stamp.
        size: in bytes.
    """

    stamp: tuple[int, int, int, int]
    digest: bytes
    settled: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at the files found.

    Attributes:
        changes: what differs from the last accepted look (all files, the first time), by path.
        folders: the folders that hold, or could come to hold, source files; absolute.
        settled: False when it looks like the middle of a save: a file is gone, or has become empty.
    """

    changes: list[Change]
    folders: frozenset[str]
    settled: bool
    files: dict[str, _Seen] = field(repr=False)


class Sources:
    """The project's source files as they were when they were last accepted.

    :meth:`look` may run on another thread, but one at a time; :meth:`accept` makes its result what is compared with.
    """

    def __init__(self, project: Project) -> None:
        """Take the project; nothing is read before :meth:`look`."""
        self.root = project.root
        self._roots = _outermost(project.import_roots)
        self._files: dict[str, _Seen] = {}
        self.folders: frozenset[str] = frozenset()

    def concerns(self, path: str) -> bool:
        """Tell whether something that happened to ``path`` (absolute) can matter: a source, or a folder of sources."""
        folder, name = os.path.split(path)
        if _is_source(name):
            return folder in self.folders
        if path in self.folders or (name in CONFIGURATION and folder == str(self.root)):
            return True
        return folder in self.folders and os.path.isdir(path) and not is_foreign_folder(Path(path))  # noqa: PTH112

    def look(self, touched: Iterable[str] = ()) -> Look:
        """Look through everything.

        Args:
            touched: paths whose content is to be read whatever their time stamps say.
        """
        again = set(touched)
        files: dict[str, _Seen] = {}
        folders: set[str] = set()
        for folder in self._roots:
            self._walk(str(folder), files, folders, again)
        for name in CONFIGURATION:
            self._read(str(self.root / name), files, again)
        return self._result(files, frozenset(folders))

    def glance(self, touched: Iterable[str]) -> Look:
        """Look at some files only; at everything when one of ``touched`` is a folder."""
        again = set(touched)
        if any(path in self.folders or os.path.isdir(path) for path in again):  # noqa: PTH112
            return self.look(again)
        files = {path: seen for path, seen in self._files.items() if path not in again}
        for path in again:
            self._read(path, files, again)
        return self._result(files, self.folders)

    def accept(self, look: Look) -> None:
        """Take what a look found as the state that the next one is compared with."""
        self._files = look.files
        self.folders = look.folders

    def _walk(self, folder: str, files: dict[str, _Seen], folders: set[str], again: set[str]) -> None:
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return  # gone, or not ours to read
        folders.add(folder)
        for entry in entries:
            try:
                if _is_source(entry.name):
                    self._read(entry.path, files, again)
                elif entry.is_dir(follow_symlinks=False) and not is_foreign_folder(Path(entry.path)):
                    self._walk(entry.path, files, folders, again)
            except OSError:
                continue

    def _read(self, path: str, files: dict[str, _Seen], again: set[str]) -> None:
        try:
            state = os.stat(path)  # noqa: PTH116 - thousands of files
        except OSError:
            return
        stamp = (state.st_size, state.st_ino, state.st_mtime_ns, state.st_ctime_ns)
        before = self._files.get(path)
        if before is not None and before.settled and before.stamp == stamp and path not in again:
            files[path] = before
            return
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - thousands of files
                content = file.read()
        except OSError:
            return
        settled = time.time_ns() - max(state.st_mtime_ns, state.st_ctime_ns) > CLOCK_STEP_NS
        digest = blake2b(content, digest_size=16).digest()
        files[path] = _Seen(stamp=stamp, digest=digest, settled=settled, size=len(content))

    def _result(self, files: dict[str, _Seen], folders: frozenset[str]) -> Look:
        changes = []
        settled = True
        for path, seen in files.items():
            before = self._files.get(path)
            if before is None:
                changes.append(Change(path=self._shown(path), kind="created"))
            elif before.digest != seen.digest:
                changes.append(Change(path=self._shown(path), kind="changed"))
                settled = settled and seen.size > 0
        for path in self._files.keys() - files.keys():
            changes.append(Change(path=self._shown(path), kind="deleted"))
            settled = False
        return Look(changes=sorted(changes), folders=folders, settled=settled, files=files)

    def _shown(self, path: str) -> str:
        return os.path.relpath(path, self.root).replace(os.sep, "/")


def _is_source(name: str) -> bool:
    return name.endswith(".py") and not name.startswith(".")  # editors keep locks and copies under hidden names


def _outermost(folders: Iterable[Path]) -> list[Path]:
    """Return those folders that do not lie in another one of them."""
    ordered = sorted(set(folders), key=lambda folder: len(folder.parts))
    kept: list[Path] = []
    for folder in ordered:
        if not any(folder.is_relative_to(other) for other in kept):
            kept.append(folder)
    return kept
