"""Images built by an engine: progress as it goes, a failing command with its last words, and the index at the end.

Such an image is not reproducible as a whole: packages and commands are what they are on that day, and an engine
writes the time into what it makes. Its layers of dependencies, SDK and project unpack to the same files each time, and
what has not changed is taken from the engine's cache.
"""

from __future__ import annotations

import asyncio
import json
import re
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from bundler.docker.dockerfile import (
    Instruction,
    arguments_of,
    dockerfile,
    instructions,
    labels_instruction,
    layer_instruction,
    place_of,
)
from bundler.docker.engine import Engine
from bundler.docker.errors import EngineFailed, ImageBuildFailed
from bundler.docker.quoting import ARGUMENTS, LINE_END, has_lines
from bundler.docker.system_plan import SystemPlan
from bundler.image.config import PROJECT
from bundler.layers import tar
from bundler.layers.memory_layer import memory_layer
from bundler.model import Layer, Progress, Silent
from bundler.registry.auth_files import Credential

_LONGEST_ADDRESS: Final = 900_000
"""Bytes of labels in the address of a request; an engine takes 1 MiB with everything else."""

_CHUNK: Final = 1 << 20
_LAST_LINES: Final = 40
_SENDING: Final = "sending layers to the engine"
_PULLING: Final = "fetching the base image"
_STEP: Final = re.compile(r"Step (\d+)/(\d+) : ")
_OWN_WORDS: Final = re.compile(r" ---> |Removing intermediate container |Successfully (built|tagged) ")
_COLOUR: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)?")
_ERRORS: Final = "\x1b[91m"
"""How engines mark what a command writes to its error output: they colour it."""

_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _nobody(line: str) -> None:
    """Hear a line of output, and tell nobody."""


async def build_image(
    engine: Engine,
    plan: SystemPlan,
    *,
    progress: Progress | None = None,
    hear: Callable[[str], None] = _nobody,
    credential: Credential | None = None,
) -> str:
    """Build the image of a plan and return its id, ``sha256:…``.

    Args:
        engine: builds it.
        plan: what it is made of.
        progress: hears how far it is: the base, the layers on their way, and each step.
        hear: hears each line that a command writes.
        credential: for the registry of the base, should the engine have to fetch it.

    Raises:
        ImageBuildFailed: a command failed.
        EngineMissing, EngineForbidden, EngineUnusable, EngineFailed, EngineLost: see :class:`Engine`.
    """
    told = progress if progress is not None else Silent()
    if await engine.inspect(plan.base) is None:
        await _fetch(engine, plan.base, told, credential)
    steps = _Steps(instructions(plan), told, hear)
    version = await engine.ping()
    return await _built(
        engine,
        dockerfile(plan),
        plan.layers,
        steps,
        arguments=arguments_of(plan),
        platform="" if plan.platform.architecture == version.architecture else str(plan.platform),
    )


async def finish(
    engine: Engine,
    image: str,
    files: Mapping[str, bytes],
    labels: Mapping[str, str],
    *,
    root: str = PROJECT,
    uid: int = 0,
    gid: int = 0,
) -> str:
    """Add files and labels to an image, and return the id of that which has them.

    Args:
        engine: has the image.
        image: its id.
        files: contents by their places below ``root``.
        labels: beside those that it has.
        root: absolute path in the image of a folder that it has.
        uid: number of the files' owner.
        gid: number of the owner's group.
    """
    # An engine takes seconds to read a label of 200 kB in a Dockerfile, and none to read it in the address.
    in_address = len(urllib.parse.quote_plus(json.dumps(dict(labels)))) <= _LONGEST_ADDRESS
    in_file = {} if in_address else dict(sorted(labels.items()))
    steps = [Instruction(text=f"FROM {image}", name="take the image")]
    if has_lines(*in_file.values()):
        steps.append(Instruction(text=f"ARG {LINE_END}", name="take the end of a line"))
    layers = []
    if files:
        layers.append(memory_layer(files, name="index of jobs", root=root, uid=uid, gid=gid))
        steps.append(layer_instruction(layers[0]))
    if in_file:
        steps.append(labels_instruction(in_file))
    return await _built(
        engine,
        "".join(f"{step.text}\n" for step in steps),
        layers,
        _Steps(steps, Silent(), _nobody),
        arguments=ARGUMENTS if has_lines(*in_file.values()) else {},
        labels=labels if in_address else {},
    )


def context(text: str, layers: Sequence[Layer], sent: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """Yield the context of a build, a tar: a Dockerfile, and layers where it looks for them.

    Args:
        text: the Dockerfile.
        layers: what it adds; one that is there twice is sent once.
        sent: hears how many bytes of the layers have been asked for.
    """
    content = text.encode()
    yield tar.header("Dockerfile", size=len(content)) + content + tar.padding(len(content))
    for place, layer in {place_of(layer): layer for layer in layers}.items():
        yield tar.header(place, size=layer.blob.size)
        with layer.blob.open() as stream:
            while piece := stream.read(_CHUNK):
                yield piece
                sent(len(piece))
        yield tar.padding(layer.blob.size)
    yield tar.END


async def _built(
    engine: Engine,
    text: str,
    layers: Sequence[Layer],
    steps: _Steps,
    *,
    arguments: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    platform: str = "",
) -> str:
    loop = asyncio.get_running_loop()
    total = sum({layer.blob.digest: layer.blob.size for layer in layers}.values())

    def sent(amount: int) -> None:
        loop.call_soon_threadsafe(steps.progress.advance, _SENDING, amount)  # the context is read in another thread

    steps.progress.start(_SENDING, total)
    try:
        return await engine.build(
            context(text, layers, sent), arguments=arguments, labels=labels, platform=platform, hear=steps.take
        )
    except EngineFailed as error:
        raise steps.failure(error) from error
    finally:
        steps.end()


async def _fetch(engine: Engine, base: str, progress: Progress, credential: Credential | None) -> None:
    if "@" not in base:
        raise EngineFailed(
            f"the Docker engine does not have the base image {base[:19]}…",
            hint="Load it into the engine, or name a base in a registry.",
        )
    arrived: dict[str, int] = {}

    def hear(message: Mapping[str, Any]) -> None:
        detail = message.get("progressDetail")
        current = detail.get("current") if isinstance(detail, dict) else None
        if message.get("status") == "Downloading" and isinstance(current, int):
            name = str(message.get("id", ""))
            progress.advance(_PULLING, max(current - arrived.get(name, 0), 0))
            arrived[name] = max(current, arrived.get(name, 0))

    progress.start(_PULLING)
    try:
        await engine.pull(base, credential=credential, hear=hear)
    finally:
        progress.finish(_PULLING)


class _Steps:
    """Takes an engine's messages: which step it is at, and what that step's command writes.

    Args:
        instructions: of the Dockerfile, as the engine counts them.
        progress: hears of each step.
        hear: hears each line of a command.
    """

    def __init__(self, instructions: Sequence[Instruction], progress: Progress, hear: Callable[[str], None]) -> None:
        self.progress = progress
        self._instructions = instructions
        self._hear = hear
        self._names: list[str] = [_SENDING]
        self._current: Instruction | None = None
        self._number = 0
        self._pending = {False: "", True: ""}
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self._exit_code: int | None = None

    def take(self, message: Mapping[str, Any]) -> None:
        """Take one message."""
        detail = message.get("errorDetail")
        if isinstance(detail, dict) and isinstance(detail.get("code"), int):
            self._exit_code = detail["code"]
        text = message.get("stream")
        if not isinstance(text, str):
            return
        found = _STEP.match(text)
        if found and (int(found[1]), int(found[2])) == (self._number + 1, len(self._instructions)):
            self._begin()
        elif not _OWN_WORDS.match(text):
            self._take_output(text)

    def end(self) -> None:
        """End what is going on."""
        self._flush()
        for name in self._names:
            self.progress.finish(name)
        self._names.clear()

    def failure(self, error: EngineFailed) -> ImageBuildFailed | EngineFailed:
        """Return the problem of a build that failed: that of its command, if it is one's."""
        self._flush()
        step = self._current
        if step is None or not step.command:
            return error
        code = f"exit code {self._exit_code}" if self._exit_code is not None else "an error"
        output = "\n".join(self._last)
        hint = ""
        if "exec format error" in f"{error.message} {output}".lower():
            hint = "The engine cannot run programs of that platform: set up its emulation (binfmt), or build elsewhere."
        elif step.where == "apt":
            hint = "Check the names and versions of the packages for the base image's Debian."
        return ImageBuildFailed(
            f"the command '{step.command}' of the image's build ended with {code}",
            detail=output or error.message,
            hint=hint,
            where=step.where,
        )

    def _begin(self) -> None:
        self.end()
        self._last.clear()
        self._current = self._instructions[self._number]
        self._number += 1
        self._names.append(self._current.name)
        self.progress.start(self._current.name)

    def _take_output(self, text: str) -> None:
        """Take a piece of one of a command's two outputs, which may end anywhere and have the other's after it."""
        is_error = text.startswith(_ERRORS)
        *lines, self._pending[is_error] = (self._pending[is_error] + _COLOUR.sub("", text)).split("\n")
        for line in lines:
            self._line(line)

    def _flush(self) -> None:
        for is_error, line in self._pending.items():
            self._line(line)
            self._pending[is_error] = ""

    def _line(self, line: str) -> None:
        # A line that is drawn again and again, as progress bars are, is what it was at last.
        shown = _UNSEEN.sub("", line.rstrip("\r").rpartition("\r")[2]).rstrip()
        if shown:
            self._last.append(shown)
            self._hear(shown)
