"""What `trigger build` takes: cold, and after one line was changed; beside BuildKit, and what nobody can do without."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx

from benchmarks.buildkit import BuildKit
from benchmarks.bundle_project import BundleProject, write_project
from benchmarks.figures import BenchmarkFailed, Figure
from benchmarks.setting import Setting
from bundler.build import build
from bundler.cache import Cache
from bundler.dependencies import dependencies
from bundler.image.bases.choice import base_source
from bundler.image.manifest import manifest_of
from bundler.image.model import Bundle, Image
from bundler.image.outputs.choice import output
from bundler.image.outputs.registry import RegistryOutput
from bundler.model import Blob, Silent, Target
from bundler.plan import make_plan, own_platform
from bundler.registry.reference import Reference
from bundler.settings import BundleSettings
from bundler.workshop import open_workshop
from tests.fakes.registry_process import RegistryProcess, missing_programs
from tests.rig.debian_image import DebianBase, debian_base
from trigger_sdk.protocol.project import load_project

_COMMAND: Final = (sys.executable, "-P", "-m", "trigger_cli", "build", "--plain-http", "127.0.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where everything is.

    Attributes:
        folder: for caches.
        project: what is bundled.
        registry: ``127.0.0.1:PORT``, where images go and the base comes from.
        base: name of the base in the registry.
        prepared: a cache with the wheels, and nothing else.
    """

    folder: Path
    project: BundleProject
    registry: str
    base: str
    prepared: Path

    def environ(self, cache: Path) -> dict[str, str]:
        """Return the variables of a build."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TRIGGER_CACHE_DIR": str(cache)}

    def settings(self, name: str) -> BundleSettings:
        """Return the settings of an image of that name."""
        return BundleSettings(base=self.base, repository=f"{self.registry}/{name}", tags=("latest",))


def measure(setting: Setting) -> Iterator[Figure]:
    """Bundle a project in all ways."""
    if missing := missing_programs("none"):
        message = f"not installed: {', '.join(missing)}"
        raise BenchmarkFailed(message)
    scale = setting.scale
    folder = setting.folder / "bundled"
    folder.mkdir()
    with ExitStack() as stack:
        registry = RegistryProcess(folder / "registry").start()
        stack.callback(registry.close)
        base = debian_base(folder / "debian-base")
        site = _site(folder, registry.host, base, scale.bundled)
        yield from _ours(site, scale.bundles)
        yield from _floor(site, scale.bundles)
        with BuildKit(folder / "buildkit", site.base, site.registry) as other:
            yield from other.figures(site.project, _wheels(site.prepared), scale.bundles)
            yield from _changes(site, scale.bundles, other)
            yield from _starts(site, scale.bundles, other)


def _site(folder: Path, registry: str, base: DebianBase, names: tuple[str, ...]) -> _Site:
    project = write_project(folder / "project", names)
    site = _Site(
        folder=folder, project=project, registry=registry, base=f"{registry}/lab/python:slim",
        prepared=folder / "prepared",
    )  # fmt: skip
    asyncio.run(_prepare(site, base))
    return site


async def _prepare(site: _Site, base: DebianBase) -> None:
    """Fetch the wheels, and put the base into the registry."""
    async with open_workshop(site.environ(site.prepared), home=site.folder) as workshop:
        plan = await make_plan(load_project(site.project.root), BundleSettings(), site.project.python, workshop)
        target = Target(python=plan.interpreter.version, platform=own_platform())
        await dependencies(plan, target, workshop)
        source = base_source(
            f"tar:{base.archive}", client=workshop.client, cache=Cache(site.folder / "scratch"), folder=site.folder
        )
        found = await source.image(target.platform, target.python)
        config = Blob.of(json.dumps(found.config).encode(), "application/vnd.oci.image.config.v1+json")
        image = Image(
            platform=found.platform, config=config, manifest=manifest_of(found, config, ()), base=found, layers=()
        )
        to = RegistryOutput(Reference.parse(site.base), client=workshop.client)
        await to.write(Bundle(images=(image,)), tags=(), progress=Silent())


async def _built(site: _Site, cache: Path, settings: BundleSettings) -> float:
    """Build and push, and return the seconds that took."""
    began = time.perf_counter()
    async with open_workshop(site.environ(cache), home=site.folder) as workshop:
        to = output(
            "registry", repository=settings.repository, client=workshop.client, cache=workshop.cache, folder=site.folder
        )  # fmt: skip
        project = load_project(site.project.root)
        plan = await make_plan(project, settings, site.project.python, workshop)
        built = await build(plan, workshop)
        await to.write(built.bundle, tags=settings.tags, progress=Silent())
    return time.perf_counter() - began


def _seconds(site: _Site, cache: Path, name: str) -> float:
    return asyncio.run(_built(site, cache, site.settings(name)))


def _fresh(site: _Site, name: str) -> Path:
    """Return a cache that has the wheels, and what is known of the base; no layers."""
    cache = site.folder / name
    shutil.copytree(site.prepared, cache)
    return cache


def _ours(site: _Site, repetitions: int) -> Iterator[Figure]:
    """Cold, into a repository that is empty; then one changed line after the other, with imports in tasks and above."""
    _seconds(site, _fresh(site, "warm-up"), "warm-up")
    cold = [_seconds(site, _fresh(site, f"cold-{number}"), f"cold-{number}") for number in range(repetitions)]
    yield Figure.of("bundle_cold_s", cold, "s")
    cache = site.folder / "cold-0"
    for metric, imports in (("bundle_change_s", False), ("bundle_change_with_imports_s", True)):
        site.project.write_job(imports=imports)
        _seconds(site, cache, "cold-0")
        samples = []
        for number in range(repetitions * 2):
            site.project.edit(number)
            samples.append(_seconds(site, cache, "cold-0"))
        yield Figure.of(metric, samples, "s")
        yield Figure.of(metric.replace("change", "change_floor"), [_imports(site) for _ in range(repetitions)], "s")
    site.project.write_job(imports=False)


def _imports(site: _Site) -> float:
    """Return the seconds that an interpreter takes to import the jobs: nobody can know them sooner."""
    began = time.perf_counter()
    command = [str(site.project.python), "-P", "-c", "import sys; sys.path.insert(0, '.'); import jobs.report"]
    subprocess.run(command, cwd=site.project.root, check=True)
    return time.perf_counter() - began


def _wheels(cache: Path) -> list[Path]:
    """Return the wheels in a cache."""
    return [path for path in sorted(cache.rglob("blobs/??/*")) if zipfile.is_zipfile(path)]


def _floor(site: _Site, repetitions: int) -> Iterator[Figure]:
    """What making and pushing layers cannot do without: read, inflate and hash every wheel, and send as many bytes."""
    wheels = _wheels(site.prepared)
    samples = []
    for _ in range(repetitions):
        began = time.perf_counter()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(_read, wheels))
        with httpx.Client(base_url=f"http://{site.registry}", timeout=60.0) as client:
            for wheel in wheels:
                content = wheel.read_bytes()
                session = client.post("/v2/floor/blobs/uploads/").headers["Location"]
                digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
                client.put(session, params=_with_digest(session, digest), content=content).raise_for_status()
        samples.append(time.perf_counter() - began)
    yield Figure.of("bundle_cold_floor_s", samples, "s")


def _with_digest(address: str, digest: str) -> dict[str, str]:
    return {**dict(httpx.URL(address).params), "digest": digest}


def _read(wheel: Path) -> None:
    hashlib.sha256(wheel.read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            hashlib.sha256(archive.read(name))


def _changes(site: _Site, repetitions: int, other: BuildKit) -> Iterator[Figure]:
    """One changed line by whole commands, ours and BuildKit's in turn."""
    cache = site.folder / "cold-0"
    options = ["--base", site.base, "--repository", f"{site.registry}/cold-0", "--python", str(site.project.python)]
    ours, theirs = [], []
    for number in range(100, 100 + repetitions * 2):
        site.project.edit(number)
        began = time.perf_counter()
        subprocess.run(
            [*_COMMAND, *options], cwd=site.project.root, env=site.environ(cache), check=True, capture_output=True
        )  # fmt: skip
        ours.append(time.perf_counter() - began)
        theirs.append(other.build(site.project))
    yield Figure.of("bundle_change_command_s", ours, "s")
    yield Figure.of("bundle_change_buildkit_s", theirs, "s")
    yield Figure.of("bundle_change_to_buildkit_ratio", [a / b for a, b in zip(ours, theirs, strict=True)], "ratio")


def _starts(site: _Site, repetitions: int, other: BuildKit) -> Iterator[Figure]:
    """From `docker run` to the first line of the body, without and with bytecode."""
    for metric, bytecode in (("bundle_job_start_s", False), ("bundle_job_start_bytecode_s", True)):
        site.project.write_job(imports=True)
        settings = replace(site.settings(metric.replace("_", "-")), bytecode=bytecode)
        asyncio.run(_built(site, site.folder / "cold-0", settings))
        yield Figure.of(metric, other.starts(f"{settings.repository}:latest", repetitions), "s")
    site.project.write_job(imports=False)
