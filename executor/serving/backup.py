"""Backups of a server on SQLite: one file with all its databases, made while the server runs.

A backup is a tar archive of ``backup.json`` (format, time, SHA-256 of each file) and the databases, each as it was at
one moment. It holds payloads and results in the clear and the hashes of keys: it is written for its owner only.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any, Final

from executor.serving.data_folder import DataFolder
from executor.serving.databases import FILE, Databases, SqliteDatabases
from executor.serving.errors import BackupFailed, BackupInvalid
from trigger_sdk.protocol.version import VERSION

FORMAT: Final = 1
CONTENTS: Final = "backup.json"

_NAME: Final = re.compile(r"server(?:-[a-z0-9_]+)?\.db")
_CHUNK: Final = 1024 * 1024
_LARGEST_CONTENTS: Final = 1024 * 1024


def back_up(databases: Databases, target: Path) -> list[str]:
    """Write a backup; returns the names of the databases in it. BackupFailed: ``target`` is as it was."""
    if not isinstance(databases, SqliteDatabases):
        raise BackupFailed(
            "the server's database is PostgreSQL, which has backups of its own", hint="Use pg_dump or pg_basebackup."
        )
    files = databases.files()
    if not files or files[0] != databases.path:
        raise BackupFailed("there is no server's database", where=databases.shown)
    if target.exists():
        raise BackupFailed("there is such a file already", hint="Name another: --to FILE", where=str(target))
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".trigger-backup-") as scratch:
            copies = [_copy(file, Path(scratch) / _name_in(databases, file)) for file in files]
            whole = Path(scratch) / "backup.tar"
            _pack(copies, whole)
            whole.replace(target)
            _sync(target.absolute().parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"the backup could not be written: {error}", where=str(target)) from error
    return [copy.name for copy in copies]


def _name_in(databases: SqliteDatabases, file: Path) -> str:
    return "server" + file.name.removeprefix(databases.path.stem)


def _copy(file: Path, target: Path) -> Path:
    """Copy a database as it is at one moment, whoever writes to it meanwhile."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy, pages=-1)
        # Not in WAL mode, so that the copy is one file whatever opens it.
        copy.execute("PRAGMA journal_mode = DELETE")
    return target


def _pack(copies: list[Path], whole: Path) -> None:
    contents = {
        "format": FORMAT,
        "release": VERSION,
        "at": int(time.time()),
        "files": {copy.name: _digest(copy) for copy in copies},
    }
    data = json.dumps(contents, indent=2).encode()
    descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            head = tarfile.TarInfo(CONTENTS)
            head.size, head.mode = len(data), 0o600
            archive.addfile(head, io.BytesIO(data))
            for copy in copies:
                entry = tarfile.TarInfo(copy.name)
                entry.size, entry.mode = copy.stat().st_size, 0o600
                with copy.open("rb") as source:
                    archive.addfile(entry, source)
        file.flush()
        os.fsync(file.fileno())


def restore(backup: Path, data: Path) -> list[str]:
    """Put a backup's databases into a data folder that has none; returns their names.

    Raises:
        BackupInvalid: the file is no backup, or is damaged.
        BackupFailed: the folder holds a server's database, or cannot be written to.
        DataFolderInUse, DataFolderInvalid.
    """
    with DataFolder.take(data) as folder:
        if list(folder.path.glob("server*.db")):
            raise BackupFailed(
                "the data folder holds a server's database",
                hint="Restore into a new folder: --data DIR",
                where=str(folder.path),
            )
        scratch = Path(tempfile.mkdtemp(dir=folder.path, prefix=".restore-"))
        try:
            names = _unpack(backup, scratch)
            # The one of keys comes last: without it there is no server to start on half of the files.
            for name in sorted(names, key=lambda name: name == FILE):
                (scratch / name).replace(folder.path / name)
            _sync(folder.path)
        except OSError as error:
            raise BackupFailed(f"the backup could not be restored: {error}", where=str(data)) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return names


def _unpack(backup: Path, scratch: Path) -> list[str]:
    """Write the databases of a backup into a folder; nothing in the archive says where."""
    try:
        with tarfile.open(backup, "r:") as archive:
            wanted = _contents(archive, backup)
            for name, digest in wanted.items():
                member = archive.next()
                if member is None or member.name != name or not member.isreg():
                    raise BackupInvalid(f"the backup lacks {name}", where=str(backup))
                source = archive.extractfile(member)
                if source is None or _write(source, scratch / name) != digest:
                    raise BackupInvalid(f"{name} is damaged in the backup", where=str(backup))
    except (tarfile.TarError, EOFError) as error:
        raise BackupInvalid(f"the file is no backup: {error}", where=str(backup)) from error
    for name in wanted:
        _check_database(scratch / name, name)
    return list(wanted)


def _contents(archive: tarfile.TarFile, backup: Path) -> dict[str, str]:
    head = archive.next()
    data: Any = None
    if head is not None and head.name == CONTENTS and head.isreg() and head.size <= _LARGEST_CONTENTS:
        source = archive.extractfile(head)
        with suppress(ValueError):
            data = json.loads(source.read()) if source is not None else None
    if not isinstance(data, dict) or not isinstance(data.get("files"), dict) or FILE not in data["files"]:
        raise BackupInvalid("the file is no backup of a server", where=str(backup))
    if data.get("format") != FORMAT:
        raise BackupInvalid(
            f"the backup has format {data.get('format')}; this release knows format {FORMAT}", where=str(backup)
        )
    files: dict[str, str] = data["files"]
    if not all(_NAME.fullmatch(name) for name in files):
        raise BackupInvalid("the backup names files that no server has", where=str(backup))
    return files


def _write(source: IO[bytes], target: Path) -> str:
    digest = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _check_database(path: Path, name: str) -> None:
    try:
        with closing(sqlite3.connect(path)) as raw:
            found = raw.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.Error as error:
        raise BackupInvalid(f"{name} is no database: {error}", where=name) from error
    if found is None or found[0] != "ok":
        raise BackupInvalid(f"{name} is damaged in the backup", where=name)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
