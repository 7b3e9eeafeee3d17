"""Ways that the check does not follow yet as it should: they are tried alone, strictly, and left out of programs."""

from __future__ import annotations

from typing import Final

KNOWN: Final[dict[str, str]] = {
    "quiet-5": "a generator expression counts as consumed where it stands",
    "quiet-7": "`map` counts as consumed where it stands",
    "silent-7": "a generator expression counts as consumed where it stands",
    "silent-8": "`map` counts as consumed where it stands",
}
"""Name of the way to what is wrong. A way that is followed at last fails its test until it is taken out here."""
