"""What content filters and moderation found in a prompt or an answer, as servers report it.

Azure gives `content_filter_results` with a choice and `prompt_filter_results` with the
completion: a category each, with whether it was filtered and how severe or whether it was
detected. The API's own `moderation` holds results for input and output: categories that are
true or false, and scores. A report keeps the JSON it was read from, so what is not understood
is still there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal, TypeAlias

from webapp.exact_json import Array, Boolean, Member, Number, Object, String, Value
from webapp.messages.parts import MAX_ITEMS

State: TypeAlias = Literal["filtered", "detected", "passed", "unsaid"]

_TITLES: Final = {
    "content_filter_results": "Content filter",
    "content_filter_result": "Content filter",
    "prompt_filter_results": "Content filter, prompt",
    "prompt_annotations": "Content filter, prompt",
    "moderation": "Moderation",
    "moderation_results": "Moderation",
}
MAX_SHOWN: Final = 200
_DEEPEST: Final = 4
"""Levels from `moderation` down to its categories; what lies deeper is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One category: whether it was found, how severe, and whether it was kept from the reader."""

    name: str
    filtered: bool | None = None
    detected: bool | None = None
    severity: str | None = None
    score: str | None = None
    extras: tuple[Member, ...] = ()

    @property
    def state(self) -> State:
        if self.filtered:
            return "filtered"
        if self.detected or self.severity not in (None, "safe"):
            return "detected"
        said = (self.filtered, self.detected, self.severity)
        return "unsaid" if said == (None, None, None) else "passed"

    @property
    def word(self) -> str:
        """`medium, filtered`; `detected`; `safe`."""
        severity = self.severity
        if self.state == "filtered":
            return f"{severity}, filtered" if severity else "filtered"
        if self.state == "unsaid":
            return "no result"
        return severity or ("detected" if self.detected else "not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The categories of one result; `of` tells what was looked at, where that is said.

    `failed` tells that the check itself ended with an error, so that nothing found says nothing.
    """

    of: str
    found: tuple[Finding, ...]
    extras: tuple[Member, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results under one field, which is `name` and holds `json`."""

    name: str
    json: Value
    results: tuple[Findings, ...]

    @property
    def title(self) -> str:
        return _TITLES[self.name]

    @property
    def notable(self) -> tuple[Finding, ...]:
        """What was filtered or detected."""
        found = (one for result in self.results for one in result.found)
        return tuple(one for one in found if one.state in ("filtered", "detected"))

    @property
    def unchecked(self) -> tuple[str, ...]:
        """What could not be checked, by its name where it has one."""
        failed = (result.of for result in self.results if result.failed)
        return tuple(dict.fromkeys(of or "one result" for of in failed))

    @property
    def shown(self) -> tuple[Findings, ...]:
        """The first results, of `MAX_SHOWN` categories in all."""
        shown: list[Findings] = []
        room = MAX_SHOWN
        for result in self.results:
            if room <= 0:
                break
            shown.append(replace(result, found=result.found[:room]))
            room -= max(1, len(result.found))
        return tuple(shown)

    @property
    def left_out(self) -> int:
        """How many categories stand in the JSON alone."""
        return self.count - sum(len(result.found) for result in self.shown)

    @property
    def count(self) -> int:
        return sum(len(result.found) for result in self.results)


def split_reports(members: Sequence[Member]) -> tuple[tuple[Report, ...], tuple[Member, ...]]:
    """The reports among `members`, and the members that are none."""
    reports = {at: _report(member) for at, member in enumerate(members)}
    left = tuple(member for at, member in enumerate(members) if reports[at] is None)
    return tuple(report for report in reports.values() if report is not None), left


def _report(member: Member) -> Report | None:
    name = member.name.text
    if name not in _TITLES:
        return None
    reader = _moderated if name.startswith("moderation") else _filtered
    read = islice(reader(member.value, "", _DEEPEST), MAX_ITEMS)
    results = _once_named([result for result in read if result.found or result.extras])
    return Report(name=name, json=member.value, results=results) if results else None


def _once_named(results: Sequence[Findings]) -> tuple[Findings, ...]:
    """`results`, with what they are of told where it changes."""
    before = [None, *(result.of for result in results)]
    return tuple(
        replace(result, of="") if result.of == last else result
        for last, result in zip(before, results, strict=False)
    )


def _filtered(value: Value, of: str, levels: int) -> Iterator[Findings]:
    """Results as Azure gives them: a map of categories, or a list of those for each prompt."""
    if isinstance(value, Array) and levels:
        for item in value.items:
            yield from _filtered(item, of, levels - 1)
    if not isinstance(value, Object):
        return
    inner = value.object("content_filter_results")
    if inner is None:
        yield _categories(value, of)
        return
    prompt = value.get("prompt_index")
    of = f"prompt {prompt.source}" if isinstance(prompt, Number) else of
    found = _categories(inner, of)
    beyond = value.find_unread(prompt_index=Number, content_filter_results=Object)
    yield replace(found, extras=found.extras + beyond)


def _categories(value: Object, of: str) -> Findings:
    found = [finding for member in value.members for finding in _finding(member)]
    left = (member for member in value.find_unread() if not any(_finding(member)))
    failed = value.object("error") is not None
    return Findings(of=of, found=tuple(found), extras=tuple(left), failed=failed)


def _finding(member: Member) -> Iterator[Finding]:
    name, value = member.name.text, member.value
    if isinstance(value, Object) and name != "error":
        yield Finding(
            name=name,
            filtered=value.boolean("filtered"),
            detected=value.boolean("detected"),
            severity=value.text("severity"),
            extras=value.find_unread(filtered=Boolean, detected=Boolean, severity=String),
        )
    elif isinstance(value, Array):
        lists = [item for item in value.items if isinstance(item, Object)]
        if len(lists) == len(value.items):
            for item in lists:
                filtered = item.boolean("filtered")
                yield Finding(
                    name=name, filtered=filtered, extras=item.find_unread(filtered=Boolean)
                )


def _moderated(value: Value, of: str, levels: int) -> Iterator[Findings]:
    """Results of the moderation models, wherever `categories` stand in `value`."""
    if not levels:
        return
    if isinstance(value, Array):
        for item in value.items:
            yield from _moderated(item, of, levels - 1)
    elif isinstance(value, Object):
        if value.object("categories") is not None:
            yield _moderation(value, of)
            return
        for member in value.members:
            at = of or ("" if member.name.text == "results" else member.name.text)
            yield from _moderated(member.value, at, levels - 1)
        failed = value.text("type") == "error"
        left = value.find_unread() if failed else value.find_unread(type=String)
        scalars = tuple(one for one in left if _is_scalar(one.value))
        yield Findings(of=of, found=(), extras=scalars, failed=failed)


def _moderation(value: Object, of: str) -> Findings:
    categories, scores = value.object("categories"), value.object("category_scores")
    by_name = {member.name.text: member.value for member in scores.members} if scores else {}
    found = tuple(
        Finding(
            name=member.name.text,
            detected=member.value.value if isinstance(member.value, Boolean) else None,
            score=_lexeme(by_name.pop(member.name.text, None)),
        )
        for member in (categories.members if categories else ())
    )
    alone = tuple(Finding(name=name, score=_lexeme(score)) for name, score in by_name.items())
    extras = value.find_unread(type=String, categories=Object, category_scores=Object)
    return Findings(of=of, found=found + alone, extras=extras)


def _is_scalar(value: Value) -> bool:
    return not isinstance(value, Array | Object)


def _lexeme(value: Value | None) -> str | None:
    return None if value is None else value.source
