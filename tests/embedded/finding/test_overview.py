"""Counts of stored completions: on both databases those of a naive count."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import Engine

from tools.postgres import PostgresServer
from tools.store_rows import add, listening, rows
from webapp.embedded import Store, StoreOverview
from webapp.embedded.documents.facts import Facts
from webapp.embedded.documents.records import parse_record
from webapp.embedded.store.pages import PageRequest
from webapp.embedded.store.passages import TABLES
from webapp.finding import Query, parse_query
from webapp.finding.results import MAX_BARS, OUTCOMES, Overview, Tally

NOON = 1_794_916_800
"""Of 17 November 2026, in UTC."""
NAMES = ["shell", "100 % sicher_", 'say "x"', "\u202ekcab", "<b>tool</b>", "読む"]
REASONS = [["stop"], ["tool_calls"], ["length"], ["stop", "tool_calls"], ["content_filter"], []]


def made(at: int) -> dict[str, Any]:
    """Return a completion of the hour `at`, with a model, calls and an end that depend on it."""
    call = {"id": "c", "type": "function", "function": {"name": NAMES[at % 6], "arguments": "{}"}}
    choices = [
        {"index": n, "finish_reason": reason, "message": {"role": "assistant", "content": "Yes."}}
        for n, reason in enumerate(REASONS[at % len(REASONS)])
    ]
    if at % 11 == 0:
        choices.append({"index": 9, "finish_reason": "stop", "message": {"refusal": "No."}})
    return {
        "id": f"chatcmpl-{at}",
        # Some have no time, and many the same one.
        "created": None if at % 8 == 5 else NOON - 3_600 * (at // 3),
        "model": None if at % 7 == 0 else f"model-{at % 3}",
        "metadata": {"team": ["travel", "news"][at % 2]},
        "usage": {"prompt_tokens": at, "completion_tokens": 1} if at % 2 else None,
        "messages": [
            {"role": "user", "content": "Is it open?"},
            *([{"role": "assistant", "tool_calls": [call]}] if at % 5 < 2 else []),
        ],
        "choices": choices,
    }


COMPLETIONS = [made(at) for at in range(60)]
FACTS: list[Facts] = [parse_record(json.dumps(one)).facts for one in COMPLETIONS]

QUERIES = [
    "",
    "model:model-1",
    "metadata:team=travel",
    "metadata:team=travel model:model-2 has:calls",
    'tool:"100 % sicher_"',
    "finish:stop finish:tool_calls",
    "has:failure",
    "since:2026-11-17 before:2026-11-17T10:00",
    "tokens:>20",
    "messages:2 metadata:team=news since:2026-11-17",
    "model:nobody",
]


def find_outcome(tags: tuple[str, ...]) -> str:
    failures = ["incomplete", "content_filter", "refusal", "length"]
    for failure, outcome in zip(failures, OUTCOMES, strict=False):
        if f"failure:{failure}" in tags:
            return outcome
    if "finish:tool_calls" in tags:
        return "tool calls"
    return "stop" if "finish:stop" in tags else "other"


def check(found: Overview, chosen: list[int]) -> None:
    """Compare the counts with those of the completions at these places."""
    facts = [FACTS[at] for at in chosen]
    assert found.total.completions == len(chosen)
    prompts = [one.prompt_tokens for one in facts if one.prompt_tokens is not None]
    assert found.total.known == len(prompts)
    assert found.total.input_tokens == (sum(prompts) if prompts else None)
    ended = Counter(find_outcome(one.tags) for one in facts)
    assert list(found.outcomes.items()) == [(o, ended[o]) for o in OUTCOMES if ended[o]]
    models = Counter(COMPLETIONS[at]["model"] for at in chosen)
    assert {name: tally.completions for name, tally in found.models} == models
    tools = Counter(tag for one in facts for tag in one.tags if tag.startswith("tool:"))
    assert {f"tool:{name}": number for name, number in found.tools} == tools
    failures = Counter(
        tag for one in facts for tag in one.tags if tag.startswith(("failure:", "has:failure"))
    )
    assert found.failures == failures
    times = [COMPLETIONS[at]["created"] for at in chosen]
    assert found.timeless == times.count(None)
    assert len(found.bars) <= MAX_BARS
    for bar in found.bars:
        within = sum(time is not None and bar.start <= time < bar.end for time in times)
        assert within == bar.tally.completions == sum(bar.outcomes.values())
    assert sum(bar.tally.completions for bar in found.bars) + found.timeless == len(chosen)


def choose(query: Query) -> list[int]:
    """Return the places of the completions that pass, as a naive search finds them."""
    return [at for at in range(len(COMPLETIONS)) if passes(at, query)]


def passes(at: int, query: Query) -> bool:
    one, facts = COMPLETIONS[at], FACTS[at]
    created = one["created"] or 0
    return (
        set(query.tags) <= set(facts.tags)
        and query.model in (None, one["model"])
        and all(one["metadata"].get(key) == value for key, value in query.metadata)
        and all(low <= (getattr(facts, name) or 0) <= high for name, low, high in query.ranges)
        and (query.since is None or created >= query.since)
        and (query.before is None or created < query.before)
    )


@pytest.mark.parametrize("few", [1_000, 0])
def test_both_databases_count_what_a_naive_count_does(store: Store, few: int) -> None:
    """Also if the rows of each completion are not sought one by one."""
    add(store, *COMPLETIONS)
    overview = StoreOverview(store, few=few)
    for words in QUERIES:
        query = parse_query(words)
        check(overview.summarize(query), choose(query))
    assert overview.summarize(parse_query("some words")) == overview.summarize(Query())


@pytest.mark.parametrize("few", [1_000, 0])
def test_of_too_many_the_newest_are_counted(store: Store, few: int) -> None:
    add(store, *COMPLETIONS)
    newest = sorted(range(60), key=lambda at: (COMPLETIONS[at]["created"] or 0, at), reverse=True)
    for words in ("", "model:model-1", "metadata:team=news has:failure", "tokens:>5"):
        query = parse_query(words)
        found = StoreOverview(store, most=10, few=few).summarize(query)
        assert found.counted_from is not None
        chosen = [at for at in newest if passes(at, query)]
        check(found, chosen[: found.total.completions])
        assert found.total.completions <= 10
    assert StoreOverview(store, most=60).summarize(Query()).counted_from == 0
    assert StoreOverview(store, most=61).summarize(Query()).counted_from is None


def test_postgresql_expects_many_completions_of_a_model(postgres: PostgresServer) -> None:
    """Expecting one, it compares all pairs: of 30,000 in 200,000, for more than ten minutes."""
    counts: list[tuple[str, Any]] = []

    def note(*args: Any) -> None:
        if "'model'" in args[2]:
            counts.append((args[2], args[3]))

    with postgres.database() as url, closing(Store(url)) as store:
        add(store, *(made(at) | {"created": NOON + at} for at in range(150)))
        rows(url, "ANALYZE")
        with listening(Engine, "before_cursor_execute", note):
            StoreOverview(store, few=1).summarize(parse_query("model:model-1"))
        [(statement, binds)] = counts
        with store.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", binds).scalars().all()
    joins = [step for step in plan if "Join " in step or "Nested Loop" in step]
    assert joins
    assert not any("rows=1 " in step for step in joins)


def test_an_empty_store_and_one_completion(store: Store) -> None:
    overview = StoreOverview(store)
    assert overview.summarize(Query()) == Overview()

    add(store, {**made(1), "created": NOON})
    found = overview.summarize(Query())
    assert found.total == Tally(1, 1, 1, 1)
    assert [bar.start for bar in found.bars if bar.tally.completions] == [NOON]
    # A bar alone would be as wide as the page.
    assert len(found.bars) == 24


def test_times_far_apart_and_unknown_ones(store: Store) -> None:
    add(store, {**made(1), "id": "none", "created": None})
    found = StoreOverview(store).summarize(Query())
    assert (found.timeless, found.bars) == (1, ())

    add(store, {**made(1), "id": "old", "created": 1}, {**made(1), "id": "far", "created": 99**5})
    bars = StoreOverview(store).summarize(Query()).bars
    assert 24 <= len(bars) <= MAX_BARS
    assert [bar.tally.completions for bar in bars if bar.tally.completions] == [1, 1]
    assert bars[-1].start <= 99**5 < bars[-1].end


def test_what_took_long_to_count_is_kept_for_a_minute(store: Store) -> None:
    now = 0.0
    overview = StoreOverview(store, few=1, clock=lambda: now)
    add(store, made(1))
    assert overview.summarize(Query()).total.completions == 1
    add(store, made(2))
    first = overview.summarize(Query())
    assert first.total.completions == 2
    assert first.counted_at is not None
    add(store, made(3))
    now = 59.0
    assert overview.summarize(Query()) is first
    # With another filter, it is another count.
    assert overview.summarize(parse_query("metadata:team=news")).total.completions == 2
    now = 61.0
    assert overview.summarize(Query()).total.completions == 3


def test_what_is_quickly_counted_is_counted_anew_when_the_store_changes(
    store: Store, url: str
) -> None:
    now = 0.0
    overview = StoreOverview(store, clock=lambda: now)
    add(store, made(1), made(2), made(3))
    first = overview.summarize(Query())
    assert overview.summarize(Query()) is first
    one, other, _ = store.list_completions(PageRequest(None, 3, "desc")).ids
    assert store.delete_completion(one)
    assert overview.summarize(Query()).total.completions == 2
    with closing(Store(url)) as elsewhere:
        assert elsewhere.delete_completion(other)
    now = 6.0
    assert overview.summarize(Query()).total.completions == 1


def test_completions_that_are_yet_to_be_prepared_are_said_to_lack(store: Store, url: str) -> None:
    add(store, made(1), made(2))
    with store.connect() as connection:
        searched = TABLES[connection.dialect.name]
    for table in ("facts", "tags", "ends", *searched):
        rows(url, f"DELETE FROM {table} WHERE completion = 1")
    found = StoreOverview(store).summarize(Query())
    assert (found.total.completions, found.lacks_old) == (1, True)
    store.complete()
    found = StoreOverview(store).summarize(Query())
    assert (found.total.completions, found.lacks_old) == (2, False)
