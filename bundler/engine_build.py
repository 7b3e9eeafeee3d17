"""Images that only a Docker engine can make, because they have system packages or the user's commands in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bundler.docker.build import build_image, finish
from bundler.docker.dockerfile import dockerfile
from bundler.docker.system_plan import SystemPlan, system_plan
from bundler.image.assembly import bundle_of
from bundler.image.bases.engine import EngineBase
from bundler.image.config import source_date
from bundler.image.manifest import manifest_of
from bundler.image.model import Bundle, Image
from bundler.image.outputs.engine import EngineOutput
from bundler.image.outputs.reading import LayerReader
from bundler.indexing.in_image import index_in_image
from bundler.labelling import MANIFEST_PLACE, labels_of
from bundler.model import Blob, telling
from bundler.parts import parts_of
from bundler.registry.reference import Reference

if TYPE_CHECKING:
    from bundler.docker.engine import Engine
    from bundler.image.model import BaseImage
    from bundler.indexing.model import Index
    from bundler.parts import Parts
    from bundler.plan import Plan
    from bundler.registry.auth_files import Credential
    from bundler.workshop import Workshop

_INDEX_SECONDS = 120.0
_CONFIG = "application/vnd.oci.image.config.v1+json"


async def build_by_engine(plan: Plan, parts: Sequence[Parts], workshop: Workshop) -> tuple[Bundle, Index]:
    """Have an engine make the images of a plan, and index the jobs in the first one.

    Raises:
        BundlerError: the engine is not there, a command failed, or a module cannot be imported in the image.
    """
    engine = workshop.engine()
    images = [await _image(engine, plan, each, workshop) for each in parts]
    return bundle_of(image for image, _ in images), images[0][1]


async def _image(engine: Engine, plan: Plan, parts: Parts, workshop: Workshop) -> tuple[Image, Index]:
    settings = plan.settings
    created = source_date(workshop.environ)
    wanted = await _planned(engine, plan, parts, workshop)
    credential = await _credential(parts.base, workshop)
    unfinished = await build_image(engine, wanted, progress=workshop.progress, credential=credential)
    with telling(workshop.progress, "import jobs"):
        index = await index_in_image(engine, unfinished, env={}, timeout=_INDEX_SECONDS)
    labels = labels_of(plan, parts, created, index)
    files = {MANIFEST_PLACE: index.content}
    finished = await finish(engine, unfinished, files, labels, uid=settings.user, gid=settings.group)
    source = EngineBase(finished, engine=engine, cache=workshop.cache, interpreter=parts.base.python)
    whole = await source.image(parts.base.platform, plan.interpreter.version)
    config = Blob.of(json.dumps(whole.config, separators=(",", ":")).encode(), _CONFIG)
    manifest = manifest_of(whole, config, ())
    return Image(
        platform=whole.platform, config=config, manifest=manifest, base=whole, layers=(), sbom=parts.sbom
    ), index  # fmt: skip


async def _planned(engine: Engine, plan: Plan, parts: Parts, workshop: Workshop) -> SystemPlan:
    """Return what an engine is to build; a base that is in no registry is loaded into it first."""
    base = parts.base
    base_id = ""
    if not base.reference and await engine.inspect(base.digest) is None:
        config = Blob.of(json.dumps(base.config, separators=(",", ":")).encode(), _CONFIG)
        bare = Image(
            platform=base.platform, config=config, manifest=manifest_of(base, config, ()), base=base, layers=()
        )
        reader = LayerReader(workshop.client, workshop.cache)
        output = EngineOutput(engine, repository="", reader=reader)
        base_id = await output.write(Bundle(images=(bare,)), tags=(), progress=workshop.progress)
    return _system_plan(plan, parts, workshop, base_id)


async def dockerfile_of(plan: Plan, workshop: Workshop) -> str:
    """Return the image for the first platform as a Dockerfile; its layers are made, and no engine is asked.

    Raises:
        BundlerError: something that goes in cannot be used.
    """
    return dockerfile(_system_plan(plan, await parts_of(plan, plan.platforms[0], workshop), workshop))


def _system_plan(plan: Plan, parts: Parts, workshop: Workshop, base_id: str = "") -> SystemPlan:
    return system_plan(
        parts.base,
        plan.settings,
        dependencies=parts.dependencies,
        sdk=parts.sdk,
        project=parts.project,
        distributions=parts.distributions,
        labels=labels_of(plan, parts, source_date(workshop.environ)),
        base_id=base_id,
    )


async def _credential(base: BaseImage, workshop: Workshop) -> Credential | None:
    """Return what the engine needs to fetch a base."""
    if not base.reference:
        return None
    reference = Reference.parse(base.reference)
    return (await workshop.credentials.find(reference.host, reference.repository)).credential
