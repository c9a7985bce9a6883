"""Walking pages to their end, on servers that have none too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.fake_time import FakeTime
from tests.support.fake_upstream import (
    FakeUpstream,
    Json,
    always_empty,
    always_more,
    message,
    never_more,
    stored,
    without_has_more,
)
from tests.upstream.conftest import Connect
from webapp.exact_json import parse
from webapp.messages import Message
from webapp.upstream import (
    MAX_ITEMS,
    BadAnswer,
    CanonicalPage,
    Deadline,
    End,
    InvalidId,
    TimedOut,
    canonicalize,
    next_cursor,
    walk,
)
from webapp.upstream.decoding import Page

ID = "chatcmpl-1"
TEXTS = [f"text {number}" for number in range(7)]


@pytest.fixture
def fake() -> FakeUpstream:
    return FakeUpstream({ID: stored(ID, *TEXTS)})


def texts_of(pages: Iterator[Page[Message]]) -> list[str]:
    return [message.plain_text for page in pages for message in page.data]


def texts_until_the_error(pages: Iterator[Page[Message]]) -> list[str]:
    texts: list[str] = []
    with pytest.raises(BadAnswer):
        for page in pages:
            texts += [message.plain_text for message in page.data]
    return texts


def a_page(**members: Any) -> Page[Message]:
    data = members.pop("data", [])
    source = str({"data": data} | members).replace("'", '"')
    for name, value in (("True", "true"), ("False", "false"), ("None", "null")):
        source = source.replace(name, value)
    return Page.from_json(parse(source), Message.from_json)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("page", [lambda page: page, without_has_more])
def test_every_message_comes_once_and_in_order(
    connect: Connect, fake: FakeUpstream, limit: int, page: Callable[[Json], Json]
) -> None:
    fake.page = page

    assert texts_of(connect(fake).every_message(ID, limit=limit)) == TEXTS


def test_a_walk_can_go_backwards(connect: Connect, fake: FakeUpstream) -> None:
    assert texts_of(connect(fake).every_message(ID, order="desc", limit=3)) == TEXTS[::-1]


def test_a_walk_asks_no_further_than_it_is_read(connect: Connect, fake: FakeUpstream) -> None:
    pages = connect(fake).every_message(ID, limit=2)
    next(pages)

    assert len(fake.requests) == 1


def test_a_walk_over_nothing_gives_one_empty_page(connect: Connect, fake: FakeUpstream) -> None:
    fake.completions[ID].messages = []
    pages = list(connect(fake).every_message(ID))

    assert [page.data for page in pages] == [()]


def test_a_server_that_ignores_the_cursor_without_a_word_is_read_once(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.ignores_query = True
    fake.page = without_has_more

    assert texts_of(connect(fake).every_message(ID, limit=2)) == TEXTS
    assert len(fake.requests) == 2


def test_a_server_that_promises_more_and_repeats_itself_is_an_error_after_all_it_gave(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.ignores_query = True
    fake.page = always_more

    assert texts_until_the_error(connect(fake).every_message(ID)) == TEXTS
    assert len(fake.requests) == 2


def test_endless_empty_pages_are_an_error(connect: Connect, fake: FakeUpstream) -> None:
    fake.page = always_empty

    assert texts_until_the_error(connect(fake).every_message(ID)) == []
    assert len(fake.requests) == 1


def test_a_last_page_that_promises_more_is_an_error_after_all_it_gave(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.page = always_more

    assert texts_until_the_error(connect(fake).every_message(ID, limit=3)) == TEXTS


@pytest.mark.parametrize("limit", [1, 3, 6, 7])
def test_a_walk_goes_on_after_a_full_page_that_is_called_the_last(
    connect: Connect, fake: FakeUpstream, limit: int
) -> None:
    fake.page = never_more

    assert texts_of(connect(fake).every_message(ID, limit=limit)) == TEXTS
    assert texts_of(connect(fake).every_message(ID, limit=limit, order="desc")) == TEXTS[::-1]


def test_a_full_last_page_whose_last_id_is_no_cursor_ends_a_walk(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.completions[ID].messages[-1]["id"] = "a b"

    assert texts_of(connect(fake).every_message(ID, limit=7)) == TEXTS


def test_an_item_given_twice_is_shown_once(connect: Connect, fake: FakeUpstream) -> None:
    first = message(ID, 0, "text 0")
    fake.page = lambda page: page | {"data": [first, *page["data"]]}

    assert texts_of(connect(fake).every_message(ID, limit=3)) == ["text 0", *TEXTS]


def test_messages_of_one_id_but_other_content_are_all_new() -> None:
    pages = {
        None: a_page(data=[{"id": "a", "content": "1"}], has_more=True),
        "a": a_page(data=[{"id": "a", "content": "2"}, {"id": "b"}], has_more=False),
    }

    assert texts_of(walk(pages.__getitem__)) == ["1", "2", ""]


def test_messages_without_an_id_are_never_taken_for_repetitions() -> None:
    pages = {
        None: a_page(data=[{"content": "1"}], last_id="x", has_more=True),
        "x": a_page(data=[{"content": "1"}], last_id="y", has_more=False),
    }

    assert texts_of(walk(pages.__getitem__)) == ["1", "1"]


def test_messages_without_any_cursor_but_with_more_are_an_error() -> None:
    assert texts_until_the_error(
        walk(lambda after: a_page(data=[{"content": "1"}], has_more=True))
    ) == ["1"]


def test_a_walk_has_an_end_even_when_the_server_invents_new_items_for_ever() -> None:
    def invented(after: str | None) -> Page[Message]:
        number = int(after or 0) + 1
        return a_page(data=[{"id": str(number), "content": "x"}], has_more=True)

    assert texts_until_the_error(walk(invented, max_pages=20)) == ["x"] * 20


def test_a_cursor_that_cannot_be_one_is_not_sent(connect: Connect, fake: FakeUpstream) -> None:
    fake.completions[ID].messages = [{"id": "../../secrets"}]
    fake.page = always_more
    pages = connect(fake).every_message(ID)
    next(pages)

    with pytest.raises(InvalidId):
        next(pages)
    assert len(fake.requests) == 1


def test_one_deadline_can_hold_for_a_whole_walk(
    connect: Connect, fake: FakeUpstream, time: FakeTime
) -> None:
    deadline = Deadline.after(5, clock=time.clock)
    pages = connect(fake).every_message(ID, limit=2, deadline=deadline)
    next(pages)
    time.passes(5)

    with pytest.raises(TimedOut):
        next(pages)


@pytest.mark.parametrize(
    ("page", "after", "cursor"),
    [
        (a_page(data=[{"id": "a"}, {"id": "b"}], last_id="z", has_more=True), None, "b"),
        (a_page(data=[{"id": "a"}, {"id": "b"}]), None, "b"),
        (a_page(data=[{"id": "a"}, {}], last_id="z", has_more=True), None, "z"),
        (a_page(data=[{}], has_more=True), None, None),
        (a_page(data=[{"id": "a"}], has_more=False), None, None),
        (a_page(data=[], last_id="z", has_more=True), None, None),
        (a_page(data=[{"id": "a"}], has_more=True), "a", None),
        (a_page(data=[{"id": "b"}], has_more=True), "a", "b"),
    ],
)
def test_the_next_cursor_of_a_page(
    page: Page[Message], after: str | None, cursor: str | None
) -> None:
    assert next_cursor(page, after=after) == cursor


def ids_of(page: CanonicalPage[Message]) -> str:
    return "".join(message.id or "-" for message in page.items)


def listed(ids: str, **members: Any) -> Page[Message]:
    """Return a page of messages with one-letter ids; `-` is a message without an id."""
    return a_page(data=[{} if id == "-" else {"id": id} for id in ids], **members)


@pytest.mark.parametrize(
    ("page", "asked", "items", "next_after"),
    [
        (listed("ab", has_more=True), {}, "ab", "b"),
        (listed("ab", has_more=False), {}, "ab", None),
        (listed("ab"), {}, "ab", "b"),
        (listed("cd", has_more=True), {"after": "b"}, "cd", "d"),
        # The cursor is ignored: everything, or an overlap, comes again.
        (listed("abcd", has_more=False), {"after": "b"}, "cd", None),
        (listed("bcd", has_more=True), {"after": "b"}, "cd", "d"),
        # The limit is ignored, and the items are known by their number alone.
        (listed("----"), {"skip": 3, "limit": 2}, "-", None),
        (listed("--"), {"skip": 3, "limit": 2}, "--", None),
    ],
)
def test_a_canonical_page_holds_new_items_and_the_way_on(
    page: Page[Message], asked: dict[str, Any], items: str, next_after: str | None
) -> None:
    found = canonicalize(page, **asked)

    assert (ids_of(found), found.next_after, found.is_repeated) == (items, next_after, False)


@pytest.mark.parametrize(
    ("items", "has_more", "limit", "end"),
    [
        ("ab", True, 2, End.MORE),
        ("a-", True, 2, End.CUT_OFF),
        ("ab", None, 2, End.UNKNOWN),
        ("a-", None, 2, End.UNKNOWN),
        ("ab", False, 2, End.CLAIMED),
        ("ab", False, 3, End.PROVED),
        ("", False, 2, End.PROVED),
    ],
)
def test_the_end_of_a_page_is_what_the_server_says_of_it(
    items: str, has_more: bool | None, limit: int, end: End
) -> None:
    assert canonicalize(listed(items, has_more=has_more), limit=limit).end is end


@pytest.mark.parametrize("has_more", [True, False, None])
def test_a_repeated_page_holds_nothing(has_more: bool | None) -> None:
    found = canonicalize(listed("ab", has_more=has_more), after="b")

    assert (found.items, found.is_repeated, found.goes_on) == ((), True, False)
    assert found.end is (End.CUT_OFF if has_more else End.PROVED)


@pytest.mark.parametrize(
    ("id", "way_on"), [("x{}", ("x999", None)), ("not an id", (None, MAX_ITEMS))]
)
def test_more_items_than_a_page_holds_are_left_for_the_next(
    id: str, way_on: tuple[str | None, int | None]
) -> None:
    page = a_page(data=[{"id": id.format(at)} for at in range(MAX_ITEMS + 5)], has_more=False)
    first = canonicalize(page)

    assert len(first.items) == MAX_ITEMS
    assert (first.next_after, first.next_skip) == way_on
    rest = canonicalize(page, after=first.next_after, skip=first.next_skip or 0, limit=20)
    assert (len(rest.items), rest.goes_on) == (5, False)


def test_a_count_says_whether_more_follows() -> None:
    page = canonicalize(listed("ab"))

    assert not page.with_total(2, seen=2).goes_on
    assert page.with_total(3, seen=2).next_after == "b"
    assert canonicalize(listed("a-")).with_total(3, seen=2).end is End.CUT_OFF
