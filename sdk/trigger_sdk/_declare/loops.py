"""Whether the caller stands in async code, which decides if a call is awaited."""

from __future__ import annotations

import sys


def in_running_loop() -> bool:
    """Return True when an asyncio loop runs in this thread. Does not import asyncio for those who have not."""
    asyncio_events = sys.modules.get("asyncio.events")
    return asyncio_events is not None and asyncio_events._get_running_loop() is not None  # noqa: SLF001
