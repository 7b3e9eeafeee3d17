"""A PostgreSQL server of a test's own: its data in a temporary folder, its own port and socket, ended by its pid."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from engine.store.migration import HEAD
from engine.store.postgres.migration import migrate
from engine.store.schema import metadata
from tests.fakes.dev_process import free_port

_TEMPLATE = "trigger_template"


def programs() -> Path | None:
    """Return the folder of the newest server's programs, or None when there is no server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    inside = shutil.which("postgres")
    return None if inside is None else Path(inside).parent


class PostgresServer:
    """A server. It runs as the user ``postgres`` where the tests are root's, whom PostgreSQL refuses.

    ``fsync``: False is quicker, and loses data when the machine stops; not when only the server is killed.
    """

    def __init__(self, bin_folder: Path, *, fsync: bool = False, **settings: str) -> None:
        self._bin = bin_folder
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.folder = Path(tempfile.mkdtemp(prefix="trigger-pg-"))
        self.port = free_port()
        self._settings = {"fsync": "on" if fsync else "off", "max_connections": "300"} | settings
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count()
        self._free: list[str] = []
        shutil.chown(self.folder, self._user)
        self._run(["initdb", "--pgdata", str(self.folder / "data"), "--auth", "trust", "--username", "trigger",
                   "--encoding", "UTF8", "--no-sync"])  # fmt: skip

    def _run(self, command: list[str]) -> None:
        subprocess.run(
            [str(self._bin / command[0]), *command[1:]], check=True, capture_output=True, cwd=self.folder, **self._as()
        )

    def _as(self) -> dict[str, Any]:
        return {"user": self._user, "group": self._user, "extra_groups": []} if os.geteuid() == 0 else {}

    def start(self) -> PostgresServer:
        """Start, and wait until it answers."""
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._bin / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
                 "-k", str(self.folder), "-c", "listen_addresses=127.0.0.1", *settings],
                stdout=log, stderr=log, cwd=self.folder, **self._as(),
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.02)
                    raise AssertionError((self.folder / "log").read_text()[-2000:]) from None
            else:
                return self

    def url(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://trigger@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute SQL outside any transaction; return the rows."""
        with psycopg.connect(self.url(database), autocommit=True) as raw:
            cursor = raw.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def create_database(self, *, empty: bool = False) -> str:
        """Create a database, with the tables unless ``empty``; return its address."""
        name = f"test_{next(self._names)}"
        if not empty and not self.execute(f"SELECT 1 FROM pg_database WHERE datname = '{_TEMPLATE}'"):
            self.execute(f"CREATE DATABASE {_TEMPLATE}")
            migrate(self.url(_TEMPLATE), HEAD)
        self.execute(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else _TEMPLATE}")
        return self.url(name)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lend a database with empty tables; used again afterwards, since to create one takes long."""
        url = self._free.pop() if self._free else self.create_database()
        yield url
        with psycopg.connect(url) as raw:
            names = [name for name in metadata.tables if name != "pulse"]
            raw.execute("; ".join(f"DELETE FROM {name}" for name in names))
            raw.execute("UPDATE pulse SET board = 0, news = 0")
            raw.execute("ALTER SEQUENCE numbers RESTART")
        self._free.append(url)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT ends sessions in order, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Crash: all the server's processes end at once, as after SIGKILL, and memory is lost."""
        self.stop(signal.SIGQUIT)

    def close(self) -> None:
        """End, and remove the data."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)
