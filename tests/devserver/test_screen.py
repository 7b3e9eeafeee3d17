"""Output never holds up the server, and is complete when somebody reads it."""

import os
import threading
import time
from collections.abc import Iterator

import pytest

from devserver.screen import Screen

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Return the reading and the writing end of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:
            continue


def test_lines_arrive_in_order(pipe: Pipe) -> None:
    """Everything that was written is there after the close."""
    screen = Screen(pipe[1], lambda: None)
    for number in range(100):
        screen.write(f"{number} ä\n")
    screen.close(5)
    os.close(pipe[1])
    with open(pipe[0], encoding="utf-8", closefd=False) as reader:
        assert reader.read() == "".join(f"{number} ä\n" for number in range(100))


def test_writer_is_never_held_up(pipe: Pipe) -> None:
    """Nobody reads: writing goes on, and what does not fit is counted."""
    screen = Screen(pipe[1], lambda: None, most_waiting=10_000)
    began = time.monotonic()
    for _ in range(10_000):
        screen.write("x" * 99 + "\n")
    assert time.monotonic() - began < 5
    received = bytearray()

    def read() -> None:
        while chunk := os.read(pipe[0], 65536):
            received.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    screen.close(10)
    os.close(pipe[1])
    reader.join(10)
    text = received.decode()
    left_out = sum(int(line[1:].split()[0]) for line in text.splitlines() if line.startswith("("))
    assert left_out > 0
    assert text.count("x\n") + left_out == 10_000


def test_close_gives_up_on_a_reader_that_does_not_read(pipe: Pipe) -> None:
    """A terminal that is held (Ctrl-S) does not keep the server from ending."""
    ended = threading.Event()
    screen = Screen(pipe[1], ended.set)
    screen.write("x" * 1_000_000 + "\n")
    began = time.monotonic()
    screen.close(0.1)
    assert time.monotonic() - began < 5
    os.close(pipe[0])  # frees the writing thread
    assert ended.wait(10)


def test_reader_that_is_gone_is_told_once(pipe: Pipe) -> None:
    """A closed pipe is news, not an error; later lines go nowhere."""
    told = threading.Event()
    screen = Screen(pipe[1], told.set)
    os.close(pipe[0])
    screen.write("anything\n")
    assert told.wait(10)
    screen.write("more\n")
    screen.close(1)


def test_no_output_at_all() -> None:
    """Standard output may be closed from the start: its number may be another file's."""
    screen = Screen(None, lambda: None)
    screen.write("nowhere\n")
    screen.close(1)


def test_descriptor_that_does_not_block(pipe: Pipe) -> None:
    """Whoever shares the terminal may have made it non-blocking: we wait for it all the same."""
    os.set_blocking(pipe[1], False)
    screen = Screen(pipe[1], lambda: None)
    screen.write("x" * 500_000 + "\n")
    received = 0
    while received < 500_001:
        received += len(os.read(pipe[0], 65536))
    screen.close(5)
