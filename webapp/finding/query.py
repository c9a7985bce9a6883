"""Parse the words of a search: `tool:shell finish:length tokens:>1000 "exact words"`.

Words with a known name before a colon are filters. All others together are one text that is
searched for as it is written, without regard to case; texts in quotes are searched for apart.
The value of a filter may be in quotes, or the part after `=`; a quote in it is written twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

MAX_QUERY: Final = 1_000
"""Characters of a search."""
MAX_FILTERS: Final = 20
MAX_NAME: Final = 20
"""Characters of the name of a filter; there is none as long."""

TAG_NAMES: Final = ("tool", "calls", "finish", "failure", "has", "findings")
HAS: Final = ("audio", "calls", "failure", "file", "image", "logprobs", "refusal")
FINDINGS: Final = ("error", "warning", "failed-call")
"""The least severity of a finding of the checks, and a call whose result reports a failure."""
RANGE_NAMES: Final = {
    "messages": "messages",
    "tokens": "total_tokens",
    "duration": "duration_ms",
}
SORTS: Final = {
    "time": None,
    "tokens": "total_tokens",
    "duration": "duration_ms",
    "messages": "messages",
}
"""The column of each order of the list."""
SCOPES: Final = ("text", "input", "output", "names", "metadata")

_TOKEN: Final = re.compile(
    r'(?P<name>[A-Za-z]+):(?:(?P<key>[^\s"=]+=)?"(?P<quoted>(?:[^"]|"")*)"|(?P<value>[^\s"]+))'
    r'|"(?P<phrase>[^"]*)"|(?P<word>\S+)'
)
_RANGE: Final = re.compile(
    r"(?P<sign>>=?|<=?)?(?P<one>[0-9]{1,18})|(?P<low>[0-9]{1,18})-(?P<high>[0-9]{1,18})"
)
_PLAIN: Final = re.compile(r'[^\s"]+')
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    rf"{_DAY.pattern}(?:T[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}})?(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?"
)
_FAR: Final = 2**31 - 1
_DAY_SECONDS: Final = 86_400


class BadQuery(ValueError):
    """A filter with an invalid value; the message names the valid ones."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search.

    `terms` are texts that one passage of a completion has, all of them. `tags` are facts such as
    `tool:shell`; `ranges` are the least and greatest value of a number, by its column; `since` and
    `before` bound the time of creation, in Unix seconds. `scopes` are where terms may be.
    """

    terms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    model: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    ranges: tuple[tuple[str, int, int], ...] = ()
    since: int | None = None
    before: int | None = None
    scopes: tuple[str, ...] = SCOPES

    @property
    def asks_findings(self) -> bool:
        """Whether completions are missing that were not checked yet."""
        return any(tag.startswith("findings:") for tag in self.tags)

    def __bool__(self) -> bool:
        return self != replace(Query(), scopes=self.scopes)


def parse_query(text: str) -> Query:
    """Parse the search that `text` describes. Raises `BadQuery` for a filter with a bad value."""
    if len(text) > MAX_QUERY:
        raise BadQuery(f"A search takes up to {MAX_QUERY:,} characters.")
    words: list[str] = []
    phrases: list[str] = []
    filters: list[tuple[str, str]] = []
    for found in _TOKEN.finditer(text.strip()):
        name, quoted = (found["name"] or "").lower(), found["quoted"]
        value = found["value"]
        if quoted is not None:
            value = (found["key"] or "") + quoted.replace('""', '"')
        if name in _FILTERS and value:
            filters.append((name, value))
        elif found["phrase"] is not None:
            phrases.append(found["phrase"])
        else:
            words.append(found[0])
    if len(filters) > MAX_FILTERS:
        raise BadQuery(f"A search takes up to {MAX_FILTERS} filters.")
    joined = " ".join(words)
    if joined == " ".join(text.split()):
        # Nothing else is between the words, so that the spaces as typed are part of the term.
        joined = text.strip()
    terms = [term for term in (joined, *phrases) if term.strip()]
    return _apply_filters(tuple(terms), filters)


def split_words(text: str) -> list[str]:
    """Split a search into its words as written: each filter, text in quotes, other word."""
    return [found[0] for found in _TOKEN.finditer(text.strip())]


def find_unknown_filters(text: str) -> list[str]:
    """Find the names of words that are written as filters and are none, such as `after:2026`.

    They are searched for as text. Addresses are not among them.
    """
    names = {
        found["name"].lower(): None
        for found in _TOKEN.finditer(text)
        if found["name"] and not (found["value"] or "").startswith("//")
    }
    return [name for name in names if name not in _FILTERS and len(name) <= MAX_NAME]


def write_filter(name: str, value: str) -> str:
    """Write the word that `parse_query` reads as the filter, with its value in quotes if needed.

    A value cannot be empty.
    """
    is_plain = _PLAIN.fullmatch(value) is not None
    return f"{name}:{value}" if is_plain else f'{name}:"{value.replace(chr(34), chr(34) * 2)}"'


def write_moment(seconds: int) -> str:
    """Write a time for `since:` and `before:`, in UTC, such as `2026-11-17T14:03:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _apply_filters(terms: tuple[str, ...], filters: list[tuple[str, str]]) -> Query:
    models: list[str] = []
    since: list[int] = []
    before: list[int] = []
    tags: list[str] = []
    ranges: list[tuple[str, int, int]] = []
    metadata: list[tuple[str, str]] = []
    scopes: list[str] = []
    for name, value in filters:
        if name in TAG_NAMES:
            choices = _CHOICES.get(name)
            tags.append(f"{name}:{_check_choice(name, value, choices) if choices else value}")
        elif name in RANGE_NAMES:
            ranges.append((RANGE_NAMES[name], *_parse_range(name, value)))
        elif name == "model":
            models.append(value)
        elif name == "metadata":
            metadata.append(_parse_pair(value))
        elif name == "in":
            scopes.append(_check_choice(name, value, SCOPES))
        elif name == "on":
            since.append(_parse_day(name, value))
            before.append(since[-1] + _DAY_SECONDS)
        elif name == "since":
            since.append(_parse_moment(name, value))
        elif name == "before":
            before.append(_parse_moment(name, value))
        else:
            raise AssertionError(f"The filter {name} is not applied.")
    _check_together(terms, scopes, models, since, before)
    _check_ranges(ranges)
    return Query(
        terms=terms,
        tags=tuple(dict.fromkeys(tags)),
        model=models[0] if models else None,
        metadata=tuple(dict.fromkeys(metadata)),
        ranges=tuple(dict.fromkeys(ranges)),
        since=max(since, default=None),
        before=min(before, default=None),
        scopes=tuple(dict.fromkeys(scopes)) or SCOPES,
    )


def _check_together(
    terms: tuple[str, ...],
    scopes: list[str],
    models: list[str],
    since: list[int],
    before: list[int],
) -> None:
    """Raise `BadQuery` if filters need words, exclude each other, or leave no time."""
    if scopes and not terms:
        raise BadQuery(
            f"in: says where words are searched for; add some, such as in:{scopes[0]} refund."
        )
    if len(set(models)) > 1:
        raise BadQuery("model: can be given once, since a completion has one model.")
    if since and before and max(since) >= min(before):
        raise BadQuery(
            "No time is within all of since:, before: and on:; the time of since: comes first, such"
            " as since:2026-11-01 before:2026-12-01."
        )


def _check_ranges(ranges: list[tuple[str, int, int]]) -> None:
    """Raise `BadQuery` if filters leave no number of a column."""
    for name, column in RANGE_NAMES.items():
        bounds = [(low, high) for its, low, high in ranges if its == column]
        if bounds and max(low for low, _ in bounds) > min(high for _, high in bounds):
            raise BadQuery(f"No number is within all of {name}:.")


_CHOICES: Final = {"has": HAS, "findings": FINDINGS}
_FILTERS: Final = (*TAG_NAMES, *RANGE_NAMES, "model", "metadata", "in", "on", "since", "before")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value.lower() not in choices:
        raise BadQuery(f"{name}: takes {', '.join(choices[:-1])} or {choices[-1]}.")
    return value.lower()


def _parse_pair(value: str) -> tuple[str, str]:
    key, separator, wanted = value.partition("=")
    if not (key and separator):
        raise BadQuery("metadata: takes a key and a value, such as metadata:team=travel.")
    return key, wanted


def _parse_range(name: str, value: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(value)
    if found is None:
        raise BadQuery(f"{name}: takes a number, such as {name}:>100, {name}:<=20 or {name}:10-20.")
    if found["one"] is None:
        low, high = min(int(found["low"]), _FAR), min(int(found["high"]), _FAR)
        if low > high:
            raise BadQuery(f"{name}: takes the smaller number first, such as {name}:{high}-{low}.")
        return low, high
    number = min(int(found["one"]), _FAR)
    if found["sign"] == "<" and number == 0:
        raise BadQuery(f"{name}:<0 matches nothing: numbers begin at 0.")
    return {
        ">": (min(number + 1, _FAR), _FAR),
        ">=": (number, _FAR),
        "<": (0, number - 1),
        "<=": (0, number),
    }.get(found["sign"] or "", (number, number))


def _parse_day(name: str, value: str) -> int:
    """Parse a day to its first second in UTC."""
    if _DAY.fullmatch(value) and (seconds := _read_time(value)) is not None:
        return seconds
    raise BadQuery(f"{name}: takes a day, such as {name}:2026-11-17 (UTC).")


def _parse_moment(name: str, value: str) -> int:
    """Parse a time, or the first second of a day, in UTC unless it has an offset."""
    if _MOMENT.fullmatch(value.upper()) and (seconds := _read_time(value.upper())) is not None:
        return seconds
    raise BadQuery(
        f"{name}: takes a day or a time in UTC, such as {name}:2026-11-17 or"
        f" {name}:2026-11-17T14:30."
    )


def _read_time(value: str) -> int | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
