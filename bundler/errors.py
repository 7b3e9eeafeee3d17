"""What can go wrong in a build.

::

    TriggerError
    └── BundlerError
        └── DigestMismatch    digest-mismatch    bytes that are not what their digest says
"""

from __future__ import annotations

from typing import ClassVar

from trigger_sdk.protocol.problem import TriggerError


class BundlerError(TriggerError):
    """The root of the bundler's errors."""

    code: ClassVar[str] = "bundler-error"


class DigestMismatch(BundlerError):
    """Bytes are not what their digest says: they are damaged, or somebody else's."""

    code: ClassVar[str] = "digest-mismatch"
    hint: ClassVar[str] = "Try again; if it comes back, whoever serves the bytes cannot be trusted."
