"""Effects that can be counted: each is a request to the service of tests/fakes/effects_program.py."""

import asyncio
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from trigger_sdk import Retry, task

PATIENT = Retry(max_attempts=5, min_delay=timedelta(milliseconds=30), jitter=False)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What every job here is given.

    Attributes:
        name: unlike any other order's; ends waits for events.
        die: the effect that takes the worker down when it happens for the first time, or empty.
        size: how much there is to do.
    """

    name: str
    die: str = ""
    size: int = 1


class Failing(Exception):
    """The service was told to fail."""


def hit(run: str, what: str, key: str = "", *, fail: int = 0, die: str = "", began: float = 0.0) -> str:
    """Have an effect; it fails the first ``fail`` times. Returns what it did."""
    asked = {"run": run, "what": what, "key": key, "fail": fail, "pid": os.getpid(), "began": began or time.time()}
    body = json.dumps(asked).encode()
    request = urllib.request.Request(os.environ["EFFECTS_URL"], body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            happened = json.load(answer)["happened"]
    except urllib.error.HTTPError as error:
        raise Failing(f"{what} failed with {error.code}") from None
    if die == what and happened == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{what} done"


def effect(
    what: str, *, seconds: float = 0.0, fail: int = 0, retry: Retry | None = None
) -> Callable[..., Coroutine[Any, Any, str]]:
    """Return an async task with a name of its own that has an effect, after a while."""

    async def have(run: str, key: str = "", die: str = "") -> str:
        began = time.time()
        if seconds:
            await asyncio.sleep(seconds)
        return await asyncio.to_thread(hit, run, what, key, fail=fail, die=die, began=began)

    return task.wrap(have, name=what, retry=retry)


def sync_effect(what: str, *, fail: int = 0, retry: Retry | None = None) -> Callable[..., str]:
    """Return a sync task with a name of its own that has an effect."""

    def have(run: str, key: str = "", die: str = "") -> str:
        return hit(run, what, key, fail=fail, die=die)

    return task.wrap(have, name=what, retry=retry)
