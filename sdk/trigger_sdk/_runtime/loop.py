"""The deterministic event loop on which the body of an async job runs.

It is a real asyncio loop as far as asyncio's own primitives can tell, so ``gather``, ``TaskGroup``, ``timeout``,
``Queue`` and the rest work as they stand. It has no I/O and no clock of its own: its time is the commit time of the
last journal entry the body learned of, and its timers are durable waits. :meth:`BodyLoop.turn` runs what is ready and
returns; who owns the loop then delivers the next entry and turns it again.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import events
from collections import deque
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from trigger_sdk._runtime.branch import Branch
from trigger_sdk._runtime.scope import Scope, current_scope
from trigger_sdk.errors import SideEffectOutsideTask

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from contextvars import Context


class TimerPort(Protocol):
    """What makes the loop's timers durable."""

    def start_timer(self, timer: DurableTimer, delay: float, name: str) -> None:
        """Register a timer that ends ``delay`` seconds from now."""
        ...

    def cancel_timer(self, timer: DurableTimer) -> None:
        """Forget a timer that was registered."""
        ...

    def unhandled(self, message: str, error: BaseException | None) -> None:
        """Report an exception that nobody retrieved."""
        ...


class BodyFuture(asyncio.Future[Any]):
    """A future whose hash is its place in the order of creation, so that sets of futures iterate alike on replay."""

    def __new__(cls, *, loop: BodyLoop) -> Self:
        future = super().__new__(cls)
        future.ordinal = loop.next_ordinal()
        return future

    ordinal: int

    def __hash__(self) -> int:
        return self.ordinal


class BodyTask(asyncio.Task[Any]):
    """An asyncio task of a body: it knows its branch, and hashes by its place in the order of creation."""

    def __new__(cls, _coro: object, *, loop: BodyLoop, **_options: object) -> Self:
        task = super().__new__(cls)
        task.ordinal = loop.next_ordinal()
        return task

    ordinal: int
    branch: Branch

    def __hash__(self) -> int:
        return self.ordinal


class DurableTimer(asyncio.TimerHandle):
    """A timer of the loop; ``step`` is set when it was registered as a durable wait."""

    step: str = ""


class BodyLoop(asyncio.AbstractEventLoop):
    """See the module's docstring.

    Attributes:
        now: seconds since the epoch; set by the owner before it delivers an entry.
        root: the body's main branch.
    """

    def __init__(self, timers: TimerPort, scope: Scope, began_at: float) -> None:
        self.now = began_at
        self.root = Branch("")
        self._timers = timers
        self._scope = scope
        self._ready: deque[asyncio.Handle] = deque()
        self._tasks: list[BodyTask] = []
        self._prune_at = 64
        self._ordinals = 0
        self._generators: list[AsyncGenerator[Any, Any]] = []
        self._closed = False

    # --- what the owner calls -----------------------------------------------------------------------------------

    def turn(self) -> None:
        """Run until nothing is ready."""
        outer = events._get_running_loop()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._generator_started, self._generator_dropped)
        events._set_running_loop(self)
        ready = self._ready
        try:
            while ready:
                handle = ready.popleft()
                if not handle._cancelled:
                    try:
                        handle._run()
                    except (SystemExit, KeyboardInterrupt):
                        continue  # the task that raised it carries it as its exception
        finally:
            events._set_running_loop(outer)
            sys.set_asyncgen_hooks(*hooks)

    def fire(self, timer: DurableTimer) -> None:
        """Make a timer's callback ready."""
        if not timer.cancelled():
            self._ready.append(timer)

    def pending_tasks(self) -> list[BodyTask]:
        """Return the tasks that are not done, oldest first."""
        self._tasks = [task for task in self._tasks if not task.done()]
        return list(self._tasks)

    def next_ordinal(self) -> int:
        """Number what is created on this loop."""
        self._ordinals += 1
        return self._ordinals

    def branch(self) -> Branch:
        """Return the branch of the running task; callbacks belong to the main branch."""
        task = asyncio.current_task(self)
        return task.branch if isinstance(task, BodyTask) else self.root

    def discard(self, leave: type[BaseException]) -> None:
        """Unwind every pending task with ``leave``; what their ``finally`` blocks ask for is refused by the scope."""
        self._ready.clear()
        self._closed = True
        outer = events._get_running_loop()
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(None, _drop)
        variables = copy_context()
        variables.run(current_scope.set, self._scope)  # what the unwinding code calls is refused, not run as if outside
        events._set_running_loop(self)
        try:
            while left := self.pending_tasks():  # unwinding may create more
                self._tasks.clear()
                for task in left:
                    task._log_destroy_pending = False  # type: ignore[attr-defined]
                    asyncio.tasks._enter_task(self, task)  # documented for those who implement tasks
                    try:
                        variables.run(_unwind, task, leave)
                    finally:
                        asyncio.tasks._leave_task(self, task)
        finally:
            events._set_running_loop(outer)
            sys.set_asyncgen_hooks(*hooks)
            self._ready.clear()
            self._tasks.clear()
            self._generators.clear()

    # --- what asyncio calls -------------------------------------------------------------------------------------

    def time(self) -> float:
        """Return the body's clock: the commit time of the last entry it learned of."""
        return self.now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Make a callback ready."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Make a callback ready; from a body's own thread only, since there are no others."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        return self.call_soon(callback, *args, context=context)

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Register a durable timer."""
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Register a durable timer; one that is due already is only made ready."""
        timer = DurableTimer(when, callback, args, self, context)
        delay = when - self.now
        if delay <= 0:
            self._ready.append(timer)
        else:
            self._timers.start_timer(timer, delay, _timer_name(callback))
        return timer

    def _timer_handle_cancelled(self, handle: DurableTimer) -> None:
        if handle.step:
            self._timers.cancel_timer(handle)

    def create_future(self) -> BodyFuture:
        """Create a future of this loop."""
        return BodyFuture(loop=self)

    def create_task(  # type: ignore[override]
        self, coro: Coroutine[Any, Any, Any], *, name: object = None, context: Context | None = None, **_eager: object
    ) -> BodyTask:
        """Create a task: a branch with a number in the branch that creates it."""
        return self._spawn(coro, Branch(self.branch().next()), name, context)

    def _spawn(self, coro: Coroutine[Any, Any, Any], branch: Branch, name: object, context: Context | None) -> BodyTask:
        if context is None:
            context = copy_context()
        context.run(current_scope.set, self._scope)
        task = BodyTask(coro, loop=self, name=str(name or f"branch {branch.path}"), context=context)
        task.branch = branch
        self._tasks.append(task)
        if len(self._tasks) > self._prune_at:
            self._prune_at = max(64, 2 * len(self.pending_tasks()))
        return task

    def get_debug(self) -> bool:
        """Return False: debug mode would look at clocks."""
        return False

    def set_debug(self, enabled: bool) -> None:  # noqa: FBT001 - asyncio's signature
        """Accept and ignore."""

    def is_running(self) -> bool:
        """Return True while the loop turns."""
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        """Return True after :meth:`discard`."""
        return self._closed

    def get_exception_handler(self) -> None:
        """Return None: there is no custom handler."""

    def set_exception_handler(self, handler: object) -> None:
        """Accept and ignore."""

    def get_task_factory(self) -> None:
        """Return None: there is no custom factory."""

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Report an exception that nobody retrieved."""
        self.call_exception_handler(context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Report an exception that nobody retrieved."""
        if not self._closed:
            self._timers.unhandled(str(context.get("message", "")), context.get("exception"))

    async def shutdown_asyncgens(self) -> None:
        """Do nothing: generators end with the body."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Do nothing: there is no executor."""

    def _generator_started(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators.append(generator)

    def _generator_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        # On a branch of its own name: when the collector finds a generator must not shift the numbers.
        if not self._closed:
            self._spawn(generator.aclose(), Branch("closing"), None, None)


def _drop(_generator: object) -> None:
    """Let an async generator go without running its ``finally`` blocks."""


def _unwind(task: BodyTask, leave: type[BaseException]) -> None:
    """Throw ``leave`` into a task's coroutine until it ends; give up on one that keeps waiting."""
    coroutine: Any = task.get_coro()
    if coroutine is None:  # an eager task that is done, from 3.12 on
        return
    for _ in range(8):
        try:
            coroutine.throw(leave())
        except BaseException:  # noqa: BLE001 - whatever ends it, it has ended
            return


def _timer_name(callback: Callable[..., object]) -> str:
    name = getattr(callback, "__qualname__", "")
    if name == "_set_result_unless_cancelled":
        return "asyncio.sleep"
    if "timeout" in name.lower() or name == "_release_waiter":
        return "asyncio.timeout"
    return "timer"


def _refuse(method: str) -> Callable[..., Any]:
    def refuse(_self: BodyLoop, *_args: object, **_kwargs: object) -> NoReturn:
        raise SideEffectOutsideTask.of(f"loop.{method}")

    refuse.__name__ = method
    refuse.__doc__ = "Refuse: a body does no I/O."
    return refuse


for _method in (
    "run_forever", "run_until_complete", "stop", "close", "run_in_executor", "set_default_executor", "getaddrinfo",
    "getnameinfo", "create_connection", "create_server", "sendfile", "start_tls", "create_unix_connection",
    "create_unix_server", "connect_accepted_socket", "create_datagram_endpoint", "connect_read_pipe",
    "connect_write_pipe", "subprocess_shell", "subprocess_exec", "add_reader", "remove_reader", "add_writer",
    "remove_writer", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into", "sock_sendall",
    "sock_sendto", "sock_connect", "sock_accept", "sock_sendfile", "add_signal_handler", "remove_signal_handler",
):  # fmt: skip
    setattr(BodyLoop, _method, _refuse(_method))
BodyLoop.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]
