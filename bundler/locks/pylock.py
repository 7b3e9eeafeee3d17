"""``pylock.toml`` (PEP 751): a flat list, each entry with the marker that says when it is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeVar

from packaging.version import InvalidVersion, Version

from bundler.cache import Cache
from bundler.locks.errors import LockInvalid
from bundler.locks.fields import Fields, checked_sha256, filename_of, parse, place_of, read_bytes
from bundler.locks.model import (
    Archive,
    Dependency,
    Distribution,
    Folder,
    Kind,
    Lock,
    LockedFile,
    Registry,
    Source,
    SourceFile,
    WheelFile,
)
from bundler.locks.repositories import git_source
from bundler.model import digest_of

_KNOWN_MAJOR: Final = 1
F = TypeVar("F", bound=LockedFile)


def read_pylock(path: Path, project: Path, cache: Cache | None = None) -> Lock:
    """Read a ``pylock.toml`` or ``pylock.NAME.toml``; a cache keeps what was read.

    Raises:
        LockNotFound: it cannot be read.
        LockInvalid: it cannot be understood.
    """
    return pylock_of(read_bytes(path), path=path, project=project, cache=cache)


def pylock_of(content: bytes, *, path: Path, project: Path, kind: Kind = "pylock", cache: Cache | None = None) -> Lock:
    """Return what a document in the format of ``pylock.toml`` says.

    Args:
        content: the document.
        path: where it is, or what it was made of: paths in it are relative to that.
        project: the folder of the project; an entry that is this folder is the project and no dependency.
        kind: who wrote it.
        cache: keeps what was read; None to read it each time.
    """
    fields = parse(content, path, cache)
    _check_version(fields)
    entries = [(_distribution(entry, path.parent), entry.text("marker")) for entry in fields.tables("packages")]
    others = [(entry, marker) for entry, marker in entries if not _is_project(entry, project)]
    every = tuple(
        Dependency(name=entry.name, marker=marker, version=entry.version, source=entry.source)
        for entry, marker in others
    )
    return Lock(
        path=path,
        kind=kind,
        digest=digest_of(content),
        requires_python=fields.text("requires-python"),
        project=Distribution(
            name="project",
            source=Folder(path=project, is_package=False),
            requires=every,
            # Which entries a group or an extra adds is in their markers.
            extras=dict.fromkeys(fields.texts("extras"), ()),
            groups=dict.fromkeys(fields.texts("dependency-groups"), ()),
        ),
        distributions=tuple(entry for entry, _ in others),
    )


def _check_version(fields: Fields) -> None:
    version = fields.text("lock-version", required=True)
    try:
        known = Version(version).major == _KNOWN_MAJOR
    except InvalidVersion:
        known = False
    if not known:
        raise LockInvalid(
            f"the lock has version '{version}', and version {_KNOWN_MAJOR} is known",
            hint="Update trigger-cli, or lock for a version that it knows.",
            where=fields.where,
        )


def _distribution(entry: Fields, root: Path) -> Distribution:
    return Distribution(
        name=entry.name(),
        version=entry.text("version"),
        source=_source(entry, root),
        wheels=(
            *(_file(wheel, root, WheelFile) for wheel in entry.tables("wheels")),
            *_archived_wheel(entry, root),
        ),
        sdist=_file(entry.table("sdist"), root, SourceFile) if "sdist" in entry else _archived_sources(entry, root),
    )


def _source(entry: Fields, root: Path) -> Source:
    if "vcs" in entry:
        vcs = entry.table("vcs")
        if vcs.text("type", required=True) != "git":
            raise LockInvalid(f"repositories of '{vcs.text('type')}' are not supported", where=vcs.where)
        url = vcs.text("url") or str(place_of(root, vcs.text("path", required=True), vcs.where))
        commit = vcs.text("commit-id", required=True)
        return git_source(url, commit, vcs.text("subdirectory"), vcs.where)
    if "directory" in entry:
        folder = entry.table("directory")
        path = place_of(root, f"{folder.text('path', required=True)}/{folder.text('subdirectory')}", folder.where)
        return Folder(path=path, is_editable=folder.flag("editable"))
    if "archive" in entry:
        archive = entry.table("archive")
        place = "" if archive.text("url") else archive.text("path", required=True)
        return Archive(location=archive.text("url") or str(place_of(root, place, archive.where)))
    return Registry(index=entry.text("index"))


def _archived_wheel(entry: Fields, root: Path) -> tuple[WheelFile, ...]:
    if "archive" not in entry:
        return ()
    file = _file(entry.table("archive"), root, WheelFile)
    return (file,) if file.filename.endswith(".whl") else ()


def _archived_sources(entry: Fields, root: Path) -> SourceFile | None:
    if "archive" not in entry:
        return None
    file = _file(entry.table("archive"), root, SourceFile)
    return None if file.filename.endswith(".whl") else file


def _file(table: Fields, root: Path, kind: type[F]) -> F:
    url, path = table.text("url"), table.text("path")
    if not url and not path:
        raise LockInvalid("a file with neither 'url' nor 'path'", where=table.where)
    hashes = table.table("hashes")
    sha256 = hashes.text("sha256")
    return kind(
        filename=table.text("name") or filename_of(url or path, table.where),
        url=url,
        path=None if url else place_of(root, path, table.where),
        sha256s=checked_sha256(sha256, hashes.where) if sha256 else frozenset(),
        size=table.size("size"),
    )


def _is_project(entry: Distribution, project: Path) -> bool:
    return isinstance(entry.source, Folder) and os.path.realpath(entry.source.path) == os.path.realpath(project)
