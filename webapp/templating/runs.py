"""Build the links into a run, and its filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from flask import abort, request

from webapp.analysis import Run, RunCall, RunMessage
from webapp.analysis.checks import Finding
from webapp.formatting import count
from webapp.reading import TranscriptPage
from webapp.services import services
from webapp.templating.addresses import page_url, place_url
from webapp.templating.context import RenderContext
from webapp.transcript import Entry, select_top_level

_ROLES: Final = ("user", "assistant", "system", "developer")
FILTERS: Final = (*_ROLES, "calls", "failures")
"""The values of the parameter `only`."""

_LONG: Final = 12
"""Messages up to which a transcript is seen at a glance without help."""


class RunLinks:
    """The addresses of the messages and calls of a run, in this page if they are among `here`."""

    def __init__(self, completion_id: str, run: Run | None, here: Iterable[str] = ()) -> None:
        self._completion_id = completion_id
        self._here = frozenset(here)
        messages = run.messages if run else ()
        self._ids = {message.anchor: message.id for message in messages}
        numbered = [message for message in messages if message.number is not None]
        self._last = numbered[-1] if numbered else None

    @classmethod
    def on_page(cls, context: RenderContext) -> RunLinks:
        """Create the links for a page; within the page to messages that its filter shows."""
        page, run = context.page, context.run
        if run is not None and _shows_whole(context, run):
            return cls(page.completion_id, run, _find_shown(run, context.only))
        shown = (one for one in page.all_entries if one.choice or _is_shown(one, context))
        return cls(page.completion_id, run, (one.anchor for one in shown))

    def to_message(self, message: RunMessage) -> str:
        return self._to(message.anchor, message.id, message.anchor)

    def to_call(self, call: RunCall) -> str:
        return self._to(call.anchor.rpartition("-call-")[0], call.message_id, call.anchor)

    def to_finding(self, finding: Finding) -> str | None:
        """Return the address of the place of a finding; None if it is the completion."""
        if finding.anchor is None:
            return None
        caller = finding.anchor.partition("-call-")[0].partition("-result-")[0]
        return self._to(caller, finding.message_id, finding.anchor)

    def _to(self, caller: str, message_id: str | None, anchor: str) -> str:
        if caller in self._here:
            return f"#{anchor}"
        if message_id is None and self._last is not None:
            # An answer has no id; it is on the page that begins with the last message.
            message_id = self._last.id
        return place_url(self._completion_id, message_id, anchor, keeps_filters=True)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter with the number of its messages, and the word for them."""

    name: str
    label: str
    count: int


def is_worth_a_summary(run: Run | None) -> bool:
    """Return whether a run is too long to be seen at once, or has failed calls."""
    return run is not None and (len(run.messages) > _LONG or bool(run.sequences))


def list_chips(run: Run) -> tuple[Chip, ...]:
    """List the filters that show something, with how much; answers are none of the messages."""
    counts = {
        **{role: run.roles.get(role, 0) for role in _ROLES},
        "user": len(run.user_turns),
        "calls": len(run.calls),
        "failures": run.failure_count,
    }
    only_calls = not run.failures_of_no_call
    labels = {"failures": "failed calls"} if only_calls else {}
    return tuple(
        Chip(name, labels.get(name, name), counts[name]) for name in FILTERS if counts[name]
    )


def filter_url(context: RenderContext, name: str) -> str:
    """Return the link to the messages of a filter: of all, if the whole run was read."""
    run = context.run
    if run is not None and run.is_whole:
        return page_url(context, only=name, all=1, limit=100)
    return page_url(context, only=name, limit=100)


def count_shown(context: RenderContext) -> int | None:
    """Count the messages or calls of the filter on this page; None if it goes on to the end."""
    run, only = context.run, context.only
    if run is None or only is None or request.args.get("all"):
        return None
    here = {entry.anchor for entry in context.page.all_entries}
    calls = [call for call in run.calls if call.anchor.rpartition("-call-")[0] in here]
    if only == "calls":
        return len(calls)
    if only == "failures":
        single = sum(message.anchor in here for message in run.failures_of_no_call)
        return single + sum(call.failure is not None for call in calls)
    messages = (one for one in run.messages if one.anchor in here and one.kind != "answer")
    return sum((one.kind if only == "user" else one.role) == only for one in messages)


def read_filter() -> str | None:
    """Read the filter that the query asks for. Answers 400 if there is no such filter."""
    only = request.args.get("only") or None
    if only is not None and only not in FILTERS:
        abort(400, f"The parameter only takes {', '.join(FILTERS[:-1])} or {FILTERS[-1]}.")
    return only


@dataclass(slots=True)
class LeftOut:
    """What a page leaves to the one that follows it.

    `count` is the number of messages that a filter left out since the last one it showed, and
    `in_older` whether the fold of older messages is still open.
    """

    count: int = 0
    in_older: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that a page shows, and the number of messages that a filter left out before it.

    It is None where the page ends, or where the new messages of a request begin, if messages were
    left out there. `begins_new` is set of the first new one.
    """

    entry: Entry | None
    hidden: int
    begins_new: bool = False


def select_entries(
    context: RenderContext, left_out: LeftOut | None, *, first_new: Entry | None = None
) -> Iterator[Shown]:
    """Yield the entries that the filter shows, each with the number left out before it.

    If others were left out after the last one shown, their number is kept in `left_out` for the
    page that follows.
    """
    hidden = left_out.count if left_out is not None else 0
    for entry in select_top_level(context.page.entries):
        is_first_new = entry is first_new
        if _is_shown(entry, context):
            yield Shown(entry, hidden, is_first_new)
            hidden = 0
            continue
        if is_first_new:
            yield Shown(None, hidden, begins_new=True)
            hidden = 0
        results = (result for call in entry.calls for result in call.results)
        hidden += 1 + sum(not result.moved for result in results)
    if left_out is not None:
        left_out.count = hidden
    elif hidden:
        yield Shown(None, hidden)


def _is_shown(entry: Entry, context: RenderContext) -> bool:
    message = entry.message
    if entry.answers is not None:
        return _is_shown(entry.answers.caller, context)
    if context.only is None or message.id in context.targets:
        return True
    if context.only == "calls":
        return bool(entry.calls or entry.pieces) or message.is_tool_result
    if context.only == "failures":
        return context.has_failure(entry)
    return message.speaker == context.only


def _shows_whole(context: RenderContext, run: Run) -> bool:
    """Return whether the messages that follow the page are sent after it, to the last one."""
    asked = context.page.request
    room = asked.limit * services().max_pages
    loads_all = bool(request.args.get("all")) and asked.after is None
    return loads_all and run.is_whole and len(run.messages) <= room


def _find_shown(run: Run, only: str | None) -> Iterator[str]:
    """Yield the anchors of the messages that a filter shows of a whole run, and of its answers."""
    callers = {at: one for one in run.messages for call in one.calls for at in call.results}
    for message in run.messages:
        by = callers.get(message.number, message) if message.number is not None else message
        if only is None or message.kind == "answer":
            is_shown = True
        elif only == "calls":
            is_shown = bool(by.calls) or by.kind == "result"
        elif only == "failures":
            is_shown = by.failure is not None or any(call.failure for call in by.calls)
        else:
            is_shown = by.role == only
        if is_shown:
            yield message.anchor


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of a page in a row that are older than the new ones of the request, or not.

    Older ones are in a fold with their `count`, which this stretch opens, or the one before it,
    and which another one closes. It is not `is_open` if the page was asked for the new ones.
    """

    entries: tuple[Shown, ...]
    opens_fold: bool = False
    closes_fold: bool = False
    count: int = 0
    is_open: bool = True


def group_entries(context: RenderContext, left_out: LeftOut | None = None) -> Iterator[Stretch]:
    """Yield the entries that a page shows, those that the previous request has by themselves.

    A call whose result is new is new with it. `left_out` is as for `select_entries`; with it, the
    fold goes on over the pages.
    """
    is_ascending = context.page.request.order == "asc"
    new_from = context.conversation.new_from if context.conversation and is_ascending else None
    if new_from is None:
        yield Stretch(tuple(select_entries(context, left_out)))
        return
    new_ids = {one.message.id for one in context.page.entries if one.number == new_from}
    asks_for_new = not new_ids.isdisjoint(context.targets)
    top_level = select_top_level(context.page.entries) if new_ids else ()
    first_new = next((one for one in top_level if not _is_older(one, new_from)), None)
    selected = select_entries(context, left_out, first_new=first_new)
    state = left_out or LeftOut()
    for is_older, found in groupby(selected, lambda one: _is_older(one.entry, new_from)):
        shown = tuple(found)
        messages = [message for one in shown for message in _list_messages(one.entry)]
        has_target = any(one.sent_as.id in context.targets for one in messages)
        opens_fold = is_older and not state.in_older
        goes_on = opens_fold and left_out is not None
        yield Stretch(
            shown,
            opens_fold=opens_fold,
            closes_fold=state.in_older and not is_older,
            count=_count_older(context, new_from) if goes_on else len(messages),
            is_open=has_target or not asks_for_new,
        )
        state.in_older = is_older
    if left_out is None and state.in_older:
        yield Stretch((), closes_fold=True)


def _count_older(context: RenderContext, new_from: int) -> int:
    """Count the older messages that all pages show, or all of them if the run is not known."""
    run = context.run
    if run is None or not run.is_whole:
        return new_from - 1
    shown = frozenset(_find_shown(run, context.only))
    return sum(
        one.anchor in shown
        and not any(at >= new_from for call in one.calls for at in call.results if at is not None)
        for one in run.messages
        if one.number is not None and one.number < new_from
    )


def _is_older(entry: Entry | None, new_from: int) -> bool:
    messages = _list_messages(entry)
    return bool(messages) and all(
        one.number is not None and one.number < new_from for one in messages
    )


def _list_messages(entry: Entry | None) -> list[Entry]:
    """List an entry and the results that are shown under its calls; empty for the end of a list."""
    if entry is None:
        return []
    results = (result for call in entry.calls for result in call.results if not result.moved)
    return [entry, *results]


def can_count_whole() -> bool:
    """Return whether a reader may ask to have the whole run counted, or counted further."""
    return services().runs.can_read


def describe_part(page: TranscriptPage, run: Run) -> str:
    """Describe which part of the transcript a run that is not whole covers."""
    read = sum(one.number is not None or one.kind != "answer" for one in run.messages)
    if page.total is None or run.is_whole:
        return count(page.total or read, "message")
    return f"{read:,} of {count(page.total, 'message')}"
