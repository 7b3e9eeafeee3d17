"""A build: from a plan to images, one for each platform, without an engine where none is needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bundler.dependencies import sdk_version
from bundler.docker.system_plan import needs_engine
from bundler.engine_build import build_by_engine
from bundler.image.assembly import bundle_of, image_of
from bundler.image.config import source_date
from bundler.image.outputs.engine import EngineOutput
from bundler.image.outputs.reading import LayerReader
from bundler.indexing.in_image import index_in_image
from bundler.indexing.local import index_locally
from bundler.labelling import MANIFEST_PLACE, labels_of
from bundler.layers import memory_layer
from bundler.model import telling
from bundler.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.image.model import Bundle, Image
    from bundler.indexing.model import Index
    from bundler.model import Layer
    from bundler.parts import Parts
    from bundler.plan import Plan
    from bundler.workshop import Workshop
    from trigger_sdk.protocol.problem import Problem

INDEX_SECONDS: Final = 120.0
"""How long importing a project's jobs may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build made.

    Attributes:
        bundle: the images.
        index: their jobs.
        parts: what each image is made of.
        warnings: what may fail in the image.
        notes: what the user should be told, each once.
        without_index: id of the image in the engine whose jobs were indexed; nobody needs it once the image itself,
            which shares its layers, is there. Empty for none.
    """

    bundle: Bundle
    index: Index
    parts: tuple[Parts, ...]
    warnings: tuple[Problem, ...]
    notes: tuple[str, ...]
    without_index: str = ""


async def build(plan: Plan, workshop: Workshop, *, for_engine: bool = False) -> Built:
    """Make the images of a plan. Nothing is pushed, and nothing written but what the cache and an engine keep.

    Args:
        plan: the plan.
        workshop: what the build works with.
        for_engine: whether the image goes into the Docker engine of this machine; then its jobs are indexed there.

    Raises:
        BundlerError: something cannot be used, or failed; nothing is left half made.
    """
    if needs_engine(plan.settings):
        parts = tuple([await parts_of(plan, platform, workshop) for platform in plan.platforms])
        bundle, index = await build_by_engine(plan, parts, workshop)
        return _built(plan, parts, bundle, index)
    if for_engine:
        parts = tuple([await parts_of(plan, platform, workshop) for platform in plan.platforms])
        index, without_index = await _index_in_engine(plan, parts, workshop)
        bundle = bundle_of(_image(plan, each, index, workshop) for each in parts)
        return replace(_built(plan, parts, bundle, index), without_index=without_index)
    # Importing the jobs takes as long as their imports do: all else is done meanwhile.
    indexing = asyncio.create_task(_index(plan, workshop))
    try:
        parts = tuple([await parts_of(plan, platform, workshop) for platform in plan.platforms])
        index = await indexing
    finally:
        indexing.cancel()
        await asyncio.gather(indexing, return_exceptions=True)
    return _built(plan, parts, bundle_of(_image(plan, each, index, workshop) for each in parts), index)


def _built(plan: Plan, parts: tuple[Parts, ...], bundle: Bundle, index: Index) -> Built:
    notes = (*plan.lock.notes, *(note for each in parts for note in (*each.base.notes, *each.notes)))
    warnings = {warning.where: warning for each in parts for warning in each.warnings}
    return Built(
        bundle=bundle, index=index, parts=parts, warnings=tuple(warnings.values()), notes=tuple(dict.fromkeys(notes))
    )  # fmt: skip


async def _index(plan: Plan, workshop: Workshop) -> Index:
    with telling(workshop.progress, "import jobs"):
        return await index_locally(
            plan.interpreter.path,
            plan.selection.files,
            env=plan.settings.env,
            folder=plan.project.state_folder / "cache" / "index",
            timeout=INDEX_SECONDS,
            sdk=sdk_version(plan),
            python=plan.interpreter.version,
        )


async def _index_in_engine(plan: Plan, parts: Sequence[Parts], workshop: Workshop) -> tuple[Index, str]:
    """Load the image as it is without an index, and import its jobs in a container of it; return its id too."""
    engine = workshop.engine()
    output = EngineOutput(engine, repository="", reader=LayerReader(workshop.client, workshop.cache))
    bare = bundle_of(_image_of(plan, each, each.layers, workshop) for each in parts)
    image = await output.write(bare, tags=(), progress=workshop.progress)
    try:
        with telling(workshop.progress, "import jobs"):
            return await index_in_image(engine, image, timeout=INDEX_SECONDS), image
    except BaseException:
        await engine.remove(image)
        raise


def _image(plan: Plan, parts: Parts, index: Index, workshop: Workshop) -> Image:
    settings = plan.settings
    manifest = memory_layer(
        {MANIFEST_PLACE: index.content}, name="manifest", uid=settings.user, gid=settings.group,
        cache=workshop.cache, history=plan.history,
    )  # fmt: skip
    return _image_of(plan, parts, (*parts.layers, manifest), workshop, index)


def _image_of(
    plan: Plan, parts: Parts, layers: Sequence[Layer], workshop: Workshop, index: Index | None = None
) -> Image:
    created = source_date(workshop.environ)
    return image_of(
        parts.base,
        layers,
        plan.settings,
        project=parts.project.diff_id,
        labels=labels_of(plan, parts, created, index),
        created=created,
        sbom=parts.sbom,
    )
