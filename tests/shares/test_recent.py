"""Snapshots that are made once for the same content, choices and words."""

from __future__ import annotations

import json

from tests.shares.sharing import COMPLETION, MESSAGES, SECRET
from webapp.exact_json import Value, parse
from webapp.shares import RecentSnapshots, ShareChoices


def to_value(value: object) -> Value:
    return parse(json.dumps(value))


def test_a_snapshot_is_made_anew_only_if_something_changes() -> None:
    recent = RecentSnapshots()
    completion, messages = to_value(COMPLETION), [to_value(one) for one in MESSAGES]
    first = recent.make(completion, messages, ShareChoices())

    assert recent.make(completion, messages, ShareChoices()) is first
    assert recent.make(to_value(COMPLETION), messages, first.choices) is first
    for changed in (
        recent.make(completion, messages[:-1], first.choices),
        recent.make(to_value({**COMPLETION, "model": "other"}), messages, first.choices),
        recent.make(completion, messages, ShareChoices(calls=True)),
        recent.make(completion, messages, first.choices, words=["harbour"]),
    ):
        assert changed is not first
    assert "harbour" in first.text and SECRET not in first.text


def test_the_oldest_are_forgotten() -> None:
    recent = RecentSnapshots()
    completion = to_value(COMPLETION)
    first = recent.make(completion, [], ShareChoices())
    for seed in range(100, 116):
        recent.make(to_value({**COMPLETION, "seed": seed}), [], ShareChoices())

    assert recent.make(completion, [], ShareChoices()) is not first
