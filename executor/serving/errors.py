"""What hinders `trigger server` from starting, and its backups.

Error tree::

    ExecutorError
    ├── ServerSettingsInvalid  server-settings-invalid
    ├── LauncherUnsupported    launcher-unsupported
    ├── DatabaseUrlInvalid     database-url-invalid
    ├── DatabaseDriverMissing  database-driver-missing
    ├── DataFolderInUse        data-folder-in-use
    ├── DataFolderInvalid      data-folder-invalid
    ├── BackupInvalid          backup-invalid
    └── BackupFailed           backup-failed
"""

from __future__ import annotations

from executor.errors import ExecutorError


class ServerSettingsInvalid(ExecutorError):
    """A setting of `trigger server` is unknown, or has a value that it cannot have."""

    code = "server-settings-invalid"


class LauncherUnsupported(ExecutorError):
    """This release cannot start workers in this way."""

    code = "launcher-unsupported"
    hint = "Use --launcher process."


class DatabaseUrlInvalid(ExecutorError):
    """The address of the database is none, or of a kind that is not known."""

    code = "database-url-invalid"
    hint = "Use sqlite:///path/to/folder/server.db, or postgresql://user:password@host/database."


class DatabaseDriverMissing(ExecutorError):
    """The database's driver is not installed."""

    code = "database-driver-missing"
    hint = "Install it: pip install 'trigger-cli[postgres]'"


class DataFolderInUse(ExecutorError):
    """Another server uses the data folder."""

    code = "data-folder-in-use"
    hint = "Stop it, or give this one another folder: --data DIR"


class DataFolderInvalid(ExecutorError):
    """The data folder cannot be used."""

    code = "data-folder-invalid"


class BackupInvalid(ExecutorError):
    """The file is no backup of a server, or is damaged."""

    code = "backup-invalid"


class BackupFailed(ExecutorError):
    """A backup could not be made or restored; nothing was left half-done."""

    code = "backup-failed"
