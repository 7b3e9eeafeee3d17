"""The files of an image as ``--list-files`` shows them: a text for people, and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bundler.files.collect import Selection

_UNITS: Final = ("B", "kB", "MB", "GB")
_STEP: Final = 1000
_SHOWN: Final = 20
"""Files left out that are named; the rest is counted."""


def as_text(selection: Selection) -> str:
    """Return a line for each file with its size, their sum, and the data files that no pattern includes."""
    sizes = [shown_size(file.size) for file in selection.files]
    width = max(map(len, sizes), default=0)
    lines = [
        f"{size:>{width}}  {_shown(file.place)}{'  (executable)' * file.is_executable}"
        for size, file in zip(sizes, selection.files, strict=True)
    ]
    count = len(selection.files)
    lines.append(f"{count} {'file' if count == 1 else 'files'}, {shown_size(selection.size)}")
    if left_out := selection.left_out:
        lines.append(f"not included ({len(left_out)}; name what is needed in `include`):")
        lines += [f"  {_shown(place)}" for place in left_out[:_SHOWN]]
        if len(left_out) > _SHOWN:
            lines.append(f"  and {len(left_out) - _SHOWN} more")
    return "\n".join(lines) + "\n"


def as_json(selection: Selection) -> str:
    """Return an object with ``files`` (``path``, ``size``, ``executable``), ``size`` in bytes, ``not_included``."""
    document = {
        "files": [
            {"path": file.place, "size": file.size, "executable": file.is_executable} for file in selection.files
        ],
        "size": selection.size,
        "not_included": [_shown(place) for place in selection.left_out],
        "notes": [note.to_dict() for note in selection.notes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def shown_size(size: int) -> str:
    """Return bytes as people read them: ``812 B``, ``1.2 kB``, ``48 MB``."""
    amount, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        # What would be shown as 1000 is one of the next unit.
        if round(amount) < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{amount:.0f} {unit}" if unit == _UNITS[0] or amount >= 9.95 else f"{amount:.1f} {unit}"  # noqa: PLR2004


def _shown(place: str) -> str:
    """Return a path on one line, whatever is in its name."""
    if place.isprintable():
        return place
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in place)
