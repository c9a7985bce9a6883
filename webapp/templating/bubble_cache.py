"""Keep rendered bubbles, so that a page that is read again costs little more than its frame.

Most transcripts are shown once, and what is kept of them would only push out others and cost a
tenth of their page. So bubbles are kept from the second page on that shows a completion.

A bubble is a pure function of the bytes of its messages, of values of `RenderContext` and the
request, and of inputs that are read again, such as whether its media are kept; the key is the
digest of all but these inputs. The rest of a page's budgets is not part of it:
a bubble is kept only if the page was far from its limits when it was rendered, and taken only by
a page that is far from them with the bubble as well. Then no limit of a page, which depends on
the other bubbles, has changed it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from hashlib import blake2b
from typing import Final, NamedTuple

from webapp.caching.inputs import Inputs, note_inputs, repeat_inputs, spoil_page
from webapp.recent import RecentValues
from webapp.rendering.markdown.context import CODE_SECONDS, read_limited_time
from webapp.services import services
from webapp.templating.addresses import kept_filters
from webapp.templating.context import RemoteFrames, RenderContext, Spent
from webapp.transcript import Entry

MAX_BYTES: Final = 32 * 1024 * 1024
"""Of the HTML that a process keeps; about 5,000 bubbles."""

_LARGEST: Final = 256 * 1024
"""Bytes of a bubble that is kept; a few large ones would push out all others."""

_OVERHEAD: Final = 400
"""Bytes of an entry besides its HTML."""

_MOST_SHOWN: Final = 10_000
"""Completions of which it is known that a page has shown them."""


class _Kept(NamedTuple):
    """A bubble, its share of the budgets, and its inputs, such as that its media are kept."""

    html: str
    spent: Spent
    inputs: Inputs


class _CallInputs(NamedTuple):
    """The inputs of the HTML of a call; its name and arguments are bytes of the message."""

    position: int
    may_follow: bool
    number_in_run: str | None
    results: tuple[_EntryInputs, ...]


class _EntryInputs(NamedTuple):
    """The inputs of the HTML of a message.

    `message` and `choice` are digests. Of an answer there are two more inputs of its addresses:
    `last_message_id`, that of the last message of the page, and `choice_at`, its place among the
    choices, since equal choices have different addresses.
    """

    message: bytes
    choice: bytes | None
    id: str | None
    number: int | None
    place: int | None
    counted_as: int | None
    prefix: str
    is_moved: bool
    is_inferred: bool
    position: int
    call_above: tuple[str, str | None] | None
    is_first: bool
    is_last: bool
    is_highlighted: bool
    is_target: bool
    last_message_id: str | None
    choice_at: int | None
    calls: tuple[_CallInputs, ...]


class BubbleCache(RecentValues[bytes, _Kept]):
    """The bubbles that were used last, at most `most_bytes` of them; for all threads."""

    def __init__(self, most_bytes: int = MAX_BYTES) -> None:
        super().__init__(most_bytes, largest=_LARGEST)
        self._first_pages: RecentValues[bytes, RemoteFrames] = RecentValues(_MOST_SHOWN)

    def get_or_render(self, entry: Entry, context: RenderContext, render: Callable[[], str]) -> str:
        """Look up the bubble of `entry` in the cache, or render and keep it.

        A result under its call is a part of the bubble of the call, which is kept with it.
        """
        if entry.nested:
            return render()
        if not _is_pure(entry, context):
            spoil_page()
            return render()
        if self._is_on_first_page(context):
            return render()
        key = _find_key(entry, context)
        kept = self.get(key)
        if kept is not None and context.can_spend(kept.spent) and kept.inputs.is_same:
            context.spend(kept.spent)
            repeat_inputs(kept.inputs)
            return kept.html
        may_keep = context.can_spend()
        before = context.spent
        notes = repr(context.markdown_budget.noted_texts)
        limited_before = read_limited_time()
        with note_inputs() as inputs:
            html = render()
        # Within this time no bubble met a limit, such as that of the colours of code. Compiling a
        # lexer may take longer: then the code has its colours next time.
        limited = read_limited_time() - limited_before
        was_quick = limited < min(CODE_SECONDS, context.budgets.seconds / 20)
        may_keep = may_keep and was_quick and context.can_spend()
        if not may_keep or repr(context.markdown_budget.noted_texts) != notes:
            spoil_page()
        elif not inputs.is_spoiled:
            size = sys.getsizeof(html) + _OVERHEAD + _OVERHEAD * len(inputs.reads)
            self.keep(key, _Kept(html, context.spent.since(before), inputs), size)
        return html

    def _is_on_first_page(self, context: RenderContext) -> bool:
        """Return whether no other page has shown the completion; each has frames of its own."""
        first = self._first_pages.get(context.digest)
        if first is None:
            self._first_pages.keep(context.digest, context.frames, 1)
        return first is None or first is context.frames


def _is_pure(entry: Entry, context: RenderContext) -> bool:
    """Return whether a bubble depends on its key alone.

    Those of a snapshot are none of this application. Frames of images are counted for the page.
    Messages of several results are too rare to be distinguished.
    """
    if services().share is not None or context.loads_images:
        return False
    for call in entry.calls:
        for result in call.results:
            if result.pieces or result.holder:
                return False
    return not (entry.pieces or entry.holder)


def _find_key(entry: Entry, context: RenderContext) -> bytes:
    hashed = blake2b(context.digest, digest_size=20)
    hashed.update(repr((kept_filters(), _describe(entry, context))).encode())
    return hashed.digest()


def _describe(entry: Entry, context: RenderContext) -> _EntryInputs:
    message, page, choice, above = entry.message, context.page, entry.choice, entry.asked_above
    is_answer = choice is not None
    last = page.entries[0 if page.request.order == "desc" else -1] if page.entries else None
    choices = page.completion.choices if is_answer and page.completion is not None else ()
    return _EntryInputs(
        message=message.json.digest(),
        choice=choice.json.digest() if choice is not None else None,
        id=message.id,
        number=entry.number,
        place=entry.place,
        counted_as=entry.counted_as,
        prefix=entry.prefix,
        is_moved=entry.moved,
        is_inferred=entry.inferred,
        position=entry.position,
        call_above=(above.anchor, getattr(above.call, "name", None)) if above else None,
        is_first=bool(page.entries) and entry is page.entries[0],
        is_last=page.ends_with(entry),
        is_highlighted=message.id in context.targets,
        is_target=message.id == context.target,
        last_message_id=last.message.id if is_answer and last is not None else None,
        choice_at=next((at for at, one in enumerate(choices) if one is choice), None),
        calls=tuple(
            _CallInputs(
                position=call.position,
                may_follow=call.may_follow,
                number_in_run=context.describe_call_number(call.anchor),
                results=tuple(_describe(result, context) for result in call.results),
            )
            for call in entry.calls
        ),
    )
