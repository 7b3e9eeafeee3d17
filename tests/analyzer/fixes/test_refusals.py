"""Where no fix, or no safe one, is made: because it would change what the program does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

HEAD = "import os, time, subprocess, contextlib\nimport requests\nfrom trigger_sdk import job\n\n\n"

NOT_SAFE = {
    "a file is no value": "file = open(name)",
    "a response is no value": "answer = requests.get(name)\n    print(answer)",
    "header of with": "with open(name) as file:\n        print(file.read())",
    "in a generator": "print(any(os.path.exists(each) for each in [name]))",
    "in a lambda": "f = lambda: os.remove(name)\n    f()",
    "the error's parts are read": (
        "try:\n        return requests.get(name).text\n    except requests.HTTPError as error:\n"
        "        return error.response.status_code"
    ),
    "cancellation would be swallowed": "try:\n        os.remove(name)\n    except:\n        pass",
    "cancellation would be suppressed": "with contextlib.suppress(BaseException):\n        os.remove(name)",
    "the loop never ends": "while True:\n        os.remove(name)\n        time.sleep(1)",
    "the loop is over a set": "for each in {name, 'x'}:\n        os.remove(each)",
    "something stands for the function": "g = [os.remove][0]\n    g(name)",
    "a secret would get into the journal": 'print(os.environ["API_TOKEN"], os.getenv(name))',
    "written, not read": 'os.environ["X"] = name',
    "several arguments of sleep": "time.sleep(*[1])",
    "an iterator": "print(list(map(os.remove, [name])))",
    "a process that goes on": 'process = subprocess.Popen(["true"])\n    process.wait()',
}


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("name", NOT_SAFE)
def test_safe_fixes_leave_alone_what_they_could_break(name: str, kind: str, fixed: Callable[..., str]) -> None:
    """The text is as it was."""
    text = f'{HEAD}@job(id="a")\n{kind} a(name: str) -> object:\n    {NOT_SAFE[name]}\n'
    assert fixed(text) == text


NO_LIFT = {
    "a step inside": "with open(name) as file:\n        await sleep(1)\n        print(file.read())",
    "the file is used for the rest": "file = open(name)\n    await sleep(1)\n    print(file.read())",
    "a jump out": "for x in [name]:\n        with open(x) as file:\n            if file.read():\n                break",
    "some ways return": "with open(name) as file:\n        if file.read():\n            return 1\n    return 2",
    "a list is filled": "with open(name) as file:\n        out.append(file.read())",
    "a suppression inside": "with open(name) as file:\n        os.remove(name)  # trigger: ignore[TRG102]",
    "not alone on its line": "x = 1; file = open(name); print(file.read()); file.close()",
    "private names": "with open(name) as file:\n        print(__debug__, file.read())",
}


@pytest.mark.parametrize("name", NO_LIFT)
def test_blocks_that_cannot_be_lifted_stay(name: str, fixed: Callable[..., str]) -> None:
    """No function is made of them, by unsafe fixes either."""
    head = HEAD.replace("import job", "import job, sleep")
    text = f'{head}@job(id="a")\nasync def a(name: str, out: list) -> object:\n    {NO_LIFT[name]}\n'
    assert "@task" not in fixed(text, unsafe=True)


STAYS = {
    "a client, used on both sides of a wait": ("client = connect(name)", "\n    await sleep(1)\n    client.get(name)"),
    "an object of a plain class, returned": ("return Plain(name)", ""),
    "a list of files": ("files = opened(name)", "\n    await sleep(1)\n    print(files)"),
    "what the body reads afterwards is changed": ("seen.fetch(name)", "\n    return seen.size"),
}
LIBRARY = """\
import redis
import requests


def connect(name):
    client = redis.Redis(name)
    client.ping()
    return client


def opened(name):
    return [open(name), open(name)]


class Plain:
    def __init__(self, name):
        self.text = requests.get(name).text


class Seen:
    def __init__(self):
        self.size = 0

    def fetch(self, name):
        self.size += len(requests.get(name).text)
"""


@pytest.mark.parametrize("name", STAYS)
def test_calls_whose_result_or_change_would_be_lost_stay(name: str, fixed: Callable[..., str]) -> None:
    """What no journal can store is not returned from a task, and what a task changes is not the body's."""
    call, rest = STAYS[name]
    head = HEAD.replace("import job", "import job, sleep") + "from library import Plain, Seen, connect, opened\n\n\n"
    text = f'{head}@job(id="a")\nasync def a(name: str) -> object:\n    seen = Seen()\n    {call}{rest}\n'
    new = fixed(text, unsafe=True, library=LIBRARY)
    assert f"    seen = Seen()\n    {call}\n" in new
    assert "@task" not in new
