"""Tracebacks without our own frames."""

from trigger_cli.rendering.tracebacks import without_our_frames

MIXED = """\
Traceback (most recent call last):
  File "/srv/shop/jobs/buy.py", line 73, in buy
    await finalize(charge.id,
                   order)
  File "/venv/lib/python3.11/site-packages/trigger_sdk/_runtime/async_body.py", line 185, in call_task
    return await self._future(step)
           ^^^^^^^^^^^^^^^^^^^^^^^^

  File "/srv/shop/clients.py", line 35, in post
    raise Refused(message)
clients.Refused: no
  ...a second line of the message"""


def test_frames_of_the_sdk_go() -> None:
    """The project's frames and the message stay, line by line."""
    assert without_our_frames(MIXED).splitlines() == [
        "Traceback (most recent call last):",
        '  File "/srv/shop/jobs/buy.py", line 73, in buy',
        "    await finalize(charge.id,",
        "                   order)",
        '  File "/srv/shop/clients.py", line 35, in post',
        "    raise Refused(message)",
        "clients.Refused: no",
        "  ...a second line of the message",
    ]


def test_last_frame_of_the_sdk_leaves_the_message() -> None:
    """A hidden frame at the end does not take the message with it."""
    lines = MIXED.splitlines()
    assert without_our_frames("\n".join([*lines[:7], "TimeoutError: late"])).splitlines()[-1] == "TimeoutError: late"


def test_only_ours_stays_whole() -> None:
    """When there is nothing else to show, everything is shown: it is our bug then."""
    text = 'Traceback:\n  File "/x/trigger_sdk/a.py", line 1, in a\n    b()\nE: x'
    assert without_our_frames(text) == text
    assert without_our_frames("") == ""
