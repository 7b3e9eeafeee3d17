"""What an image says of itself, and where its index is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bundler.image.labels import image_labels

if TYPE_CHECKING:
    from bundler.indexing.model import Index
    from bundler.parts import Parts
    from bundler.plan import Plan

MANIFEST_PLACE: Final = ".trigger/manifest.json"
"""Where the index is, below the project's folder in the image."""


def labels_of(plan: Plan, parts: Parts, created: int, index: Index | None = None) -> dict[str, str]:
    """Return the labels of an image.

    Args:
        plan: the plan.
        parts: what the image is made of.
        created: seconds since 1970.
        index: of its jobs; None while they are not known.
    """
    return image_labels(
        parts.base,
        manifest=index.content.decode() if index is not None else "",
        sdk=index.sdk if index is not None else "",
        revision=plan.origin.revision,
        source=plan.origin.source,
        version=plan.origin.version,
        created=created,
    )
