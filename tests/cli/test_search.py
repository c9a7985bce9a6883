"""`readback search`: the same words as the page's, one completion a line or one object a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import Readback
from tools.forking import Forkable
from tools.store_rows import database_url, jsonl


@pytest.fixture
def searched(forkable: Forkable, tmp_path: Path) -> Readback:
    readback = Readback.of_user(tmp_path, forkable=forkable, DATABASE_URL=database_url(tmp_path))
    said = [{"role": "user", "content": "Where is the\n\x1b[31mneedle?"}]
    choice = {"index": 0, "finish_reason": "length", "message": {"content": "Here."}}
    line = {"id": "c1", "created": 1_794_873_600, "model": "m", "messages": said}
    readback("import", str(jsonl(tmp_path / "one.jsonl", [line | {"choices": [choice]}])))
    return readback


def test_what_matches_is_printed_with_the_words_around_it(searched: Readback) -> None:
    text = searched("search", "NEEDLE", "finish:length").output
    first, second = text.splitlines()
    assert first.split()[0] == "c1"
    assert second.strip().startswith("c1-0: Where is the") and "\x1b" not in text
    [line] = searched("search", "needle", "--format", "json").output.splitlines()
    found = json.loads(line)
    assert (found["id"], found["hits"][0]["match"]) == ("c1", "needle")


@pytest.mark.parametrize(
    "arguments", [("search", "log in"), ("list",), ("conversations", "--least", "1")]
)
def test_a_mask_leaves_json_whole(
    searched: Readback, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    secret = "--password 'hunter2secret"
    said = {"role": "user", "content": f"log in with {secret}"}
    line = {"id": "c2", "model": f"m {secret}", "messages": [said], "choices": []}
    searched("import", jsonl(tmp_path / "two.jsonl", [line]))
    written = searched(*arguments, "--format", "json").output
    assert "hunter2" not in written and "[masked: " in written
    assert "c2" in [json.loads(one)["id"] for one in written.splitlines()]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["absent"], 0, ""),
        (["has:wings"], 2, "has: takes audio"),
        (["  "], 2, "nothing to search for"),
        (["x", "--limit", "0"], 2, "is not a number from 1 on"),
    ],
)
def test_nothing_found_is_no_failure_and_bad_words_are(
    searched: Readback, words: list[str], code: int, says: str
) -> None:
    ended = searched("search", *words)
    assert (ended.status, says in ended.errors) == (code, True)
