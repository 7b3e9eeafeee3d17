"""What is in an image, as CycloneDX JSON: the distributions with the digests of their wheels, and the base."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from bundler.image.model import BaseImage
from bundler.locks.model import Archive, Distribution, Git, Registry
from bundler.model import Wheel, digest_of
from bundler.registry.reference import Reference

MEDIA_TYPE: Final = "application/vnd.cyclonedx+json"

_NAMESPACE: Final = uuid.UUID("5d0ff30c-52ee-5d7c-8f63-5bd3fb1bd7d4")
_LOGIN: Final = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A distribution in an image.

    Attributes:
        name: normalised.
        version: of it.
        purl: its package URL.
        sha256: of the wheel that it was installed from, 64 digits; empty when there was none.
        filename: of the wheel; empty when there was none.
    """

    name: str
    version: str
    purl: str
    sha256: str = ""
    filename: str = ""


def components(wheels: Iterable[Wheel], distributions: Iterable[Distribution]) -> tuple[Component, ...]:
    """Return the distributions that wheels are installed from, by name.

    Args:
        wheels: all of an image.
        distributions: what the lock says of them; of one that it does not know, nothing is said of where it is from.
    """
    sources = {entry.name: entry.source for entry in distributions}
    found = [
        Component(
            name=wheel.name, version=wheel.version, sha256=wheel.sha256, filename=wheel.filename,
            purl=_purl(wheel.name, wheel.version, _qualifiers(sources.get(wheel.name))),
        )
        for wheel in wheels
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda component: (component.name, component.version)))


def distribution(name: str, version: str) -> Component:
    """Return a distribution of which there is no wheel: the installed SDK."""
    return Component(name=name, version=version, purl=_purl(name, version, {}))


def sbom(*, name: str, version: str, components: Sequence[Component], base: BaseImage) -> bytes:
    """Return the bytes of an SBOM; the same for the same arguments: no time is in it, and its number is of its content.

    Args:
        name: of the project.
        version: of the project; empty when it has none.
        components: what is installed.
        base: what the image is built upon.
    """
    root = {"type": "application", "bom-ref": "project", "name": name, **({"version": version} if version else {})}
    listed = {component.purl: component for component in components}
    ordered = [listed[purl] for purl in sorted(listed, key=lambda purl: (listed[purl].name, purl))]
    fields: dict[str, Any] = {
        "version": 1,
        "metadata": {
            "component": root,
            "tools": {"components": [{"type": "application", "name": "trigger build"}]},
            "properties": [{"name": "dev.trigger:platform", "value": str(base.platform)}],
        },
        "components": [_base(base), *map(_entry, ordered)],
    }
    content = json.dumps(fields, separators=(",", ":"), sort_keys=True)
    number = uuid.uuid5(_NAMESPACE, digest_of(content.encode()))
    head = {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{number}"}
    return json.dumps({**head, **fields}, separators=(",", ":")).encode()


def _entry(component: Component) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
    }
    if component.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": component.sha256}]
    if component.filename:
        found["properties"] = [{"name": "dev.trigger:wheel", "value": component.filename}]
    return found


def _base(base: BaseImage) -> dict[str, Any]:
    """Return the base: by name and digest."""
    found: dict[str, Any] = {"type": "container", "bom-ref": "base", "name": base.name, "version": base.digest}
    algorithm, _, digest = base.digest.partition(":")
    if algorithm == "sha256":
        found["hashes"] = [{"alg": "SHA-256", "content": digest}]
    if base.reference:
        reference = Reference.parse(base.reference)
        name = reference.repository.rpartition("/")[2]
        qualifiers = {"arch": base.platform.architecture, "repository_url": reference.name}
        found["purl"] = f"pkg:oci/{_quoted(name)}@{_quoted(base.digest)}?{_query(qualifiers)}"
    return found


def _purl(name: str, version: str, qualifiers: dict[str, str]) -> str:
    query = f"?{_query(qualifiers)}" if qualifiers else ""
    return f"pkg:pypi/{_quoted(name)}@{_quoted(version)}{query}"


def _qualifiers(source: object) -> dict[str, str]:
    """Return where a distribution is from, when it is not from the index that package URLs mean by themselves."""
    if isinstance(source, Git):
        return {"vcs_url": f"git+{_LOGIN.sub('', source.url)}@{source.commit}"} if "://" in source.url else {}
    if isinstance(source, Archive) and source.location.startswith(("https://", "http://")):
        return {"download_url": _LOGIN.sub("", source.location).partition("?")[0].partition("#")[0]}
    if isinstance(source, Registry) and source.index.startswith(("https://", "http://")):
        if (urlsplit(source.index).hostname or "").split(".") == ["pypi", "org"]:
            return {}
        return {"repository_url": _LOGIN.sub("", source.index).partition("?")[0].rstrip("/")}
    return {}


def _query(qualifiers: dict[str, str]) -> str:
    return "&".join(f"{name}={quote(value, safe=':/')}" for name, value in sorted(qualifiers.items()))


def _quoted(text: str) -> str:
    return quote(text, safe="")
