"""The rows derived from completions: facts, tags, passages and conversations."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from tests.embedded.store.test_schema import VERSION_1
from tests.support.model_server import PATIENCE
from tools.cluster import wait_for
from tools.postgres import PostgresServer
from tools.store_rows import add, compact, completion, database_url, rows
from webapp.database import migrate, open_database
from webapp.embedded import Store, StoreFinder
from webapp.embedded.documents.passages import GROUP_SEPARATOR
from webapp.embedded.documents.records import Metadata, parse_record
from webapp.embedded.store import filling
from webapp.embedded.store.passages import TABLES, UNINDEXED, index_passages
from webapp.embedded.store.schema import SCHEMA
from webapp.finding import Found, Query

Json = dict[str, object]

QUESTION: Json = {
    "role": "user",
    "content": "Which trains run from Bergen to Oslo on a " + "Sunday? " * 8,
}
CALL: Json = {
    "role": "assistant",
    "content": None,
    "refusal": None,
    "reasoning_content": "I should look.",
    "tool_calls": [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "trains", "arguments": '{"from": "Bergen", "day": 7}'},
        }
    ],
}
REPEATED: Json = {
    "role": "assistant",
    "content": [],
    "tool_calls": [
        {
            "type": "function",
            "function": {"name": "trains", "arguments": '{"day":7,"from":"Bergen"}'},
            "id": "1",
        }
    ],
}
RESULT: Json = {"role": "tool", "tool_call_id": "call_1", "content": "06:40, 15:59"}
ANSWER: Json = {"role": "assistant", "content": "At 06:40 and\n15:59."}
JOINED: Json = {
    "role": "assistant",
    "content": [{"type": "text", "text": "At 06:40 and"}, {"type": "text", "text": "15:59. "}],
}
THANKS: Json = {"role": "user", "content": "Thanks. And back?"}
EDITED: Json = {"role": "user", "content": "Thanks. And on to Stockholm?"}


def clock(minute: int) -> Json:
    return {"role": "system", "content": f"It is 12:{minute:02}."}


def request(
    name: str, *messages: Json, answer: Json = ANSWER, created: int = 1, **more: object
) -> Json:
    choices = [{"index": 0, "message": answer, "finish_reason": "stop"}]
    given: Json = {"id": name, "created": created, "messages": messages, "choices": choices}
    return given | more


RUN = (
    request("first", clock(1), QUESTION, answer=CALL, created=100),
    request("second", clock(2), QUESTION, REPEATED, RESULT, created=200),
    request("third", clock(3), QUESTION, CALL, RESULT, JOINED, THANKS, created=300),
    request("retry", clock(4), QUESTION, CALL, RESULT, JOINED, THANKS, created=400),
    request("edit", clock(5), QUESTION, CALL, RESULT, JOINED, EDITED, created=500),
)
PARENTS = {"first": None, "second": "first", "third": "second", "retry": "second", "edit": "second"}

# Undo a step of the store.
FIRST_ENDS_APART = (
    *(
        f"INSERT INTO ends (completion, hash, is_answer, created) SELECT completion, {end}, {kind},"
        f" created FROM facts WHERE {end} IS NOT NULL"
        for end, kind in (("input", 0), ("answer", 1))
    ),
    *("DROP INDEX facts_by_input", "DROP INDEX facts_by_answer"),
    *("ALTER TABLE facts DROP COLUMN input", "ALTER TABLE facts DROP COLUMN answer"),
)
KEY_OF_TAGS = (
    "DROP INDEX tags_by_completion",
    "ALTER TABLE tags ADD CONSTRAINT tags_pkey PRIMARY KEY (completion, tag)",
)


def find_parents(url: str) -> dict[str, str | None]:
    found = rows(
        url,
        "SELECT c.id, p.id AS parent FROM facts AS f JOIN completions AS c ON c.seq = f.completion"
        " LEFT JOIN completions AS p ON p.seq = f.parent",
    )
    return {row.id: row.parent for row in found}


def count_conversations(url: str) -> int:
    return int(rows(url, "SELECT count(DISTINCT conversation) AS n FROM facts")[0].n)


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (4, 3, 2, 1, 0), (2, 0, 4, 1, 3)])
def test_a_run_is_one_conversation_in_whatever_order_it_is_stored(
    store: Store, url: str, order: tuple[int, ...]
) -> None:
    for at in order:
        add(store, RUN[at])

    assert find_parents(url) == PARENTS
    assert count_conversations(url) == 1


def test_a_run_may_be_stored_at_once_and_the_last_first(store: Store, url: str) -> None:
    add(store, *reversed(RUN))

    assert find_parents(url) == PARENTS
    assert count_conversations(url) == 1


def test_requests_stored_at_once_are_linked_as_those_stored_one_by_one(
    store: Store, url: str
) -> None:
    session: Json = {"session_id": "s"}
    ask: Json = {"role": "user", "content": "Which ferries run from Bergen? " * 3}
    batch = (
        *(RUN[2], RUN[0], request("again", QUESTION, created=699)),
        *(RUN[4], request("in-session", THANKS, metadata=session), RUN[1], RUN[3]),
        request("of-session", EDITED, metadata=session, created=900),
        # The tries before and after it are too far from each other.
        *(request(f"try-{at}", ask, created=at, model="m") for at in (1, 999, 500)),
    )

    def read_links() -> dict[str, tuple[str, str | None]]:
        found = rows(
            url,
            "SELECT c.id, p.id AS parent, (SELECT min(o.id) FROM facts AS g"
            " JOIN completions AS o ON o.seq = g.completion"
            " WHERE g.conversation = f.conversation) AS least FROM facts AS f"
            " JOIN completions AS c ON c.seq = f.completion"
            " LEFT JOIN completions AS p ON p.seq = f.parent",
        )
        return {row.id: (row.least, row.parent) for row in found}

    add(store, *batch)
    at_once = read_links()
    for name in at_once:
        store.delete_completion(name)
    for one in batch:
        add(store, one)

    assert at_once == read_links()
    assert {name: parent for name, (_, parent) in at_once.items() if name in PARENTS} == PARENTS
    assert {at_once[f"try-{at}"][0] for at in (1, 500, 999)} == {"try-1"}


def test_short_questions_in_common_need_nearby_times(store: Store, url: str) -> None:
    hello: Json = {"role": "user", "content": "Hello!"}
    hi: Json = {"role": "assistant", "content": "Hi."}
    add(store, request("a", hello, created=5), request("b", hello, created=6))
    add(store, request("later", hello, hi, THANKS, created=5_000))
    assert count_conversations(url) == 3

    add(store, request("near", hello, hi, THANKS, created=60))
    assert find_parents(url)["near"] == "b"
    assert count_conversations(url) == 3

    add(store, request("earlier", hello, hi, THANKS, RESULT, created=1))
    assert find_parents(url)["earlier"] is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (0, 2, 1)])
def test_of_equal_requests_that_of_the_same_model_is_continued(
    store: Store, url: str, order: tuple[int, ...]
) -> None:
    """An evaluation sends the same question to several models within a second."""
    hello: Json = {"role": "user", "content": "Which version is it?"}
    empty: Json = {"role": "assistant", "content": ""}
    run = (
        request("ours", hello, answer=CALL, created=50, model="m1"),
        request("other", hello, answer=CALL, created=50, model="m2"),
        request("next", hello, empty, CALL, RESULT, created=51, model="m1"),
    )
    for at in order:
        add(store, run[at])

    assert find_parents(url) == {"ours": None, "other": None, "next": "ours"}


@pytest.mark.cycled_databases(3)
@pytest.mark.parametrize("question", [{"role": "user", "content": "Hi"}, QUESTION])
@pytest.mark.parametrize("beside", ["metadata", "session", "system", "call"])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
@pytest.mark.parametrize("at_once", [False, True])
def test_of_equal_requests_that_of_the_same_person_is_continued(
    store: Store, url: str, question: Json, beside: str, order: tuple[int, ...], at_once: bool
) -> None:
    def ask(name: str, *messages: Json, created: int) -> Json:
        who = name.split("-")[0]
        if beside == "system":
            system: Json = {"role": "system", "content": f"You talk to {who}."}
            return request(name, system, *messages, created=created, model="m")
        if beside == "call":
            function = {"name": "look", "arguments": "{}"}
            called = {"id": f"call_{who}7hK2vD8x", "type": "function", "function": function}
            answer: Json = {"role": "assistant", "content": None, "tool_calls": [called]}
            said = [answer if one is ANSWER else one for one in messages]
            return request(name, *said, answer=answer, created=created, model="m")
        key = "session_id" if beside == "session" else "user"
        metadata = {key: who, "stage": "live"}
        return request(name, *messages, created=created, model="m", metadata=metadata)

    run = (
        *(ask("ann-1", question, created=100), ask("bob-1", question, created=101)),
        ask("ann-2", question, ANSWER, THANKS, created=110),
        ask("bob-2", question, ANSWER, EDITED, created=111),
    )
    sorted_run = [run[at] for at in order]
    for batch in [sorted_run] if at_once else [[one] for one in sorted_run]:
        add(store, *batch)

    parents = find_parents(url)
    assert (parents["ann-2"], parents["bob-2"]) == ("ann-1", "bob-1")
    if beside in ("metadata", "session"):
        assert count_conversations(url) == 2


def test_a_judge_that_repeats_a_conversation_is_a_branch_and_one_that_quotes_it_is_apart(
    store: Store, url: str
) -> None:
    judge: Json = {"role": "system", "content": "You judge answers."}
    quoted: Json = {"role": "user", "content": f"User: {QUESTION['content']} Answer: {ANSWER}"}
    ask: Json = {"role": "user", "content": "Was that polite? Answer with yes or no."}
    add(store, request("first", clock(1), QUESTION, created=10, model="m", tools=[{}]))
    add(store, request("next", clock(2), QUESTION, ANSWER, THANKS, created=20, model="m"))
    add(store, request("branch", judge, QUESTION, ANSWER, ask, created=30, model="m"))
    add(store, request("apart", judge, quoted, created=40, model="m"))

    assert find_parents(url) == {"first": None, "next": "first", "branch": "first", "apart": None}
    assert count_conversations(url) == 2


@pytest.mark.cycled_databases(2)
@pytest.mark.parametrize("key", ["session_id", "endUserId"])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1)])
@pytest.mark.parametrize("at_once", [False, True])
def test_an_equal_request_without_an_owner_does_not_join_those_of_two(
    store: Store, url: str, key: str, order: tuple[int, ...], at_once: bool
) -> None:
    asked = [
        request("ann", QUESTION, created=100, model="m", metadata={key: "ann"}),
        request("bob", QUESTION, created=101, model="m", metadata={key: "bob"}),
        request("none", QUESTION, created=102, model="m"),
    ]
    sorted_asked = [asked[at] for at in order]
    for batch in [sorted_asked] if at_once else [[one] for one in sorted_asked]:
        add(store, *batch)

    assert count_conversations(url) == 2


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("question", [{"role": "user", "content": "Hi"}, QUESTION])
def test_a_request_that_ends_with_the_answer_of_another_continues_it(
    store: Store, url: str, question: Json, order: tuple[int, ...]
) -> None:
    run = (
        request("cut", question, created=100),
        request("rest", question, ANSWER, answer=THANKS, created=101),
        request("again", question, ANSWER, answer=THANKS, created=102),
    )
    for at in order:
        add(store, run[at])

    found = rows(url, "SELECT parent_depth, parent IS NULL AS is_root FROM facts ORDER BY created")
    assert [tuple(row) for row in found] == [(0, True), (2, False), (2, False)]


def test_the_request_whose_answer_is_repeated_is_continued_if_it_is_stored_later(
    store: Store, url: str
) -> None:
    unlike: Json = {"role": "assistant", "content": "No."}
    add(store, request("next", QUESTION, CALL, RESULT, created=200))
    repeated = request("repeated", QUESTION, answer=CALL, created=198)
    add(store, repeated, request("other", QUESTION, answer=unlike, created=199))

    assert find_parents(url)["next"] == "repeated"


def test_another_model_continues_later_only_what_it_was_shown(store: Store, url: str) -> None:
    far = 100 * 86_400
    short: Json = {"role": "user", "content": "Which day is it?"}
    for name, question in (("long", QUESTION), ("short", short)):
        rest = (question, CALL, RESULT, ANSWER, THANKS)
        add(store, request(name, *rest, answer=JOINED, created=1, model="m1"))
        unlike: Json = {"role": "assistant", "content": "No."}
        for kind, said in (("repeats", JOINED), ("differs", unlike)):
            later = (*rest, said, EDITED)
            add(store, request(f"{name}-{kind}", *later, created=far, model="m2"))
            add(store, request(f"{name}-{kind}-same", *later, created=far + 1, model="m1"))
            add(store, request(f"{name}-{kind}-soon", *later, created=90, model="m2"))

    parents = {name: parent for name, parent in find_parents(url).items() if parent}
    assert {name for name in parents if parents[name] == "long"} == {
        "long-repeats",
        "long-repeats-same",
        "long-repeats-soon",
        "long-differs-same",
        "long-differs-soon",
    }
    assert {name for name in parents if parents[name] == "short"} == {
        "short-repeats-same",
        "short-repeats-soon",
        "short-differs-same",
        "short-differs-soon",
    }


def test_metadata_that_name_a_conversation_join_it(store: Store, url: str) -> None:
    add(store, request("a", QUESTION, metadata={"session_id": "s1"}))
    add(store, request("b", THANKS, metadata={"session_id": "s1"}))
    add(store, request("c", EDITED, metadata={"user": "s1"}))
    assert count_conversations(url) == 2

    store.replace_metadata("c", Metadata('{"thread_id":"t"}', (("thread_id", "t"),)))
    add(store, request("d", RESULT, metadata={"thread_id": "t", "session_id": "s1"}))
    assert count_conversations(url) == 1


@pytest.mark.parametrize("added", [(), (clock(2),), (THANKS, clock(2), clock(3))])
def test_system_messages_after_those_of_the_parent_are_new(
    store: Store, added: Sequence[Json]
) -> None:
    asked = (clock(1), QUESTION)
    later: list[Json] = [*asked, ANSWER, *added, {"role": "user", "content": "Well?"}]
    add(store, request("first", *asked), request("later", *later))

    found = store.find_conversation("later")

    assert found is not None
    first, last = found.requests
    assert (first.inherited, first.after) == (0, None)
    assert (last.parent, last.inherited, last.after) == ("first", 3, "later-2")


def test_a_deleted_completion_leaves_its_children_to_its_parent(store: Store, url: str) -> None:
    add(store, *RUN)
    store.complete()
    own = rows(url, "SELECT parent_depth FROM facts WHERE completion = 2")[0]

    assert store.delete_completion("second")

    assert find_parents(url) == {"first": None, "third": "first", "retry": "first", "edit": "first"}
    depths = {row.parent_depth for row in rows(url, "SELECT * FROM facts WHERE parent IS NOT NULL")}
    assert depths == set(own)
    for table in ("passages", "tags", "ends"):
        gone = f"SELECT * FROM {table} WHERE completion NOT IN (SELECT seq FROM completions)"
        assert rows(url, gone) == []


def test_what_two_prompts_share_is_measured_by_the_later_one(store: Store) -> None:
    question = {"id": "msg_" + "0" * 400, **QUESTION}
    add(store, request("a", question), request("b", QUESTION, ANSWER, THANKS))
    difference = store.find_prompt_difference("a", "b")
    assert difference is not None
    assert 0 < difference.share < 1


def test_every_request_of_a_conversation_has_all_its_reasons(store: Store) -> None:
    reasons = ("content_filter", "length", "stop", "tool_calls")
    choices = [
        {"index": at, "message": ANSWER, "finish_reason": one} for at, one in enumerate(reasons)
    ]
    named: Json = {"metadata": {"session_id": "s"}, "choices": choices}
    add(store, *(request(one, QUESTION) | named for one in ("one", "two", "three")))

    found = store.find_conversation("one", most=2)

    assert found is not None
    assert [one.reasons for one in found.requests] == [reasons, reasons]


def test_the_facts_of_a_completion(store: Store, url: str) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    answer = CALL | {"refusal": "No."}
    add(
        store,
        {
            "id": "c",
            "created": 9,
            "messages": [{"role": "user", "content": ["STRASSE", picture]}, REPEATED],
            "choices": [
                {
                    "message": answer,
                    "finish_reason": "length",
                    "logprobs": {"content": [{"token": "a"}]},
                }
            ],
            "usage": {
                "prompt_tokens": 3,
                "completion_tokens": 4,
                "prompt_tokens_details": {"cached_tokens": 2},
            },
            "readback_timing": {"total_ms": 50, "first_token_ms": 7},
            "metadata": {"Env": "Straße"},
        },
    )

    [facts] = rows(url, "SELECT * FROM facts")
    assert (facts.messages, facts.depth, facts.total_tokens, facts.cached_tokens) == (2, 2, 7, 2)
    assert (facts.duration_ms, facts.first_token_ms, facts.created) == (50, 7, 9)
    tags = {row.tag for row in rows(url, "SELECT tag FROM tags")}
    assert tags == {
        "finish:length",
        "failure:length",
        "failure:refusal",
        "has:failure",
        "has:refusal",
        "has:logprobs",
        "has:image",
        "has:calls",
        "calls:trains",
        "tool:trains",
    }
    assert read_passages(url) == {
        (1, -1, "metadata", "env: strasse"),
        (1, 0, "text", "strasse"),
        (1, 1, "input", '{"day":7,"from":"bergen"}'),
        (1, 1, "names", "trains"),
        (1, 2, "input", '{"from": "bergen", "day": 7}'),
        (1, 2, "names", "trains"),
        (1, 2, "text", "i should look.\x1eno."),
    }


def test_the_index_of_trigrams_is_built_behind_the_adds(store: Store, url: str) -> None:
    add(store, *RUN)
    with store.connect() as connection:
        dialect = connection.dialect.name
    unindexed = f"SELECT count(*) AS n FROM {UNINDEXED[dialect]}"
    counts = (rows(url, f"SELECT count(*) AS n FROM {table}")[0].n for table in TABLES[dialect])
    assert rows(url, unindexed)[0].n == sum(counts) > 0

    store.complete()

    assert rows(url, unindexed)[0].n == 0
    if url.startswith("sqlite"):
        match = "SELECT rowid FROM passages_trigrams WHERE passages_trigrams MATCH :term"
        assert len(rows(url, match, term='"sto" AND "ckh"')) == 1
        store.delete_completion("edit")
        assert rows(url, match, term='"sto" AND "ckh"') == []


def test_facts_of_an_older_form_are_derived_again_also_after_a_kill(url: str) -> None:
    columns = {
        "facts": "*",
        "ends": "completion, hash, is_answer",
        "tags": "*",
    }

    def read_all() -> list[object]:
        tables = (set(rows(url, f"SELECT {columns[one]} FROM {one}")) for one in columns)
        return [*tables, read_passages(url)]

    def age(*seqs: int) -> None:
        """Leave what a program may have derived that knew less."""
        for seq in seqs:
            unlinked = "parent = NULL, parent_depth = 0, conversation = completion, messages = 1"
            for statement in (
                "UPDATE ends SET hash = hash + 1",
                "UPDATE facts SET input = input + 1",
                f"UPDATE facts SET opening = {seq}, hashes = CAST('' AS {binary}), {unlinked}",
                "UPDATE tags SET tag = 'tool:old' || tag",
                f"UPDATE {searched} SET text = 'old'",
            ):
                rows(url, f"{statement} WHERE completion = {seq}")

    with closing(Store(url)) as store:
        add(store, *RUN)
        with store.connect() as connection:
            searched = TABLES[connection.dialect.name][0]
            binary = {"sqlite": "BLOB", "postgresql": "BYTEA"}[connection.dialect.name]
    rows(url, "INSERT INTO tags (completion, tag, created) VALUES (4, 'findings:error', 400)")
    wanted = read_all()
    age(2, 3, 5)
    rows(url, "UPDATE derived SET form = 0")

    with closing(open_database(url)) as database:
        event.listen(database.exclusive, "commit", StopAt(3))
        with pytest.raises(KeyboardInterrupt):
            filling.refresh(database, keys=(), bytes_at_once=0)
    assert rows(url, "SELECT form, refreshed FROM derived") == [(0, 2)]
    assert read_all() != wanted

    with closing(Store(url)) as store:
        assert store.find_conversation("third") is not None
        assert search(store, "old")
        store.complete()
        assert read_all() == wanted
        assert not search(store, "old")
        age(5)
        store.complete()
        assert read_all() != wanted


def test_a_completion_that_is_derived_again_keeps_those_stored_before_that_continue_it(
    store: Store, url: str
) -> None:
    add(store, RUN[1])
    add(store, *RUN[2:], RUN[0])
    rows(url, "UPDATE facts SET input = input + 1 WHERE parent IS NULL")
    rows(url, "UPDATE derived SET form = 0")

    store.complete()

    assert find_parents(url) == PARENTS
    assert count_conversations(url) == 1


def test_ends_of_an_older_store_become_columns_of_facts_and_are_found_meanwhile(url: str) -> None:
    with closing(Store(url)) as store:
        add(store, *RUN[:2], *RUN[3:])
        wanted = {one: set(rows(url, f"SELECT * FROM {one}")) for one in ("facts", "ends", "tags")}
        with store.connect() as connection:
            is_postgresql = connection.dialect.name == "postgresql"
    further = (*KEY_OF_TAGS, "ALTER TABLE unindexed_passages DROP COLUMN padding")
    for statement in (*FIRST_ENDS_APART, *(further if is_postgresql else ())):
        rows(url, statement)
    rows(url, "UPDATE derived SET form = 11")
    rows(url, "UPDATE schema_version SET version = 11")

    with closing(Store(url)) as store:
        assert rows(url, "SELECT * FROM facts WHERE input IS NOT NULL") == []
        found = store.find_conversation("retry")
        assert found is not None and found.requests[-1].parent == "second"
        with closing(open_database(url)) as database:
            event.listen(database.exclusive, "commit", StopAt(3))
            with pytest.raises(KeyboardInterrupt):
                filling.refresh(database, keys=(), bytes_at_once=0)
        assert len(rows(url, "SELECT * FROM facts WHERE input IS NOT NULL")) == 2
        add(store, RUN[2])
        assert find_parents(url) == PARENTS
        assert store.delete_completion("third")
        store.complete()
    for table, stored in wanted.items():
        assert set(rows(url, f"SELECT * FROM {table}")) == stored


def test_passages_of_an_older_store_are_grouped_in_postgresql(postgres: PostgresServer) -> None:
    long: Json = {"role": "user", "content": "x" * 70_000}
    with postgres.database() as url:
        with closing(Store(url)) as store:
            add(store, *RUN, request("long", long, long, QUESTION, metadata={"a": "b"}))
            store.complete()
            written = read_passages(url)
        for statement in (
            "CREATE TABLE old AS SELECT completion, position, scope, text FROM passages",
            "DROP TABLE passage_groups, unindexed_passages CASCADE",
            "ALTER TABLE old RENAME TO passages",
            # An older program did not replace what now separates passages.
            "UPDATE passages SET text = overlay(text placing chr(29) from 1) WHERE text LIKE 'x%'",
            *FIRST_ENDS_APART,
            *KEY_OF_TAGS,
            "DROP INDEX ends_by_completion",
            "ALTER TABLE ends ADD PRIMARY KEY (completion, hash, is_answer)",
            "ALTER TABLE derived DROP COLUMN form, DROP COLUMN refreshed",
            "UPDATE schema_version SET version = 7",
        ):
            rows(url, statement)

        with closing(Store(url)) as store:
            assert read_passages(url) == {
                (*place, "\ufffd" + text[1:] if text.startswith("x") else text)
                for *place, text in written
            }
            for is_indexed in (False, True):
                if is_indexed:
                    store.complete()
                found = [one.id for one in search(store, "bergen", "sunday?")]
                assert found == ["edit", "retry", "third", "second", "first", "long"]


def test_passages_that_an_older_store_has_yet_to_index_in_postgresql_are_found(
    postgres: PostgresServer,
) -> None:
    with postgres.database() as url:
        with closing(Store(url)) as store:
            add(store, *RUN[:3])
            store.complete()
            add(store, *RUN[3:])
            written = read_passages(url)
        for statement in (
            *FIRST_ENDS_APART,
            *KEY_OF_TAGS,
            "ALTER TABLE passage_groups ALTER COLUMN is_indexed SET DEFAULT false",
            "INSERT INTO passage_groups (completion, scope, positions, text)"
            " SELECT completion, scope, positions, text FROM unindexed_passages",
            "CREATE OR REPLACE VIEW passages AS SELECT completion, 1 AS position, scope, text,"
            " text AS group_text FROM passage_groups",
            "DROP TABLE unindexed_passages",
            "UPDATE schema_version SET version = 10",
        ):
            rows(url, statement)
        waiting = f"SELECT count(*) AS n FROM {UNINDEXED['postgresql']}"
        [before] = rows(url, "SELECT count(*) AS n FROM passage_groups WHERE NOT is_indexed")

        with closing(Store(url)) as store:
            assert rows(url, waiting) == [before]
            with closing(open_database(url)) as database:
                event.listen(database.writer, "commit", StopAt(3))
                with pytest.raises(KeyboardInterrupt):
                    index_passages(database, groups_at_once=1)
            for left in (before.n - 2, 0):
                assert rows(url, waiting)[0].n == left
                assert read_passages(url) == written
                found = [one.id for one in search(store, "bergen", "sunday?")]
                assert found == ["edit", "retry", "third", "second", "first"]
                store.complete()
            assert store.delete_completion("third")
            assert len(read_passages(url)) < len(written)


def test_passages_are_indexed_beside_deletions_in_postgresql(postgres: PostgresServer) -> None:
    """Neither waits for the other for ever, and no passage outlives its completion."""
    blocked = "SELECT pid FROM pg_locks WHERE NOT granted"
    lock = "SELECT seq FROM completions WHERE id = 'third' FOR UPDATE"
    stored = "SELECT DISTINCT completion FROM {} ORDER BY completion"
    with (
        postgres.database() as url,
        closing(Store(url)) as store,
        closing(open_database(url)) as database,
        ThreadPoolExecutor(1) as thread,
    ):
        add(store, *RUN)
        with store.connect() as connection:
            # A deletion has this lock before those of the passages.
            connection.execute(text(lock))
            thread.submit(index_passages, database).result(PATIENCE)
        assert rows(url, stored.format("unindexed_passages")) == [(3,)]
        rows(url, "DELETE FROM passage_groups")
        deletions: list[Future[bool]] = []

        def delete_third(connection: Connection) -> None:
            has_moved = connection.execute(text(stored.format("passage_groups"))).all()
            if has_moved and not deletions:
                # The index has its rows, which the deletion has to wait for.
                deletions.append(thread.submit(store.delete_completion, "third"))
                wait_for(lambda: rows(url, blocked) != [])

        event.listen(database.writer, "commit", delete_third)
        index_passages(database)
        assert deletions[0].result(PATIENCE)
        assert rows(url, stored.format("unindexed_passages")) == []
        assert rows(url, stored.format("passage_groups")) == []


def test_passages_of_an_older_store_are_grouped_in_sqlite(tmp_path: Path) -> None:
    url = database_url(tmp_path)
    long: Json = {"role": "user", "content": "x" * 5_000}
    grouped = "SELECT completion, position, scope, text, further FROM passages"
    with closing(Store(url)) as store:
        add(store, *RUN, request("long", QUESTION, long, QUESTION, metadata={"a": "b"}))
        wanted, passages = set(rows(url, grouped)), read_passages(url)
        rows(url, "DELETE FROM passages")
        rows(url, "ALTER TABLE passages DROP COLUMN further")
        for row in passages:
            names = ("completion", "position", "scope", "text")
            values = ", ".join(f":{name}" for name in names)
            insert = f"INSERT INTO passages ({', '.join(names)}) VALUES ({values})"
            rows(url, insert, **dict(zip(names, row, strict=True)))
        store.complete()
    for statement in FIRST_ENDS_APART:
        rows(url, statement)
    rows(url, "UPDATE derived SET form = 9")
    rows(url, "UPDATE schema_version SET version = 9")

    with closing(Store(url)) as store:
        assert read_passages(url) == passages
        for is_grouped in (False, True):
            if is_grouped:
                store.complete()
            found = [one.id for one in search(store, "bergen", "sunday?")]
            assert found == ["edit", "retry", "third", "second", "first", "long"]
            assert not search(store, "thanks", "sunday?")
    assert set(rows(url, grouped)) == wanted
    assert len(wanted) < len(passages)
    assert [row.further for row in wanted if row.text.startswith("x")] == [""]
    assert all("xx" not in row.text for row in wanted if row.further)


class StopAt:
    """Interrupts the commit of this number."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, _connection: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


def read_passages(url: str) -> set[tuple[int, int, str, str]]:
    """Read the completion, position, scope and text of each passage."""
    if not url.startswith("sqlite"):
        return {
            tuple(row)
            for row in rows(url, "SELECT completion, position, scope, text FROM passages")
        }
    return {
        (row.completion, int(position), row.scope, text)
        for row in rows(url, "SELECT * FROM passages")
        for position, text in zip(
            f"{row.position} {row.further}".split(), row.text.split(GROUP_SEPARATOR), strict=False
        )
    }


def search(store: Store, *terms: str) -> Sequence[Found]:
    query = Query(terms=terms)
    return StoreFinder(store).search(query, after=None, limit=20, seconds=60).found


OLD = (
    "INSERT INTO completions VALUES (:seq, :id, :created, NULL, 'd', :wire, :given)",
    "INSERT INTO messages VALUES (:seq, :position, :id, :given, :given)",
)


def store_old(url: str) -> None:
    """Make a store of version 1 that holds the run, and a row that another program damaged."""
    for statement in VERSION_1[:-3]:
        rows(url, statement)
    for seq, given in enumerate((*RUN, completion("damaged")), 1):
        record = parse_record(compact(given))
        text = "{" if record.id == "damaged" else record.given_json
        head = {"seq": seq, "id": record.id, "created": record.created}
        rows(url, OLD[0], **head, wire=record.wire_json, given=text)
        for position, message in enumerate(record.messages):
            place = {"seq": seq, "position": position, "id": message.id}
            rows(url, OLD[1], **place, given=message.given_json)


def test_completions_that_have_facts_are_not_read_again_and_again(store: Store, url: str) -> None:
    add(store, completion("first"))
    numbers = "WITH RECURSIVE n (x) AS (SELECT 2 UNION ALL SELECT x + 1 FROM n WHERE x < 2000)"
    rows(
        url,
        f"INSERT INTO completions {numbers} SELECT x, 'c' || x, created, model, digest, wire_json,"
        " given_json, is_large, stored FROM n, completions WHERE seq = 1",
    )
    rows(
        url,
        f"INSERT INTO facts {numbers} SELECT x, created, messages, total_tokens, prompt_tokens,"
        " completion_tokens, cached_tokens, duration_ms, first_token_ms, x, NULL, 0, depth,"
        " opening, system, hashes, input, answer FROM n, facts WHERE completion = 1",
    )

    store.complete()

    assert rows(url, "SELECT filled FROM derived") == [(2000,)]


@pytest.mark.new_database
def test_an_older_store_is_filled_while_it_is_read_and_after_a_kill(url: str) -> None:
    store_old(url)

    with closing(Store(url)) as store:
        assert rows(url, "SELECT * FROM facts") == []
        assert store.retrieve_completion("third") is not None
        add(
            store,
            request(
                "new", clock(9), QUESTION, CALL, RESULT, JOINED, THANKS, ANSWER, THANKS, created=600
            ),
        )
    with closing(open_database(url)) as database:
        migrate(database, SCHEMA)
        event.listen(database.exclusive, "commit", StopAt(3))
        with pytest.raises(KeyboardInterrupt):
            filling.fill(database, keys=(), bytes_at_once=0)
    assert 1 < len(rows(url, "SELECT * FROM facts")) < 6

    with closing(Store(url)) as store:
        store.complete()
        store.complete()

    assert find_parents(url) == PARENTS | {"new": "retry", "damaged": None}
    assert count_conversations(url) == 2
    assert (
        rows(url, "SELECT id FROM completions WHERE seq NOT IN (SELECT completion FROM facts)")
        == []
    )
