"""Which output a text means."""

from __future__ import annotations

from pathlib import Path

from bundler.cache import Cache
from bundler.docker.engine import Engine
from bundler.image.errors import OutputInvalid
from bundler.image.outputs.engine import EngineOutput
from bundler.image.outputs.layout import LayoutOutput
from bundler.image.outputs.output import Output
from bundler.image.outputs.reading import LayerReader
from bundler.image.outputs.registry import RegistryOutput
from bundler.image.outputs.tarball import TarballOutput
from bundler.registry.client import RegistryClient
from bundler.registry.reference import Reference


def output(
    text: str,
    *,
    repository: str,
    client: RegistryClient,
    cache: Cache,
    folder: Path,
    engine: Engine | None = None,
) -> Output:
    """Return the output that a text means.

    Args:
        text: ``registry``, ``oci:DIR``, ``docker`` or ``tar:FILE``.
        repository: ``host/name``; what images are called, and where they are pushed to.
        client: asks registries.
        cache: keeps layers of bases that are needed on this machine.
        folder: what relative paths are relative to.
        engine: for ``docker``; None when there is none.

    Raises:
        OutputInvalid: it is none of these, or lacks what it needs.
        ReferenceInvalid: the repository is none.
    """
    kind, colon, rest = text.partition(":")
    reader = LayerReader(client, cache)
    name = Reference.parse(repository).name if repository else ""
    if text == "registry":
        if not repository:
            raise OutputInvalid(
                "it is not said where the image is pushed to",
                hint="Set `repository` in the bundle's settings, or build into a folder: --output oci:DIR.",
            )
        return RegistryOutput(Reference.parse(repository), client=client)
    if text == "docker":
        if engine is None:
            raise OutputInvalid("the output 'docker' needs a Docker engine, and there is none")
        return EngineOutput(engine, repository=name, reader=reader)
    if colon and rest and kind == "oci":
        return LayoutOutput(folder / rest, reader=reader)
    if colon and rest and kind == "tar":
        return TarballOutput(folder / rest, repository=name, reader=reader)
    raise OutputInvalid(f"'{text}' is no output")
