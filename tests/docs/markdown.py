"""Reads the marked blocks of a Markdown file. A mark is an HTML comment on the line before the fence.

    <!-- runs -->           a sh or python block that is executed
    <!-- prints -->         what the block before it printed: these lines, in this order; ``…`` stands for anything
    <!-- file: jobs/a.py --> a file that the blocks after it use

The blocks of one file are one session: a folder changed into, a server left running, a file written stay for the next.
"""

import re
from dataclasses import dataclass
from pathlib import Path

MARKED = re.compile(
    r"^<!-- (?P<mark>runs|prints|file: (?P<path>\S+)) -->\n"
    r"(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"^<!-- (?:runs|prints|file:.*) -->$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One marked block.

    Attributes:
        line: where its text begins in the file, from 1.
        mark: ``runs``, ``prints`` or ``file``.
        path: of a ``file``, relative to where the session is then; else empty.
        language: as the fence says it.
        text: between the fences, with the last line's end.
    """

    line: int
    mark: str
    path: str
    language: str
    text: str


def marked_blocks(page: Path) -> list[Block]:
    """Return the marked blocks of ``page`` in order.

    Raises:
        ValueError: a mark is not followed by a block, or marks one that cannot be run.
    """
    source = page.read_text()
    blocks = [
        Block(
            line=source.count("\n", 0, match.start("text")) + 1,
            mark=match["mark"].split(":")[0],
            path=match["path"] or "",
            language=match["language"],
            text=match["text"],
        )
        for match in MARKED.finditer(source)
    ]
    if len(blocks) != len(MARK.findall(source)):
        message = f"{page}: a mark is not followed by a fenced block"
        raise ValueError(message)
    for block in blocks:
        if block.mark == "runs" and block.language not in {"sh", "python"}:
            message = f"{page}:{block.line}: only sh and python blocks run, not {block.language!r}"
            raise ValueError(message)
    return blocks


def unmatched(expected: str, output: str) -> str | None:
    """Return the first line of ``expected`` that ``output`` does not have at its place, or None.

    Lines are compared without white space at their ends, empty ones skipped; other output may stand between them.
    """
    lines = iter(output.splitlines())
    for wanted in filter(None, map(str.strip, expected.splitlines())):
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
        if not any(pattern.fullmatch(line.strip()) for line in lines):
            return wanted
    return None
