"""What a push to the executor's registry takes, beside docker-registry and a file with the same bytes."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import BenchmarkFailed, Figure
from benchmarks.setting import Setting
from bundler.model import Blob
from bundler.registry.client import RegistryClient
from bundler.registry.reference import Reference
from tests.fakes.image_registry_process import ImageRegistryProcess
from tests.fakes.registry_process import RegistryProcess, missing_programs

_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def measure(setting: Setting) -> Iterator[Figure]:
    """Push a blob to both registries and write it to a file, in turns, each time other bytes."""
    if missing := missing_programs("none"):
        message = f"not installed: {', '.join(missing)}"
        raise BenchmarkFailed(message)
    folder = setting.folder / "registries"
    folder.mkdir()
    size = setting.scale.pushed_bytes
    own, other, written = [], [], []
    with ExitStack() as stack:
        ours = ImageRegistryProcess(folder / "images").start()
        stack.callback(ours.kill)
        theirs = RegistryProcess(folder / "docker-registry").start()
        stack.callback(theirs.close)
        for repetition in range(setting.scale.repetitions):
            content = random.Random(repetition).randbytes(size)
            own.append(_push(ours.host, content))
            other.append(_push(theirs.host, content))
            written.append(_write(folder / "written", content))
    yield Figure.of("registry_push_mb_per_s", [size / 1e6 / each for each in own], "MB/s")
    yield Figure.of("registry_push_docker_registry_mb_per_s", [size / 1e6 / each for each in other], "MB/s")
    yield Figure.of("registry_file_write_mb_per_s", [size / 1e6 / each for each in written], "MB/s")
    yield Figure.of("registry_push_ratio_to_docker_registry", [a / b for a, b in zip(own, other, strict=True)], "ratio")


def _push(host: str, content: bytes) -> float:
    """Return the seconds until a registry has said that it has a blob."""
    blob = Blob.of(content, _LAYER)

    async def push() -> float:
        async with RegistryClient() as client:
            target = Reference.parse(f"{host}/bench/app")
            await client.push_blob(target, Blob.of(b"warm", _LAYER))
            began = time.perf_counter()
            arrival = await client.push_blob(target, blob)
            assert arrival == "uploaded"
            return time.perf_counter() - began

    return asyncio.run(push())


def _write(path: Path, content: bytes) -> float:
    """Return the seconds until a file is on the disk."""
    began = time.perf_counter()
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return time.perf_counter() - began
