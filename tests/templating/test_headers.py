"""The order of metadata: the outcome of a run, then the rest, then its origin."""

from __future__ import annotations

import json

from webapp import exact_json
from webapp.exact_json import Object
from webapp.templating.headers import fold_metadata, list_outcomes


def names(*pairs: tuple[str, str]) -> tuple[list[str], list[str]]:
    value = exact_json.parse(json.dumps(dict(pairs)))
    assert isinstance(value, Object)
    seen, folded = fold_metadata(value.members)
    return [one.name.text for one in seen], [one.name.text for one in folded]


def test_outcomes_come_first_and_origins_and_long_texts_last() -> None:
    origins = [("source", "a/b"), ("path", "c.json"), ("commit", "59a2"), ("licence", "MIT")]
    rest = [("prompt", "a " * 30), ("task_id", "3"), ("eval-score", "0.5"), ("reward", "0.0")]
    seen, folded = names(*origins, *rest)
    assert seen == ["eval-score", "reward", "task_id", "source", "path"]
    assert folded == ["commit", "licence", "prompt"]


def test_remarks_come_before_what_only_programs_read() -> None:
    ids = [("commit", "59a2"), ("path", "c"), ("task_id", "3"), ("run-id", "8"), ("trial", "1")]
    remarks = [("note", "word " * 20), ("dropped", "1 message"), ("notes", "word " * 100)]
    assert names(*ids, *remarks) == (
        ["trial", "note", "dropped", "task_id", "run-id"],
        ["commit", "path", "notes"],
    )


def test_a_single_short_value_is_not_folded() -> None:
    keys = [*"abcde", "commit"]
    assert names(*((key, "1") for key in keys)) == (keys, [])
    assert names(*((key, "1") for key in keys), ("f", "1"))[1] == ["f", "commit"]


def test_a_very_long_value_is_folded_even_if_it_is_alone() -> None:
    assert names(("note", "word " * 100)) == ([], ["note"])


def test_outcomes_have_a_value_that_is_short() -> None:
    given = {"verdict": "", "isResolved": False, "reward": 0, "outcome": "x" * 3_000}
    value = exact_json.parse(json.dumps(given))
    assert isinstance(value, Object)
    assert [one.name.text for one in list_outcomes(value.members)] == ["isResolved", "reward"]
