"""Standard streams that were closed when we were started (``>&-``): what is written to them goes nowhere.

Their numbers must not go to other files either: output of ours, or of a library, would end up in those.
"""

import os
import sys


def open_missing() -> None:
    """Give the process the streams it lacks, from and to the null device."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, "r", encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")
