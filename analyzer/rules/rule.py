"""What a rule is: its code and name, what it says, why, and examples from which tests and documentation are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.model import Severity
from analyzer.rules.addresses import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from analyzer.rules.declarations import Declarations, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A snippet of user code, or a small project.

    Lines on which the rule reports something end in ``# <- TRG101``.

    Attributes:
        code: the file ``jobs/example.py``.
        files: further files by path.
    """

    code: str
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule.

    Attributes:
        code: ``TRG101``; stable, never used again for another rule.
        name: what it finds, in words: ``network-outside-task``.
        severity: how much its findings matter, unless the project says otherwise.
        summary: one sentence for lists.
        message: what is wrong, with ``{subject}`` for what does it; when that comes first, the rest follows "…, which".
        remedy: what to write instead, in the imperative.
        explanation: what it does, why it matters on replay, what to write instead; Markdown.
        bad: examples with findings.
        good: examples without any.
        check: for rules about declarations: finds them, given all of the project's.
        planned: what it is about that the SDK does not have yet, for people: ``schedules (`cron`)``; empty when it has.
    """

    code: str
    name: str
    severity: Severity = Severity.ERROR
    summary: str
    message: str
    remedy: str
    explanation: str
    bad: tuple[Example, ...]
    good: tuple[Example, ...]
    check: Callable[[Declarations], Iterable[Finding]] | None = None
    planned: str = ""

    def describe(
        self,
        subject: str,
        *,
        is_code: bool = True,
        remedy: str = "",
        through: str = "",
        source: str = "",
        is_async: bool = True,
    ) -> str:
        """Return the message of a finding: what, why it matters, what to write instead.

        Args:
            subject: what does it, ``requests.get``.
            is_code: whether the subject is code; when it is words, code in it has backticks already.
            remedy: what to write instead, when it is known better than by the rule.
            through: the function of the project through which the call comes to it, its name in backticks; empty when
                it is called itself.
            source: the distribution in whose source an inferred effect was read; empty for known ones.
            is_async: whether the body is async, so that the remedy has an ``await``.
        """
        inferred = f" (inferred from the source of {source})" if source else ""
        named = f"`{subject}`{inferred}" if is_code else subject
        rest = self.message.removeprefix("{subject} ")
        if through and rest != self.message:
            said = f"{through} leads to {named}, which {rest}"
        else:
            said = self.message.format(subject=named)
        advice = _as_clause(remedy or self.remedy)
        return f"{said}: {advice if is_async else advice.replace('await ', '')}"

    @property
    def page(self) -> str:
        """The explanation, and first what is not in this release of all that it is about; Markdown."""
        if not self.planned:
            return self.explanation
        note = f"Not in this release: {self.planned}.\nCode with it cannot run yet; the check knows it already."
        return f"{note}\n\n{self.explanation}"

    @property
    def address(self) -> str:
        """Where it is explained."""
        return address_of(self.code)


def _as_clause(remedy: str) -> str:
    """Return a remedy as the end of a sentence: no capital, no full stop."""
    text = remedy.strip().removesuffix(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
