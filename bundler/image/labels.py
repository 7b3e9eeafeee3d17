"""Labels of an image: what it was made from, and what is in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bundler.image.config import time_text
from bundler.image.model import BaseImage

MANIFEST: Final = "dev.trigger.manifest"
"""The index of jobs, as compact JSON."""

SDK: Final = "dev.trigger.sdk"
"""Version of trigger-sdk."""

_OCI: Final = "org.opencontainers.image."
_LOGIN: Final = re.compile(r"(?<=://)[^/@\s]*@")


def image_labels(
    base: BaseImage,
    *,
    manifest: str = "",
    sdk: str = "",
    revision: str = "",
    source: str = "",
    version: str = "",
    created: int = 0,
) -> dict[str, str]:
    """Return the labels of an image by name, without those that are not known.

    Args:
        base: what it is built upon.
        manifest: the index of jobs, compact JSON.
        sdk: version of trigger-sdk.
        revision: commit of the project's sources.
        source: address of their repository; a login in it is left out.
        version: of the project.
        created: seconds since 1970; 0 for a time that means nothing.
    """
    labels = {
        MANIFEST: manifest,
        SDK: sdk,
        f"{_OCI}revision": revision,
        f"{_OCI}source": _LOGIN.sub("", source),
        f"{_OCI}version": version,
        f"{_OCI}created": time_text(created) if created else "",
        f"{_OCI}base.name": base.name if base.reference else "",
        f"{_OCI}base.digest": base.digest,
    }
    return {name: value for name, value in sorted(labels.items()) if value}


def annotations_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Return which labels stand in the manifest too: those that OCI defines."""
    return {name: value for name, value in sorted(labels.items()) if name.startswith(_OCI)}
