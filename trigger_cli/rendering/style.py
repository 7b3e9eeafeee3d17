"""Colours and drawing characters, chosen by the caller."""

from __future__ import annotations

from dataclasses import astuple, dataclass

_RESET = "\x1b[0m"


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours text, or leaves it as it is when not ``enabled``."""

    enabled: bool

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}{_RESET}" if self.enabled and text else text

    def bold(self, text: str) -> str:
        """Return the text in bold."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """Return the text faint."""
        return self._wrap("2", text)

    def red(self, text: str) -> str:
        """Return the text in red: failures."""
        return self._wrap("31", text)

    def green(self, text: str) -> str:
        """Return the text in green: success."""
        return self._wrap("32", text)

    def yellow(self, text: str) -> str:
        """Return the text in yellow: what is cut short or tried again."""
        return self._wrap("33", text)

    def blue(self, text: str) -> str:
        """Return the text in blue: what goes on."""
        return self._wrap("34", text)

    def cyan(self, text: str) -> str:
        """Return the text in cyan: what waits."""
        return self._wrap("36", text)

    def of_state(self, state: str, text: str) -> str:
        """Return the text in the colour of a run's or step's state."""
        match state:
            case "completed":
                return self.green(text)
            case "failed" | "crashed":
                return self.red(text)
            case "canceled" | "expired" | "timed_out" | "retrying":
                return self.yellow(text)
            case "running":
                return self.blue(text)
            case "waiting":
                return self.cyan(text)
            case _:
                return self.dim(text)


PLAIN = Palette(enabled=False)
"""No colours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The characters to draw with; each is one column wide, except ``ellipsis`` in ASCII."""

    completed: str
    failed: str
    canceled: str
    timed_out: str
    running: str
    waiting: str
    retrying: str
    pending: str
    bar: str
    wait_bar: str
    gap: str
    axis: str
    tick: str
    branch_only: str
    branch_first: str
    branch_middle: str
    branch_last: str
    ellipsis: str
    dot: str
    times: str

    def all(self) -> tuple[str, ...]:
        """Return every character."""
        return astuple(self)

    def of_state(self, state: str) -> str:
        """Return the symbol of a run's or step's state."""
        symbols = {"crashed": self.failed, "expired": self.timed_out, "delayed": self.pending, "queued": self.pending}
        return symbols.get(state) or str(getattr(self, state, self.pending))


UNICODE = Glyphs(
    completed="✓", failed="✗", canceled="⊘", timed_out="◔", running="●", waiting="◌", retrying="↻", pending="○",
    bar="━", wait_bar="┄", gap="╱", axis="─", tick="┬",
    branch_only="╶", branch_first="┌", branch_middle="│", branch_last="└",
    ellipsis="…", dot="·", times="×",
)  # fmt: skip
"""For terminals of this century."""

ASCII = Glyphs(
    completed="+", failed="x", canceled="-", timed_out="t", running="*", waiting="~", retrying="r", pending="o",
    bar="=", wait_bar=".", gap="/", axis="-", tick="+",
    branch_only="-", branch_first="/", branch_middle="|", branch_last="\\",
    ellipsis="...", dot="-", times="x",
)  # fmt: skip
"""For streams whose encoding cannot carry the others."""
