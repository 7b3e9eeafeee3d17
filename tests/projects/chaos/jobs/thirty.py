"""A job with more than 30 steps of every kind, that can be killed anywhere, and the runs it starts."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from effects import PATIENT, Order, effect, hit, sync_effect

from trigger_sdk import Abort, Context, job, send_event, sleep, task, wait_for_event


@task
async def refuse(run: str, die: str) -> None:
    """Have an effect, and fail for good."""
    await asyncio.to_thread(hit, run, "refuse", die=die, began=time.time())
    raise Abort("the shop is closed")


@task
async def hang(run: str, die: str) -> None:
    """Have an effect, and never end."""
    await asyncio.to_thread(hit, run, "hang", die=die, began=time.time())
    await asyncio.sleep(3600)


@job(id="parcel")
async def parcel(order: Order, ctx: Context) -> str:
    """A child: two effects around a sleep."""
    run = ctx.run.id
    await effect("pack")(run, die=order.die)
    await sleep(0.03)
    if order.name.endswith(":lost"):
        raise LookupError("the parcel is lost")
    return await effect("post")(run, die=order.die)


@job(id="ledger")
def ledger(order: Order, ctx: Context) -> list[str]:
    """A child with a sync body."""
    run = ctx.run.id
    key = str(uuid4())
    print("ledger", order.name, key)  # noqa: T201
    lines = [sync_effect("debit")(run, key, order.die)]
    sleep(0.03)
    lines.append(sync_effect("credit", fail=1, retry=PATIENT)(run, key, order.die))
    ctx.logger.info("booked %s %s", order.name, key)
    return [*lines, key]


@job(id="messenger")
async def messenger(order: Order, ctx: Context) -> None:
    """Sends the event that an order waits for, late."""
    await sleep(0.05)
    await effect("ring")(ctx.run.id)
    await send_event("delivered", {"order": order.name})


async def _pair(side: str, run: str, die: str) -> list[str]:
    token = str(uuid4())
    first = await effect(f"{side} first", seconds=0.02 if side == "left" else 0.0)(run, token, die)
    second = await effect(f"{side} second")(run, token, die)
    return [first, second, token]


async def _timeouts(run: str, die: str) -> list[str]:
    told = []
    try:
        async with asyncio.timeout(0.03):
            await wait_for_event("never")
    except TimeoutError:
        told.append("no event")
    try:
        async with asyncio.timeout(0.15):
            await hang(run, die)
    except TimeoutError:
        told.append("hung")
    return told


async def _compensated(run: str, key: str, die: str) -> str:
    charged = await effect("charge")(run, key, die)
    try:
        await effect("ship")(run, key, die)
        await refuse(run, die)
    except Abort as error:
        undone = await effect("refund")(run, key, die)
        return f"{charged}, {undone}: {error}"
    return charged


@job(id="thirty")
async def thirty(order: Order, ctx: Context) -> dict[str, Any]:
    """Do everything once."""
    run, die = ctx.run.id, order.die
    key, began = str(uuid4()), datetime.now(tz=UTC).isoformat()
    ctx.logger.info("order %s has key %s", order.name, key)
    out: dict[str, Any] = {"key": key, "began": began, "reserve": await effect("reserve")(run, key, die)}
    print("reserved at", began)  # noqa: T201

    # The first to begin is the last to end.
    out["gathered"] = await asyncio.gather(
        effect("slow", seconds=0.06)(run, key, die),
        effect("middle", seconds=0.03)(run, key, die),
        effect("fast")(run, key, die),
    )
    async with asyncio.TaskGroup() as group:
        left, right = (group.create_task(_pair(side, run, die)) for side in ("left", "right"))
    out["pairs"] = [left.result(), right.result()]
    print("pairs have", *(pair.result()[-1] for pair in (left, right)), file=sys.stderr)  # noqa: T201

    out["flaky"] = await effect("flaky", fail=2, retry=PATIENT)(run, key, die)
    out["hit"] = await task.run(hit, run, "hit", key, die=die)
    ctx.logger.info("half of %s", order.name)
    out["timeouts"] = await _timeouts(run, die)
    await asyncio.sleep(0.03)
    await sleep(0.03)
    print("slept", order.name)  # noqa: T201

    early = await wait_for_event("approved", filter={"order": [order.name]})
    out["approved"] = early.payload
    handle = await messenger.trigger(order)
    late = await wait_for_event("delivered", filter={"order": [order.name]})
    out["delivered"] = late.payload
    ctx.logger.info("delivered %s", order.name)

    out["parcel"] = await parcel.trigger_and_wait(order)
    parcels = [Order(name=f"{order.name}:{which}", die=die) for which in ("a", "lost", "b")]
    out["parcels"] = [str(one) for one in await parcel.batch_trigger_and_wait(parcels, return_exceptions=True)]
    out["ledger"] = (await ledger.trigger_and_wait(order))[:2]
    out["compensated"] = await _compensated(run, key, die)
    out["last"] = await effect("last")(run, key, die)
    ctx.logger.info("done %s %s", order.name, key)
    return out | {"messenger": bool(handle.id)}
