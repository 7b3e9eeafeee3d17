"""The config of an image: what is run in it, as whom, with what environment, on which layers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bundler.errors import TooManyLayers
from bundler.image.errors import SourceDateInvalid
from bundler.image.model import BaseImage
from bundler.model import Blob, Digest, Layer
from bundler.settings import BundleSettings

MEDIA_TYPE: Final = "application/vnd.oci.image.config.v1+json"

ENVIRONMENT: Final = "/opt/trigger"
"""The virtual environment in the image."""

PROJECT: Final = "/app"
"""The project's folder in the image."""

ENTRYPOINT: Final = (f"{ENVIRONMENT}/bin/python", "-P", "-m", "trigger_sdk.container")

MOST_LAYERS: Final = 127
"""Engines stack no more."""

_INHERITED: Final = ("ExposedPorts", "Volumes")
_USUAL_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999."""


def image_config(
    base: BaseImage,
    layers: Sequence[Layer],
    settings: BundleSettings,
    *,
    project: Digest,
    labels: Mapping[str, str],
    created: int = 0,
    entrypoint: Sequence[str] = ENTRYPOINT,
) -> Blob:
    """Return the config of an image.

    Of the base's config, what describes its own program is left out: command, health check, signal to stop.

    Args:
        base: what it is built upon.
        layers: ours, from the bottom up.
        settings: user and environment.
        project: diff id of the project's layer.
        labels: all of ours, beside those of the base.
        created: seconds since 1970, see :func:`source_date`.
        entrypoint: what is run.

    Raises:
        TooManyLayers: more than engines can stack.
    """
    if len(base.layers) + len(layers) > MOST_LAYERS:
        raise TooManyLayers(
            f"the image would have {len(base.layers) + len(layers)} layers, {len(base.layers)} of them from its base; "
            f"engines stack {MOST_LAYERS}"
        )
    theirs = base.config.get("config")
    theirs = theirs if isinstance(theirs, Mapping) else {}
    known = base_environment(base)
    all_labels = {**_inherited(theirs.get("Labels")), **dict(sorted(labels.items()))}
    fields: dict[str, Any] = {
        "created": time_text(created),
        "architecture": base.platform.architecture,
        "os": base.platform.os,
        **({"variant": base.platform.variant} if base.platform.variant else {}),
        "config": {
            "User": f"{settings.user}:{settings.group}",
            **{name: theirs[name] for name in _INHERITED if isinstance(theirs.get(name), Mapping) and theirs[name]},
            "Env": [f"{name}={value}" for name, value in environment(settings, project=project, known=known).items()],
            "Entrypoint": list(entrypoint),
            "WorkingDir": PROJECT,
            **({"Labels": all_labels} if all_labels else {}),
        },
        "rootfs": {
            "type": "layers",
            "diff_ids": [*(layer.diff_id for layer in base.layers), *(layer.diff_id for layer in layers)],
        },
        "history": [*_history(base), *(_step(layer, created) for layer in layers)],
    }
    return Blob.of(json.dumps(fields, separators=(",", ":")).encode(), MEDIA_TYPE)


def environment(settings: BundleSettings, *, project: Digest, known: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of an image, in their order.

    All workers of an image share a hash seed, so that sets iterate alike when a job is replayed; it follows the
    project's files.

    Args:
        settings: has the user's own, which go before all others.
        project: diff id of the project's layer.
        known: those of the base.
    """
    path = known.get("PATH") or _USUAL_PATH
    return {
        **known,
        "PATH": f"{ENVIRONMENT}/bin:{path}",
        "VIRTUAL_ENV": ENVIRONMENT,
        "TRIGGER_PROJECT_ROOT": PROJECT,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": str(int(project.partition(":")[2][:8], 16)),
        **settings.env,
    }


def base_environment(base: BaseImage) -> dict[str, str]:
    """Return the environment variables of a base."""
    return environment_of(base.config)


def environment_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables in a config; what is none is left out."""
    theirs = config.get("config")
    entries = theirs.get("Env") if isinstance(theirs, Mapping) else None
    pairs = [entry.partition("=") for entry in entries if isinstance(entry, str)] if isinstance(entries, list) else []
    return {name: value for name, equals, value in pairs if name and equals}


def source_date(environ: Mapping[str, str]) -> int:
    """Return when images were made, by SOURCE_DATE_EPOCH, else 0: in seconds since 1970.

    Raises:
        SourceDateInvalid: it is no such number.
    """
    text = environ.get("SOURCE_DATE_EPOCH", "").strip() or "0"
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > _LAST_SECOND:
        raise SourceDateInvalid(f"SOURCE_DATE_EPOCH is {text[:40]!r}, where seconds since 1970 are expected")
    return int(text)


def time_text(created: int) -> str:
    """Return seconds since 1970 as OCI writes times."""
    return datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _inherited(labels: object) -> dict[str, str]:
    """Return the base's labels without those that would say of our image what is true of the base alone."""
    if not isinstance(labels, Mapping):
        return {}
    return {
        name: value
        for name, value in sorted(labels.items())
        if isinstance(value, str) and not name.startswith(("org.opencontainers.image.", "dev.trigger."))
    }


def _history(base: BaseImage) -> list[Mapping[str, Any]]:
    """Return the base's history as it is; layers of which it does not tell get an entry, since engines count them."""
    history = base.config.get("history")
    told = list(history) if isinstance(history, list) else []
    missing = len(base.layers) - sum(1 for step in told if not step.get("empty_layer"))
    return [*told, *({"created_by": "a layer of the base"} for _ in range(missing))]


def _step(layer: Layer, created: int) -> dict[str, Any]:
    return {"created": time_text(created), "created_by": f"trigger build: {layer.name}"}
