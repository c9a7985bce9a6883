"""Where the messages of a page stand in their transcript, as far as the page tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from webapp.completions import Completion, Page
from webapp.messages import Message
from webapp.reading.sections import PageRequest, TranscriptPage
from webapp.transcript import first_number


def ids(page: Page[Message]) -> list[str | None]:
    """The ids of the messages in `page`."""
    return [message.id for message in page.data]


def from_message(
    message_id: str, window: PageRequest, page: Page[Message]
) -> tuple[PageRequest, Page[Message]]:
    """The part of `page`, which begins with the first message, from this message on."""
    place = ids(page).index(message_id)
    after = page.data[place - 1].id if place else None
    return replace(window, after=after, shown=place), replace(page, data=page.data[place:])


def is_undecided(tail: Sequence[Message], completion: Completion) -> bool:
    """Whether the last messages must be seen to know if they are the choices."""
    if len(tail) >= len(completion.choices):
        return False
    plain = all(message.has_only_input_keys for message in tail)
    return not tail or (completion.input_messages is None and not plain)


def number_of_first(completion_id: str, window: PageRequest, page: Page[Message]) -> int | None:
    """From the ids; else by counting from the start, when the start is known."""
    number = first_number(completion_id, page.data, window.order)
    if number is not None or window.order == "desc":
        return number
    counted = window.after is None or window.shown
    return window.shown + 1 if counted else None


def seen_until_end(window: PageRequest, page: Page[Message], first: int | None) -> int | None:
    """How many messages there are up to the end of `page`, whose first one is number `first`."""
    if first is not None and window.order == "asc":
        return first - 1 + len(page.data)
    if window.after is None or window.shown:
        return window.shown + len(page.data)
    return None


def seen_backwards(section: TranscriptPage) -> TranscriptPage:
    """In `desc` order what was seen is counted from the end."""
    last = section.entries[-1].number if section.entries else None
    if section.window.order == "asc" or section.total is None or last is None:
        return section
    return replace(section, seen=section.total - last + 1)


def earlier_than(window: PageRequest, page: Page[Message]) -> str | None:
    """The message in front of which more can be asked for; None at the start."""
    if window.order == "desc" or window.after is None or not page.data:
        return None
    return page.data[0].id
