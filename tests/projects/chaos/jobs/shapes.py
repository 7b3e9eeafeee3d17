"""Jobs of several shapes, to be run by the hundred while everything is killed."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from effects import PATIENT, Order, effect, sync_effect

from trigger_sdk import Canceled, Context, Retry, job, sleep, wait_for_event

STUBBORN = Retry(max_attempts=10_000, min_delay=timedelta(milliseconds=30), factor=1.0, jitter=False)


@job(id="chain")
async def chain(order: Order, ctx: Context) -> list[str]:
    """One step after the other."""
    return [await effect(f"link {number}")(ctx.run.id) for number in range(order.size)]


@job(id="fan")
async def fan(order: Order, ctx: Context) -> list[str]:
    """Branches that end in another order than they began, a few at a time."""
    gate = asyncio.Semaphore(3)

    async def branch(number: int) -> str:
        async with gate:
            await asyncio.sleep(0.01 * (order.size - number))
            return await effect(f"branch {number}", seconds=0.005 * (number % 3))(ctx.run.id)

    return list(await asyncio.gather(*map(branch, range(order.size))))


@job(id="sleeper")
def sleeper(order: Order, ctx: Context) -> list[str]:
    """A sync body that sleeps and records."""
    done = []
    for number in range(order.size):
        key = str(uuid4())
        ctx.logger.info("sleeps %s", key)
        sleep(0.05)
        done.append(sync_effect(f"woken {number}")(ctx.run.id, key))
    return done


@job(id="family")
async def family(order: Order, ctx: Context) -> list[list[str]]:
    """Waits for several children."""
    await effect("wed")(ctx.run.id)
    children = [Order(name=f"{order.name}:{number}", size=2) for number in range(order.size)]
    return list(await chain.batch_trigger_and_wait(children))


@job(id="patient")
async def patient(order: Order, ctx: Context) -> object:
    """Waits for an event that may have come already, and retries."""
    await effect("knock", fail=1, retry=PATIENT)(ctx.run.id)
    event = await wait_for_event("answer", filter={"order": [order.name]})
    await effect("enter")(ctx.run.id)
    return event.payload


@job(id="abandoned")
async def abandoned(order: Order, ctx: Context) -> None:
    """Waits for what never comes, until it is cancelled; then cleans up."""
    await effect("open")(ctx.run.id)
    try:
        await wait_for_event("never", filter={"order": [order.name]})
    except (asyncio.CancelledError, Canceled):
        await effect("close")(ctx.run.id)
        raise


@job(id="stubborn")
async def stubborn(order: Order, ctx: Context) -> str:
    """Tries as often as the service wants."""
    return await effect("insist", fail=order.size, retry=STUBBORN)(ctx.run.id)


@job(id="broken")
async def broken(order: Order, ctx: Context) -> None:
    """Fails after two effects."""
    await effect("begin")(ctx.run.id)
    try:
        await effect("doubt")(ctx.run.id)
    finally:
        await effect("leave")(ctx.run.id)
    raise ValueError(order.name)
