"""What templates have at hand: filters that make Markup, words for numbers, and strictness."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from flask import Flask, g, request, url_for
from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context

from webapp import exact_json, rendering
from webapp.completions import scalar_text
from webapp.media import InlineMedia
from webapp.messages import Annotation
from webapp.reading import Section
from webapp.rendering import PageBudget, TextView
from webapp.transcript import Entry
from webapp.upstream import UpstreamError, is_valid_id
from webapp.views import services

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def install(app: Flask) -> None:
    """Gives the templates of `app` their filters, tests and globals."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.finalize = _encodable
    env.trim_blocks = True
    env.lstrip_blocks = True
    env.filters.update(rendering.WORD_FILTERS)
    env.filters.update(
        as_json=rendering.source_of,
        exact=rendering.exact_text,
        flat_members=rendering.flat_members,
        foreign_host=rendering.foreign_host,
        indented=rendering.indented_or_none,
        markdown=_markdown,
        media=InlineMedia.of,
        scalar=scalar_text,
    )
    env.tests["upstream_error"] = _is_upstream_error
    env.tests["linkable"] = _is_linkable
    env.tests["allowed_link"] = _is_allowed_link
    env.globals.update(
        address_of=address_of,
        is_json=_is_json,
        media_url=media_url,
        own_url=own_url,
        page_url=page_url,
        raw_url=raw_url,
    )


def address_of(section: Section, entry: Entry) -> str | None:
    """The link to a message: its own page, a place on the transcript, or None."""
    if _is_linkable(entry.message.id):
        return url_for(
            "messages.show", completion_id=section.completion_id, message_id=entry.message.id
        )
    if entry.choice is not None:
        return f"{url_for('completions.show', completion_id=section.completion_id)}#{entry.anchor}"
    return None


def raw_url(section: Section, entry: Entry) -> str | None:
    """Where the exact JSON of a message is given, or None when it has no address."""
    if _is_linkable(entry.message.id):
        return url_for(
            "messages.raw", completion_id=section.completion_id, message_id=entry.message.id
        )
    if entry.place is not None:
        return url_for(
            "messages.raw_choice", completion_id=section.completion_id, place=entry.place
        )
    return None


def media_url(section: Section, entry: Entry, media: InlineMedia) -> str:
    """Where the bytes of `media` are given; names the message, to ask for it again.

    The browser asks next for what a page names, so it is kept at hand.
    """
    services().media_cache.keep(media)
    query: dict[str, Any] = {}
    if _is_linkable(entry.message.id):
        query["message"] = entry.message.id
    elif entry.place is not None:
        query["choice"] = entry.place
    return url_for("media.show", completion_id=section.completion_id, digest=media.digest, **query)


def own_url() -> str:
    """The address of this request, to ask for it again."""
    path = quote(request.script_root + request.path)
    query = quote(request.query_string, safe="!$&'()*+,/:;=?@[]~%")
    return f"{path}?{query}" if query else path


def page_url(section: Section, **changes: Any) -> str:
    """The transcript from another place on; keeps what the reader chose."""
    window = section.window
    query: dict[str, Any] = {
        "limit": window.limit if window.limit != 20 else None,
        "order": window.order if window.order != "asc" else None,
    }
    query.update(changes)
    return url_for("completions.show", completion_id=section.completion_id, **query)


@pass_context
def _markdown(
    context: Context, text: str, annotations: Sequence[Annotation] = (), anchor: str = ""
) -> TextView:
    return rendering.markdown(
        text,
        annotations=annotations,
        anchor=anchor,
        own_host=request.host,
        budget=_budget_of(context["section"]),
    )


def _budget_of(section: Section) -> PageBudget:
    """One a section: a transcript streamed as a whole has one for each of its pages."""
    budgets: dict[str | None, PageBudget] = g.setdefault("markdown_budgets", {})
    return budgets.setdefault(section.window.after, PageBudget())


def _is_json(text: str) -> bool:
    try:
        exact_json.parse(text)
    except exact_json.NotJson:
        return False
    return True


def _is_linkable(message_id: str | None) -> bool:
    return message_id is not None and is_valid_id(message_id)


def _is_upstream_error(value: object) -> bool:
    return isinstance(value, UpstreamError)


def _is_allowed_link(url: str) -> bool:
    return rendering.is_allowed_link(url, own_host=request.host)


def _encodable(value: Any) -> Any:
    """Lone surrogates have no UTF-8: the page shows U+FFFD, the raw view their escapes."""
    if isinstance(value, str) and not value.isascii() and _LONE_SURROGATES.search(value):
        return type(value)(_LONE_SURROGATES.sub("\ufffd", value))
    return value
