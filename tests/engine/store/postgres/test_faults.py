"""Lost connections, collisions, a server that is away: refused clearly, nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from engine.errors import (
    DatabaseInvalid,
    DatabaseNewer,
    DatabaseUnreachable,
    StoreUnavailable,
)
from engine.model import RunFilter
from engine.store.postgres import PostgresStore, trouble
from engine.store.postgres.migration import migrate
from engine.store.statements import sessions
from engine.transaction import Transaction
from tests.fakes.cut_proxy import cut_proxy
from tests.fakes.engine_world import completed
from tests.fakes.postgres_server import PostgresServer
from tests.fakes.side import Side, until

Two = tuple[Side, Side]


async def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    """Execute SQL on a connection of its own."""

    def execute() -> list[tuple[object, ...]]:
        with psycopg.connect(url, autocommit=True) as raw:
            cursor = raw.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    return await asyncio.to_thread(execute)


def through(url: str, proxy_url: str) -> str:
    """Return the address of the database by way of a proxy."""
    port = proxy_url.rpartition(":")[2]
    head, _, name = url.rpartition("/")
    return f"{head.rpartition(':')[0]}:{port}/{name}"


async def test_ended_sessions_of_the_database_are_replaced(two: Two, url: str) -> None:
    """An administrator ends all connections, again and again, while runs are created: each is there once."""
    ids = []
    for _ in range(5):
        asked = [asyncio.ensure_future(two[n % 2].create()) for n in range(20)]
        await sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = [answer for answer in answers if not isinstance(answer, str)]
        assert all(isinstance(answer, StoreUnavailable) for answer in refused)
        ids += [answer for answer in answers if isinstance(answer, str)]
        await until(lambda: all(side.engine.problem is None for side in two))
    page = await two[0].engine.runs(RunFilter(limit=200))
    assert sorted(run.id for run in page.items) == sorted(ids)


async def test_commit_without_an_answer_is_not_executed_twice(url: str) -> None:
    """The connection is lost while the server commits: the run exists once, under the id that is told."""
    await sql(
        url,
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON runs DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION dawdle()",
    )
    try:
        async with cut_proxy(url.rpartition("/")[0]) as proxy:
            side = await Side(through(url, proxy.url), "e1").open()
            asked = asyncio.ensure_future(side.create())
            await _until_sleeping(url)
            proxy.cut()
            await until(lambda: side.engine.problem is not None)
            with pytest.raises(StoreUnavailable, match="cannot be reached"):
                await side.create()
            proxy.heal()
            run_id = await asyncio.wait_for(asked, 20)
            page = await side.engine.runs(RunFilter())
            assert [run.id for run in page.items] == [run_id]
            await side.close()
    finally:
        await sql(url, "DROP FUNCTION dawdle CASCADE")


async def _until_sleeping(url: str) -> None:
    for _ in range(1000):
        rows = await sql(
            url,
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
        )
        if rows:
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def test_commit_that_did_not_happen_is_executed_again(url: str) -> None:
    """The server ends the session while it commits: nothing was written, and the group is executed once more."""
    await sql(
        url,
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON runs DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION dawdle()",
    )
    side = await Side(url, "e1").open()
    try:
        asked = asyncio.ensure_future(side.create())
        await _until_sleeping(url)
        await sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event = 'PgSleep'",
        )
        run_id = await asyncio.wait_for(asked, 20)
        assert [run.id for run in (await side.engine.runs(RunFilter())).items] == [run_id]
    finally:
        await side.close()
        await sql(url, "DROP FUNCTION dawdle CASCADE")


async def test_deadlock_is_tried_again(two: Two, url: str) -> None:
    """A person's own session and the engine wait for each other: the engine gives in, executes again, says nothing."""
    side = two[0]
    await side.engine._pipeline.submit(lambda tx: tx.sql.write(sessions.SAVE_QUEUE, {"name": "x", "concurrency": 1}))
    person = await psycopg.AsyncConnection.connect(url)
    await person.execute("SET deadlock_timeout = '30s'")
    await person.execute("UPDATE queues SET concurrency = 5 WHERE name = 'x'")

    def write_both(tx: Transaction) -> int:
        tx.sql.write(sessions.SAVE_QUEUE, {"name": "y", "concurrency": 1})
        tx.sql.write(sessions.SAVE_QUEUE, {"name": "x", "concurrency": 2})
        return 1

    writing = asyncio.ensure_future(side.engine._pipeline.submit(write_both))
    await asyncio.sleep(0.2)
    theirs = asyncio.ensure_future(person.execute("INSERT INTO queues VALUES ('y', 9) ON CONFLICT DO NOTHING"))
    await asyncio.wait_for(theirs, 10)
    assert side.engine.problem is None
    await person.commit()
    await person.close()
    assert await asyncio.wait_for(writing, 10) == 1


async def test_server_that_is_silent_is_given_up_for_clients_and_comes_back(two: Two, url: str) -> None:
    """Nothing gets through for a while: calls wait or are refused; afterwards everything is there."""
    async with cut_proxy(url.rpartition("/")[0]) as proxy:
        side = await Side(through(url, proxy.url), "cut").open()
        await side.engine.open_session("w", "c", ["a"], 10)
        run = await side.assigned(await side.create())
        proxy.cut()
        pending = [side.engine.append(run.run, run.token, n, [completed(str(n))]) for n in range(20)]
        await until(lambda: side.engine.problem is not None)
        problem = side.engine.problem
        assert problem is not None
        assert problem.code == "store-unavailable"
        assert "is the database up" in problem.hint.lower()
        proxy.heal()
        answers = await asyncio.wait_for(asyncio.gather(*pending), 20)
        assert len({answer.first for answer in answers}) == 20
        assert len(await two[0].engine.steps(run.run)) == 20
        await until(lambda: side.engine.problem is None)
        await side.close()


async def test_output_with_nul_is_kept(two: Two) -> None:
    """PostgreSQL's text has none: a picture stands for it, and nothing else is refused with it."""
    run_id = await two[0].create(tags=["a\0b"])
    run = await two[0].engine.run(run_id)
    assert run is not None
    assert run.tags == ("a\0b",)
    found = await two[0].engine.runs(RunFilter(tag="a\0b"))
    assert [one.id for one in found.items] == [run_id]


def test_database_that_is_somebody_elses(postgres_server: PostgresServer) -> None:
    """It is refused and left as it is."""
    url = postgres_server.create_database(empty=True)
    with psycopg.connect(url) as raw:
        raw.execute("CREATE TABLE theirs (n int)")
    with pytest.raises(DatabaseInvalid):
        PostgresStore(url).open("normal")
    with psycopg.connect(url) as raw:
        raw.execute("DROP TABLE theirs")
    migrate(url, "0002")
    with psycopg.connect(url) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseNewer):
        PostgresStore(url).open("normal")


async def test_engines_that_start_together_on_an_empty_database(postgres_server: PostgresServer) -> None:
    """One makes the tables, the others wait for it."""
    url = postgres_server.create_database(empty=True)
    sides = await asyncio.gather(*(Side(url, f"e{n}").open() for n in range(3)))
    assert await sides[0].create()
    await asyncio.gather(*(side.close() for side in sides))


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/x", "not an address"])
def test_server_that_is_not_there(url: str) -> None:
    """The reason is named, and no password is."""
    with pytest.raises(DatabaseUnreachable) as caught:
        PostgresStore(url.replace("nobody", "nobody:secret")).open("normal")
    assert "secret" not in str(caught.value.problem)


def test_errors_that_pass_by_themselves() -> None:
    """A full disk, no connections left, a standby: unavailable; a mistake of ours is not."""
    for error in (psycopg.errors.DiskFull, psycopg.errors.TooManyConnections, psycopg.errors.ReadOnlySqlTransaction):
        assert trouble.explain(error("x"), "here") is not None
    assert trouble.explain(psycopg.errors.SyntaxError("x"), "here") is None
    assert trouble.collided(psycopg.errors.SerializationFailure("x"))
