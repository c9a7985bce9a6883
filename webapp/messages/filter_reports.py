"""Parse the reports of content filters and moderation on a prompt or an answer.

Azure sends `content_filter_results` with a choice and `prompt_filter_results` with the
completion: for each category whether it was filtered, and how severe it is or whether it was
detected. The API's own `moderation` holds results for input and output: categories that are
true or false, and scores. A report keeps its JSON, so nothing is lost that is not understood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, Literal, TypeAlias

from webapp.exact_json import Array, Boolean, Integer, Member, Number, Object, String, Value
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
"""Levels from `moderation` down to its categories; deeper values are something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterCategory:
    """One category: whether it was detected, how severe it is, whether the text was filtered."""

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
class FilterResult:
    """The categories of one result; `of` names the text that was checked, if it is named.

    `failed` is true if the check itself failed, so that an empty result means nothing.
    """

    of: str
    found: tuple[FilterCategory, ...]
    extras: tuple[Member, ...] = ()
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterReport:
    """All results in the field `name`, which holds `json`."""

    name: str
    json: Value
    results: tuple[FilterResult, ...]

    @property
    def title(self) -> str:
        return _TITLES[self.name]

    @property
    def notable(self) -> tuple[FilterCategory, ...]:
        """The categories that were filtered or detected."""
        found = (one for result in self.results for one in result.found)
        return tuple(one for one in found if one.state in ("filtered", "detected"))

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The texts that could not be checked, by name if they have one."""
        failed = (result.of for result in self.results if result.failed)
        return tuple(dict.fromkeys(of or "one result" for of in failed))

    @property
    def shown(self) -> tuple[FilterResult, ...]:
        """The first results, with at most `MAX_SHOWN` categories in all."""
        shown: list[FilterResult] = []
        room = MAX_SHOWN
        for result in self.results:
            if room <= 0:
                break
            shown.append(replace(result, found=result.found[:room]))
            room -= max(1, len(result.found))
        return tuple(shown)

    @property
    def left_out(self) -> int:
        """The number of categories that are only in the JSON."""
        return self.count - sum(len(result.found) for result in self.shown)

    @property
    def count(self) -> int:
        return sum(len(result.found) for result in self.results)


def split_reports(members: Sequence[Member]) -> tuple[tuple[FilterReport, ...], tuple[Member, ...]]:
    """Split `members` into the reports and the others."""
    reports, left = [], []
    for member in members:
        name = member.name.text
        parse = _parse_moderation if name.startswith("moderation") else _parse_filter
        parsed = islice(parse(member.value, "", _DEEPEST), MAX_ITEMS) if name in _TITLES else ()
        results = tuple(result for result in parsed if result.found or result.extras)
        if results:
            reports.append(FilterReport(name=name, json=member.value, results=results))
        else:
            left.append(member)
    return tuple(reports), tuple(left)


def _parse_filter(value: Value, of: str, levels: int) -> Iterator[FilterResult]:
    """Yield results as Azure sends them: categories by name, or a list of those, one a prompt."""
    if isinstance(value, Array) and levels:
        for item in value.items:
            yield from _parse_filter(item, of, levels - 1)
    if not isinstance(value, Object):
        return
    inner = value.object("content_filter_results")
    if inner is None:
        yield _parse_categories(value, of)
        return
    prompt = value.get("prompt_index")
    of = f"prompt {prompt.source}" if isinstance(prompt, Number) else of
    found = _parse_categories(inner, of)
    beyond = value.find_unread(prompt_index=Integer, content_filter_results=Object)
    yield replace(found, extras=found.extras + beyond)


def _parse_categories(value: Object, of: str) -> FilterResult:
    found = [finding for member in value.members for finding in _parse_category(member)]
    left = (member for member in value.find_unread() if not any(_parse_category(member)))
    failed = value.object("error") is not None
    return FilterResult(of=of, found=tuple(found), extras=tuple(left), failed=failed)


def _parse_category(member: Member) -> Iterator[FilterCategory]:
    name, value = member.name.text, member.value
    if isinstance(value, Object) and name != "error":
        yield FilterCategory(
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
                yield FilterCategory(
                    name=name, filtered=filtered, extras=item.find_unread(filtered=Boolean)
                )


def _parse_moderation(value: Value, of: str, levels: int) -> Iterator[FilterResult]:
    """Yield results of the moderation models, from all `categories` in `value`."""
    if not levels:
        return
    if isinstance(value, Array):
        for item in value.items:
            yield from _parse_moderation(item, of, levels - 1)
    elif isinstance(value, Object):
        if value.object("categories") is not None:
            yield _parse_moderation_result(value, of)
            return
        for member in value.members:
            at = of or ("" if member.name.text == "results" else member.name.text)
            yield from _parse_moderation(member.value, at, levels - 1)
        failed = value.text("type") == "error"
        left = value.find_unread() if failed else value.find_unread(type=String)
        scalars = tuple(one for one in left if not isinstance(one.value, Array | Object))
        yield FilterResult(of=of, found=(), extras=scalars, failed=failed)


def _parse_moderation_result(value: Object, of: str) -> FilterResult:
    categories, scores = value.object("categories"), value.object("category_scores")
    by_name = {member.name.text: member.value for member in scores.members} if scores else {}
    found = tuple(
        FilterCategory(
            name=member.name.text,
            detected=member.value.value if isinstance(member.value, Boolean) else None,
            score=_get_source(by_name.pop(member.name.text, None)),
        )
        for member in (categories.members if categories else ())
    )
    alone = tuple(
        FilterCategory(name=name, score=_get_source(score)) for name, score in by_name.items()
    )
    extras = value.find_unread(type=String, categories=Object, category_scores=Object)
    return FilterResult(of=of, found=found + alone, extras=extras)


def _get_source(value: Value | None) -> str | None:
    return None if value is None else value.source
