"""Random job bodies: small trees of asyncio's constructs over tasks that the test ends when it likes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Call = Callable[[str], Awaitable[Any]]
    Record = Callable[[], Any]

Op = tuple[Any, ...]


class ProgramError(Exception):
    """What a failing task of a program raises."""


def programs(depth: int = 3) -> st.SearchStrategy[Op]:
    """Return a strategy for programs; see :func:`run_op` for what the operations do."""
    leaf = st.one_of(
        st.tuples(st.just("task"), st.booleans()),
        st.tuples(st.just("sleep"), st.integers(1, 9)),
        st.tuples(st.just("recorded")),
        st.tuples(st.just("yield")),
    )
    if depth == 0:
        return leaf
    inner = programs(depth - 1)
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        leaf,
        st.tuples(st.just("seq"), several),
        st.tuples(st.just("gather"), several, st.booleans()),
        st.tuples(st.just("group"), several),
        st.tuples(st.just("timeout"), st.integers(1, 9), inner),
        st.tuples(st.just("wait_for"), st.integers(1, 9), inner),
        st.tuples(st.just("cancel"), inner, inner),
        st.tuples(st.just("shield"), inner),
        st.tuples(st.just("first"), several),
        st.tuples(st.just("as_completed"), several),
        st.tuples(st.just("try"), inner),
        st.tuples(st.just("finally"), inner, inner),
        st.tuples(st.just("semaphore"), several),
        st.tuples(st.just("queue"), several),
        st.tuples(st.just("event"), inner, inner),
    )


def number(op: Op, counter: list[int] | None = None) -> Op:
    """Return the program with every operation numbered, so that its trace tells which is which."""
    counter = [0] if counter is None else counter
    counter[0] += 1
    here = counter[0]

    def walk(part: Any) -> Any:
        if isinstance(part, tuple) and part and isinstance(part[0], str):
            return number(part, counter)
        if isinstance(part, tuple):
            return tuple(walk(each) for each in part)
        return part

    return (op[0], here, *(walk(part) for part in op[1:]))


class Interpreter:
    """Runs a numbered program and writes down what it sees.

    Attributes:
        trace: (operation's number, what happened), in order.
    """

    def __init__(self, call: Call, record: Record) -> None:
        self.trace: list[tuple[int, str]] = []
        self._call = call
        self._record = record

    async def run(self, op: Op) -> Any:
        """Run an operation; its result is a string or a list."""
        kind, here, *rest = op
        self.trace.append((here, f"{kind} begins"))
        try:
            result = await getattr(self, f"_{kind}")(here, *rest)
        except ProgramError:
            self.trace.append((here, "failed"))
            raise
        except ExceptionGroup as group:
            self.trace.append((here, f"group of {len(group.exceptions)}"))
            raise ProgramError from group
        except asyncio.CancelledError:
            self.trace.append((here, "cancelled"))
            raise
        self.trace.append((here, f"ends {result!r}"))
        return result

    async def _task(self, here: int, fails: bool) -> Any:
        return await self._call(f"{'x' if fails else 'o'}{here}")

    async def _sleep(self, _here: int, seconds: int) -> str:
        await asyncio.sleep(seconds)
        return "slept"

    async def _recorded(self, _here: int) -> Any:
        return self._record()

    async def _yield(self, _here: int) -> str:
        await asyncio.sleep(0)
        return "yielded"

    async def _seq(self, _here: int, ops: tuple[Op, ...]) -> list[Any]:
        return [await self.run(op) for op in ops]

    async def _gather(self, _here: int, ops: tuple[Op, ...], collect: bool) -> list[str]:
        outcomes = await asyncio.gather(*(self.run(op) for op in ops), return_exceptions=collect)
        return [_short(outcome) for outcome in outcomes]

    async def _group(self, _here: int, ops: tuple[Op, ...]) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.run(op)) for op in ops]
        return [_short(task.result()) for task in tasks]

    async def _timeout(self, _here: int, seconds: int, op: Op) -> str:
        try:
            async with asyncio.timeout(seconds):
                return _short(await self.run(op))
        except TimeoutError:
            return "timed out"

    async def _wait_for(self, _here: int, seconds: int, op: Op) -> str:
        try:
            return _short(await asyncio.wait_for(self.run(op), seconds))
        except TimeoutError:
            return "timed out"

    async def _cancel(self, _here: int, victim: Op, meanwhile: Op) -> str:
        task = asyncio.create_task(self.run(victim))
        try:
            await self.run(meanwhile)
        finally:
            task.cancel()
        try:
            return _short(await task)
        except asyncio.CancelledError:
            return "victim cancelled"

    async def _shield(self, _here: int, op: Op) -> str:
        return _short(await asyncio.shield(self.run(op)))

    async def _first(self, _here: int, ops: tuple[Op, ...]) -> str:
        tasks = [asyncio.create_task(self.run(op)) for op in ops]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        outcomes = await asyncio.gather(*done, return_exceptions=True)
        return f"{len(done)} done: {[_short(outcome) for outcome in outcomes]}"

    async def _as_completed(self, _here: int, ops: tuple[Op, ...]) -> list[str]:
        results = []
        for next_one in asyncio.as_completed([asyncio.create_task(self.run(op)) for op in ops]):
            try:
                results.append(_short(await next_one))
            except ProgramError:
                results.append("failed")
        return results

    async def _try(self, _here: int, op: Op) -> str:
        try:
            return _short(await self.run(op))
        except Exception as error:  # noqa: BLE001 - what the construct is about
            return f"caught {type(error).__name__}"

    async def _finally(self, _here: int, op: Op, cleanup: Op) -> str:
        try:
            return _short(await self.run(op))
        finally:
            await self.run(cleanup)

    async def _semaphore(self, _here: int, ops: tuple[Op, ...]) -> list[str]:
        semaphore = asyncio.Semaphore(1)

        async def one(op: Op) -> Any:
            async with semaphore:
                return await self.run(op)

        outcomes = await asyncio.gather(*(one(op) for op in ops), return_exceptions=True)
        return [_short(outcome) for outcome in outcomes]

    async def _queue(self, here: int, ops: tuple[Op, ...]) -> list[str]:
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=1)

        async def produce(op: Op) -> None:
            try:
                await queue.put(_short(await self.run(op)))
            except ProgramError:
                await queue.put("failed")

        producers = [asyncio.create_task(produce(op)) for op in ops]
        try:
            results = [await queue.get() for _ in producers]
        finally:
            for producer in producers:
                producer.cancel()
        self.trace.append((here, f"got {results}"))
        return results

    async def _event(self, _here: int, setter: Op, waiter: Op) -> str:
        event = asyncio.Event()

        async def wait() -> Any:
            await event.wait()
            return await self.run(waiter)

        waiting = asyncio.create_task(wait())
        try:
            await self.run(setter)
        finally:
            event.set()
        return _short(await waiting)


def _short(outcome: Any) -> str:
    return type(outcome).__name__ if isinstance(outcome, BaseException) else str(outcome)
