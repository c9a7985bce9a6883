"""Read the filters of the list from addresses, and write the links that keep or change them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import parse_qsl, urlencode

from flask import abort, request

from webapp.access import find_reader
from webapp.access.reader import ANYONE
from webapp.addresses.building import url_for
from webapp.caching.inputs import read_input
from webapp.completions import Completion, scalar_text
from webapp.finding import (
    BadQuery,
    parse_query,
    split_words,
    write_filter,
    write_moment,
)
from webapp.finding.query import SORTS
from webapp.formatting import LONE_SURROGATES
from webapp.ids import is_valid_id
from webapp.saved import Saved
from webapp.services import services
from webapp.templating.headers import sort_metadata

Kind: TypeAlias = Literal["cut off", "failed", "tools", "images", "audio", "refused"]

Source: TypeAlias = Literal["none", "server", "store"]
"""The completions of a list: another server's, or our store's; beside a share there is no list."""

KINDS: Final[tuple[Kind, ...]] = ("cut off", "failed", "tools", "images", "audio", "refused")
"""The filters of one page of the list. The API has none for them."""

_WORDS: Final[dict[Kind, str]] = {
    "cut off": "finish:length",
    "failed": "has:failure",
    "tools": "has:calls",
    "images": "has:image",
    "audio": "has:audio",
    "refused": "has:refusal",
}
"""The same as filter words, for the store of this server."""

QUICK: Final = {
    **{"failed answers" if kind == "failed" else kind: word for kind, word in _WORDS.items()},
    "failed calls": "findings:failed-call",
    "files": "has:file",
    "log-probabilities": "has:logprobs",
    "errors": "findings:error",
    "warnings or errors": "findings:warning",
}
"""These and more filter words, by the names that the list shows for them."""

_TIMES: Final = ("since:", "before:", "on:")
_NEEDS_STORE: Final = (
    "The server that these pages read from filters its list by model and metadata only, and sorts"
    " it by time. Copy its completions into the embedded store with readback pull, and start"
    " Readback without OPENAI_BASE_URL."
)
_METADATA: Final = re.compile(r"metadata\[(.{1,512})\]", re.DOTALL)
_MAX_IN_LINK: Final = 512
_MAX_CHIPS: Final = 3
_MAX_SECONDS: Final = 10**11 - 1


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters and the order of the list, whose state is the URL.

    Any server compares a model and metadata, exactly. The store of this one also knows `words`,
    such as `tool:shell tokens:>1000`, and a `sort`: one of `SORTS`, from the greatest on, or with
    a minus sign from the least. For other servers `kind` is compared here, and only with the
    completions that are on the page. If the list `is_flat`, each completion has its own row,
    also those of one conversation. Filters that the `source` does not know have no links.
    """

    model: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    kind: Kind | None = None
    is_flat: bool = False
    words: tuple[str, ...] = ()
    sort: str = "time"
    source: Source = "server"

    @classmethod
    def from_query(cls, query: Mapping[str, str], source: Source) -> Filters:
        """Read the filters in the query. Blank values are ignored; invalid ones answer 400."""
        if not query:
            return cls(source=source)
        metadata = []
        for name, value in query.items():
            if value and (match := _METADATA.fullmatch(name)):
                metadata.append((match[1], value))
        kind = next((kind for kind in KINDS if kind == query.get("show")), None)
        if query.get("show") and kind is None:
            abort(400, f"The parameter show takes {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
        words = _read_words(query.get("filter", ""), source)
        if kind is not None and source == "store":
            words, kind = (*words, _WORDS[kind]), None
        return cls(
            query.get("model", "").strip() or None,
            tuple(metadata),
            kind,
            query.get("flat") == "1",
            tuple(dict.fromkeys(words)),
            _read_sort(query.get("sort") or "time", source),
            source,
        )

    def __bool__(self) -> bool:
        return bool(self.model or self.metadata or self.kind or self.words)

    @property
    def can_have_words(self) -> bool:
        """Whether the pages read from a store that knows filters beside model and metadata."""
        return self.source == "store"

    @property
    def text(self) -> str:
        """The words as they are typed."""
        return " ".join(self.words)

    @property
    def all_words(self) -> str:
        """All filters as words, also the model and metadata."""
        words = [write_filter("model", self.model)] if self.model else []
        words += [write_filter("metadata", f"{key}={value}") for key, value in self.metadata]
        return " ".join((*words, *self.words))

    @property
    def column(self) -> str:
        """The column that the list is sorted by, without the direction."""
        return self.sort.removeprefix("-")

    @property
    def order(self) -> Literal["asc", "desc"]:
        return "asc" if self.sort.startswith("-") else "desc"

    def own_query(self, *, is_sorted: bool = True) -> dict[str, str]:
        """Collect the parameters of the list that only our own server knows."""
        own = {"words": self.text} if self.words else {}
        return own | ({"sort": self.column} if is_sorted and self.column != "time" else {})

    def query(self) -> dict[str, str]:
        """Write the filters as query parameters of our own pages, spelt as the API's."""
        query = {"model": self.model} if self.model else {}
        query |= {f"metadata[{key}]": value for key, value in self.metadata}
        query |= {"show": self.kind} if self.kind else {}
        query |= {"filter": self.text} if self.words else {}
        query |= {"sort": self.sort} if self.sort != "time" else {}
        return query | ({"flat": "1"} if self.is_flat else {})

    @property
    def query_text(self) -> str:
        """The query of the list's address."""
        return urlencode(self.query(), errors="replace")

    def url(self, **more: str | None) -> str:
        """Build the URL of the list with these filters; `more` are further parameters."""
        query: dict[str, Any] = {**self.query(), **more}
        return url_for("listing.index", **query)

    def completion_url(self, completion_id: str, **more: str) -> str:
        """Build the URL of a transcript that links back to the list with these filters."""
        query: dict[str, Any] = {**self.query(), **more}
        return url_for("completions.show", completion_id=completion_id, **query)

    def neighbor_url(self, completion: Completion, direction: str) -> str | None:
        """Build the URL of the next completion in `direction`; None without a usable id."""
        if self.source == "none" or completion.id is None or not is_valid_id(completion.id):
            return None
        created = completion.created
        is_usable = created is not None and 0 <= created <= _MAX_SECONDS
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

    def sorted_by(self, sort: str) -> Filters:
        return replace(self, sort=sort)

    def with_words(self, *words: str) -> Filters:
        """Add words to the filters; those with times replace the others."""
        kept = self.words
        if any(word.startswith(_TIMES) for word in words):
            kept = tuple(word for word in kept if not word.lower().startswith(_TIMES))
        return replace(self, words=tuple(dict.fromkeys((*kept, *words))))

    def without_word(self, word: str) -> Filters:
        return replace(self, words=tuple(one for one in self.words if one != word))

    def word_url(self, name: str, value: str | None) -> str | None:
        """Build the URL of the list with one more filter, such as `tool` with the name of one.

        None if the server cannot filter by it, or the value is too long.
        """
        if not value or not self.can_have_words:
            return None
        more = self.with_words(write_filter(name, value))
        is_usable = fits_in_link(value) and _is_valid(more.all_words)
        return more.url() if is_usable else None

    def time_url(self, since: int, before: int) -> str | None:
        """Return the URL of the list of a span of time, in unix seconds; `before` is not in it."""
        if not self.can_have_words:
            return None
        try:
            words = (f"since:{write_moment(since)}", f"before:{write_moment(before)}")
        except (OverflowError, ValueError, OSError):
            return None
        more = self.with_words(*words)
        return more.url() if _is_valid(more.all_words) else None

    def model_url(self, model: str | None) -> str | None:
        """Return the URL of the list of one model; None if the API has no filter for it."""
        if self.source == "none":
            return None
        is_usable = model and model == model.strip() and fits_in_link(model)
        return replace(self, model=model).url() if is_usable else None

    def metadata_url(self, key: str, value: str | None) -> str | None:
        """Return the URL of the list with this metadata; None if the API has no filter for it."""
        if self.source == "none" or not key or not value:
            return None
        if not fits_in_link(key) or not fits_in_link(value):
            return None
        others = tuple(pair for pair in self.metadata if pair[0] != key)
        return replace(self, metadata=(*others, (key, value))).url()

    def select_chips(self, completion: Completion) -> list[tuple[str, str, str | None]]:
        """Select some metadata that is not filtered by yet, each by key, words and value.

        The value is None if it is not a string.
        """
        chips = []
        for member in sort_metadata(completion.metadata):
            key, value = member.name.text, scalar_text(member.value)
            if (key, value) not in self.metadata:
                chips.append((key, value or member.value.source, value))
        return chips[:_MAX_CHIPS]

    def are_applied_to(self, completion: Completion) -> bool:
        """Return whether the model and metadata of `completion` are those asked for."""
        sent = {member.name.text: scalar_text(member.value) for member in completion.metadata}
        is_model = self.model in (None, completion.model)
        return is_model and all(sent.get(key) == value for key, value in self.metadata)


def read_filters(query: Mapping[str, str] | None = None) -> Filters:
    """Read the filters in `query`, by default in that of this request; invalid ones answer 400."""
    is_own = services().finder is not None
    source: Source = "none" if services().share is not None else "store" if is_own else "server"
    return Filters.from_query(request.args if query is None else query, source)


def list_saved() -> list[Saved] | None:
    """List the saved filters; None if the reader may not save any."""
    found, reader = services().saved, find_reader()
    if found is None or reader is None or reader.way == ANYONE.way:
        return None
    return read_input(found.list_all)


def saved_url(saved: Saved) -> str:
    """Return the URL of the list with saved filters, which may be invalid by now."""
    query: dict[str, Any] = dict(parse_qsl(saved.query))
    return url_for("listing.index", **query)


def _read_words(written: str, source: Source) -> tuple[str, ...]:
    """Read the filter words of an address. Abort with 400 if one of them is invalid."""
    if not written.strip() or source == "none":
        return ()
    try:
        parse_query(written)
    except BadQuery as problem:
        abort(400, str(problem))
    if source != "store":
        abort(400, _NEEDS_STORE)
    return tuple(split_words(written))


def _is_valid(words: str) -> bool:
    try:
        parse_query(words)
    except BadQuery:
        return False
    return True


def _read_sort(sort: str, source: Source) -> str:
    """Read the order in an address. Abort with 400 if there is none of this name."""
    if source == "none":
        return "time"
    if sort.removeprefix("-") not in SORTS:
        abort(400, f"The parameter sort takes {', '.join(SORTS)}, each also with a minus sign.")
    if sort != "time" and source != "store":
        abort(400, _NEEDS_STORE)
    return sort


def fits_in_link(text: str) -> bool:
    """Return whether a value is short enough for an address, and can be written in one."""
    return len(text) <= _MAX_IN_LINK and not LONE_SURROGATES.search(text)
