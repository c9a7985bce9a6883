"""Keep rendered bubbles, so that a page that is read again costs little more than its frame.

A bubble is a pure function of the bytes of its messages and of what `RenderContext` and the
request say; the key is the digest of all of that. The rest of a page's budgets is not part of it:
a bubble is kept only if the page was far from its limits when it was rendered, and taken only by
a page that is far from them with the bubble as well. Then no limit of a page, which depends on
the other bubbles, has changed it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

from flask import request

from webapp.caching.inputs import note_inputs, spoil_page
from webapp.recent import RecentValues
from webapp.rendering.markdown.context import CODE_SECONDS
from webapp.services import services
from webapp.templating.addresses import kept_filters
from webapp.templating.context import RenderContext
from webapp.templating.notes import may_note
from webapp.transcript import Entry

MAX_BYTES: Final = 32 * 1024 * 1024
"""Of the HTML that a process keeps; about 5,000 bubbles."""

_LARGEST: Final = 256 * 1024
"""Bytes of a bubble that is kept; a few large ones would push out all others."""

_OVERHEAD: Final = 400
"""Bytes of an entry besides its HTML."""

_MEDIA: Final = "/media/"
"""In the address of media, which rendering also puts into their own cache, each time."""


class _Kept(NamedTuple):
    html: str
    spent: tuple[int, ...]


class BubbleCache(RecentValues[bytes, _Kept]):
    """The bubbles that were used last, at most `most_bytes` of them; for all threads."""

    def __init__(self, most_bytes: int = MAX_BYTES) -> None:
        super().__init__(most_bytes, largest=_LARGEST)

    def get_or_render(self, entry: Entry, context: RenderContext, render: Callable[[], str]) -> str:
        """Look up the bubble of `entry` in the cache, or render and keep it."""
        if not _is_pure(entry, context):
            spoil_page()
            return render()
        key = _find_key(entry, context)
        kept = self.get(key)
        if kept is not None and context.can_spend(kept.spent):
            context.spend(kept.spent)
            return kept.html
        may_keep = context.can_spend()
        before = context.spent
        notes = repr(context.markdown_budget.noted_texts)
        began = time.thread_time()
        with note_inputs() as inputs:
            html = render()
        # Within this time no bubble met a limit, such as that of the colours of code. Compiling a
        # lexer may take longer: then the code has its colours next time.
        was_quick = time.thread_time() - began < min(CODE_SECONDS, context.budgets.seconds / 20)
        may_keep = may_keep and was_quick and context.can_spend() and _MEDIA not in html
        if not may_keep or repr(context.markdown_budget.noted_texts) != notes:
            spoil_page()
        elif not inputs.reads:
            spent = tuple(now - then for now, then in zip(context.spent, before, strict=True))
            self.keep(key, _Kept(html, spent), sys.getsizeof(html) + _OVERHEAD)
        return html


def _is_pure(entry: Entry, context: RenderContext) -> bool:
    """Decide whether a bubble depends on its key alone.

    Those of a snapshot are none of this application. Frames of images are counted for the page. A
    result is kept with its call, and messages of several results are too rare to be distinguished.
    """
    if services().share is not None or context.loads_images or entry.nested:
        return False
    results = (result for call in entry.calls for result in call.results)
    return not any(one.pieces or one.holder for one in (entry, *results))


def _find_key(entry: Entry, context: RenderContext) -> bytes:
    page = (request.script_root, *kept_filters().items(), context.is_compact, may_note())
    values = (*page, *_describe(entry, context))
    texts = [value for value in values if isinstance(value, str)]
    # The lengths say where each of the joined texts ends.
    others = [(1, len(value)) if isinstance(value, str) else (0, value) for value in values]
    hashed = blake2b(context.digest, digest_size=20)
    hashed.update(repr(others).encode("utf-8", "surrogatepass"))
    hashed.update("".join(texts).encode("utf-8", "surrogatepass"))
    return hashed.digest()


def _describe(entry: Entry, context: RenderContext) -> Iterator[object]:
    """Yield all that a bubble shows of an entry, its calls and their results."""
    message, page, choice = entry.message, context.page, entry.choice
    yield message.json.digest()
    yield None if choice is None else choice.json.digest()
    yield from (message.id, entry.number, entry.place, entry.counted_as, entry.prefix)
    yield from (entry.moved, entry.inferred, entry.position, page.ends_with(entry))
    if entry.asked_above is not None:
        yield from (entry.asked_above.anchor, getattr(entry.asked_above.call, "name", None))
    yield (message.id in context.targets, message.id == context.target)
    yield bool(page.entries) and entry is page.entries[0]
    if choice is not None and page.entries:
        # The address of an answer is that of the last message.
        yield page.entries[0 if page.request.order == "desc" else -1].message.id
    if choice is not None and page.completion is not None:
        # Equal choices have different addresses.
        yield next((at for at, one in enumerate(page.completion.choices) if one is choice), None)
    for call in entry.calls:
        yield from (call.position, call.may_follow, context.describe_call_number(call.anchor))
        yield len(call.results)
        for result in call.results:
            yield from _describe(result, context)
