"""The index as a build passes it on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigger_sdk.protocol.index import ProjectIndex, decode_index

if TYPE_CHECKING:
    from trigger_sdk.protocol.manifest import JobManifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What the jobs of a project are.

    Attributes:
        content: canonical JSON, the same on every machine; without a line end.
        project: the same, read.
    """

    content: bytes
    project: ProjectIndex

    @classmethod
    def of(cls, content: bytes) -> Index:
        """Read an index.

        Raises:
            ValueError: it is none, or of a format that is not known here.
        """
        return cls(content=content, project=decode_index(content))

    @property
    def jobs(self) -> tuple[JobManifest, ...]:
        """The jobs, sorted by their ids."""
        return self.project.jobs

    @property
    def sdk(self) -> str:
        """Version of the SDK that made it."""
        return self.project.sdk

    @property
    def python(self) -> str:
        """Version of the interpreter that made it, ``3.11``."""
        return self.project.python
