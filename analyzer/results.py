"""What a check has found, module by module, with what each finding depends on: kept for the next check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct, field

from analyzer.facts.module import Broken, Suppression
from analyzer.model import Diagnostic, Job
from analyzer.rules.declarations import DeclaredCall, DeclaredJob, DeclaredZone

if TYPE_CHECKING:
    from analyzer.cache import FactsCache


class FunctionRows(Struct, frozen=True, array_like=True):
    """A function that was evaluated.

    Attributes:
        file: the module's file.
        index: its place in the module.
        first: its first line, decorators included.
        last: its last line.
        in_body: a job reaches it outside of tasks.
    """

    file: str
    index: int
    first: int
    last: int
    in_body: bool


class UnitResult(Struct, frozen=True, kw_only=True):
    """What one job, or the tasks of one module, gave.

    Attributes:
        diagnostics: findings in the body, or in the tasks' functions.
        jobs: the job; empty for tasks.
        calls: calls of the SDK that were met.
        zones: time zones that were met.
        silenced: suppressions that silenced something: file, line, code as it stands there.
        functions: what was evaluated.
        is_complete: False when there was more than the check follows.
    """

    diagnostics: tuple[Diagnostic, ...] = ()
    jobs: tuple[Job, ...] = ()
    calls: tuple[DeclaredCall, ...] = ()
    zones: tuple[DeclaredZone, ...] = ()
    silenced: frozenset[tuple[str, int, str]] = frozenset()
    functions: frozenset[FunctionRows] = frozenset()
    is_complete: bool = True


class ModuleResult(Struct, frozen=True, kw_only=True):
    """What one module of the project gave.

    Attributes:
        name: its dotted name; its path when it has none.
        imports: files of the modules that its text imports.
        needs: files on which all of this depends, its own included.
        suppressions: comments that silence diagnostics.
        broken: its syntax error, or None.
        jobs: the jobs whose functions stand in it.
        calls: calls of the SDK on import.
        zones: time zones on import.
        units: its jobs and its tasks; None when they were not asked for.
        is_complete: False when the modules that were imported with it did more than the check follows.
    """

    name: str
    imports: tuple[str, ...]
    needs: frozenset[str]
    suppressions: tuple[Suppression, ...] = ()
    broken: Broken | None = None
    jobs: tuple[DeclaredJob, ...] = ()
    calls: tuple[DeclaredCall, ...] = ()
    zones: tuple[DeclaredZone, ...] = ()
    units: tuple[UnitResult, ...] | None = None
    is_complete: bool = True


class FileState(Struct, frozen=True, array_like=True):
    """A file as it was read.

    Attributes:
        key: key of its content; empty when it could not be read.
        modified: time of its last change, nanoseconds; 0 when that cannot be relied on.
        size: bytes.
    """

    key: str
    modified: int = 0
    size: int = 0


class Results(Struct, frozen=True, kw_only=True):
    """All of one check.

    Attributes:
        basis: digest of all that the results depend on beside the project's files.
        modules: by file.
        files: the state in which each was read.
        folders: digest of the names in each folder that was searched for modules.
        registrars: files of modules that change what others have made when they are imported; they matter to all jobs.
        unreadable: files that could not be read, and why.
    """

    basis: str
    modules: dict[str, ModuleResult] = field(default_factory=dict)
    files: dict[str, FileState] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    registrars: frozenset[str] = frozenset()
    unreadable: dict[str, str] = field(default_factory=dict)


def _to_plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    message = f"cannot keep {type(value).__name__}"
    raise NotImplementedError(message)


def _from_plain(kind: type, value: Any) -> Any:
    if issubclass(kind, Path):
        return Path(value)
    message = f"cannot read {kind.__name__}"
    raise NotImplementedError(message)


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_to_plain)


class ResultsStore:
    """Keeps the results of the last check of each basis.

    Args:
        cache: the folder of kept things.
    """

    def __init__(self, cache: FactsCache) -> None:
        self._cache = cache
        self._decoder = msgspec.msgpack.Decoder(Results, dec_hook=_from_plain)

    def load(self, basis: str) -> Results | None:
        """Return the results of a basis, None when there are none that can be read."""
        found = self._cache.load(basis, self._decoder)
        return found if found is not None and found.basis == basis else None

    def save(self, results: Results) -> None:
        """Keep results; a folder that cannot be written is no reason to fail."""
        self._cache.store_bytes(results.basis, _ENCODER.encode(results))
