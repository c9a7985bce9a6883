"""Register rules, run them over a completion, and report their findings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal, TypeAlias

from webapp.analysis.checks.subject import Need, Subject, Topic
from webapp.transcript import CallEntry, Entry

Severity: TypeAlias = Literal["error", "warning", "remark"]
Place: TypeAlias = Entry | CallEntry | None

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "remark")
"""The most severe first: an answer that is unusable or a next request that is refused; something
that is probably wrong; something worth knowing."""

CHECKS_VERSION: Final = 8
"""Raised when the rules find other errors or warnings than before: stores are checked again."""

MAX_OF_A_RULE: Final = 50
"""Findings of one rule in a report, which then counts the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A finding of a rule: one `sentence` about one place.

    `anchor` is the DOM id of the message or call, None for the completion as a whole, and
    `message_id` the id of its message if it has one. `where` names the place: `call 12.1`,
    `message 12`, `answer`. `detail` is text of the place to show as it is, in lines.
    """

    code: str
    severity: Severity
    sentence: str
    where: str
    anchor: str | None
    message_id: str | None
    number: int | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its stable `code`, the severity of its worst findings, and its meaning.

    `title` names the fault, `effect` its consequence in the API or a client. It finds nothing in a
    completion that has none of its `topic`.
    """

    code: str
    severity: Severity
    title: str
    effect: str
    needs: tuple[Need, ...]
    topic: Topic
    find: Callable[[Subject], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as a rule yields it; `severity` is set if it is less than the rule's."""

    place: Place
    sentence: str
    severity: Severity | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The findings in the order of their severity, then of the transcript.

    `skipped` are the codes that could not be checked, by the reason. `left_out` counts by code
    the findings beyond the bound of a rule.
    """

    findings: tuple[Finding, ...] = ()
    skipped: dict[str, tuple[str, ...]]
    left_out: dict[str, int]

    def count(self, severity: Severity) -> int:
        return sum(finding.severity == severity for finding in self.findings)

    def with_findings_of(self, other: Report) -> Report:
        """Add the findings of `other` to those of this report."""
        return replace(self, findings=_sort([*self.findings, *other.findings]))

    @property
    def faults(self) -> int:
        """The number of errors and warnings."""
        return self.count("error") + self.count("warning")

    @property
    def worst(self) -> Severity | None:
        return self.findings[0].severity if self.findings else None


RULES: Final[dict[str, Rule]] = {}
"""All rules by code, in the order of their modules."""


def rule(
    code: str,
    severity: Severity,
    title: str,
    effect: str,
    *needs: Need,
    topic: Topic = "completion",
) -> Callable[[Callable[[Subject], Iterator[Found]]], Callable[[Subject], Iterator[Found]]]:
    """Register a generator of `Found` as the rule `code`."""

    def register(find: Callable[[Subject], Iterator[Found]]) -> Callable[..., Iterator[Found]]:
        assert code not in RULES, f"two rules with the code {code}"
        RULES[code] = Rule(code, severity, title, effect, needs, topic, find)
        return find

    return register


call_rule: Final = partial(rule, topic="calls")
tool_rule: Final = partial(rule, topic="tools")


def check(subject: Subject, *, codes: Collection[str] = RULES.keys()) -> Report:
    """Apply the rules `codes` to `subject`, by default all of them."""
    findings: list[Finding] = []
    skipped: dict[str, list[str]] = {}
    left_out: dict[str, int] = {}
    for code, one in RULES.items():
        if code not in codes:
            continue
        lacking = next(filter(subject.lacks, one.needs), None)
        if lacking is not None:
            skipped.setdefault(lacking.value, []).append(code)
            continue
        if one.topic not in subject.topics:
            continue
        found = [_locate(one, found) for found in one.find(subject)]
        findings += found[:MAX_OF_A_RULE]
        if len(found) > MAX_OF_A_RULE:
            left_out[code] = len(found) - MAX_OF_A_RULE
    return Report(
        findings=_sort(findings),
        skipped={reason: tuple(codes) for reason, codes in skipped.items()},
        left_out=left_out,
    )


def _sort(findings: list[Finding]) -> tuple[Finding, ...]:
    def rank(found: Finding) -> tuple[int, int]:
        return SEVERITIES.index(found.severity), found.number or 10**9

    return tuple(sorted(findings, key=rank))


def _locate(of: Rule, found: Found) -> Finding:
    """Build the finding of a rule, with the address of its place."""
    finding = Finding(
        code=of.code,
        severity=found.severity or of.severity,
        sentence=found.sentence,
        where="completion",
        anchor=None,
        message_id=None,
        number=None,
        detail=found.detail,
    )
    if found.place is None:
        return finding
    entry = found.place.caller if isinstance(found.place, CallEntry) else found.place
    if isinstance(found.place, CallEntry):
        where = f"call {found.place.number}"
    elif entry.choice is not None:
        where = "answer" if entry.choice_number <= 1 else f"choice {entry.choice_number}"
    else:
        where = "message" if entry.number is None else f"message {entry.number}"
    return replace(
        finding,
        where=where,
        anchor=found.place.anchor,
        message_id=entry.message.id,
        number=entry.number,
    )


def quote(text: str, limit: int = 60) -> str:
    """Quote the beginning of `text` as code on one line; it cannot close the quotes."""
    line = " ".join(text[: 4 * limit].replace("`", "'").split())
    is_whole = len(line) <= limit and len(text) <= 4 * limit
    return f"`{line if is_whole else line[: limit - 1] + '…'}`"
