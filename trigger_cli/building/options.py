"""What a user asks of `trigger build`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """The options as they were given.

    Attributes:
        output: ``registry``, ``oci:DIR``, ``docker`` or ``tar:FILE``.
        settings: what goes before the keys of ``[tool.trigger.bundle]``, by key.
        python: the project's interpreter, by a path or a name on PATH; None to choose it.
        plain_http: hosts of registries that may be spoken to without TLS.
        list_files: only show what would go in.
        explain: say of each layer why it was made anew.
        dockerfile: only show the Dockerfile.
        json: write results as JSON.
        verbose: say where credentials are from, and how long each part took.
    """

    output: str = "registry"
    settings: Mapping[str, object]
    python: str | None = None
    plain_http: frozenset[str] = frozenset()
    list_files: bool = False
    explain: bool = False
    dockerfile: bool = False
    json: bool = False
    verbose: bool = False
