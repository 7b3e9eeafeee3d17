"""An admin key for whoever may write to the database, when all others are lost."""

from __future__ import annotations

from engine.clock import SystemClock
from executor.access.keys import new_key
from executor.serving.databases import SqliteDatabases, databases_of
from executor.serving.errors import DataFolderInvalid
from executor.serving.options import ServerOptions


def make_admin_key(options: ServerOptions) -> str:
    """Make an admin key of all environments; returns its text, which is kept nowhere. The server may be running.

    DataFolderInvalid: there is no server yet. DatabaseUnreachable, StoreUnavailable.
    """
    databases = databases_of(options.database, options.data.absolute(), "recovery")
    if isinstance(databases, SqliteDatabases) and not databases.path.is_file():
        raise DataFolderInvalid(
            "there is no server's database", hint="Start the server: its first start prints a key.",
            where=databases.shown,
        )  # fmt: skip
    at = SystemClock().now()
    text, key = new_key("", "admin", at=at, note="trigger server new-admin-key")
    store = databases.access()
    try:
        store.add_key(key)
        store.begin_act(
            {"at": at, "key": "", "environment": "", "action": "new-admin-key", "target": key.id, "address": ""}
        )
    finally:
        store.close()
    return text
