"""Bodies of the functions in the generated project: what application code does between its calls.

A function is of one of four kinds, by what it takes and returns: a number, a text, a table (``dict[str, int]``) or
records (a list of its package's dataclass). Any kind calls any other; how is in the tables here.
"""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["number", "text", "table", "records"]

KINDS: Final[tuple[Kind, ...]] = ("number", "text", "table", "records")

SIGNATURES: Final[dict[Kind, str]] = {
    "number": "value: int, factor: int = 2) -> int",
    "text": "text: str) -> str",
    "table": "rows: dict[str, int]) -> dict[str, int]",
    "records": "items: list[{record}]) -> list[{record}]",
}
"""Parameters and result of each kind, without the opening parenthesis."""

RESULTS: Final[dict[Kind, str]] = {"number": "value", "text": "text", "table": "rows", "records": "items"}
"""The variable that each kind takes, works on and returns."""

ARGUMENTS: Final[dict[Kind, dict[Kind, str]]] = {
    "number": {
        "number": "value + {n}",
        "text": 'f"{{value}}-{n}"',
        "table": '{{"first": value, "second": {n}}}',
        "records": '[{record}(id=value, name="{word}")]',
    },
    "text": {
        "number": "len(text)",
        "text": "text.strip()",
        "table": '{{part: len(part) for part in text.split("-")}}',
        "records": "[{record}(id=len(text), name=text)]",
    },
    "table": {
        "number": 'rows.get("{word}", {n})',
        "text": '"-".join(sorted(rows))',
        "table": "dict(rows)",
        "records": "[{record}(id=amount, name=name) for name, amount in rows.items()]",
    },
    "records": {
        "number": "sum(item.amount for item in items)",
        "text": '"-".join(item.title for item in items)',
        "table": "{{item.name: item.amount for item in items}}",
        "records": "items[:{n}]",
    },
}
"""What a function of the first kind gives to one of the second."""

USES: Final[dict[Kind, dict[Kind, str]]] = {
    "number": {
        "number": "value += {call}",
        "text": "value += len({call})",
        "table": "value += sum({call}.values())",
        "records": "value += sum(item.amount for item in {call})",
    },
    "text": {
        "number": 'text = f"{{text}}-{{{call}}}"',
        "text": "text = {call}",
        "table": 'text = "-".join([text, *{call}])',
        "records": 'text += "".join(item.name for item in {call})',
    },
    "table": {
        "number": 'rows["{word}"] = {call}',
        "text": "rows[{call}] = {n}",
        "table": "rows.update({call})",
        "records": "rows |= {{item.name: item.amount for item in {call}}}",
    },
    "records": {
        "number": "items = [item.raised({call}) for item in items]",
        "text": "items = [item.renamed({call}) for item in items]",
        "table": "items = [item.raised({call}.get(item.name, 0)) for item in items]",
        "records": "items = [*items, *{call}]",
    },
}
"""What a function of the first kind does with the result of one of the second."""

BODIES: Final[dict[Kind, tuple[str, ...]]] = {
    "number": (
        """\
if value < {n}:
    logger.debug("%d is below the least", value)
    return value * factor
for step in range(1, {n}):
    value += step * factor
    if value % step == 0:
        value -= LIMITS.get("{word}", step)
{calls}
""",
        """\
remainder = value % {n}
while remainder > 0:
    value += remainder
    remainder -= 1
{calls}
try:
    ratio = value / factor
except ZeroDivisionError:
    logger.warning("no factor for %d", value)
    ratio = 0.0
value = int(ratio) if ratio > {n} else value
""",
        """\
counter = {cls}(limit={n})
for position, word in enumerate(WORDS):
    counter.add(word, position * factor)
    if counter.is_full:
        break
{calls}
value += counter.total()
""",
        """\
parts = [part * factor for part in range({n}) if part % 2 == 0]
parts.sort(key=lambda part: -part)
{calls}
match parts:
    case []:
        value = 0
    case [only]:
        value += only
    case [first, *others]:
        value += first - sum(others)
""",
    ),
    "text": (
        """\
words = [word.strip().lower() for word in text.split("-") if word]
if not words:
    return "{word}"
{calls}
shown = ", ".join(word.title() for word in words[:{n}])
text = f"{{text}}: {{shown}}" if len(words) > 1 else shown
""",
        """\
match = PATTERN.match(text)
if match is None:
    logger.info("%s has no number", text)
    return text
number = int(match.group(1) or {n})
{calls}
text = f"{{text[:{n}]}}-{{number:04d}}"
""",
        """\
payload = {{"name": text, "size": len(text), "words": list(WORDS)}}
encoded = json.dumps(payload, sort_keys=True)
{calls}
text = str(json.loads(encoded)["name"])[:{n}]
""",
    ),
    "table": (
        """\
rows = {{name: amount for name, amount in rows.items() if amount > 0}}
for name in WORDS:
    rows[name] = rows.get(name, 0) + {n}
{calls}
largest = max(rows.values(), default=0)
if largest > LIMITS["{word}"]:
    rows = {{name: min(amount, largest) for name, amount in rows.items()}}
""",
        """\
grouped: defaultdict[str, list[int]] = defaultdict(list)
for name, amount in sorted(rows.items()):
    grouped[name[:{n}]].append(amount)
rows = {{prefix: sum(amounts) for prefix, amounts in grouped.items()}}
{calls}
""",
        """\
counter = {cls}(limit={n})
for name, amount in rows.items():
    counter.add(name, amount)
rows = dict(rows)
{calls}
rows["total"] = counter.total()
""",
    ),
    "records": (
        """\
seen: set[int] = set()
kept: list[{record}] = []
for item in items:
    if item.id in seen or item.amount < 0:
        continue
    seen.add(item.id)
    kept.append(item)
items = kept
{calls}
""",
        """\
items = sorted(items, key=lambda item: (item.state.value, item.amount), reverse=True)
for item in items[:{n}]:
    logger.debug("%s: %s", item.title, item.state.name)
{calls}
""",
        """\
opened = [item for item in items if item.is_open]
if len(opened) > {n}:
    items = [item.raised({n}) for item in opened]
{calls}
""",
    ),
}
"""Bodies of each kind. ``{calls}`` stands where calls of other functions go, in a line of its own."""

CLASS: Final = '''\
class {cls}:
    """Counts {word}s by name."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.amounts: dict[str, int] = {{}}

    def add(self, name: str, amount: int) -> None:
        """Count an amount."""
        self.amounts[name] = self.amounts.get(name, 0) + amount
        if len(self.amounts) > self.limit:
            self._shrink()

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another name."""
        return len(self.amounts) >= self.limit

    def total(self) -> int:
        """Return the sum of all amounts."""
        return sum(self.amounts.values())

    def _shrink(self) -> None:
        smallest = min(self.amounts, key=lambda name: self.amounts[name])
        del self.amounts[smallest]
'''
"""A small class that each module of functions has."""
