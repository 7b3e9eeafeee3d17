"""What can go wrong when jobs are imported to be described."""

from __future__ import annotations

from typing import ClassVar

from bundler.errors import BundlerError, SeveralProblems


class IndexFailed(SeveralProblems):
    """The project's jobs cannot be imported as they will be in the image: nothing is shipped that cannot start."""

    code: ClassVar[str] = "index-failed"


class IndexCrashed(BundlerError):
    """The process that imports the project's jobs was ended by them, or by the system."""

    code: ClassVar[str] = "index-crashed"


class IndexTimedOut(BundlerError):
    """The project's jobs are not imported in the time that was given."""

    code: ClassVar[str] = "index-timed-out"
    hint: ClassVar[str] = "A module should only declare while it is imported; move what waits or computes into a task."


class IndexUnavailable(BundlerError):
    """The interpreter that should import the jobs cannot, or its trigger-sdk or Python is not the image's."""

    code: ClassVar[str] = "index-unavailable"
