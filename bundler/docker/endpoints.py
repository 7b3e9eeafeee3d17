"""Where the ``docker`` command would look for an engine.

In its order: ``DOCKER_HOST``, the context that ``DOCKER_CONTEXT`` names, the one that ``docker context use`` has
written into the configuration, and at last the usual socket.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bundler.docker.errors import EngineMissing

USUAL: Final = "unix:///var/run/docker.sock"
_DEFAULT: Final = "default"
_SCHEMES: Final = ("unix://", "tcp://", "ssh://", "http://", "https://", "npipe://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address, and what its encryption is checked with.

    Attributes:
        address: ``unix:///var/run/docker.sock``, ``tcp://10.0.0.1:2376``, ``ssh://me@there``.
        source: who said so, for people: ``DOCKER_HOST``, ``context 'remote'``, ``the usual socket``.
        is_encrypted: whether it speaks TLS.
        is_verified: whether its certificate is checked.
        authority: certificate of who signed the engine's; None for those that the system trusts.
        certificate: our own; None for none.
        key: of our own certificate.
    """

    address: str
    source: str
    is_encrypted: bool = False
    is_verified: bool = True
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def find_endpoint(*, environ: Mapping[str, str], home: Path) -> Endpoint:
    """Return where the engine is.

    Raises:
        EngineMissing: a context that does not exist, or an address that nobody understands.
    """
    folder = Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else home / ".docker"
    if host := environ.get("DOCKER_HOST", "").strip():
        if not environ.get("DOCKER_TLS_VERIFY"):
            return _checked(Endpoint(address=host, source="DOCKER_HOST"))
        certificates = Path(environ["DOCKER_CERT_PATH"]) if environ.get("DOCKER_CERT_PATH") else folder
        return _checked(_with_files(Endpoint(address=host, source="DOCKER_HOST", is_encrypted=True), certificates))
    file = folder / "config.json"
    if name := environ.get("DOCKER_CONTEXT", "").strip():
        source = "DOCKER_CONTEXT"
    else:
        configured = _read(file).get("currentContext")
        name, source = (configured, str(file)) if isinstance(configured, str) else ("", "")
    if name in ("", _DEFAULT):
        return Endpoint(address=USUAL, source="the usual socket")
    return _checked(_of_context(folder / "contexts", name, source))


def _of_context(folder: Path, name: str, source: str) -> Endpoint:
    identity = hashlib.sha256(name.encode()).hexdigest()
    described = _read(folder / "meta" / identity / "meta.json")
    endpoints = described.get("Endpoints")
    docker = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = docker.get("Host") if isinstance(docker, dict) else None
    if not isinstance(docker, dict) or not isinstance(host, str) or not host:
        raise EngineMissing(
            f"the Docker context '{name}', which {source} names, does not exist or names no engine",
            hint="See `docker context ls`, and choose one with `docker context use`.",
            where=str(folder),
        )
    endpoint = Endpoint(address=host, source=f"context '{name}'", is_verified=docker.get("SkipTLSVerify") is not True)
    files = folder / "tls" / identity / "docker"
    if not files.is_dir() and endpoint.is_verified:
        return endpoint
    encrypted = Endpoint(address=host, source=endpoint.source, is_encrypted=True, is_verified=endpoint.is_verified)
    return _with_files(encrypted, files)


def _with_files(endpoint: Endpoint, folder: Path) -> Endpoint:
    """Return the endpoint with the certificates that lie in a folder."""

    def found(name: str) -> Path | None:
        return folder / name if (folder / name).is_file() else None

    return Endpoint(
        address=endpoint.address, source=endpoint.source, is_encrypted=True, is_verified=endpoint.is_verified,
        authority=found("ca.pem"), certificate=found("cert.pem"), key=found("key.pem"),
    )  # fmt: skip


def _checked(endpoint: Endpoint) -> Endpoint:
    if not endpoint.address.startswith(_SCHEMES):
        raise EngineMissing(
            f"{endpoint.source} says that the Docker engine is at '{endpoint.address}', which is no address",
            hint="Write it as unix:///path/of/socket, tcp://host:port or ssh://user@host.",
        )
    return endpoint


def _read(file: Path) -> dict[str, Any]:
    """Return a JSON object of Docker's; what cannot be read is as good as none, as it is to ``docker`` itself."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
