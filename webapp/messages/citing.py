"""Parse the sources that servers list beside a text whose markers cite them by number.

Perplexity and xAI send `citations` and `search_results` with the completion, some gateways with
its message, for `[1]` in the text; Azure sends them in the `context` of the message, for
`[doc1]`; Zhipu sends `web_search`, with the address in `link`, for `[ref_1]`. A list with an
element of another shape is not read at all, so that it is shown as it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from webapp.exact_json import Array, Member, NotJson, Object, String, Value, parse
from webapp.messages.parts import UrlCitation

MAX_SOURCES: Final = 100
"""Sources read from one list; longer lists are shown as JSON."""

_MAX_PLACES: Final = 100
"""Markers of one text that become links."""

_MAX_CONTEXT: Final = 1_000_000
"""Characters of the JSON in a message that is read for its sources."""

_FIELDS: Final = ("citations", "search_results", "web_search")
_CODE: Final = re.compile(r"(?s)```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*+`")
_MARKER: Final = re.compile(r"\[(?:doc|ref_)?([0-9]{1,3})\](?![(:])", re.IGNORECASE)


def parse_listed(holder: Object) -> dict[str, tuple[UrlCitation, ...]]:
    """Parse the sources in each field of a completion or message that lists some, by its name."""
    given = [(name, items) for name in _FIELDS if (items := holder.items(name))]
    return {name: cited for name, items in given if (cited := _parse_list(items))}


def parse_context(message: Object) -> tuple[tuple[UrlCitation, ...], tuple[Member, ...]]:
    """Parse the sources in the `context` of a message of Azure, and its other members.

    They are its `citations`, or those in the JSON of its only message, as older versions have them.
    """
    context = message.object("context")
    if context is None:
        return (), ()
    if cited := _parse_list(context.items("citations")):
        return cited, context.find_unread(citations=Array)
    messages = context.items("messages") or ()
    only = messages[0] if len(messages) == 1 and isinstance(messages[0], Object) else None
    cited, others = parse_tool_sources(only) if only else ((), ())
    return (cited, others + context.find_unread(messages=Array)) if cited else ((), ())


def find_choice_messages(choice: Object) -> tuple[Object, tuple[Object, ...]] | None:
    """Find the answer in the `messages` of a choice, and the messages of tools before it.

    Previews of Azure have them in place of a `message`.
    """
    items = choice.items("messages")
    messages = [one for one in items if isinstance(one, Object)] if items else []
    if not items or len(messages) < len(items):
        return None
    *tools, answer = messages
    roles = {one.text("role") for one in tools}
    is_answer = answer.text("role") in ("assistant", None) and roles <= {"tool"}
    return (answer, tuple(tools)) if is_answer else None


def parse_tool_sources(tool: Object) -> tuple[tuple[UrlCitation, ...], tuple[Member, ...]]:
    """Parse the sources in the JSON of a message of a tool, and its other members.

    Without sources, all of its members are the others.
    """
    text = tool.text("content")
    try:
        inner = parse(text) if text and len(text) <= _MAX_CONTEXT else None
    except NotJson:
        inner = None
    cited = _parse_list(inner.items("citations")) if isinstance(inner, Object) else ()
    if not isinstance(inner, Object) or not cited:
        return (), tool.find_unread()
    return cited, inner.find_unread(citations=Array) + tool.find_unread(role=String, content=String)


def merge_lists(lists: Sequence[Sequence[UrlCitation]]) -> tuple[UrlCitation, ...]:
    """Merge the sources of `lists` in the order of the first.

    If that has a bare address, a later list gives it its title and facts.
    """
    merged: dict[object, UrlCitation] = {}
    for number, cited in enumerate(lists):
        for at, source in enumerate(cited):
            known = merged.get(source.url) if number and source.url else None
            if known is None:
                # The number of a source is its place in the first list, repeated or not.
                is_new = source.url and source.url not in merged
                merged[source.url if is_new else (number, at)] = source
            elif isinstance(known.json, String):
                merged[source.url] = source
            elif known.json.source != source.json.source:
                merged[(number, at)] = source
    return tuple(merged.values())


def place_cited(cited: Sequence[UrlCitation], text: str | None) -> Iterator[UrlCitation]:
    """Yield each source once for every marker of `text` that cites it, or without a place."""
    places: dict[int, list[tuple[int, int]]] = {}
    if cited and text is not None:
        # Code keeps its length: an index such as `row[1]` cites nothing.
        prose = _CODE.sub(lambda code: " " * len(code[0]), text)
        for found in islice(_MARKER.finditer(prose), _MAX_PLACES):
            places.setdefault(int(found[1]), []).append(found.span())
    for number, source in enumerate(cited, start=1):
        if number not in places:
            yield source
        for start, end in places.get(number, ()):
            yield replace(source, start_index=start, end_index=end)


def _parse_list(values: Sequence[Value] | None) -> tuple[UrlCitation, ...]:
    if not values or len(values) > MAX_SOURCES:
        return ()
    cited = tuple(map(_parse_source, values))
    return () if None in cited else tuple(source for source in cited if source)


def _parse_source(value: Value) -> UrlCitation | None:
    """Parse an address, or an object with a `url`, a `link` or, for files, a `filepath`.

    Azure sends null for both if an index has no addresses; then a title or a content is enough.
    """
    if isinstance(value, String):
        return _make_source(value, value.text)
    if not isinstance(value, Object):
        return None
    name = next((one for one in ("url", "link") if value.text(one)), "filepath")
    url = value.text(name) or ""
    if not (url or value.text("title") or value.text("content")):
        return None
    extras = value.find_unread(**{name: String}, title=String)
    return _make_source(value, url, value.text("title"), extras)


def _make_source(
    json: Value, url: str, title: str | None = None, extras: tuple[Member, ...] = ()
) -> UrlCitation:
    return UrlCitation(
        json=json, url=url, title=title, start_index=None, end_index=None, extras=extras
    )
