"""A process that serves a registry: ``image_registry_program.py FOLDER [SPARE_BYTES]``; prints its address."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.fakes.image_registry import image_registry


async def main(folder: Path, spare_bytes: int) -> None:
    """Serve until the process is ended."""
    async with image_registry(folder, spare_bytes=spare_bytes) as registry:
        print(registry.host, flush=True)  # noqa: T201 - who started it reads this
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
