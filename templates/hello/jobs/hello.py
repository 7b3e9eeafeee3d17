"""A first job: three tasks, one of which fails now and then, and a wait."""

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta

from trigger_sdk import Context, Retry, job, sleep, task


@dataclass
class Visitor:
    """Whom to greet, and how often the look-up fails (0 never, 1 always)."""

    name: str
    failure_rate: float = 0.3


@dataclass
class Greeting:
    """What came of it."""

    text: str
    language: str


# A task's result is kept: after a crash it is not executed again. It may do anything: call services, write files.
@task(retry=Retry(max_attempts=10, min_delay=0.2))
async def find_language(name: str, failure_rate: float) -> str:
    await asyncio.sleep(0.2)
    if random.random() < failure_rate:
        raise ConnectionError("the look-up service did not answer")
    return ["English", "French", "Spanish"][len(name) % 3]


@task
async def write_greeting(name: str, language: str) -> str:
    await asyncio.sleep(0.1)
    word = {"English": "Hello", "French": "Bonjour", "Spanish": "Hola"}[language]
    return f"{word}, {name}!"


@task
async def count_letters(name: str) -> int:
    await asyncio.sleep(0.3)
    return sum(letter.isalpha() for letter in name)


# A job's body only puts tasks and waits together, in ordinary Python. After a crash it is run again up to where it was.
@job(id="hello")
async def hello(visitor: Visitor, ctx: Context) -> Greeting:
    """Greet a visitor in a language that suits the name."""
    language = await find_language(visitor.name, visitor.failure_rate)
    await sleep(timedelta(seconds=2))
    text, letters = await asyncio.gather(write_greeting(visitor.name, language), count_letters(visitor.name))
    ctx.logger.info("%s has %d letters", visitor.name, letters)
    return Greeting(text=text, language=language)
