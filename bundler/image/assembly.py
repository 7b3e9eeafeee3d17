"""From a base and layers to an image, and from images to what is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bundler.image.config import ENTRYPOINT, image_config
from bundler.image.labels import annotations_of
from bundler.image.manifest import index_of, manifest_of
from bundler.image.model import BaseImage, Bundle, Image
from bundler.model import Digest, Layer
from bundler.settings import BundleSettings


def image_of(
    base: BaseImage,
    layers: Sequence[Layer],
    settings: BundleSettings,
    *,
    project: Digest,
    labels: Mapping[str, str],
    created: int = 0,
    entrypoint: Sequence[str] = ENTRYPOINT,
    sbom: bytes | None = None,
) -> Image:
    """Return an image for the platform of its base. The same arguments give the same bytes.

    Args:
        base: what it is built upon.
        layers: ours, from the bottom up.
        settings: user and environment.
        project: diff id of the project's layer.
        labels: see :func:`bundler.image.labels.image_labels`.
        created: seconds since 1970.
        entrypoint: what is run.
        sbom: what is in it.

    Raises:
        TooManyLayers: more than engines can stack.
    """
    config = image_config(
        base, layers, settings, project=project, labels=labels, created=created, entrypoint=entrypoint
    )
    manifest = manifest_of(base, config, layers, annotations=annotations_of(labels))
    return Image(platform=base.platform, config=config, manifest=manifest, base=base, layers=tuple(layers), sbom=sbom)


def bundle_of(images: Iterable[Image]) -> Bundle:
    """Return what is written: a single image as it is, several with an index. Their order does not matter."""
    ordered = tuple(sorted(images, key=lambda image: str(image.platform)))
    return Bundle(images=ordered, index=index_of(ordered) if len(ordered) > 1 else None)
