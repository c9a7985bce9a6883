"""Consecutive completions of real transcripts: their differences lead from one to the next."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.any_json import TRANSCRIPTS
from webapp.analysis.differences import (
    Fingerprint,
    align_messages,
    compare_messages,
    compare_settings,
)
from webapp.completions import Completion
from webapp.exact_json import Object, parse
from webapp.messages import Message


def read(path: Path) -> list[tuple[Completion, list[Message]]]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines()[:30]:
        document = parse(line)
        assert isinstance(document, Object)
        messages = [Message.from_json(one) for one in document.items("messages") or ()]
        found.append((Completion.from_json(document), messages))
    return found


@pytest.mark.skipif(not TRANSCRIPTS, reason="the collection of real transcripts is absent")
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_each_completion_becomes_the_next(path: Path) -> None:
    for (before, a), (after, b) in pairwise(read(path)):
        a_prints, b_prints = ([Fingerprint.of(one) for one in side] for side in (a, b))
        rows = align_messages(a_prints, b_prints)
        assert [row.a for row in rows if row.a is not None] == list(range(len(a)))
        assert [row.b for row in rows if row.b is not None] == list(range(len(b)))
        for row in rows:
            if row.a is None or row.b is None:
                continue
            found = compare_messages(a[row.a], b[row.b])
            assert row.state == "equal" or found
            for one in found:
                edits = one.text.edits if one.text else ()
                assert not edits or any(not edit.is_equal for edit in edits)
        is_same = before.json.source == after.json.source
        assert not (is_same and compare_settings(before, after))
