"""What fixes make of a line or a block, word for word."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, indent

import pytest

SAFE = [
    ("requests.post(name, json={})", "await task.run(lambda: requests.post(name, json={}).status_code)"),
    ("x = requests.get(name).json()['a']", "x = (await task.run(lambda: requests.get(name).json()))['a']"),
    ("x = requests.get(name).headers['a']", "x = await task.run(lambda: requests.get(name).headers['a'])"),
    ("x = requests.get(name).headers.get('a')", "x = await task.run(lambda: requests.get(name).headers.get('a'))"),
    ("requests.get(name).raise_for_status()", "await task.run(lambda: requests.get(name).raise_for_status())"),
    ("os.remove(await sleep(1))", "await task.run(os.remove, await sleep(1))"),
    ("os.remove(build(name))", "await task.run(os.remove, build(name))"),
    ("os.remove(\n    name,  # this\n)", "await task.run(lambda: os.remove(\n    name,  # this\n))"),
    ("time.sleep( 2 )", "await sleep( 2 )"),
    ("x = record(1); sleep(3)", "x = record(1); await sleep(3)"),
    ("x = os.environ['HOME']", "x = record(lambda: os.environ['HOME'])"),
    ("x = 'A' not in os.environ", "x = record(lambda: 'A' not in os.environ)"),
    ("x = ','.join({name, 'b'})", "x = ','.join(sorted({name, 'b'}))"),
    ("x = list({'b', 'a'})", "x = sorted({'b', 'a'})"),
]
UNSAFE = [
    ("x = list({name, 'a'})", "x = sorted({name, 'a'})"),
    ("x = [each for each in {name, 'a'} if each]", "x = [each for each in sorted({name, 'a'}) if each]"),
    (
        "x = [await sleep(each) for each in {1.5, len(name)}]",
        "x = [await sleep(each) for each in sorted({1.5, len(name)})]",
    ),
    (
        "x = {each: await child.trigger(each) for each in {name, 'a'}}",
        "x = {each: await child.trigger(each) for each in sorted({name, 'a'})}",
    ),
    ("x = await child(name)", "x = await child.trigger_and_wait(name)"),
    ("x = await child(payload=name)", "x = await child.trigger_and_wait(name)"),
    ("x = await asyncio.to_thread(build, name)", "x = await task.run(build, name)"),
    ("await task.run(lambda: out.append(build(name)))", "out.append(await task.run(lambda: build(name)))"),
    ("await task.run(lambda: out.append(name))", "out.append(name)"),
    (
        "try:\n    await sleep(1)\nexcept:  # all\n    pass",
        "try:\n    await sleep(1)\nexcept Exception:  # all\n    pass",
    ),
    (
        "try:\n    await sleep(1)\nexcept asyncio.CancelledError:\n    print(1)",
        "try:\n    await sleep(1)\nexcept asyncio.CancelledError:\n    print(1)\n    raise",
    ),
    (
        "n = 1\ndef work():\n    nonlocal n\n    n += 2\nawait task.run(work)\nprint(n)",
        "n = 1\ndef work():\n    return n + (2)\nn = await task.run(work)\nprint(n)",
    ),
]
HEAD = (
    "import asyncio, os, time\nimport requests\nfrom trigger_sdk import job, record, sleep, task\n\n\n"
    "def build(name):\n    return name\n\n\n@job(id='child')\nasync def child(payload):\n    return payload\n\n\n"
    "@job(id='a')\nasync def a(name: str):\n    out = []\n"
)


@pytest.mark.parametrize(("before", "after", "unsafe"), [(*s, False) for s in SAFE] + [(*u, True) for u in UNSAFE])
def test_line_becomes(before: str, after: str, unsafe: bool, fixed: Callable[..., str]) -> None:
    """Everything else stays as it is."""
    text = HEAD + indent(before, "    ") + "\n    return out\n"
    assert fixed(text, unsafe=unsafe) == HEAD + indent(after, "    ") + "\n    return out\n"


def test_method_of_a_class_with_tabs_is_lifted_before_the_class(fixed: Callable[..., str]) -> None:
    """Comments move with the block, texts over several lines keep their lines, line ends are the file's."""
    text = dedent(
        """\
        from trigger_sdk import job


        # The reports.
        class Reports:
        \t@job(id="a")
        \tasync def make(self, name: str) -> str:
        \t\tif name:
        \t\t\twith open(name) as file:  # read it
        \t\t\t\t# a comment
        \t\t\t\ttext = file.read() + '''
         x
        '''
        \t\t\treturn text
        \t\treturn ""
        """
    ).replace("\n", "\r\n")
    expected = dedent(
        """\
        from trigger_sdk import job, task


        @task
        def read_text(name):
        \twith open(name) as file:  # read it
        \t\t# a comment
        \t\ttext = file.read() + '''
         x
        '''
        \treturn text


        # The reports.
        class Reports:
        \t@job(id="a")
        \tasync def make(self, name: str) -> str:
        \t\tif name:
        \t\t\ttext = await read_text(name)
        \t\t\treturn text
        \t\treturn ""
        """
    ).replace("\n", "\r\n")
    assert fixed(text, unsafe=True) == expected


def test_job_inside_a_function_has_its_task_beside_it(fixed: Callable[..., str]) -> None:
    """What the function around it binds is captured, not passed."""
    text = dedent(
        """\
        from trigger_sdk import job


        def jobs(prefix):
            @job(id="a")
            async def inner(name: str) -> str:
                with open(prefix + name) as file:
                    text = file.read()
                return text

            return inner


        first = jobs("a")
        """
    )
    new = fixed(text, unsafe=True)
    assert "    @task\n    def read_text(name):\n        with open(prefix + name) as file:\n" in new
    assert '    @job(id="a")\n    async def inner(name: str) -> str:\n        text = await read_text(name)\n' in new


def test_async_block_becomes_an_async_task(fixed: Callable[..., str]) -> None:
    """It awaits inside, and is awaited."""
    text = dedent(
        """\
        import httpx
        from trigger_sdk import job


        @job(id="a")
        async def a(url: str) -> str:
            async with httpx.AsyncClient() as client:
                answer = await client.get(url)
                text = answer.text
            return text
        """
    )
    new = fixed(text, unsafe=True)
    assert "@task\nasync def fetch_text(url):\n    async with httpx.AsyncClient() as client:\n" in new
    assert "    text = await fetch_text(url)\n    return text\n" in new


LIFTED = {
    "all uses of a client": (
        "client = connect(name)\nclient.set(name, 1)\nfound = client.get(name)\nreturn found",
        "found = await load_found(name)\nreturn found",
    ),
    "what is made of it as well": (
        "base = psycopg2.connect(name)\ncursor = base.cursor()\nrows = cursor.fetchall()\nreturn len(rows)",
        "rows = await load_rows(name)\nreturn len(rows)",
    ),
    "a helper's object, and the call that takes it": (
        "client = connect(name)\nsize = measure(client)\nreturn size",
        "size = await load_size(name)\nreturn size",
    ),
    "loops one after the other over one name": (
        "for each in connect(name).scan_iter():\n    print(each)\nfor each in [1]:\n    print(each)",
        "await store_a(name)\nfor each in [1]:\n    print(each)",
    ),
    "an object that nobody wants": ("connect(name)\nreturn 1", "await store_a(name)\nreturn 1"),
    "an object given by a thread": (
        "client = await asyncio.to_thread(connect, name)\nfound = client.get(name)\nreturn found",
        "return await work_out_a(name)",
    ),
}


@pytest.mark.parametrize("name", LIFTED)
def test_what_cannot_be_stored_is_lifted_with_its_uses(name: str, fixed: Callable[..., str]) -> None:
    """A client or a connection never comes out of a task."""
    before, after = LIFTED[name]
    head = (
        "import asyncio\nimport psycopg2\nimport redis\nfrom trigger_sdk import job, task\n\n\n"
        "def connect(name):\n    client = redis.Redis(name)\n    client.ping()\n    return client\n\n\n"
        "def measure(client):\n    return client.dbsize()\n\n\n"
    )
    body = '@job(id="a")\nasync def a(name: str):\n'
    new = fixed(head + body + indent(before, "    ") + "\n", unsafe=True)
    assert new.endswith(body + indent(after, "    ") + "\n")
