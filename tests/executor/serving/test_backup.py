"""Backups while the server runs, restored elsewhere; archives that are damaged or hostile; what the doctor sees."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from executor.access.keys import id_of, is_well_formed
from executor.serving.backup import back_up, restore
from executor.serving.data_folder import DataFolder
from executor.serving.databases import PostgresDatabases, SqliteDatabases
from executor.serving.doctor import examine
from executor.serving.errors import BackupFailed, BackupInvalid, DataFolderInUse, DataFolderInvalid
from executor.serving.options import ServerOptions
from executor.serving.recovery import make_admin_key
from tests.fakes.keyed_house import keep_keyed_house


async def test_a_backup_of_a_running_server_is_restored_elsewhere(tmp_path: Path) -> None:
    """Runs, environments and keys are there; what came after the backup is not; the original is untouched."""
    old, new, file = tmp_path / "old", tmp_path / "new", tmp_path / "backup.tar"
    old.mkdir()
    async with keep_keyed_house(old) as house:
        key = await house.key("trigger")
        await house.worker(await house.key("worker"))
        runs = [(await house.ask(key, "POST", "/api/v1/jobs/a/runs", {"payload": n})).json()["id"] for n in range(30)]
        assert back_up(SqliteDatabases(old / "server.db"), file) == ["server.db", "server-prod.db"]
        later = (await house.ask(key, "POST", "/api/v1/jobs/a/runs", {"payload": "later"})).json()["id"]
        admin = house.admin
    assert file.stat().st_mode & 0o777 == 0o600
    assert restore(file, new) == ["server.db", "server-prod.db"]
    async with keep_keyed_house(new, admin=admin) as house:
        assert house.server.first_key is None
        listed = (await house.ask(key, "GET", "/api/v1/runs?limit=200")).json()["runs"]
        assert {run["id"] for run in listed} == set(runs)
        assert (await house.ask(key, "GET", f"/api/v1/runs/{later}")).status_code == 404
        assert (await house.ask(admin, "GET", "/api/v1/keys")).status_code == 200


async def test_nothing_is_written_over(tmp_path: Path) -> None:
    """Neither a file by a backup, nor a server by a restore."""
    async with keep_keyed_house(tmp_path):
        back_up(SqliteDatabases(tmp_path / "server.db"), tmp_path / "b.tar")
    before = (tmp_path / "b.tar").read_bytes()
    with pytest.raises(BackupFailed):
        back_up(SqliteDatabases(tmp_path / "server.db"), tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == before
    with pytest.raises(BackupFailed):
        restore(tmp_path / "b.tar", tmp_path)
    with DataFolder.take(tmp_path / "x"), pytest.raises(DataFolderInUse):
        restore(tmp_path / "b.tar", tmp_path / "x")


def test_what_cannot_be_backed_up_says_so(tmp_path: Path) -> None:
    """PostgreSQL has tools of its own; where nothing is, nothing is written."""
    with pytest.raises(BackupFailed, match="PostgreSQL"):
        back_up(PostgresDatabases("postgresql://h/d", "x"), tmp_path / "b.tar")
    with pytest.raises(BackupFailed):
        back_up(SqliteDatabases(tmp_path / "server.db"), tmp_path / "b.tar")
    assert list(tmp_path.iterdir()) == []


def archive(path: Path, contents: object, *members: tuple[str, bytes, bytes]) -> Path:
    """Write an archive with contents and (name, data, type) members."""
    data = json.dumps(contents).encode()
    with tarfile.open(path, "w") as tar:
        for name, body, kind in (("backup.json", data, tarfile.REGTYPE), *members):
            entry = tarfile.TarInfo(name)
            entry.size, entry.type, entry.linkname = len(body), kind, "/etc/passwd"
            tar.addfile(entry, io.BytesIO(body))
    return path


def described(**files: bytes) -> dict[str, object]:
    """Return the contents of a backup with these files."""
    return {"format": 1, "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}


def written(path: Path, data: bytes) -> Path:
    """Write a file."""
    path.write_bytes(data)
    return path


HOSTILE: dict[str, Callable[[Path], Path]] = {
    "no archive": lambda path: written(path, b"x" * 2000),
    "empty": lambda path: written(path, b""),
    "no contents": lambda path: archive(path, [1]),
    "newer": lambda path: archive(path, {"format": 2, "files": {"server.db": ""}}),
    "path outside": lambda path: archive(
        path, described(**{"server.db": b"", "../x.db": b""}), ("server.db", b"", tarfile.REGTYPE)
    ),
    "missing": lambda path: archive(path, described(**{"server.db": b"a"})),
    "wrong digest": lambda path: archive(path, described(**{"server.db": b"a"}), ("server.db", b"b", tarfile.REGTYPE)),
    "a link": lambda path: archive(path, described(**{"server.db": b""}), ("server.db", b"", tarfile.SYMTYPE)),
    "no database": lambda path: archive(
        path, described(**{"server.db": b"x" * 4096}), ("server.db", b"x" * 4096, tarfile.REGTYPE)
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_archives_that_are_no_backups_are_refused(tmp_path: Path, kind: str) -> None:
    """Nothing of them lands anywhere."""
    file = HOSTILE[kind](tmp_path / "b.tar")
    with pytest.raises(BackupInvalid):
        restore(file, tmp_path / "data")
    assert list((tmp_path / "data").glob("*.db")) == []
    assert {path.name for path in tmp_path.iterdir()} == {"b.tar", "data"}


async def test_the_doctor_sees_what_is_wrong(tmp_path: Path) -> None:
    """Nothing yet, all well, a running server, a damaged file, no admin key left, a folder open to others."""
    options = ServerOptions(data=tmp_path / "data", port=0)
    assert {finding.state for finding in examine(options)} == {"ok"}
    assert not options.data.exists()
    options.data.mkdir(mode=0o700)
    async with keep_keyed_house(options.data) as house:
        await house.ask(house.admin, "GET", "/api/v1/runs", environment="prod")
        assert {finding.state for finding in examine(options)} == {"ok"}
        await house.revoke(house.admin)
    findings = {finding.name: finding for finding in examine(options)}
    assert findings["keys"].state == "failed"
    assert "new-admin-key" in findings["keys"].hint
    options.data.chmod(0o755)
    assert examine(options)[0].state == "warning"
    prod = options.data / "server-prod.db"
    prod.write_bytes(b"SQLite format 3\0" + b"\xff" * 8192)
    assert {finding.name: finding.state for finding in examine(options)}["file server-prod.db"] == "failed"
    with DataFolder.take(options.data):
        assert any("process" in finding.message for finding in examine(options) if finding.name == "server")


async def test_a_new_admin_key_is_made_beside_a_running_server(tmp_path: Path) -> None:
    """For whoever can write to the database; it is on record, and only where there is a server."""
    options = ServerOptions(data=tmp_path)
    with pytest.raises(DataFolderInvalid):
        make_admin_key(options)
    async with keep_keyed_house(tmp_path) as house:
        await house.revoke(house.admin)
        key = make_admin_key(options)
        assert is_well_formed(key)
        acts = (await house.ask(key, "GET", "/api/v1/audit")).json()["acts"]
        assert (acts[0]["action"], acts[0]["target"]) == ("new-admin-key", id_of(key))


async def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    """And not touched."""
    async with keep_keyed_house(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / "server.db")) as raw:
        raw.execute("UPDATE access_format SET format = 99")
        raw.commit()
    with pytest.raises(Exception, match="99"):
        async with keep_keyed_house(tmp_path):
            pass
