"""What is wrong with locks, and with the wheels that they name.

::

    BundlerError
    ├── LockNotFound      lock-not-found     no lock, and nothing to resolve
    ├── LockInvalid       lock-invalid       a lock that cannot be understood, or contradicts itself
    ├── LockStale         lock-stale         a lock that does not know what is asked of it
    ├── LockToolMissing   lock-tool-missing  the program that reads or makes a lock is not there
    ├── LockToolFailed    lock-tool-failed   the program that reads or makes a lock failed
    ├── LockUntrusted     lock-untrusted     a file that its index does not offer
    ├── WheelMissing      wheel-missing      no wheel for the target
    ├── WheelUnavailable  wheel-unavailable  a wheel that cannot be fetched
    └── WheelBuildFailed  wheel-build-failed sources that give no wheel
"""

from __future__ import annotations

from typing import ClassVar

from bundler.errors import BundlerError


class LockNotFound(BundlerError):
    """A project has no lock, and nothing that one could be made of."""

    code: ClassVar[str] = "lock-not-found"
    hint: ClassVar[str] = 'Run `uv lock`, or name the lock: [tool.trigger.bundle] lock = "requirements.txt".'


class LockInvalid(BundlerError):
    """A lock cannot be understood, lacks something that it must have, or contradicts itself."""

    code: ClassVar[str] = "lock-invalid"
    hint: ClassVar[str] = "Make the lock anew with the program that wrote it."


class LockStale(BundlerError):
    """A lock does not know the project, the group or the extra that is asked for, or is for another Python."""

    code: ClassVar[str] = "lock-stale"
    hint: ClassVar[str] = "Lock again, and check the groups and extras in [tool.trigger.bundle]."


class LockToolMissing(BundlerError):
    """The program that can read or make this kind of lock is not installed here."""

    code: ClassVar[str] = "lock-tool-missing"
    hint: ClassVar[str] = "Install it, or keep a uv.lock, pylock.toml or requirements file with hashes."


class LockToolFailed(BundlerError):
    """The program that reads or makes this kind of lock ended with an error, or did not end."""

    code: ClassVar[str] = "lock-tool-failed"
    hint: ClassVar[str] = "Run the command yourself; its own words are in the detail."


class LockUntrusted(BundlerError):
    """A lock names a file on a host that the index it names sends nobody to. Nothing was fetched from there."""

    code: ClassVar[str] = "lock-untrusted"
    hint: ClassVar[str] = "Look who changed the lock, and lock again; a mirror belongs into the lock as the index."


class WheelMissing(BundlerError):
    """A distribution has no wheel for the Python and the platform of the image, and none can be built here."""

    code: ClassVar[str] = "wheel-missing"
    hint: ClassVar[str] = "Lock a version that has one, or build for this platform only."


class WheelUnavailable(BundlerError):
    """A wheel that a lock names cannot be fetched."""

    code: ClassVar[str] = "wheel-unavailable"
    hint: ClassVar[str] = "Check the address and the login of the package index."


class WheelBuildFailed(BundlerError):
    """Sources cannot be built to a wheel, or give another one than was asked for."""

    code: ClassVar[str] = "wheel-build-failed"
    hint: ClassVar[str] = "Build it yourself with `uv build --wheel`; the builder's own words are in the detail."
