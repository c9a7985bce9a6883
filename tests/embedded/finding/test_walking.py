"""Walks through filtered and sorted lists: on both databases those of a naive filter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.store_rows import add, completion
from webapp.embedded import Store
from webapp.embedded.documents.facts import Facts
from webapp.embedded.documents.records import parse_record
from webapp.embedded.finding.filters import build_selection
from webapp.embedded.finding.walking import ListCursor, walk
from webapp.embedded.store.pages import ListRequest, Order, PageRequest
from webapp.finding import BadQuery, Query, parse_query
from webapp.finding.query import SORTS

DAY: Final = 1_794_873_600
"""The beginning of 17 November 2026 in UTC."""


def said(at: int) -> dict[str, Any]:
    """Return a completion that differs by `at`; some lack tokens, some a duration."""
    call: dict[str, Any] = {"id": "c", "type": "function"}
    call |= {"function": {"name": ["shell", 'a "b" c', "东京"][at % 3], "arguments": "{}"}}
    message: dict[str, Any] = {"role": "assistant", "content": f"Answer {at}"}
    if at % 4 == 0:
        message["tool_calls"] = [call]
    if at % 7 == 0:
        message["refusal"] = "No."
    choice = {"index": 0, "finish_reason": ["stop", "length"][at % 5 == 0], "message": message}
    one = completion(
        f"chatcmpl-{at}",
        created=DAY + 600 * (at // 2),
        model=f"m{at % 3}",
        metadata={"team": ["travel", "news"][at % 2], "session_id": f"s{at % 9}"},
        choices=[choice],
    )
    one["messages"] = [{"role": "user", "content": f"{at}: {n}"} for n in range(1 + at % 4)]
    if at % 3:
        one["usage"] = {"total_tokens": 100 * (at % 6)}
    if at % 2:
        one["readback_timing"] = {"total_ms": 1000 - at, "first_token_ms": 9}
    return one


COMPLETIONS: Final = [said(at) for at in range(36)]
FACTS: Final[list[Facts]] = [parse_record(json.dumps(one)).facts for one in COMPLETIONS]
WORDS: Final = [
    *("tool:shell", 'tool:"a ""b"" c"', "tool:东京", "finish:length", "finish:stop", "has:refusal"),
    *("has:calls", "has:failure", "has:image", "model:m1", "model:nobody", "metadata:team=travel"),
    *("metadata:team=nobody", "metadata:session_id=s3", "tokens:>100", "tokens:200-400"),
    *("messages:1-2", "messages:>2", "duration:<990", "since:2026-11-17T01:00"),
    *("before:2026-11-17T02:00", "on:2026-11-17", "before:2026-11-17", "has:logprobs"),
]


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with closing(Store(url)) as opened:
        add(opened, *COMPLETIONS)
        yield opened


def passes(query: Query, at: int) -> bool:
    one, facts = COMPLETIONS[at], FACTS[at]
    numbers = {name: getattr(facts, name) for name, _, _ in query.ranges}
    return (
        set(query.tags) <= set(facts.tags)
        and query.model in (None, one["model"])
        and all(one["metadata"].get(key) == value for key, value in query.metadata)
        and all(
            numbers[name] is not None and low <= numbers[name] <= high
            for name, low, high in query.ranges
        )
        and (query.since is None or one["created"] >= query.since)
        and (query.before is None or one["created"] < query.before)
    )


def list_naively(query: Query, sort: str | None, order: Order, folds: bool) -> list[str]:
    """Return the ids; those of one session are a conversation."""
    found = [at for at in range(len(COMPLETIONS)) if passes(query, at)]
    if folds:
        last = {at % 9: at for at in sorted(found, key=lambda at: (COMPLETIONS[at]["created"], at))}
        found = [at for at in found if last[at % 9] == at]
    sign = 1 if order == "asc" else -1

    def key(at: int) -> tuple[bool, int, int, int]:
        value = getattr(FACTS[at], sort) if sort else 0
        place = (sign * (value or 0), sign * COMPLETIONS[at]["created"], sign * at)
        return (value is None, *place)

    return [COMPLETIONS[at]["id"] for at in sorted(found, key=key)]


def may_be_asked(words: list[str]) -> bool:
    """Return whether no two of the words exclude each other, which is an error."""
    try:
        parse_query(" ".join(words))
    except BadQuery:
        return False
    return True


queries = st.lists(st.sampled_from(WORDS), max_size=3, unique=True).filter(may_be_asked)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    words=queries,
    sort=st.sampled_from([*SORTS.values()]),
    order=st.sampled_from(["asc", "desc"]),
    folds=st.booleans(),
    rows=st.integers(1, 8),
    chunks=st.sampled_from([(1,), (2, 5), (7,), (500,)]),
)
def test_every_combination_is_a_naive_filter(
    store: Store,
    words: list[str],
    sort: str | None,
    order: Order,
    folds: bool,
    rows: int,
    chunks: tuple[int, ...],
) -> None:
    query = parse_query(" ".join(words))
    selection = build_selection(query)
    with store.connect() as connection:
        found: list[int] = []
        after: ListCursor | None = None
        while True:
            walked = walk(
                connection,
                selection,
                order=order,
                after=after,
                rows=rows,
                sort=sort,
                folds=folds,
                chunks=chunks,
            )
            found += [place.seq for place in walked.places]
            after = walked.places[-1] if len(walked.places) == rows else walked.resume
            if after is None:
                break
    ids = [COMPLETIONS[seq - 1]["id"] for seq in found]
    assert ids == list_naively(query, sort, order, folds)


def list_all(store: Store, request: ListRequest, order: Order = "desc") -> list[str]:
    """Return the ids of a list, in pages of five."""
    ids: list[str] = []
    after = None
    while True:
        page = store.list_completions(PageRequest(after, 5, order), listed=request)
        ids += page.ids
        if not page.has_more:
            return ids
        after = page.resume or page.ids[-1]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_a_sorted_list_continue_each_other(store: Store, sort: str, order: Order) -> None:
    query = parse_query("metadata:team=travel messages:>1")

    assert list_all(store, ListRequest(query, sort), order) == list_naively(
        query, SORTS[sort], order, folds=False
    )


@pytest.mark.parametrize(
    "word", ["tool:\0", "tool:'; DROP TABLE tags; --", "model:%", 'finish:"\ud800"', "tool:_"]
)
def test_hostile_values_find_nothing(store: Store, word: str) -> None:
    assert list_all(store, ListRequest(parse_query(word))) == []


def test_a_folded_list_by_a_number_goes_on_after_a_long_conversation(url: str) -> None:
    long = [
        completion(f"long-{at}", created=at, usage={"total_tokens": 9000 - at})
        | {"metadata": {"session_id": "long"}}
        for at in range(510)
    ]
    short = [completion(f"c{at}", usage={"total_tokens": at}) for at in range(3)]
    with closing(Store(url)) as store:
        add(store, *long, *short)
        selection = build_selection(parse_query("messages:>0"))
        with store.connect() as connection:
            walked = walk(
                connection,
                selection,
                order="desc",
                after=None,
                rows=9,
                sort="total_tokens",
                folds=True,
                chunks=(400,),
            )
    assert [place.value for place in walked.places] == [8491, 2, 1, 0]


def test_a_bounded_list_says_where_it_goes_on(url: str) -> None:
    """The two filters have no completion in common, and neither is rare."""
    with closing(Store(url)) as store:
        add(store, *(completion(f"c{at}", created=at, model=f"m{at % 2}") for at in range(12)))
        selection = build_selection(parse_query("model:m1"))
        everything = build_selection(parse_query("model:m1 messages:1"))
        nothing = build_selection(parse_query("model:m1 messages:2"))
        with store.connect() as connection:
            for one, chunks, found in (
                (selection, (1, 1), 6),
                (everything, (2, 2), 4),
                (nothing, (20,), 0),
            ):
                walked = walk(connection, one, order="desc", after=None, rows=9, chunks=chunks)
                assert len(walked.places) == found
                assert (walked.resume is None) == (found != 4)
