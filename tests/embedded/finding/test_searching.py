"""Searches of all completions: on both databases the results of a naive search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tools.store_rows import add, completion, rows
from webapp.embedded import Store, StoreFinder
from webapp.embedded.documents.facts import Facts
from webapp.embedded.documents.records import parse_record
from webapp.finding import Cursor, Found, Query, fold_text, parse_query

ALPHABET = "ab%_\\'\"ßÉé東京 !\u0130"
WORDS = [
    "Which trains run to Bergen?",
    "Straße nach İzmir, 100 % sicher_",
    "東京の天気は？",
    'tool_call "id": %s',
    "E\u0301tude & É",
    "x" * 300 + "needle" + "y" * 300,
]


def said(at: int) -> dict[str, Any]:
    """Return a completion with a call, its result and an answer, differing by `at`."""
    word = WORDS[at % len(WORDS)]
    call: dict[str, Any] = {"id": "c", "type": "function"}
    call["function"] = {"name": f"tool_{at % 3}", "arguments": json.dumps({"q": word[:20]})}
    choice: dict[str, Any] = {"index": 0, "finish_reason": ["stop", "length"][at % 2]}
    choice["message"] = {"role": "assistant", "content": f"Answer {at} {word[::-1]}"}
    return {
        "id": f"chatcmpl-{at}",
        "created": 1_794_873_600 + 3_600 * (at // 2),
        "model": f"model-{at % 4}",
        "metadata": {"team": ["travel", "news"][at % 2]},
        "usage": {"prompt_tokens": at, "completion_tokens": at, "total_tokens": 2 * at},
        "messages": [
            {"role": "user", "content": word},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c", "content": f"result {at}"},
        ],
        "choices": [choice],
    }


COMPLETIONS = [said(at) for at in range(24)]


@pytest.fixture(params=["indexed", "not indexed"])
def finder(request: pytest.FixtureRequest, url: str) -> Iterator[StoreFinder]:
    with closing(Store(url)) as store:
        add(store, *COMPLETIONS)
        if request.param == "indexed":
            store.complete()
        yield StoreFinder(store)


def search_all(finder: StoreFinder, query: Query, *, limit: int = 7) -> list[Found]:
    """Return everything that a search finds, page by page."""
    found: list[Found] = []
    after: Cursor | None = None
    while True:
        results = finder.search(query, after=after, limit=limit, seconds=60)
        found += results.found
        if results.cursor is None:
            return found
        after = results.cursor


def search_naively(query: Query) -> list[str]:
    newest_first = sorted(
        enumerate(COMPLETIONS), key=lambda one: (one[1]["created"], one[0]), reverse=True
    )
    return [one["id"] for _, one in newest_first if matches(query, one)]


def matches(query: Query, one: dict[str, Any]) -> bool:
    facts: Facts = parse_record(json.dumps(one, ensure_ascii=False)).facts
    passages = [passage.text for passage in facts.passages if passage.scope.value in query.scopes]
    if "metadata" in query.scopes:
        passages.append(f"team: {one['metadata']['team']}")
    terms = [fold_text(term) for term in query.terms]
    return (
        (not terms or any(all(term in text for term in terms) for text in passages))
        and set(query.tags) <= set(facts.tags)
        and query.model in (None, one["model"])
        and all(one["metadata"].get(key) == value for key, value in query.metadata)
        and all(low <= getattr(facts, name) <= high for name, low, high in query.ranges)
        and (query.since is None or one["created"] >= query.since)
        and (query.before is None or one["created"] < query.before)
    )


QUERIES = [
    "bergen",
    "BERGEN?",
    "strasse",
    "İzmir",
    "東",
    "東京の",
    "の天",
    "%",
    "_",
    "100 % s",
    '"id":',
    "étude",
    "É",
    "needle",
    "absent words",
    "result 1",
    '"answer" "negreb"',
    "in:output result",
    "in:names tool_1",
    "in:metadata travel",
    "in:text travel",
    "tool:tool_1",
    "tool:tool_1 finish:length",
    "finish:length tool:tool_1 bergen",
    "has:failure model:model-1",
    "model:model-2 metadata:team=travel",
    "metadata:team=news tool:tool_2 on:2026-11-17",
    "tokens:>40 messages:3",
    "tokens:10-20 bergen",
    "since:2026-11-17 before:2026-11-18 finish:stop",
    "model:nobody tool:tool_1",
]


def test_both_databases_find_what_a_naive_search_finds(finder: StoreFinder) -> None:
    for words in QUERIES:
        query = parse_query(words)
        assert [one.id for one in search_all(finder, query)] == search_naively(query), words


@given(words=st.text(alphabet=ALPHABET + "Bergnx", min_size=1, max_size=5).filter(str.strip))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_term_is_found_where_a_naive_search_finds_it(finder: StoreFinder, words: str) -> None:
    query = Query(terms=(words,))
    assert [one.id for one in search_all(finder, query, limit=100)] == search_naively(query)


def test_a_hit_is_shown_as_it_was_written_with_its_place(finder: StoreFinder) -> None:
    [newest, *_] = search_all(finder, Query(terms=("STRASSE NACH",)))
    hit = newest.hits[0]
    assert (hit.scope, hit.role, hit.position) == ("text", "user", 0)
    assert (hit.before, hit.match, hit.after) == ("", "Straße nach", " İzmir, 100 % sicher_")
    assert hit.message_id == f"{newest.id}-0"
    [found, *_] = search_all(finder, Query(terms=("needle",)))
    assert found.hits[0].before == "…" + "x" * 80
    assert found.hits[0].after == "y" * 80 + "…"
    [found, *_] = search_all(finder, Query(terms=("answer 23",)))
    assert (found.hits[0].position, found.hits[0].role) == (None, "assistant")
    assert (found.messages, found.total_tokens, found.count) == (3, 46, 1)


@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_search_whose_time_is_over_goes_on_from_its_cursor(url: str, is_indexed: bool) -> None:
    with closing(Store(url)) as store:
        add(store, *COMPLETIONS)
        if is_indexed:
            store.complete()
        finder = StoreFinder(store, at_once=3)
        results = finder.search(parse_query("bergen"), after=None, limit=100, seconds=-1)
        assert results.is_cut and results.cursor is not None
        found = [one.id for one in results.found]
        rest = finder.search(parse_query("bergen"), after=results.cursor, limit=100, seconds=60)
        assert found + [one.id for one in rest.found] == search_naively(parse_query("bergen"))


@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_search_whose_time_is_over_shows_no_further_hit(url: str, is_indexed: bool) -> None:
    with closing(Store(url)) as store:
        add(store, *COMPLETIONS)
        if is_indexed:
            store.complete()
        finder, query = StoreFinder(store), parse_query("bergen")
        found: list[str] = []
        cursor: Cursor | None = None
        while not found or cursor is not None:
            results = finder.search(query, after=cursor, limit=100, seconds=-1)
            assert len(results.found) <= 1
            assert results.is_cut == (results.cursor is not None)
            found += [one.id for one in results.found]
            cursor = results.cursor
        assert found == search_naively(query)


@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_search_looks_at_its_time_before_it_has_read_many_long_texts(
    url: str, is_indexed: bool
) -> None:
    now = 0.0

    def spend(*execution: Any) -> None:
        """Let a tenth of a second pass for each completion whose texts are read."""
        nonlocal now
        statement, binds = execution[2:4]
        if " FROM passages WHERE completion IN " in statement:
            values = binds.values() if isinstance(binds, dict) else binds
            now += sum(isinstance(one, int) for one in values) / 10

    with closing(Store(url)) as store:
        add(store, *(completion(f"c{at}", metadata={"team": "travel"}) for at in range(200)))
        if is_indexed:
            store.complete()
        with store.connect() as connection:
            event.listen(connection.engine, "before_cursor_execute", spend)
        finder = StoreFinder(store, clock=lambda: now)
        results = finder.search(parse_query("travel"), after=None, limit=100, seconds=2)
        assert results.is_cut and results.cursor is not None
        assert 2 <= now < 4


def test_the_rarest_filter_yields_the_completions(url: str) -> None:
    """A common filter that was gone through would read every row it has."""
    with closing(Store(url)) as store:
        common: dict[str, Any] = {"choices": [{"index": 0, "message": {}, "finish_reason": "stop"}]}
        add(store, *(completion(f"c{at}", **common) for at in range(1_100)))
        add(store, completion("rare", **common, metadata={"team": "x"}))
        statements: list[str] = []
        with store.connect() as connection:
            event.listen(
                connection.engine,
                "before_cursor_execute",
                lambda *args: statements.append(args[2]),
            )
        found = search_all(StoreFinder(store), parse_query("finish:stop metadata:team=x"))
        assert [one.id for one in found] == ["rare"]
        [keys] = [one for one in statements if " AS d WHERE " in one]
        assert " FROM metadata WHERE" in keys.partition("FROM (")[2].partition(" AS d ")[0]


@pytest.mark.parametrize("answer", [{"text": "a needle"}, {"delta": {"content": "a needle"}}])
def test_an_answer_in_another_member_is_shown_where_it_was_found(
    store: Store, answer: dict[str, Any]
) -> None:
    add(store, completion("c1", choices=[{"index": 0, **answer}]))

    [found] = search_all(StoreFinder(store), parse_query("needle"))
    assert [(hit.role, hit.before, hit.match) for hit in found.hits] == [
        ("assistant", "a ", "needle")
    ]


def test_what_surrounds_a_hit_is_cut_between_words(store: Store) -> None:
    text = f"{'before ' * 20}needle{' after' * 20}"
    add(store, completion("c1", choices=[{"index": 0, "message": {"content": text}}]))

    [found] = search_all(StoreFinder(store), parse_query("needle"))
    (hit,) = found.hits
    assert hit.before == "…" + "before " * 11
    assert hit.after == " after" * 13 + "…"


def test_a_text_that_another_program_has_damaged_ends_no_search(store: Store, url: str) -> None:
    add(store, completion("c1"))
    for table in ("messages", "completions"):
        rows(url, f"UPDATE {table} SET given_json = '{{', wire_json = '{{'")

    [found] = search_all(StoreFinder(store), parse_query("message"))
    assert (found.id, found.hits, found.question) == ("c1", (), "")
