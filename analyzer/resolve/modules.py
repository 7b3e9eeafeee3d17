"""The project's modules by name: found below the import roots, read when they are first needed."""

from __future__ import annotations

import codecs
import errno
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.facts.module import ModuleFacts
from analyzer.facts.read import read_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from analyzer.cache import FactsCache

_FOREIGN: Final = frozenset(("site-packages", "dist-packages", "node_modules", "__pycache__", "__pypackages__"))


class SourceModule:
    """A module of the project.

    Attributes:
        name: dotted name.
        path: its file; None for a namespace package.
        folders: where its submodules are; empty when it is no package.
    """

    __slots__ = ("_facts", "_read", "folders", "name", "path")

    def __init__(self, name: str, path: Path | None, folders: tuple[str, ...], read: Callable[[], ModuleFacts]) -> None:
        self.name = name
        self.path = path
        self.folders = folders
        self._read = read
        self._facts: ModuleFacts | None = None

    @property
    def facts(self) -> ModuleFacts:
        """What its text says; read on first use."""
        if self._facts is None:
            self._facts = self._read()
        return self._facts

    @property
    def is_read(self) -> bool:
        """Whether the facts were needed."""
        return self._facts is not None

    @property
    def package(self) -> str:
        """The name that relative imports start from."""
        return self.name if self.folders else self.name.rpartition(".")[0]

    def __repr__(self) -> str:
        return f"<module {self.name}>"


class ModuleTable:
    """Finds the project's modules as Python's path finder would.

    A regular package or module wins over a namespace folder, the first root over the next. Modules compiled into the
    interpreter (``time``, ``sys``) cannot be shadowed; a namespace folder loses against an installed library.

    Args:
        roots: import roots, the first wins.
        texts: unsaved text by resolved path, in the place of what is on disk.
        cache: keeps facts between checks, or None.
        is_library: tells the names of installed libraries (top level).
    """

    def __init__(
        self,
        roots: Iterable[Path],
        *,
        texts: Mapping[Path, str],
        cache: FactsCache | None,
        is_library: Callable[[str], bool],
    ) -> None:
        self._roots = tuple(os.fspath(root) for root in roots)
        self._texts = {os.fspath(path): text for path, text in texts.items()}
        self._text_folders = {os.path.dirname(path) for path in self._texts}
        self._cache = cache
        self._is_library = is_library
        self._modules: dict[str, SourceModule | None] = {}
        self.listings: dict[str, frozenset[str]] = {}
        self.unreadable: dict[Path, str] = {}

    def find(self, name: str) -> SourceModule | None:
        """Return the project's module of a dotted name, or None when it is not the project's."""
        if name in self._modules:
            return self._modules[name]
        parent, _, last = name.rpartition(".")
        found = None
        if parent:
            package = self.find(parent)
            if package is not None and package.folders:
                found = self._search(name, last, package.folders)
        elif last not in sys.builtin_module_names:
            found = self._search(name, last, self._roots)
            if found is not None and found.path is None and self._is_library(name):
                found = None
        self._modules[name] = found
        return found

    def at(self, path: Path, name: str) -> SourceModule:
        """Return the module of a file, known under ``name``."""
        found = self.find(name) if name else None
        if found is not None and found.path == path:
            return found
        key = name or os.fspath(path)
        known = self._modules.get(key)
        if known is None or known.path != path:
            folders = (os.fspath(path.parent),) if path.name == "__init__.py" else ()
            known = self._modules[key] = self._module(key, path, folders)
        return known

    def read(self) -> list[SourceModule]:
        """Return the modules whose text was needed."""
        return [module for module in self._modules.values() if module is not None and module.is_read]

    @property
    def names(self) -> Mapping[str, SourceModule | None]:
        """Every name that was asked for, with what it was."""
        return self._modules

    def _search(self, name: str, last: str, folders: Iterable[str]) -> SourceModule | None:
        portions = []
        for folder in folders:
            listing = self.listing(folder)
            if last in listing:
                below = os.path.join(folder, last)
                if "__init__.py" in self.listing(below):
                    return self._module(name, Path(below, "__init__.py"), (below,))
                if last not in _FOREIGN and "pyvenv.cfg" not in self.listing(below) and self.listing(below):
                    portions.append(below)
            if f"{last}.py" in listing:
                return self._module(name, Path(folder, f"{last}.py"), ())
        if portions:
            return SourceModule(name, None, tuple(portions), lambda: read_facts(""))
        return None

    def listing(self, folder: str) -> frozenset[str]:
        """Return the names in a folder, unsaved files included; empty when it is none."""
        listing = self.listings.get(folder)
        if listing is None:
            try:
                names = set(os.listdir(folder))
            except OSError:
                names = set()
            if self._text_folders:
                names.update(os.path.basename(path) for path in self._texts if os.path.dirname(path) == folder)
                start = folder.rstrip(os.sep) + os.sep
                names.update(
                    below[len(start) :].partition(os.sep)[0] for below in self._text_folders if below.startswith(start)
                )
            listing = self.listings[folder] = frozenset(names)
        return listing

    def _module(self, name: str, path: Path, folders: tuple[str, ...]) -> SourceModule:
        return SourceModule(name, path, folders, lambda: self._facts(path))

    def _facts(self, path: Path) -> ModuleFacts:
        try:
            content = self.content(path)
        except OSError as error:
            self.unreadable[path] = _why_unreadable(path, error)
            return read_facts("")
        return read_facts(content) if self._cache is None else self._cache.facts(content, read_facts)

    def content(self, path: Path) -> bytes:
        """Return a file's bytes, or the unsaved text's.

        Raises:
            OSError: it cannot be read.
        """
        text = self._texts.get(os.fspath(path))
        if text is None:
            return read_file(path)
        content = text.encode("utf-8", "surrogatepass")
        # What a coding comment says is true of the file, not of the text: the mark wins over it.
        return codecs.BOM_UTF8 + content if b"coding" in content[:400] else content


def _why_unreadable(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT and path.is_symlink():
        return f"it is a link to {path.readlink()}, which is not there"
    return error.strerror or str(error)


def read_file(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        OSError: it cannot be read; a pipe or device is no file.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return path.read_bytes()
