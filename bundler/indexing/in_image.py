"""Indexing in a container of the image: nothing is closer to what will run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bundler.docker.engine import Container, Engine
from bundler.indexing.answer import Ending, Setting, read_answer
from bundler.indexing.local import SECONDS

if TYPE_CHECKING:
    from bundler.indexing.model import Index

INTERPRETER: Final = "/opt/trigger/bin/python"
ROOT: Final = "/app"

_START: Final = 20.0
"""Seconds beside the imports' own that a container may take to start and to end."""


async def index_in_image(
    engine: Engine, image: str, *, env: Mapping[str, str] | None = None, timeout: float = SECONDS, memory: int = 0
) -> Index:
    """Import the jobs of an image in a container, without a network and with nothing to write to, and describe them.

    Args:
        engine: has the image.
        image: name or id.
        env: variables beside the image's own.
        timeout: seconds that the imports may take.
        memory: bytes that they may take; 0 for no limit.

    Raises:
        IndexFailed: jobs cannot be imported; all that is wrong is in ``problems``.
        IndexTimedOut: that took too long.
        IndexCrashed: the process was ended.
        IndexUnavailable: the image has no SDK that can do it.
        EngineFailed: the engine does not run the image.
    """
    container = Container(
        image=image,
        # Not as the first process, for which signals mean less than they will mean to the worker.
        entrypoint=(INTERPRETER, "-P", "-m", "trigger_sdk.container"),
        command=(INTERPRETER, "-P", "-m", "trigger_sdk.indexing"),
        env={**(env or {}), "PYTHONHASHSEED": "0", "TRIGGER_INDEX_SECONDS": str(timeout)},
        is_read_only=True,
        tmpfs={"/tmp": "size=256m,mode=1777"},  # noqa: S108 - in a container of its own
        memory=memory,
    )
    ran = await engine.run(container, timeout=timeout + _START)
    setting = Setting(
        interpreter=f"{INTERPRETER} in the image",
        root=ROOT,
        seconds=timeout,
        shown=lambda text: text.replace(f"{ROOT}/", ""),
        install="Build the image with the trigger-sdk of this version.",
    )
    ending = Ending(
        exit_code=ran.exit_code,
        answer=ran.stdout,
        output=ran.stderr,
        is_timed_out=ran.is_timed_out,
        is_out_of_memory=ran.is_out_of_memory,
    )
    return read_answer(ending, setting)
