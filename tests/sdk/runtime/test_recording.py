"""What a recorded call gives in a body: values, seeded draws, refusals, order."""

import asyncio
import datetime as dt
import importlib
import random
import time
import zoneinfo
from typing import Any

import pytest

from tests.fakes.scope import FakeScope
from tests.fakes.user_project import UserProject
from trigger_sdk._runtime import guard
from trigger_sdk.errors import SideEffectOutsideTask
from trigger_sdk.protocol.recorded import BY_NAME, RECORDED_CALLS

CALLS = {
    "datetime.datetime.now": "datetime.datetime.now(datetime.timezone.utc)",
    "time.localtime": "time.localtime()",
    "time.strftime": "time.strftime('%Y %f')",
    "time.clock_gettime": "time.clock_gettime(time.CLOCK_REALTIME)",
    "time.clock_gettime_ns": "time.clock_gettime_ns(time.CLOCK_REALTIME)",
    "random.uniform": "random.uniform(1, 2)",
    "random.randint": "random.randint(1, 9)",
    "random.randrange": "random.randrange(9)",
    "random.getrandbits": "random.getrandbits(9)",
    "random.randbytes": "random.randbytes(9)",
    "random.betavariate": "random.betavariate(1, 1)",
    "random.expovariate": "random.expovariate(1)",
    "random.gammavariate": "random.gammavariate(1, 1)",
    "random.gauss": "random.gauss(1, 1)",
    "random.lognormvariate": "random.lognormvariate(1, 1)",
    "random.normalvariate": "random.normalvariate(1, 1)",
    "random.vonmisesvariate": "random.vonmisesvariate(1, 1)",
    "random.paretovariate": "random.paretovariate(1)",
    "random.weibullvariate": "random.weibullvariate(1, 1)",
    "random.choice": "random.choice(range(1000))",
    "random.choices": "random.choices(range(1000), k=3)",
    "random.sample": "random.sample(range(1000), 3)",
    "random.shuffle": "(x := list(range(9)), random.shuffle(x))",
    "random.Random": "random.Random().random()",
    "random.SystemRandom": (
        "(r := random.SystemRandom()).random(), r.choice(range(99)), r.randbytes(3), r.getrandbits(9)"
    ),
    "secrets.randbelow": "secrets.randbelow(9)",
    "secrets.randbits": "secrets.randbits(9)",
    "secrets.choice": "secrets.choice(range(1000))",
    "os.urandom": "os.urandom(9)",
    "os.getrandom": "os.getrandom(9)",
    "uuid.getnode": "uuid.getnode()",
}
"""How to call what needs arguments; the others are called without any."""

ROWS = [call for call in RECORDED_CALLS if call.how in {"value", "seed"}]


def exists(name: str) -> bool:
    """Tell whether this version of Python has a function."""
    target: Any = importlib.import_module(BY_NAME[name].module)
    for part in name.removeprefix(BY_NAME[name].module + ".").split("."):
        target = getattr(target, part, None)
    return target is not None


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("call", ROWS, ids=lambda call: call.name)
def test_every_row_records_and_replays(call: Any, user: UserProject, body: FakeScope) -> None:
    """Each function of the list is recorded under its name, and replay returns the same."""
    if not exists(call.name):
        pytest.skip("not in this version of Python")
    expression = CALLS.get(call.name, f"{call.name}()")
    module = user.module(
        f"import datetime, email.utils, os, random, secrets, socket, time, uuid\ndef body():\n    return {expression}\n"
    )
    with body.entered():
        live = module.body()
    assert body.names == [call.short]
    with body.replay().entered():
        assert module.body() == live
    with FakeScope(in_body=False).entered():
        assert type(module.body()) is type(live)


def test_choice_returns_the_very_object(user: UserProject, body: FakeScope) -> None:
    """What is drawn from need not be encodable, and keeps its identity; shuffle works in place."""
    module = user.module(
        """\
        import random, secrets
        def body(items):
            order = list(items)
            random.shuffle(order)
            drawn = [random.choice(items), secrets.choice(items), *random.sample(items, 2), *random.choices(items)]
            return drawn + order
        """
    )
    items = [object() for _ in range(50)]
    with body.entered():
        live = module.body(items)
    assert all(isinstance(value, int) for _, value in body.journal)
    with body.replay().entered():
        replayed = module.body(items)
    assert list(map(id, live)) == list(map(id, replayed))


def test_draws_follow_the_seed_of_the_module(user: UserProject) -> None:
    """After random.seed(42) the draws of a body are reproducible, as its author expects."""
    module = user.module(
        "import random\ndef body():\n    random.seed(42)\n    return random.choice(range(10**9)), random.random()"
    )
    state = random.getstate()
    try:
        draws = []
        for _ in range(2):
            with FakeScope().entered():
                draws.append(module.body())
    finally:
        random.setstate(state)
    assert draws[0] == draws[1]


def test_system_random_of_the_module_is_recorded(user: UserProject, body: FakeScope) -> None:
    """A SystemRandom made when the module was imported differs from draw to draw, so its draws are recorded."""
    module = user.module(
        "import random\nrng = random.SystemRandom()\npick = rng.choice\ndef body(): return rng.random(), pick('abc')"
    )
    with body.entered():
        live = module.body()
    assert body.names == ["SystemRandom.random", "SystemRandom.choice"]
    with body.replay().entered():
        assert module.body() == live


def test_now_keeps_zone_and_class(user: UserProject, body: FakeScope) -> None:
    """The zone comes back as the object that was given, and a subclass of datetime as that class."""
    module = user.module(
        """\
        import datetime as d
        class Moment(d.datetime): pass
        class Day(d.date): pass
        def body(zone):
            plain = d.datetime.now(zone), d.datetime.now(tz=zone)
            return *plain, Moment.now(), Moment.now(zone), Day.today(), Moment.utcnow()
        """
    )
    zone = zoneinfo.ZoneInfo("America/New_York")
    with body.entered():
        live = module.body(zone)
    assert [type(value).__name__ for _, value in body.journal] == ["datetime"] * 4 + ["date", "datetime"]
    assert live[0].tzinfo is zone
    assert abs(live[0] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert [type(value).__name__ for value in live] == ["datetime", "datetime", "Moment", "Moment", "Day", "Moment"]
    with body.replay().entered():
        assert module.body(zone) == live


def test_struct_time_is_journalled_plainly(user: UserProject, body: FakeScope) -> None:
    """localtime() comes back with the name and the offset of its zone, from a plain tuple."""
    module = user.module("import time\ndef body(): return time.localtime()")
    with body.entered():
        live = module.body()
    assert type(body.journal[0][1]) is tuple
    assert (type(live), live.tm_zone, live.tm_gmtoff) == (time.struct_time, *body.journal[0][1][-2:])


def test_wrong_arguments_fail_as_ever(user: UserProject, body: FakeScope) -> None:
    """A call that Python refuses is refused in a body with the same words, and nothing is recorded."""
    module = user.module(
        """\
        import datetime, random, uuid
        def body():
            said = []
            for call in (lambda: datetime.datetime.now("x"), lambda: random.randint(5, 1), lambda: uuid.uuid4(1, 2)):
                try:
                    call()
                except Exception as error:
                    said.append((type(error), str(error)))
            return said
        """
    )
    plain = module.body()
    assert len(plain) == 3
    with body.entered():
        assert module.body() == plain
    assert body.journal == []


def test_sleeping_is_refused_in_a_body(user: UserProject, body: FakeScope, in_task: FakeScope) -> None:
    """time.sleep raises in a body, with the line and the durable way; in a task it sleeps."""
    module = user.module(
        "import time\nfrom time import sleep as nap\ndef body():\n    time.sleep(0)\ndef other():\n    nap(0)"
    )
    with in_task.entered():
        module.body()
    guard.install(user.project)
    try:
        with body.entered(), pytest.raises(SideEffectOutsideTask) as caught:
            module.body()
        with body.entered(), pytest.raises(SideEffectOutsideTask):
            module.other()
    finally:
        guard.uninstall()
    assert caught.value.problem.where == "subject.py:4"
    assert "trigger_sdk.sleep" in caught.value.problem.hint


def test_running_a_loop_is_refused_in_a_body(user: UserProject, body: FakeScope) -> None:
    """asyncio.run would do I/O on a loop of its own."""
    module = user.module(
        """\
        import asyncio
        async def f(): pass
        def body():
            coroutine = f()
            coroutine.close()
            asyncio.run(coroutine)
        """
    )
    with body.entered(), pytest.raises(SideEffectOutsideTask, match=r"asyncio\.run"):
        module.body()


def test_as_completed_begins_in_the_order_given(user: UserProject, body: FakeScope) -> None:
    """The coroutines begin one after another as they stand in the argument, not by their addresses."""
    module = user.module(
        """\
        import asyncio
        async def begin(n, begun):
            begun.append(n)
            await asyncio.sleep(0)
            return n
        async def body(count):
            begun = []
            done = [await next_one for next_one in asyncio.as_completed([begin(n, begun) for n in range(count)])]
            return begun, sorted(done)
        """
    )

    async def enter(count: int) -> Any:
        with body.entered():
            return await module.body(count)

    assert asyncio.run(enter(100)) == (list(range(100)), list(range(100)))
    assert body.journal == []
