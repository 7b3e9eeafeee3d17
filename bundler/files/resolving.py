"""One import to what it comes to in the image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from analyzer.facts.read import read_facts
from analyzer.resolve.modules import SourceModule
from bundler.files.distribution_names import hint_for, normalized
from bundler.files.stdlib import is_stdlib, missing_because, successor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analyzer.resolve.modules import ModuleTable
    from bundler.files.collect import Selection
    from bundler.files.import_statements import Import

_COMPILED: Final = (".so", ".pyd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something that the image will not have: what is wrong, and what to do."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an import comes to.

    Attributes:
        files: files of the project that it runs.
        distributions: names of the locked distributions that it takes from.
        missing: what it would not find.
    """

    files: tuple[Path, ...] = ()
    distributions: frozenset[str] = frozenset()
    missing: tuple[Missing, ...] = ()


class Known:
    """What the image has.

    Args:
        selection: the project's files that go in.
        python: version of its Python.
        distributions: modules of locked distributions to the distributions' names.
    """

    def __init__(self, *, selection: Selection, python: tuple[int, int], distributions: Mapping[str, str]) -> None:
        self.selection = selection
        self.python = python
        self.distributions = distributions
        self.sources = {os.fspath(file.source) for file in selection.files}
        self.folders = {
            os.fspath(folder)
            for file in selection.files
            if file.place.endswith((".py", *_COMPILED))
            for folder in file.source.parents
        }
        self._tops = {name.partition(".")[0] for name in distributions}

    def has_module(self, top: str) -> bool:
        """Tell whether the standard library or a locked distribution has a module of that top-level name."""
        return top in self._tops or is_stdlib(top, self.python)

    def distribution_of(self, name: str) -> str | None:
        """Return the distribution that has a module, or one below it; None when none does."""
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            found = self.distributions.get(".".join(parts[:count]))
            if found is not None:
                return found
        return next((each for key, each in self.distributions.items() if key.startswith(f"{name}.")), None)


class Resolver:
    """Finds what imports come to: of the project first, then of the standard library, then of distributions.

    Args:
        modules: the project's modules as they are here.
        known: what the image has.
        roots: folders that the project's modules are imported from.
    """

    def __init__(self, modules: ModuleTable, known: Known, roots: Iterable[Path]) -> None:
        self._modules = modules
        self._known = known
        self._top = SourceModule("", None, tuple(os.fspath(root) for root in roots), lambda: read_facts(""))

    def resolve(self, statement: Import, package: str) -> Outcome:
        """Return what an import comes to.

        Args:
            statement: the import.
            package: dotted name of the package that the importing file is in; empty at the top level.
        """
        base = statement.module
        if statement.level:
            parts = package.split(".") if package else []
            if statement.level > len(parts):
                shown = "." * statement.level + statement.module
                message = f"{shown!r} is imported, and that is above the package {package!r}" if package else (
                    f"{shown!r} is imported relatively, from a file that is in no package"
                )  # fmt: skip
                return _missing(message, "Import it by its full name.")
            base = ".".join([*parts[: len(parts) - statement.level + 1], *([base] if base else [])])
        if not base or base == "__main__":
            return Outcome()
        if self._module(base.partition(".")[0]) is not None:
            return self._of_project(base, statement.names)
        return self._of_others(base, statement.names)

    def files_of(self, name: str) -> list[Path]:
        """Return the file of a module of the project, when it has one that goes in."""
        module = self._modules.find(name)
        return [module.path] if module is not None and module.path is not None else []

    def is_all_there(self, prefix: str) -> bool:
        """Tell whether every module whose name begins with a dotted name is in the image, as far as there are any."""
        if not prefix:
            return False
        module = self._module(prefix.partition(".")[0])
        if module is None:
            return is_stdlib(prefix, self._known.python) or self._known.distribution_of(prefix) is not None
        found = self._modules.find(prefix)
        if found is None:
            return False
        below = (Path(folder, name) for folder in found.folders for name in self._modules.listing(folder))
        return all(os.fspath(path) in self._known.sources for path in below if path.suffix == ".py")

    def _module(self, top: str) -> SourceModule | None:
        """Return the project's module of a top-level name; None for a folder that has no module in it."""
        module = self._modules.find(top)
        if module is None or module.path is not None:
            return module
        return module if any(self._holds_modules(folder) for folder in module.folders) else None

    def _holds_modules(self, folder: str) -> bool:
        """Tell whether a folder has modules that go in, or lost them to a pattern."""
        names = self._modules.listing(folder)
        return folder in self._known.folders or any(name.endswith((".py", *_COMPILED)) for name in names)

    def _of_project(self, base: str, names: tuple[str, ...]) -> Outcome:
        files: list[Path] = []
        parts = base.split(".")
        module: SourceModule | None = None
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            above, module = module, self._modules.find(name)
            if module is None:
                return self._not_in_package(name, above, files)
            fault = self._left_out(name, module)
            if fault is not None:
                return Outcome(files=tuple(files), missing=(fault,))
            files += [module.path] if module.path is not None else []
        missing: list[Missing] = []
        for each in names if module is not None and module.folders else ():
            name = f"{base}.{each}"
            below = self._modules.find(name)
            if below is None:
                if module is not None and module.path is None and not self._compiled(module, each):
                    missing += self._not_in_package(name, module, []).missing
                continue
            fault = self._left_out(name, below)
            missing += [fault] if fault is not None else []
            files += [below.path] if below.path is not None and fault is None else []
        return Outcome(files=tuple(files), missing=tuple(missing))

    def _left_out(self, name: str, module: SourceModule) -> Missing | None:
        """Return the fault when a module that is here does not go in."""
        if module.path is None or os.fspath(module.path) in self._known.sources:
            return None
        selection = self._known.selection
        place = self._place(module.path)
        pattern = selection.exclude.deciding(place)
        if pattern is None:
            message = f"{name!r} is imported, and its file {place} does not go into the image"
            return Missing(message=message, hint=f'Add it: include = ["{place}"], or move it out of that folder.')
        message = f"{name!r} is imported, and its file {place} is excluded by the pattern {pattern.text!r}"
        return Missing(message=message, hint=f'Take it back after that pattern: exclude = [..., "!{place}"].')

    def _place(self, path: Path) -> str:
        root = self._known.selection.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()

    def _not_in_package(self, name: str, above: SourceModule | None, files: list[Path]) -> Outcome:
        """Return the outcome for a module that is not in the package of the project that it should be in."""
        package, _, last = name.rpartition(".")
        if above is None or not above.folders:
            message = f"{name!r} is imported, and {package!r} is a module of the project, no package"
            return Outcome(files=tuple(files), missing=(Missing(message=message, hint="Correct the import."),))
        compiled = self._compiled(above, last)
        if compiled is not None:
            if os.fspath(compiled) in self._known.sources:
                return Outcome(files=tuple(files))
            place = self._place(compiled)
            message = f"{name!r} is imported, and its compiled file {place} does not go into the image"
            hint = f'Add it: include = ["{place}"]; it must be built for the image\'s Python and platform.'
            return Outcome(files=tuple(files), missing=(Missing(message=message, hint=hint),))
        siblings = {entry.removesuffix(".py") for folder in above.folders for entry in self._modules.listing(folder)}
        close = get_close_matches(last, sorted(siblings), n=1, cutoff=0.7)
        hint = f"Did you mean {package}.{close[0]}?" if close else "Create it, or correct the import."
        message = f"{name!r} is imported, and the project's package {package!r} has no such module"
        return Outcome(files=tuple(files), missing=(Missing(message=message, hint=hint),))

    def _compiled(self, package: SourceModule, last: str) -> Path | None:
        """Return the compiled module of a name in a package."""
        for folder in package.folders:
            for entry in sorted(self._modules.listing(folder)):
                if entry.startswith(f"{last}.") and entry.endswith(_COMPILED):
                    return Path(folder, entry)
        return None

    def _of_others(self, base: str, names: tuple[str, ...]) -> Outcome:
        known = self._known
        top = base.partition(".")[0]
        wanted = (base, *(f"{base}.{name}" for name in names))
        if is_stdlib(top, known.python):
            gone = next((each for each in wanted if missing_because(each, known.python)), "")
            return _missing(f"{gone!r} {missing_because(gone, known.python)}", _GONE) if gone else Outcome()
        if base in known.distributions or known.distribution_of(base) is not None:
            return self._of_distributions(base, names)
        reason = missing_because(base, known.python)
        if reason:
            other = successor(base)
            if other in map(normalized, known.distributions.values()):
                return Outcome(distributions=frozenset((other,)))
            hint = f"Add {other} to the dependencies, and lock again; or import something else." if other else _GONE
            return _missing(f"{top!r} {reason}", hint)
        if self._compiled(self._top, top) is not None:
            return self._not_in_package(top, self._top, [])
        shown = base if top in {"google", "azure"} else top
        return _missing(
            f"{shown!r} is imported, and no file of the project, module of Python {'.'.join(map(str, known.python))} "
            "or locked distribution has that name",
            self._elsewhere(top) or hint_for(shown, known.distributions),
        )

    def _elsewhere(self, top: str) -> str:
        """Return a hint when a module of that name lies in a folder that the project does not import from."""
        endings = (f"/{top}.py", f"/{top}/__init__.py")
        for file in self._known.selection.files:
            place = f"/{file.place}"
            if place.endswith(endings):
                folder = place.removesuffix(endings[0]).removesuffix(endings[1]).strip("/")
                dotted = ".".join([*folder.split("/"), top])
                root = f'source_roots = ["{folder}"]'
                return f"There is {file.place}: import it as {dotted}, or set {root} in the configuration."
        return ""

    def _of_distributions(self, base: str, names: tuple[str, ...]) -> Outcome:
        """Return the outcome where a distribution has the module, or modules in it that distributions share."""
        known = self._known
        parts = base.split(".")
        if not names or any(".".join(parts[:count]) in known.distributions for count in range(1, len(parts) + 1)):
            found = known.distribution_of(base)
            return Outcome(distributions=frozenset((found,) if found else ()))
        # The module is shared: each name is a module in it.
        owners = {f"{base}.{name}": known.distribution_of(f"{base}.{name}") for name in names}
        missing = tuple(
            Missing(
                message=f"{name!r} is imported, and no locked distribution has it",
                hint=hint_for(name, known.distributions),
            )
            for name, owner in owners.items()
            if owner is None
        )
        return Outcome(distributions=frozenset(owner for owner in owners.values() if owner), missing=missing)


_GONE: Final = "Guard the import with try and except ImportError, or choose a base image with another Python."


def _missing(message: str, hint: str) -> Outcome:
    return Outcome(missing=(Missing(message=message, hint=hint),))
