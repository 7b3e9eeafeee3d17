"""The version of the whole house: both distributions take theirs from here, and nothing else states it."""

from __future__ import annotations

VERSION = "0.1.0"
"""Version of `trigger-sdk` and `trigger-cli`, which are released together."""
