"""Whatever a base holds, the answer is an image or a problem."""

import copy
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from bundler.errors import BundlerError
from bundler.image.assembly import image_of
from bundler.image.model import BaseImage
from bundler.model import digest_of
from bundler.settings import BundleSettings
from tests.fakes.images import MadeImage, layout_files, saved, sha256, tar_of, to_json

BaseOf = Callable[..., Awaitable[BaseImage]]

JUNK: list[Any] = [
    None, True, -1, 1.5, 10**30, "", "x", "\ud800", "sha256:" + "0" * 64, "a" * 10_000, [], [None], [[]], {},
    {"": None}, {"a": {"b": []}},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


def changed(content: bytes, noise: random.Random) -> bytes:
    """Return a JSON text of which one value is something else, or is not there."""
    value = copy.deepcopy(json.loads(content))
    place = noise.choice(places(value))
    if not place:
        return json.dumps(noise.choice(JUNK)).encode()
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    if noise.random() < 0.2:
        del inner[place[-1]]
    else:
        inner[place[-1]] = noise.choice(JUNK)
    return json.dumps(value).encode()


async def is_image_or_problem(base_of: BaseOf, text: str) -> bool:
    """Build upon a base: tell whether that can be done; anything but a problem is an error."""
    try:
        base = await base_of(text)
        image_of(base, [], BundleSettings(), project=digest_of(b""), labels={"a": "b"})
    except BundlerError:
        return False
    return True


@pytest.mark.parametrize("part", ["config", "manifest", "index", "layout"])
async def test_changed_descriptions(base_of: BaseOf, tmp_path: Path, part: str) -> None:
    """One value of config, manifest or index is something else; digests fit all the same."""
    noise = random.Random(part)
    history = {"history": [{"created_by": "a"}], "created": "2020-01-01T00:00:00Z"}
    made = MadeImage(more=history, env=["PATH=/usr/bin", "PYTHON_VERSION=3.11"])
    outcomes = set()
    for number in range(150):
        config = changed(made.config, noise) if part == "config" else made.config
        manifest = json.loads(made.manifest)
        manifest["config"] |= {"digest": sha256(config), "size": len(config)}
        told = changed(to_json(manifest), noise) if part == "manifest" else to_json(manifest)
        entry = {**made.entry, "digest": sha256(told), "size": len(told)}
        files: dict[str, bytes | str] = dict(layout_files([config, told, *made.layers], [entry]))
        for name in {"index": ["index.json"], "layout": ["oci-layout"]}.get(part, []):
            content = files[name]
            assert isinstance(content, bytes)
            files[name] = changed(content, noise)
        (tmp_path / f"{number}.tar").write_bytes(tar_of(files))
        outcomes.add(await is_image_or_problem(base_of, f"tar:{number}.tar"))
    assert False in outcomes


async def test_changed_bytes_of_an_archive(base_of: BaseOf, tmp_path: Path) -> None:
    """Some bytes of what an engine saved are others, or it is cut."""
    noise = random.Random(1)
    content = tar_of(saved(MadeImage()))
    heads = [at for at in range(0, len(content), 512) if content[at + 257 : at + 262] == b"ustar"]
    for number in range(150):
        damaged = bytearray(content)
        for _ in range(noise.randrange(1, 4)):
            at = noise.choice(heads) + noise.randrange(1024)
            damaged[min(at, len(damaged) - 1)] = noise.randrange(256)
        if noise.random() < 0.3:
            del damaged[noise.randrange(len(damaged)) :]
        (tmp_path / f"{number}.tar").write_bytes(damaged)
        await is_image_or_problem(base_of, f"tar:{number}.tar")


async def test_changed_list_of_an_archive(base_of: BaseOf, tmp_path: Path) -> None:
    """One value of the list of images is something else."""
    noise = random.Random(2)
    files = saved(MadeImage())
    content = files["manifest.json"]
    assert isinstance(content, bytes)
    for number in range(150):
        (tmp_path / f"{number}.tar").write_bytes(tar_of({**files, "manifest.json": changed(content, noise)}))
        await is_image_or_problem(base_of, f"tar:{number}.tar")
