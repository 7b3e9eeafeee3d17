"""``uv.lock``: the whole graph, for all platforms and Pythons."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import parse_qs, urlsplit, urlunsplit

from bundler.cache import Cache
from bundler.locks.errors import LockInvalid, LockStale
from bundler.locks.fields import Fields, filename_of, parse, place_of, read_bytes
from bundler.locks.freshness import require_fresh
from bundler.locks.model import (
    Archive,
    Dependency,
    Distribution,
    Folder,
    Git,
    Lock,
    LockedFile,
    Registry,
    Source,
    SourceFile,
    WheelFile,
)
from bundler.locks.repositories import git_source
from bundler.model import digest_of

_KNOWN_VERSION: Final = "1"
_SOURCES: Final = ("registry", "git", "url", "path", "directory", "editable", "virtual")
F = TypeVar("F", bound=LockedFile)


def read_uv_lock(path: Path, project: Path, cache: Cache | None = None) -> Lock:
    """Read a ``uv.lock``.

    Args:
        path: the file, in the project or at the root of its workspace.
        project: the folder of the project.
        cache: keeps what was read; None to read it each time.

    Raises:
        LockNotFound: it cannot be read.
        LockInvalid: it cannot be understood.
        LockStale: it has no entry for the project, or does not know what the project requires.
    """
    content = read_bytes(path)
    fields = parse(content, path, cache)
    version = str(fields.size("version"))
    if version != _KNOWN_VERSION:
        raise LockInvalid(
            f"the lock has version {version}, and version {_KNOWN_VERSION} is known",
            hint="Update trigger-cli, or lock with a uv that it knows.",
            where=str(path),
        )
    root = path.parent
    entries = [_distribution(entry, root) for entry in fields.tables("package")]
    own = [entry for entry in entries if isinstance(entry.source, Folder) and _same(entry.source.path, project)]
    if not own:
        own = _without_entry(fields, root, project)
    if len(own) != 1:
        raise LockStale(f"the lock has no entry for the project in '{project.name}'", where=str(path))
    if own[0] in entries:
        # An override goes before what the project requires.
        overridden = {each.name() for each in fields.table("manifest").tables("overrides")}
        others = [entry for entry in entries if entry is not own[0] and entry.name not in overridden]
        require_fresh(path, project, _known(fields, own[0]), others)
    return Lock(
        path=path,
        kind="uv",
        digest=digest_of(content),
        requires_python=fields.text("requires-python"),
        project=own[0],
        distributions=tuple(entry for entry in entries if entry is not own[0]),
    )


def _known(fields: Fields, own: Distribution) -> set[str]:
    """Return the names of what the project required when it was locked, its own name included."""
    needed = [*own.requires, *(each for extra in own.extras.values() for each in extra)]
    found = {own.name, *(each.name for each in needed)}
    for entry in fields.tables("package"):
        if entry.name() == own.name:
            # With requirements that no Python and no platform of the lock needs.
            found |= {each.name() for each in entry.table("metadata").tables("requires-dist")}
    return found


def _without_entry(fields: Fields, root: Path, project: Path) -> list[Distribution]:
    """Return the entry of a workspace's root that is no project itself: all members, and the root's groups."""
    manifest = fields.table("manifest")
    if not _same(root, project) or not manifest.listed():
        return []
    requires = (*(Dependency(name=name) for name in manifest.texts("members")), *_dependencies(manifest, root))
    groups = manifest.table("dependency-groups")
    return [
        Distribution(
            name="workspace",
            source=Folder(path=root, is_package=False),
            requires=requires,
            groups={key: _dependencies(groups, root, key) for key in groups.listed()},
        )
    ]


def _distribution(entry: Fields, root: Path) -> Distribution:
    name = entry.name()
    source = _source(entry.table("source"), root)
    sdist = _file(entry.table("sdist"), source, root, SourceFile) if "sdist" in entry else None
    if sdist is not None and not sdist.filename.endswith((".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")):
        sdist = None
    extras, groups = entry.table("optional-dependencies"), entry.table("dev-dependencies")
    return Distribution(
        name=name,
        version=entry.text("version"),
        source=source,
        wheels=tuple(_file(wheel, source, root, WheelFile) for wheel in entry.tables("wheels")),
        sdist=sdist,
        requires=_dependencies(entry, root, "dependencies"),
        extras={key: _dependencies(extras, root, key) for key in extras.listed()},
        groups={key: _dependencies(groups, root, key) for key in groups.listed()},
    )


def _dependencies(table: Fields, root: Path, key: str = "requirements") -> tuple[Dependency, ...]:
    return tuple(
        Dependency(
            name=entry.name(),
            extras=frozenset((*entry.texts("extra"), *entry.texts("extras"))),
            marker=entry.text("marker"),
            version=entry.text("version"),
            source=_source(entry.table("source"), root) if "source" in entry else None,
        )
        for entry in table.tables(key)
    )


def _source(table: Fields, root: Path) -> Source:
    keys = table.listed()
    kind = next((key for key in _SOURCES if key in keys), "")
    value = table.text(kind, required=True) if kind else ""
    if kind == "registry":
        return Registry(index=value)
    if kind == "git":
        return _git(value, table)
    if kind in {"url", "path"}:
        return Archive(location=value if kind == "url" else str(place_of(root, value, table.where)))
    if kind:
        path = place_of(root, value, table.where)
        return Folder(path=path, is_editable=kind == "editable", is_package=kind != "virtual")
    raise LockInvalid(f"a source of an unknown kind: {', '.join(keys) or 'none'}", where=table.where)


def _git(value: str, table: Fields) -> Git:
    try:
        parts = urlsplit(value)
    except ValueError:
        raise LockInvalid("an address of a repository that is none", where=table.where) from None
    subdirectory = parse_qs(parts.query).get("subdirectory", [""])[0]
    url = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    return git_source(url, parts.fragment, subdirectory, table.where)


def _file(table: Fields, source: Source, root: Path, kind: type[F]) -> F:
    url, path = table.text("url"), table.text("path")
    location = url or path or (source.location if isinstance(source, Archive) else "")
    filename = table.text("filename") or filename_of(location, table.where)
    place: Path | None = None
    if path:
        base = root
        if isinstance(source, Registry) and "://" not in source.index:
            base = place_of(root, source.index, table.where)
        place = place_of(base, path, table.where)
    elif not url and isinstance(source, Archive):
        url, place = ("", Path(location)) if "://" not in location else (location, None)
    return kind(filename=filename, url=url, path=place, sha256s=table.sha256("hash"), size=table.size("size"))


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
