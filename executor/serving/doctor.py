"""Looks at what a server needs, and says what is wrong with it. Changes nothing that is there."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from executor.serving.data_folder import NAME, holder_of
from executor.serving.databases import Databases, SqliteDatabases, databases_of
from executor.serving.options import ServerOptions
from executor.sockets import bind
from trigger_sdk.protocol.problem import TriggerError

State = Literal["ok", "warning", "failed"]

LITTLE_SPACE: Final = 1024 * 1024 * 1024
"""Free bytes below which the disk is worth a warning."""

_OTHERS: Final = 0o077
_DOCTOR: Final = "executor-doctor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    name: str
    state: State
    message: str
    hint: str = ""


def examine(options: ServerOptions) -> list[Finding]:
    """Return what was found, in the order in which a server needs it."""
    data = options.data.absolute()
    running = holder_of(data)
    findings = [_folder(data), _space(data), _server(running)]
    if not running:
        findings.append(_attempt("address", lambda: _address(options)))
    try:
        databases = databases_of(options.database, data, _DOCTOR)
    except TriggerError as error:
        return [*findings, _failed("database", error)]
    if isinstance(databases, SqliteDatabases) and not databases.path.exists():
        return [*findings, Finding(name="database", state="ok", message="there is none yet: the first start makes it")]
    findings.append(_attempt("database", lambda: _reach(databases)))
    if isinstance(databases, SqliteDatabases):
        findings += _integrity(databases)
    if all(one.state != "failed" for one in findings):
        findings.append(_keys(databases))
    return findings


def _folder(data: Path) -> Finding:
    if not data.exists():
        return Finding(name="data folder", state="ok", message=f"{data} is not there yet: the first start makes it")
    if not data.is_dir() or not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            name="data folder", state="failed", message=f"{data} cannot be written to", hint="Name another: --data DIR"
        )
    mode = data.stat().st_mode & 0o777
    if mode & _OTHERS:
        return Finding(
            name="data folder", state="warning", message=f"others on this machine may look into {data} ({mode:o})",
            hint=f"chmod 700 {data}",
        )  # fmt: skip
    unnamed = "" if (data / NAME).exists() else ", not used yet"
    return Finding(name="data folder", state="ok", message=f"{data}{unnamed}")


def _space(data: Path) -> Finding:
    there = next(folder for folder in (data, *data.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    message = f"{free / 1024**3:.1f} GiB are free"
    if free < LITTLE_SPACE:
        return Finding(name="disk", state="warning", message=message, hint="Runs stop when the disk is full.")
    return Finding(name="disk", state="ok", message=message)


def _server(running: str) -> Finding:
    return Finding(name="server", state="ok", message=f"process {running} runs" if running else "none runs")


def _address(options: ServerOptions) -> str:
    for listener in bind(options.host, options.port):
        listener.close()
    return f"{options.host}:{options.port} is free"


def _reach(databases: Databases) -> str:
    store = databases.access()
    try:
        count = len(store.environments())
    finally:
        store.close()
    return f"{databases.shown} answers, with {count} environments"


def _keys(databases: Databases) -> Finding:
    store = databases.access()
    try:
        keys = [key for key in store.list_keys() if key.revoked_at is None]
    except TriggerError as error:
        return _failed("keys", error)
    finally:
        store.close()
    admins = sum(key.purpose == "admin" and not key.environment for key in keys)
    if not admins:
        hint = "Make one: trigger server new-admin-key"
        return Finding(name="keys", state="failed", message="no admin key of the whole server is left", hint=hint)
    return Finding(name="keys", state="ok", message=f"{len(keys)} are good, {admins} of them for the whole server")


def _integrity(databases: SqliteDatabases) -> Iterator[Finding]:
    for file in databases.files():
        name = f"file {file.name}"
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as raw:
                row = raw.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            yield Finding(name=name, state="failed", message=str(error), hint="Restore a backup into a new folder.")
            continue
        if row is None or row[0] != "ok":
            told = "nothing" if row is None else str(row[0])
            yield Finding(name=name, state="failed", message=told, hint="Restore a backup into a new folder.")
        else:
            yield Finding(name=name, state="ok", message="intact")


def _attempt(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name=name, state="ok", message=look())
    except TriggerError as error:
        return _failed(name, error)


def _failed(name: str, error: TriggerError) -> Finding:
    return Finding(name=name, state="failed", message=error.problem.message, hint=error.problem.hint)
