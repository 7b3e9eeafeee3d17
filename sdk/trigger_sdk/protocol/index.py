"""The index of a project: what the jobs of one bundle are, as its image states it and a server reads it.

The same project gives the same bytes on every machine: no paths, no times, sorted. The version of the code is not in
it: a change that leaves the jobs as they are declared leaves these bytes alone, and with them their layer in the image.
"""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from trigger_sdk.protocol.manifest import JobManifest, QueueSpec

INDEX_FORMAT: Final = 1
"""Counts up when a reader of the last one would misunderstand it. What is only added does not count."""


class ProjectIndex(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds.

    Attributes:
        format: INDEX_FORMAT of the SDK that made it.
        sdk: that SDK's version.
        python: version of its interpreter, ``3.11``.
        jobs: sorted by their ids.
        queues: that the jobs name, sorted by their names.
    """

    format: int
    sdk: str
    python: str
    jobs: tuple[JobManifest, ...] = ()
    queues: tuple[QueueSpec, ...] = ()


def encode_index(index: ProjectIndex) -> bytes:
    """Return the canonical JSON: ASCII, on one line, keys sorted.

    Raises:
        ValueError: a payload's schema holds what JSON has no word for, such as a default of NaN.
    """
    plain = msgspec.to_builtins(index)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode_index(content: bytes) -> ProjectIndex:
    """Read an index; keys that a newer SDK has added are passed over.

    Raises:
        ValueError: it is no index, or of a format that this version does not know; says which.
    """
    try:
        plain: Any = json.loads(content)
        found = plain.get("format")
    except (ValueError, AttributeError) as error:
        message = "it is no JSON object"
        raise ValueError(message) from error
    if found != INDEX_FORMAT:
        message = f"its format is {found!r}, and this version knows {INDEX_FORMAT}"
        raise ValueError(message)
    try:
        return msgspec.convert(plain, ProjectIndex)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
