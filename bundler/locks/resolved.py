"""Locks that lack addresses or are none at all: uv completes them, from the indexes that it is configured for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bundler.locks.errors import LockInvalid, LockNotFound
from bundler.locks.fields import parse, read_bytes
from bundler.locks.model import Distribution, Folder, Kind, Lock, LockedFile, Registry
from bundler.locks.pylock import pylock_of
from bundler.locks.requirements_file import RequirementsFile, read_requirements_file, requirements_of
from bundler.locks.tools import Tools
from bundler.model import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a lock is read for; those that uv completes are completed for that.

    Attributes:
        project: the folder of the project.
        python: version of the image's Python.
        groups: dependency groups of the project that are wanted too.
        extras: extras of the project that are wanted too.
    """

    project: Path
    python: tuple[int, int]
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def read_requirements(path: Path, wanted: Wanted, tools: Tools) -> Lock:
    """Read a requirements file; uv finds the addresses, and without hashes what else is needed.

    Raises:
        LockNotFound, LockInvalid: it, or a file that it includes, cannot be read or understood.
        LockToolMissing, LockToolFailed: uv is not there, or finds no solution.
    """
    file = read_requirements_file(path)
    lock = _completed(file, "requirements", str(path), b"", wanted, tools)
    return replace(lock, notes=_notes(file, path.name))


def read_poetry_lock(path: Path, wanted: Wanted, tools: Tools) -> Lock:
    """Read a ``poetry.lock`` with poetry's exporter."""
    command = ["poetry", "export", "--format", "requirements.txt"]
    command += [word for name in wanted.groups for word in ("--with", name)]
    command += [word for name in wanted.extras for word in ("--extras", name)]
    return _exported(path, "poetry", command, wanted, tools)


def read_pdm_lock(path: Path, wanted: Wanted, tools: Tools) -> Lock:
    """Read a ``pdm.lock`` with pdm's exporter."""
    command = ["pdm", "export", "--format", "requirements", "--no-self", "--prod"]
    command += [word for name in (*wanted.groups, *wanted.extras) for word in ("--group", name)]
    return _exported(path, "pdm", command, wanted, tools)


def resolve(path: Path, wanted: Wanted, tools: Tools) -> Lock:
    """Resolve what a ``pyproject.toml`` requires, now. Two builds may then differ; the lock's notes say so.

    Raises:
        LockNotFound: its dependencies are in a table that only another tool understands.
        LockToolMissing, LockToolFailed: uv is not there, or finds no solution.
    """
    content = read_bytes(path)
    fields = parse(content, path)
    table = fields.table("project")
    if "dependencies" not in table and "dependencies" in fields.table("tool").table("poetry"):
        raise LockNotFound("the project has no poetry.lock", hint="Run `poetry lock`.", where=str(path))
    is_dynamic = "dependencies" in table.texts("dynamic")
    if not table.texts("dependencies") and not is_dynamic and not wanted.groups and not wanted.extras:
        return without_dependencies(path, wanted)
    options = [word for name in wanted.extras for word in ("--extra", name)]
    options += [word for name in wanted.groups for word in ("--group", f"{path}:{name}")]
    why = f"to resolve {path.name}, since there is no lock"
    text = tools.run(_command([str(path), *options], wanted), folder=wanted.project, why=why)
    lock = pylock_of(text, path=path, project=wanted.project, kind="resolved")
    note = f"{path.name} has no lock: its dependencies were resolved now, and may be others tomorrow; run `uv lock`"
    return replace(_with_sections(lock, wanted), notes=(note,))


def resolve_requirements(requirements: Sequence[str], wanted: Wanted, tools: Tools) -> tuple[Distribution, ...]:
    """Resolve requirements that no lock has, and return all that they come to; the same ones are resolved once.

    Args:
        requirements: such as ``msgspec>=0.19``.
        wanted: for what.
        tools: uv.

    Raises:
        LockToolMissing, LockToolFailed: uv is not there, or finds no solution.
    """
    if not requirements:
        return ()
    text = "".join(f"{line}\n" for line in sorted(requirements)).encode()
    answer = tools.run_once(
        _command(["-"], wanted), depends_on=_pyproject(wanted), folder=wanted.project,
        why="to find what trigger-sdk needs", given=text,
    )  # fmt: skip
    path = wanted.project / "pylock.toml"
    return pylock_of(answer, path=path, project=wanted.project, kind="resolved").distributions


def without_dependencies(path: Path, wanted: Wanted) -> Lock:
    """Return the lock of a project that needs nothing."""
    project = Distribution(name="project", source=Folder(path=wanted.project, is_package=False))
    return Lock(path=path, kind="resolved", digest=digest_of(b""), project=project, distributions=())


def _exported(path: Path, kind: Kind, command: Sequence[str], wanted: Wanted, tools: Tools) -> Lock:
    depends_on = [read_bytes(path), *_pyproject(wanted)]
    why = f"to read {path.name}"
    text = tools.run_once(command, depends_on=depends_on, folder=path.parent, why=why)
    file = requirements_of(text, path)
    lock = _completed(file, kind, "-", text, wanted, tools)
    # What the exporter prints may change with its version; what was locked does not.
    return replace(_with_sections(lock, wanted), digest=digest_of(read_bytes(path)), notes=_notes(file, path.name))


def _completed(
    file: RequirementsFile, kind: Kind, name: str, given: bytes, wanted: Wanted, tools: Tools
) -> Lock:  # fmt: skip
    if not file.lines:
        return replace(without_dependencies(file.path, wanted), kind=kind, digest=file.digest)
    hashes = file.hashes() if file.is_hashed else None
    options = [name] if hashes is None else [name, "--no-deps"]
    why = f"to find the files of {file.path.name}"
    if hashes is None:
        text = tools.run(_command(options, wanted), folder=wanted.project, why=why, given=given)
    else:
        # With hashes nothing but the addresses is found out.
        depends_on = [*file.files.values(), *_pyproject(wanted)]
        command = _command(options, wanted)
        text = tools.run_once(command, depends_on=depends_on, folder=wanted.project, why=why, given=given)
    lock = pylock_of(text, path=wanted.project / "pylock.toml", project=wanted.project, kind=kind, cache=tools.cache)
    lock = replace(lock, path=file.path, digest=file.digest)
    if hashes is None:
        return lock
    return replace(lock, distributions=tuple(_restricted(one, hashes, file.path) for one in lock.distributions))


def _pyproject(wanted: Wanted) -> list[bytes]:
    """Return the project's configuration, where indexes may be named; nothing when there is none."""
    path = wanted.project / "pyproject.toml"
    return [read_bytes(path)] if path.is_file() else []


def _command(options: Iterable[str], wanted: Wanted) -> list[str]:
    python = f"{wanted.python[0]}.{wanted.python[1]}"
    return [
        "uv", "pip", "compile", "--quiet", "--no-header", "--format", "pylock.toml", "--universal",
        "--python-version", python, *options,
    ]  # fmt: skip


def _restricted(entry: Distribution, hashes: dict[str, frozenset[str]], path: Path) -> Distribution:
    """Return a distribution with only those files whose hash the requirements file has."""
    if not isinstance(entry.source, Registry) and entry.name not in hashes:
        return entry
    allowed = hashes.get(entry.name, frozenset())
    wheels = tuple(wheel for wheel in entry.wheels if _is_allowed(wheel, allowed))
    sdist = entry.sdist if entry.sdist is not None and _is_allowed(entry.sdist, allowed) else None
    if not wheels and sdist is None:
        raise LockInvalid(
            f"no file of {entry} that the index has is one of those in {path.name}",
            hint="Somebody replaced the files, or the hashes are of another index: look into it, then lock again.",
            where=str(path),
        )
    return replace(entry, wheels=wheels, sdist=sdist)


def _is_allowed(file: LockedFile, allowed: frozenset[str]) -> bool:
    return bool(file.sha256s) and file.sha256s <= allowed


def _with_sections(lock: Lock, wanted: Wanted) -> Lock:
    """Return a lock that knows the groups and extras it was made for: their needs are among the project's."""
    project = replace(
        lock.project,
        extras=dict.fromkeys(wanted.extras, ()),
        groups=dict.fromkeys(wanted.groups, ()),
    )
    return replace(lock, project=project)


def _notes(file: RequirementsFile, name: str) -> tuple[str, ...]:
    if file.is_hashed or not file.lines:
        return ()
    if file.is_pinned:
        return (f"{name} has no hashes: what the index offers today was taken; make it with hashes",)
    return (f"{name} does not pin every version: it was resolved now, and may be another tomorrow; run `uv lock`",)
