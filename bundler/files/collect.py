"""Which files of a project go into its image: its own Python files, its configuration, and the data that it includes.

What is a project's own Python file is decided by :meth:`trigger_sdk.protocol.project.Project.is_project_file`, as for
runs on this machine and for the check: what can be imported here can be imported in the image.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bundler.errors import FilesRefused
from bundler.files.never import is_never_file, is_never_folder, is_never_folder_name
from bundler.files.patterns import Patterns
from bundler.files.walk import Found, walk
from bundler.model import ProjectFile
from trigger_sdk.protocol.problem import Problem
from trigger_sdk.protocol.project import PYPROJECT, TRIGGER_TOML
from trigger_sdk.protocol.project_model import is_foreign_folder

if TYPE_CHECKING:
    from bundler.files.patterns import Pattern
    from bundler.settings import BundleSettings
    from trigger_sdk.protocol.project import Project

MAX_FILE_BYTES: Final = 1 << 30
"""Size over which a file is refused (1 GiB): registries and engines choke on larger ones."""

MAX_ENTRIES: Final = 1_000_000
"""Files and folders after which the search ends."""

MAX_LINKED_ENTRIES: Final = 10_000
"""The same of those below links to folders: links that lead across make more of them than anyone can list."""

SOURCE_SUFFIX: Final = ".py"

_LOGIN: Final = re.compile(rb"""[a-z]://[^\s/:@"'$]+:[^\s/@"'$]+@""")
"""A name and a password in an address; what a variable stands for is none."""

_CONFIGURATION: Final = frozenset((TRIGGER_TOML, PYPROJECT))
"""Files in the root that say what the project is; they are read in the image as they are here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What goes into the image, and what does not.

    Attributes:
        root: the project's root.
        files: sorted by their place in the project.
        exclude: the patterns that left out what else would be there.
        left_out: data files that no pattern includes, sorted; those that are never shipped are not among them.
        notes: what the user should know: patterns without effect, files that are never shipped.
    """

    root: Path
    files: tuple[ProjectFile, ...]
    exclude: Patterns = field(default_factory=Patterns)
    left_out: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def collect(project: Project, settings: BundleSettings, *, max_file_bytes: int = MAX_FILE_BYTES) -> Selection:
    """Find the files of a project that go into its image.

    Args:
        project: the project.
        settings: what it includes and excludes.
        max_file_bytes: size over which a file is refused.

    Raises:
        FilesRefused: links that lead out of the project, pipes and devices, files that cannot be read or are too
            large, names that are no text; all of them in ``problems``.
    """
    collecting = _Collecting(project, settings, max_file_bytes)
    collecting.check_roots()
    for found in walk(project.root, enters=collecting.enters):
        collecting.take(found)
    if collecting.problems:
        raise FilesRefused.of(sorted(collecting.problems, key=lambda problem: problem.where))
    return collecting.selection()


class _Collecting:
    """Decides file by file."""

    def __init__(self, project: Project, settings: BundleSettings, max_file_bytes: int) -> None:
        self._project = project
        self._root = os.path.realpath(project.root)
        self._include = settings.include
        self._exclude = settings.exclude
        self._max_file_bytes = max_file_bytes
        self._named = settings.include.literals
        self._unused: list[Pattern] = [pattern for pattern in settings.include.patterns if not pattern.takes_back]
        self._never: list[str] = []
        self._files: list[ProjectFile] = []
        self._left_out: list[str] = []
        self._seen = 0
        self._linked = 0
        self._judged: dict[Path, bool] = {}
        self.problems: list[Problem] = []

    def check_roots(self) -> None:
        """Refuse import roots that lie outside: an image holds what is below the project's root."""
        for root in self._project.import_roots:
            if not root.is_relative_to(self._project.root):
                self._refuse(
                    f"the source root {root} lies outside the project, and an image holds what is below {self._root}",
                    "Move the configuration file up to a folder that holds both, or depend on the other as a package.",
                    self._project.config_file.name if self._project.config_file else str(root),
                )

    def enters(self, found: Found) -> bool:
        """Tell whether to look into a folder."""
        self._count(found)
        name = found.place.rpartition("/")[2]
        if is_never_folder(name, Path(found.real) if found.is_link else found.path) or self._is_never(found):
            if name in self._named and self._include.match(found.place):
                self._never.append(found.place)
            return False
        if self._exclude.match(found.place) and (found.outside or not self._exclude.has_taken_back):
            return False
        if found.outside:
            self._outside_folder(found)
            return False
        if name in self._named:
            return True
        # What is below a folder that was named is asked for too: only the folder itself is judged.
        if found.is_link:
            return self._project.is_project_file(Path(found.real, "module.py"))
        return not is_foreign_folder(found.path)

    def take(self, found: Found) -> None:
        """Decide about a file, a folder that cannot be read, or another thing."""
        self._count(found)
        if not self._is_wanted(found):
            return
        if self._exclude.match(found.place) and found.place not in _CONFIGURATION:
            return
        problem = self._name_fault(found) or self._fault(found)
        if problem is not None:
            self._refuse(*problem, found.place)
            return
        is_executable = bool(found.mode & stat.S_IXUSR)
        self._files.append(
            ProjectFile(place=found.place, source=found.path, size=found.size, is_executable=is_executable)
        )

    def _is_wanted(self, found: Found) -> bool:
        """Tell whether something would go in if nothing excluded it."""
        name = found.place.rpartition("/")[2]
        if found.is_folder:
            # It cannot be listed: nobody knows what is in it, but for folders that would not have been looked into.
            return name in self._named or not (name.startswith(".") or is_never_folder_name(name))
        is_included = self._include.match(found.place)
        if is_never_file(name) or self._is_never(found):
            if is_included and name in self._named:
                self._never.append(found.place)
            return False
        self._unused = [each for each in self._unused if not Patterns(patterns=(each,)).match(found.place)]
        is_source = name.endswith(SOURCE_SUFFIX) and self._project.is_project_file(found.path)
        if is_source or is_included or found.place in _CONFIGURATION:
            return True
        if stat.S_ISREG(found.mode):
            self._left_out.append(found.place)
        return False

    def _count(self, found: Found) -> None:
        self._seen += 1
        self._linked += found.is_below_link
        if self._linked > MAX_LINKED_ENTRIES:
            raise FilesRefused(
                f"links to folders in the project lead to more than {MAX_LINKED_ENTRIES} files and folders",
                hint="Exclude links that lead across, or put the files themselves in their place.",
                where=found.place,
            )
        if self._seen > MAX_ENTRIES:
            raise FilesRefused(
                f"the project has more than {MAX_ENTRIES} files and folders",
                hint="Exclude folders of data.",
                where=found.place,
            )

    def selection(self) -> Selection:
        """Return what was decided."""
        notes = [
            _note(
                f"{place!r} is never shipped, though `include` names it: it is a secret, version control, or a cache",
                "Take it out of `include`; set environment variables where the image runs.",
                place,
            )
            for place in sorted(self._never)
        ]
        hint = "Correct it: patterns are relative to the project's root, and `**/` is any folder."
        notes += [
            _note(f"the pattern {pattern.text!r} in `include` matches no file that can go in", hint, "include")
            for pattern in self._unused
            if not self._names_never(pattern.literals)
        ]
        notes += [note for file in self._files if file.place in _CONFIGURATION for note in _login_notes(file)]
        return Selection(
            root=self._project.root,
            files=tuple(sorted(self._files)),
            exclude=self._exclude,
            left_out=tuple(sorted(self._left_out)),
            notes=tuple(notes),
        )

    def _names_never(self, literals: frozenset[str]) -> bool:
        return any(name in place.split("/") for place in self._never for name in literals)

    def _is_never(self, found: Found) -> bool:
        """Tell whether a link leads to something in the project that is never shipped."""
        if not found.is_link or found.outside or not found.real:
            return False
        folder = found.real if found.is_folder else os.path.dirname(found.real)  # noqa: PTH120 - a link's own path
        return self._is_in_never(folder) or (not found.is_folder and is_never_file(Path(found.real).name))

    def _is_in_never(self, folder: str) -> bool:
        """Tell whether a folder of the project, by its real path, is one that is never shipped, or lies in one."""
        trail: list[Path] = []
        path = Path(folder)
        while path not in self._judged and path != Path(self._root):
            trail.append(path)
            path = path.parent
        is_never = self._judged.get(path, False)
        for each in reversed(trail):
            is_never = self._judged[each] = is_never or is_never_folder(each.name, each)
        return is_never

    def _outside_folder(self, found: Found) -> None:
        """Refuse a link to a folder outside when something in it would go in."""
        name = found.place.rpartition("/")[2]
        is_wanted = self._include.match(found.place) or self._include.match(f"{found.place}/x")
        if is_wanted or (name.isidentifier() and _holds_python(found.path)):
            self._refuse(*_outside(found), found.place)

    def _name_fault(self, found: Found) -> tuple[str, str] | None:
        """Return what is wrong with a name."""
        try:
            found.place.encode()
        except UnicodeEncodeError:
            return f"the name {_encodable(found.place)} is no UTF-8 text", "Rename it."
        return _outside(found) if found.outside else None

    def _fault(self, found: Found) -> tuple[str, str] | None:
        """Return what is wrong with a file that is to go in, and what to do."""
        if found.error:
            return f"{found.place} cannot be read: {found.error}", _READABLE
        if not stat.S_ISREG(found.mode):
            return f"{found.place} is {_kind(found.mode)}, and no file", "Exclude it, or remove it."
        if not os.access(found.path, os.R_OK):
            return f"{found.place} cannot be read: you may not", _READABLE
        if found.size > self._max_file_bytes:
            size, most = found.size // 1_000_000, self._max_file_bytes // 1_000_000
            hint = "Exclude it, and fetch it from an object store where it is needed."
            return f"{found.place} has {size} MB; files of more than {most} MB do not go into images", hint
        return None

    def _refuse(self, message: str, hint: str, where: str) -> None:
        self.problems.append(Problem(code=FilesRefused.code, message=message, hint=hint, where=_encodable(where)))


_READABLE: Final = "Exclude it, or make it readable for yourself."


def _note(message: str, hint: str, where: str) -> Problem:
    return Problem(code="files-left-out", message=message, hint=hint, where=_encodable(where))


def _login_notes(file: ProjectFile) -> list[Problem]:
    """Return what to tell of a configuration that goes in and has a login in it, such as that of a package index."""
    try:
        lines = file.source.read_bytes().splitlines()
    except OSError:
        return []  # whoever packs it says so
    return [
        Problem(
            code="login-shipped",
            message=f"{file.place} goes into the image, and has a login in an address",
            hint="Take it out: uv and pip read logins from netrc and from variables such as UV_INDEX_NAME_PASSWORD.",
            where=f"{file.place}:{row}",
        )
        for row, line in enumerate(lines, 1)
        if _LOGIN.search(line)
    ]


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _outside(found: Found) -> tuple[str, str]:
    message = f"{found.place} is a link to {found.real}, which lies outside the project"
    return message, "Exclude it, or put the files themselves in its place."


def _kind(mode: int) -> str:
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    return kinds.get(stat.S_IFMT(mode), "something else")


_LOOKED_AT: Final = 2000
"""Entries of a folder outside that are looked at: it may be a disk."""


def _holds_python(folder: Path) -> bool:
    """Tell whether a folder has a Python file, as far as can be told quickly."""
    left, seen = [folder], 0
    while left:
        try:
            with os.scandir(left.pop(0)) as entries:
                for entry in entries:
                    seen += 1
                    if entry.name.endswith(SOURCE_SUFFIX):
                        return True
                    if seen > _LOOKED_AT:
                        return False
                    if entry.name.isidentifier() and entry.is_dir(follow_symlinks=False):
                        left.append(Path(entry.path))
        except OSError:
            continue
    return False
