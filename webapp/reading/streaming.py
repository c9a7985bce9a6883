"""Read a transcript from its first message to its last, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from webapp.completions import Completion
from webapp.ids import parse_message_index
from webapp.messages import Message
from webapp.reading.loader import TranscriptLoader
from webapp.reading.transcript_page import MAX_LIMIT, TranscriptPage, TranscriptRequest
from webapp.upstream import BadAnswer, Deadline, End

_MAX_PAGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class WholeTranscript:
    """A completion and its input messages, to be read once; `start` is the number of the first.

    `messages` raises `UpstreamError` if the server stops sending them before their end.
    """

    completion: Completion
    messages: Iterator[Message]
    start: int = 1


def stream_transcript(
    loader: TranscriptLoader,
    completion_id: str,
    start_deadline: Callable[[], Deadline],
    *,
    first: int = 1,
    most: int = _MAX_PAGES,
) -> WholeTranscript:
    """Open a transcript after its first page has come, from about message `first` on.

    Each of the pages that follow, `most` at the most, has a new deadline. Raises `UpstreamError`
    if the completion or its messages cannot be read.
    """
    page = loader.load_page(completion_id, TranscriptRequest(limit=MAX_LIMIT), start_deadline())
    for problem in page.problems:
        raise problem
    assert page.completion is not None
    completion = page.completion
    start = 1
    if MAX_LIMIT < first <= (page.total or 0) and page.numbered:
        last_id = page.entries[-1].message.id or ""
        index = parse_message_index(completion_id, last_id)
        cursor = f"{last_id.removesuffix(str(index))}{first - 2}"
        request = TranscriptRequest(limit=MAX_LIMIT, after=cursor, shown=first - 1)
        page, start = loader.load_page(completion_id, request, start_deadline()), first
    return WholeTranscript(completion, _iter_messages(loader, page, start_deadline, most), start)


def _iter_messages(
    loader: TranscriptLoader,
    page: TranscriptPage,
    start_deadline: Callable[[], Deadline],
    most: int,
) -> Iterator[Message]:
    following = loader.iter_following(page, start_deadline, most=most)
    while True:
        for entry in page.entries:
            if entry.choice is None:
                yield entry.sent_as
        onward = next(following, None)
        if onward is None:
            break
        page = onward
    if page.end in (End.MORE, End.CUT_OFF):
        raise BadAnswer("The server does not send all messages of this transcript.")
