"""What the engine refuses, and why.

Error tree::

    EngineError
    ├── RunNotFound          run-not-found
    ├── RunFinal             run-final
    ├── RunNotResumable      run-not-resumable
    ├── LeaseLost            lease-lost
    ├── SessionUnknown       session-unknown
    ├── ValueOverLimit       value-over-limit
    ├── InvalidValue         invalid-value
    ├── InvalidOptions       invalid-options
    ├── InvalidEntry         invalid-entry
    ├── InvalidCursor        invalid-cursor
    ├── JournalConflict      journal-conflict
    ├── IllegalMove          illegal-move
    ├── EngineClosed         engine-closed
    └── StoreError           store-error
        ├── StoreUnavailable store-unavailable
        ├── StoreBusy        store-busy
        ├── DatabaseNewer    database-newer
        ├── DatabaseInvalid  database-invalid
        ├── DatabaseLocked   database-locked
        ├── DatabaseUnsupported database-unsupported
        └── DatabaseUnreachable database-unreachable
"""

from __future__ import annotations

from trigger_sdk.protocol.problem import TriggerError


class EngineError(TriggerError):
    """The root of the engine's errors. Raised before anything is written."""

    code = "engine-error"


class RunNotFound(EngineError):
    """No run has this id."""

    code = "run-not-found"
    hint = "List the runs to find its id; runs are deleted some time after their end."


class RunFinal(EngineError):
    """The run has ended, and what was asked needs one that has not."""

    code = "run-final"
    hint = "Resume it if it failed, or replay it as a new run."


class RunNotResumable(EngineError):
    """Only a run that failed, crashed or timed out can be resumed."""

    code = "run-not-resumable"
    hint = "Resume works on failed, crashed and timed-out runs. Replay starts any run again, as a new one."


class LeaseLost(EngineError):
    """The writer's right to the run is over; nothing was written."""

    code = "lease-lost"
    hint = "Drop the run: it ended, or another worker has it."


class SessionUnknown(EngineError):
    """The session is not open, or its lease ran out."""

    code = "session-unknown"
    hint = "Open the session again."


class ValueOverLimit(EngineError):
    """A payload, result or entry that reached the engine exceeds the limit: its sender did not check."""

    code = "value-over-limit"
    hint = "Put large data into a file or an object store, and pass its address."


class InvalidValue(EngineError):
    """Bytes are not an encoded value."""

    code = "invalid-value"
    hint = "Use a worker and a server of the same release."


class InvalidOptions(EngineError):
    """An option of a run is out of range."""

    code = "invalid-options"
    hint = "Correct the option that the message names."


class InvalidEntry(EngineError):
    """A worker sent an entry that a worker cannot write."""

    code = "invalid-entry"
    hint = "Use a worker and a server of the same release."


class InvalidCursor(EngineError):
    """The cursor is not one that a page of a list gave."""

    code = "invalid-cursor"
    hint = "Leave the cursor out to start from the first page."


class JournalConflict(EngineError):
    """Entries are partly in the journal already: two executions of one lease wrote differently."""

    code = "journal-conflict"
    hint = "Drop the run; it comes back by replay."


class IllegalMove(EngineError):
    """A run cannot go from its state to that one. Our own mistake if it is ever seen."""

    code = "illegal-move"
    hint = "Report this with the run's id."


class EngineClosed(EngineError):
    """The engine is closed or closing."""

    code = "engine-closed"
    hint = "Start the server again."


class StoreError(EngineError):
    """The root of what the database refuses."""

    code = "store-error"


class StoreUnavailable(StoreError):
    """The database cannot take anything now; what was accepted before is kept and written when it can."""

    code = "store-unavailable"
    hint = "Make room on the disk that holds the database, or free the database; work goes on by itself."


class StoreBusy(StoreError):
    """More operations wait than the store takes in a reasonable time."""

    code = "store-busy"
    hint = "Try again in a moment."


class DatabaseNewer(StoreError):
    """A newer release made this database; it was not touched."""

    code = "database-newer"
    hint = "Install the newer release again, or use another database."


class DatabaseInvalid(StoreError):
    """The file is not a database of ours, or it is damaged; it was not touched."""

    code = "database-invalid"
    hint = "Move the file away to start with an empty database, or restore it from a backup."


class DatabaseUnsupported(StoreError):
    """The database server is too old; nothing was touched."""

    code = "database-unsupported"
    hint = "Upgrade the database server."


class DatabaseLocked(StoreError):
    """Another process uses the database, or the executor's name on it."""

    code = "database-locked"
    hint = "Stop the other process; one server at a time can use an SQLite database."


class DatabaseUnreachable(StoreError):
    """The database cannot be opened: folder missing, no permission, read-only, no server at the address."""

    code = "database-unreachable"
    hint = "Check that the folder exists and can be written to."
