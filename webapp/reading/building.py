"""Build the page of a transcript or of one message, with the numbers of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from webapp.completions import Completion
from webapp.ids import parse_message_index
from webapp.messages import Message, Part
from webapp.reading.completion_requests import UpstreamRequests
from webapp.reading.transcript_page import TranscriptPage, TranscriptRequest
from webapp.transcript import (
    CallEntry,
    Entry,
    arrange,
    build_output_entries,
    find_first_number,
    mark_outputs,
)
from webapp.upstream import CanonicalPage, End, NotFound, UpstreamError


def build_page(
    source: UpstreamRequests,
    request: TranscriptRequest,
    messages: CanonicalPage[Message],
    completion: Completion | None,
    *,
    input_only: bool,
) -> TranscriptPage:
    """Build the page of `messages`, with the outputs at its end if it is the last one.

    The last messages are requested if they are needed to distinguish outputs from input; may raise
    `UpstreamError` then.
    """
    first = _number_first(source.completion_id, request, messages.items)
    if request.order == "asc":
        # A page that ends before a message, `until`, is followed by that one.
        is_end = not messages.goes_on and request.until is None
    else:
        is_end = request.after is None
    entries = arrange(messages.items, first=first, order=request.order, is_last=is_end)
    has_outputs = is_end and completion is not None and completion.choices
    has_earlier = request.order == "asc" and request.after is not None and messages.items
    return TranscriptPage(
        completion_id=source.completion_id,
        request=request,
        entries=entries,
        completion=completion,
        outputs=_find_outputs(source, request, entries, completion, input_only=input_only)
        if completion and has_outputs
        else (),
        next_after=messages.next_after,
        earlier_than=messages.items[0].id if has_earlier else None,
        seen=_count_seen(request, messages.items, first),
        total=messages.total,
        end=End.MORE if messages.goes_on else messages.end,
    )


def _find_outputs(
    source: UpstreamRequests,
    request: TranscriptRequest,
    entries: Sequence[Entry],
    completion: Completion,
    *,
    input_only: bool,
) -> tuple[Entry, ...]:
    """Mark the entries that are outputs, and build those that no message repeats."""
    count = len(completion.choices)
    chronological = entries if request.order == "asc" else entries[::-1]
    tail: Sequence[Message] = [entry.message for entry in chronological[-count:]]
    # Earlier messages must be read if these do not show whether the last ones are the choices.
    is_plain = all(message.has_only_input_keys for message in tail)
    is_unsure = not tail or (completion.input_messages is None and not is_plain)
    if request.after is not None and not input_only and len(tail) < count and is_unsure:
        tail = source.list_last_messages(count)
    return mark_outputs(chronological, completion, tail=tail, input_only=input_only)


def _number_first(
    completion_id: str, request: TranscriptRequest, messages: Sequence[Message]
) -> int | None:
    """Find the number of the first message: from the ids, else counted from a known start."""
    number = find_first_number(completion_id, messages, request.order)
    if number is not None or request.order == "desc":
        return number
    is_counted = request.after is None or request.shown
    return request.shown + 1 if is_counted else None


def _count_seen(
    request: TranscriptRequest, messages: Sequence[Message], first: int | None
) -> int | None:
    """Count the messages up to the end of `messages`; `first` numbers their first."""
    if first is not None and request.order == "asc":
        return first - 1 + len(messages)
    if request.after is None or request.shown:
        return request.shown + len(messages)
    return None


def find_end(
    source: UpstreamRequests, request: TranscriptRequest, messages: CanonicalPage[Message]
) -> CanonicalPage[Message]:
    """Check a claimed end; count the messages if the server does not say whether more follow."""
    messages = source.verify_end(messages, limit=request.limit, order=request.order)
    if messages.end is not End.UNKNOWN or not messages.items or request.order == "desc":
        return messages
    first = _number_first(source.completion_id, request, messages.items)
    seen = _count_seen(request, messages.items, first)
    total = None if seen is None else source.count_messages()
    # A total of fewer than were seen counts something else, such as the messages of one answer.
    if seen is None or total is None or total < seen:
        return messages
    if total == seen and not source.has_newest(messages):
        return messages
    return messages.with_total(total, seen=seen)


def join_end(
    completion_id: str, page: CanonicalPage[Message], newest: Sequence[Message]
) -> CanonicalPage[Message]:
    """Add the `newest` messages to the first page if they go on from it, without a gap.

    They overlap with the page, or the ids of both together count without a gap.
    """
    known = [message.id for message in page.items]
    ids = [message.id for message in newest]
    overlap = ids.index(known[-1]) + 1 if known and known[-1] in ids else 0
    rest = newest[overlap:]
    items = (*page.items, *rest)
    is_next = find_first_number(completion_id, items, "asc") is not None
    goes_on = known[-overlap:] == ids[:overlap] if overlap else is_next
    if not rest or not goes_on or not set(known).isdisjoint(ids[overlap:]):
        return page
    return replace(page, items=items, total=None).prove_end()


def end_before(
    message_id: str | None, page: CanonicalPage[Message]
) -> tuple[CanonicalPage[Message], bool]:
    """End `page` before a message; also return whether nothing is left to read before that one."""
    ids = [message.id for message in page.items]
    if message_id is None or message_id not in ids:
        return page, not page.goes_on
    end = End.MORE if page.goes_on else End.CUT_OFF
    return replace(page, items=page.items[: ids.index(message_id)], end=end), True


def add_total(source: UpstreamRequests, page: TranscriptPage) -> TranscriptPage:
    """Add the number of messages, at the cost of one request if more follow.

    In descending order, `seen` is then counted from the end.
    """
    if page.end is End.CUT_OFF:
        return page
    if page.end is End.CLAIMED:
        return replace(page, total=None)
    goes_on = page.end is End.MORE
    if not goes_on and page.request.order == "asc":
        return replace(page, total=page.seen)
    first_id = page.entries[0].message.id if page.entries else None
    if page.total is None and parse_message_index(page.completion_id, first_id) is not None:
        if page.request.order == "asc" or page.request.after is not None:
            page = replace(page, total=source.count_messages())
        elif not goes_on or all(entry.number != 1 for entry in page.entries):
            # It begins with the newest, unless a server that ignores the order has sent the oldest.
            page = replace(page, total=page.entries[0].number)
    if goes_on and page.total is not None and page.seen is not None:
        # A total of no more than were seen is as wrong as the end that the server claimed.
        page = replace(page, total=page.total if page.total > page.seen else None)
    last = page.entries[-1].number if page.entries else None
    if page.request.order == "asc" or page.total is None or last is None:
        return page
    return replace(page, seen=page.total - last + 1)


def build_answer_only(
    completion_id: str, request: TranscriptRequest, completion: Completion, problem: UpstreamError
) -> TranscriptPage:
    messages = completion.input_messages or ()
    return TranscriptPage(
        completion_id=completion_id,
        request=request,
        entries=arrange(messages, first=1 if messages else None),
        completion=completion,
        outputs=build_output_entries(completion.choices),
        problems=(problem,),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """A range of the content parts and calls of a message, in order, of `total` ones.

    `start` and `end` count both together. `later` are the calls after `end`: their results
    are separate messages, and are on the page whether the calls are or not.
    """

    parts: tuple[Part, ...]
    calls: tuple[CallEntry, ...]
    later: tuple[CallEntry, ...]
    start: int
    end: int
    total: int

    @classmethod
    def of(cls, entry: Entry, *, start: int, limit: int) -> Pieces:
        """Cut out `limit` pieces of the message from `start` on."""
        parts, calls = entry.message.parts, entry.calls
        end = start + limit
        first_call, last_call = max(0, start - len(parts)), max(0, end - len(parts))
        total = len(parts) + len(calls)
        return cls(
            parts=parts[start:end],
            calls=calls[first_call:last_call],
            later=calls[last_call:],
            start=start,
            end=min(end, total),
            total=total,
        )

    @property
    def next(self) -> int | None:
        """The start of the next pieces; None if these are the last."""
        return self.end if self.end < self.total else None


def build_message_page(
    completion_id: str, message: Message, number: int | None = None
) -> TranscriptPage:
    """Build a page of one message; its calls do not know their results.

    Without a `number`, it has that of its id.
    """
    if number is None:
        place = parse_message_index(completion_id, message.id or "")
        number = None if place is None else place + 1
    return TranscriptPage(
        completion_id=completion_id,
        request=TranscriptRequest(),
        entries=arrange((message,), first=number, is_last=False),
        completion=None,
    )


def build_choice_page(completion_id: str, completion: Completion, place: int) -> TranscriptPage:
    """Build a page of one output choice. Raises `NotFound` if there are fewer."""
    outputs = build_output_entries(completion.choices)
    if not 0 <= place < len(outputs):
        raise NotFound(f"The completion has no choice {place + 1}.")
    return TranscriptPage(
        completion_id=completion_id,
        request=TranscriptRequest(),
        entries=(),
        completion=completion,
        outputs=(outputs[place],),
    )
