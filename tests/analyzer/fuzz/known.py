"""Ways that the check does not follow yet as it should: they are tried alone, strictly, and left out of programs."""

from __future__ import annotations

from typing import Final

KNOWN: Final[dict[str, str]] = {}
"""Name of the way to what is wrong. A way that is followed at last fails its test until it is taken out here."""
