"""What the checks found in stored completions, as tags that are written behind the adds."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from tests.embedded.store.test_deriving import store_old
from tools.store_rows import add, completion, rows
from webapp.analysis.assessing import assess_completion
from webapp.analysis.checks import CHECKS_VERSION
from webapp.database import open_database
from webapp.embedded import Store
from webapp.embedded.documents.records import Metadata
from webapp.embedded.finding.checking import check_all, count_unchecked
from webapp.embedded.finding.searching import StoreFinder

CUT = {"index": 0, "message": {"role": "assistant", "content": "No"}, "finish_reason": "length"}
TAGS = {
    "error": {"findings:error", "findings:warning", "findings:1"},
    "warning": {"findings:warning", "findings:1"},
}


def broken_call(arguments: str) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {"index": 0, "message": message, "finish_reason": "tool_calls"}


def find_tags(url: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    query = (
        "SELECT c.id, t.tag, t.created FROM tags AS t JOIN completions AS c ON c.seq = t.completion"
        " AND c.created = t.created WHERE t.tag LIKE 'findings:%'"
    )
    for row in rows(url, query):
        found.setdefault(row.id, set()).add(row.tag)
    return found


def count(store: Store) -> int:
    with store.connect() as connection:
        return count_unchecked(connection, 100)


def test_completions_are_checked_behind_the_adds(store: Store, url: str) -> None:
    add(
        store,
        completion("fine", created=1),
        completion("cut", created=2, choices=[CUT]),
        completion("broken", created=3, choices=[broken_call('{"a": ')]),
    )
    assert (find_tags(url), count(store)) == ({}, 3)

    store.check(assess_completion, rules=CHECKS_VERSION)

    assert find_tags(url) == {"cut": TAGS["warning"], "broken": TAGS["error"]}
    assert count(store) == 0
    counts = [store.count_faults(one, rules=CHECKS_VERSION) for one in ("fine", "cut", "other")]
    assert counts == [0, 1, None]
    assert store.count_faults("cut", rules=CHECKS_VERSION + 1) is None
    store.delete_completion("broken")
    assert find_tags(url) == {"cut": TAGS["warning"]}


def test_a_failed_call_is_a_tag_without_being_an_error(store: Store, url: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
    ]
    results = {"failed": "Error: not there", "fine": "There it is."}
    for at, (one, said) in enumerate(results.items()):
        result = {"role": "tool", "tool_call_id": "c", "content": said}
        add(
            store,
            completion(one, created=at) | {"messages": [*messages, result, *messages, result]},
        )

    # Also if they are checked once more.
    for version in (CHECKS_VERSION, CHECKS_VERSION + 1):
        store.check(assess_completion, rules=version)

    assert "findings:failed-call" in find_tags(url)["failed"]
    assert store.count_faults("failed", rules=CHECKS_VERSION + 1) == 0
    assert "findings:failed-call" not in find_tags(url).get("fine", ())
    numbers = StoreFinder(store).find_numbers([*results])
    assert {one: found.failed_calls for one, found in numbers.items()} == {"failed": 2, "fine": 0}


def test_a_completion_that_takes_the_place_of_another_is_checked_itself(
    store: Store, url: str
) -> None:
    add(store, completion("cut", created=1, choices=[CUT]))

    def assess(text: str) -> tuple[str, ...]:
        if store.delete_completion("cut"):
            add(store, completion("fine", created=1))
        return assess_completion(text)

    store.check(assess, rules=CHECKS_VERSION)

    assert (find_tags(url), count(store)) == ({}, 0)


@pytest.mark.new_database
def test_an_older_store_is_checked_and_so_is_one_of_older_rules(url: str) -> None:
    store_old(url)
    with closing(Store(url)) as store:
        assert count(store) == 6
        store.complete()
        seen: list[str] = []

        def assess(text: str) -> tuple[str, ...]:
            seen.append(json.loads(text)["id"])
            return ("error",) if seen[-1] == "edit" else ("remark",)

        store.check(assess, rules=1)
        assert sorted(seen) == ["edit", "first", "retry", "second", "third"], "one is damaged"
        unreadable = {"damaged": {"findings:unknown"}}
        assert (find_tags(url), count(store)) == ({"edit": TAGS["error"], **unreadable}, 0)
        store.check(assess, rules=1)
        assert len(seen) == 5

        store.check(lambda text: (), rules=2)
        assert (find_tags(url), count(store)) == (unreadable, 0)
        store.check(assess, rules=1)
        assert len(seen) == 5, "an older program leaves the tags of newer rules alone"


def test_what_changes_while_it_is_checked_is_checked_once_more(store: Store, url: str) -> None:
    add(store, completion("changed"), completion("deleted"), completion("broken"))
    seen: list[str] = []

    def assess(text: str) -> tuple[str, ...]:
        given = json.loads(text)
        seen.append(given["id"])
        if given["id"] == "broken":
            raise RecursionError
        if given["id"] == "deleted":
            store.delete_completion("deleted")
            return ("error",)
        if given.get("metadata"):
            return ("warning",)
        store.replace_metadata("changed", Metadata('{"a":"b"}', (("a", "b"),)))
        return ("error",)

    store.check(assess, rules=1)
    assert find_tags(url) == {"broken": {"findings:unknown"}}
    assert store.count_faults("changed", rules=1) is None
    assert count(store) == 1, "its lease has not ended"

    rows(url, "UPDATE unchecked SET leased = 0")
    store.check(assess, rules=1)
    assert find_tags(url) == {"changed": TAGS["warning"], "broken": {"findings:unknown"}}
    assert seen == ["changed", "deleted", "broken", "changed"]


def test_a_killed_process_leaves_what_it_had_taken_to_others_after_a_while(
    store: Store, url: str
) -> None:
    add(store, *(completion(f"c{at}", choices=[CUT]) for at in range(12)))

    def be_killed(text: str) -> tuple[str, ...]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.check(be_killed, rules=1)
    store.check(assess_completion, rules=1)
    assert len(find_tags(url)) == 2, "those that were not taken"

    rows(url, "UPDATE unchecked SET leased = leased - :seconds", seconds=300)
    store.check(assess_completion, rules=1)
    assert (len(find_tags(url)), count(store)) == (12, 0)


def test_a_very_large_completion_is_not_checked(store: Store, url: str) -> None:
    add(store, completion("large", choices=[CUT], note="x" * 200))

    with closing(open_database(url)) as database:
        check_all(database, assess_completion, rules=1, most_characters=200)

    assert (find_tags(url), count(store)) == ({"large": {"findings:unknown"}}, 0)
    assert store.count_faults("large", rules=1) is None
