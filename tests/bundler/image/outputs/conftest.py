"""What tests of outputs can ask for."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bundler.cache import Cache
from bundler.docker.engine import Engine
from bundler.image.assembly import bundle_of, image_of
from bundler.image.bases import base_source
from bundler.image.model import Bundle
from bundler.image.outputs import output
from bundler.image.sbom import distribution, sbom
from bundler.layers import project_layer
from bundler.model import Layer, Platform, ProjectFile, Silent
from bundler.settings import BundleSettings
from tests.fakes.images import MadeImage, layout_files, root_files, tar_of
from tests.fakes.registry_side import ClientSide

BundleOf = Callable[..., Awaitable[Bundle]]
Write = Callable[..., Awaitable[str]]


@pytest.fixture
def project(cache: Cache, tmp_path: Path) -> Callable[[str], Layer]:
    """Return what makes a layer of a project with one file."""

    def layer(text: str) -> Layer:
        path = tmp_path / "main.py"
        path.write_text(text)
        return project_layer([ProjectFile(place="main.py", source=path, size=len(text))], cache=cache)

    return layer


@pytest.fixture
def bundle_from(side: ClientSide, cache: Cache, tmp_path: Path, project: Callable[[str], Layer]) -> BundleOf:
    """Return what makes a bundle with an SBOM upon a base, for one architecture or several."""

    async def made(text: str, *architectures: str, source: str = "print(1)", engine: Engine | None = None) -> Bundle:
        images = []
        async with side.client() as client:
            bases = base_source(text, client=client, cache=cache, folder=tmp_path, engine=engine)
            for architecture in architectures or ("amd64",):
                base = await bases.image(Platform(architecture=architecture), (3, 11))  # type: ignore[arg-type]  # one of the two
                layers = [project(source)]
                content = sbom(name="shop", version="1", components=[distribution("a", "1")], base=base)
                images.append(
                    image_of(base, layers, BundleSettings(), project=layers[0].diff_id, labels={}, sbom=content)
                )
        return bundle_of(images)

    return made


@pytest.fixture
def local_bundle(bundle_from: BundleOf, tmp_path: Path) -> BundleOf:
    """Return what makes a bundle upon a base on this machine."""

    async def made(*architectures: str, source: str = "print(1)") -> Bundle:
        bases = [MadeImage(tars=[tar_of(root_files(name))], architecture=name) for name in ("amd64", "arm64")]
        blobs = [blob for base in bases for blob in base.blobs()]
        _keep(tmp_path / "base.tar", tar_of({**layout_files(blobs, [base.entry for base in bases])}))
        return await bundle_from("tar:base.tar", *architectures, source=source)

    return made


@pytest.fixture
def write(side: ClientSide, cache: Cache, tmp_path: Path) -> Write:
    """Return what writes a bundle to the output that a text means."""

    async def written(
        text: str, bundle: Bundle, *tags: str, repository: str = "", engine: object = None, progress: object = None
    ) -> str:
        async with side.client() as client:
            out = output(
                text, repository=repository, client=client, cache=cache, folder=tmp_path,
                engine=engine,  # type: ignore[arg-type]  # the test's own
            )  # fmt: skip
            return await out.write(bundle, tags=tags, progress=progress or Silent())  # type: ignore[arg-type]  # the test's own

    return written


def _keep(path: Path, content: bytes) -> None:
    if not path.exists():
        path.write_bytes(content)
