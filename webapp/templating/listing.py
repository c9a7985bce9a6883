"""Prepare a page of the list: its filters, days and rows, and links that keep the filters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from flask import abort, request, url_for

from webapp.completions import Completion, scalar_text
from webapp.conversations import Conversation
from webapp.formatting import LONE_SURROGATES
from webapp.ids import is_valid_id
from webapp.reading.listing import ListPage
from webapp.reading.previews import Row
from webapp.services import services
from webapp.upstream import NotSupported

Kind: TypeAlias = Literal["cut off", "failed", "tools", "images", "audio", "refused"]

KINDS: Final[tuple[Kind, ...]] = ("cut off", "failed", "tools", "images", "audio", "refused")
"""The filters of one page of the list. The API has none for them."""

_METADATA: Final = re.compile(r"metadata\[(.{1,512})\]", re.DOTALL)
_MOST_IN_LINK: Final = 512
_MOST_CHIPS: Final = 3
_MOST_SECONDS: Final = 10**11 - 1
_MOST_SUGGESTED: Final = 50


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of the list: a model and metadata, which the server compares exactly.

    `kind` is compared here, and only with the completions that are on the page. If it `is_flat`,
    each completion has a row of its own, also those of one conversation.
    """

    model: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    kind: Kind | None = None
    is_flat: bool = False

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Filters:
        """Return the filters in the query. Blank values are none; an unknown kind answers 400."""
        metadata = []
        for name, value in query.items():
            if value and (match := _METADATA.fullmatch(name)):
                metadata.append((match[1], value))
        kind = next((kind for kind in KINDS if kind == query.get("show")), None)
        if query.get("show") and kind is None:
            abort(400, f"The parameter show takes {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
        return cls(
            query.get("model", "").strip() or None, tuple(metadata), kind, query.get("flat") == "1"
        )

    def __bool__(self) -> bool:
        return bool(self.model or self.metadata or self.kind)

    def query(self) -> dict[str, str]:
        """Return the filters as query parameters of our own pages, spelt as the API's."""
        query = {"model": self.model} if self.model else {}
        query |= {f"metadata[{key}]": value for key, value in self.metadata}
        query |= {"show": self.kind} if self.kind else {}
        return query | ({"flat": "1"} if self.is_flat else {})

    def url(self, **more: str | None) -> str:
        """Return the URL of the list with these filters; `more` are further parameters."""
        query: dict[str, Any] = {**self.query(), **more}
        return url_for("listing.index", **query)

    def completion_url(self, completion_id: str, **more: str) -> str:
        """Return the URL of a transcript that links back to the list with these filters."""
        query: dict[str, Any] = {**self.query(), **more}
        return url_for("completions.show", completion_id=completion_id, **query)

    def neighbor_url(self, completion: Completion, direction: str) -> str | None:
        """Return the URL of the next completion in `direction`; None without a usable id."""
        if services().share is not None or completion.id is None or not is_valid_id(completion.id):
            return None
        created = completion.created
        is_usable = created is not None and 0 <= created <= _MOST_SECONDS
        query: dict[str, Any] = {**self.query(), "created": created if is_usable else None}
        return url_for(
            "listing.neighbor", completion_id=completion.id, direction=direction, **query
        )

    def without(self, name: str) -> Filters:
        return replace(
            self,
            model=None if name == "model" else self.model,
            kind=None if name == "show" else self.kind,
            metadata=tuple(pair for pair in self.metadata if f"metadata[{pair[0]}]" != name),
        )

    def folded(self, *, is_flat: bool) -> Filters:
        return replace(self, is_flat=is_flat)

    def with_kind(self, kind: Kind) -> Filters:
        return replace(self, kind=kind)

    def model_url(self, model: str | None) -> str | None:
        """Return the URL of the list of one model; None if the API has no filter for it."""
        if services().share is not None:
            return None
        is_usable = model and model == model.strip() and _fits_in_link(model)
        return replace(self, model=model).url() if is_usable else None

    def metadata_url(self, key: str, value: str | None) -> str | None:
        """Return the URL of the list with this metadata; None if the API has no filter for it."""
        if services().share is not None or not key or not value:
            return None
        if not _fits_in_link(key) or not _fits_in_link(value):
            return None
        others = tuple(pair for pair in self.metadata if pair[0] != key)
        return replace(self, metadata=(*others, (key, value))).url()

    def select_chips(self, completion: Completion) -> list[tuple[str, str, str | None]]:
        """Return key, words and value of some metadata that is not already filtered by.

        The value is None if it is no text.
        """
        chips = []
        for member in completion.metadata:
            key, value = member.name.text, scalar_text(member.value)
            if (key, value) not in self.metadata:
                chips.append((key, value or member.value.source, value))
        return chips[:_MOST_CHIPS]

    def are_applied_to(self, completion: Completion) -> bool:
        """Return whether the model and metadata of `completion` are those asked for."""
        sent = {member.name.text: scalar_text(member.value) for member in completion.metadata}
        is_model = self.model in (None, completion.model)
        return is_model and all(sent.get(key) == value for key, value in self.metadata)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list, which begins after `after`; `problem` is set if there is no list.

    `limit` is the one that the address names. `day` is the last day that the reader already has,
    `2026-11-17`, if these rows are appended to others. `conversations` are those that rows stand
    for, by the ids of the rows; the server tells them apart if it `can_fold`.
    """

    rows: tuple[Row, ...] = ()
    filters: Filters = Filters()
    page: ListPage = ListPage()
    after: str | None = None
    problem: NotSupported | None = None
    limit: str | None = None
    day: str | None = None
    conversations: Mapping[str, Conversation] = field(default_factory=dict)
    can_fold: bool = False

    @property
    def shown(self) -> tuple[Row, ...]:
        """The rows of the kind that the filters ask for."""
        kind = self.filters.kind
        return tuple(row for row in self.rows if kind is None or is_of_kind(row, kind))

    @property
    def days(self) -> Iterator[tuple[str | None, tuple[Row, ...]]]:
        """The rows of each day with its heading, which is None where the day goes on."""
        day = self.day
        rows: list[Row] = []
        heading: str | None = None
        for row in self.shown:
            at = _find_day(row.completion)
            if at != day:
                if rows:
                    yield heading, tuple(rows)
                day, rows, heading = at, [], _describe_day(at)
            rows.append(row)
        if rows:
            yield heading, tuple(rows)

    @property
    def is_empty(self) -> bool:
        """Whether nothing matches, on any page."""
        is_end = not self.page.cut_off and not self.page.unreadable
        return is_end and not self.rows and not self.after

    @property
    def ignores_filters(self) -> bool:
        """Whether the server sent completions that do not match, and none that do."""
        completions = self.page.completions
        return bool(completions) and not any(map(self.filters.are_applied_to, completions))

    @property
    def next_url(self) -> str:
        shown = self.shown
        day = _find_day(shown[-1].completion) if shown else self.day
        return self.filters.url(after=self.page.next_after, limit=self.limit, day=day)

    @property
    def suggestions(self) -> dict[str, list[str]]:
        """Suggestions for the form, by the ids of their elements."""
        metadata = [one for row in self.rows for one in row.completion.metadata]
        return {
            "models": _suggest(row.completion.model or "" for row in self.rows),
            "metadata-keys": _suggest(one.name.text for one in metadata),
            "metadata-values": _suggest(scalar_text(one.value) or "" for one in metadata),
        }


def list_filters() -> Filters:
    """Return the filters that the address of this page names, to keep them in its links."""
    return Filters.from_query(request.args)


def clock_time(seconds: int) -> str:
    """Return the time of day in UTC, `14:03`; empty if it is no time."""
    moment = _read_time(seconds)
    return moment.strftime("%H:%M") if moment else ""


def _suggest(texts: Iterable[str]) -> list[str]:
    usable = (text for text in texts if text.strip() and _fits_in_link(text))
    return sorted(list(dict.fromkeys(usable))[:_MOST_SUGGESTED])


def _fits_in_link(text: str) -> bool:
    return len(text) <= _MOST_IN_LINK and not LONE_SURROGATES.search(text)


def is_of_kind(row: Row, kind: Kind) -> bool:
    """Return whether a completion is of the kind of a filter."""
    marks = (*(row.question.marks if row.question else ()), *row.answer.marks)
    rule = row.failure.rule if row.failure else None
    if kind == "cut off":
        return rule == "cut off" or row.completion.broken_off is not None
    if kind == "failed":
        return row.failure is not None or row.completion.broken_off is not None
    if kind == "tools":
        return any(mark.startswith("call:") for mark in marks)
    return {"images": "image", "audio": "audio", "refused": "refused"}[kind] in marks


def _read_time(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _find_day(completion: Completion) -> str | None:
    moment = _read_time(completion.created)
    return moment.strftime("%Y-%m-%d") if moment else None


def _describe_day(day: str | None) -> str:
    if day is None:
        return "No date"
    date = datetime.strptime(day, "%Y-%m-%d")
    return f"{date:%A}, {date.day} {date:%B} {date.year} (UTC)"
