"""Reading the batches of an import in processes beside it."""

from __future__ import annotations

import json
import os
import signal
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tools.store_rows import completion
from webapp.embedded.transfer.files import read_documents
from webapp.embedded.transfer.reading import ReaderStopped, count_readers, read_batch, read_batches
from webapp.embedded.transfer.splitting import Document, SourceLine

TEXTS = (
    json.dumps(completion("c1", messages=3)).encode(),
    b'{"id": ',
    b"\xff",
    json.dumps({"messages": [], "choices": [], "id": "no id"}).encode(),
    json.dumps([completion("c2"), {"messages": [{"role": "user", "content": "\ud83d"}]}]).encode(),
    b'{"custom_id": "a", "method": "POST", "url": "/v1/completions", "body": {"messages": []}}',
    json.dumps({"messages": [{"role": "user", "content": "é" * 100_000}], "choices": []}).encode(),
)


def batches() -> Iterator[list[Document]]:
    """Two dozen batches, of which most are read by others."""
    for at in range(24):
        texts = TEXTS[at % len(TEXTS) :]
        yield [
            Document(SourceLine(Path("a.jsonl"), at * 10 + line), len(text), text)
            for line, text in enumerate(texts)
        ]


def test_processes_find_the_same_in_the_same_order() -> None:
    alone = list(read_batches(batches()))

    found = [one.content for read in alone for one in read.found]
    assert {type(one).__name__ for one in found} == {"CompletionRecord", "Fragment", "str"}
    assert list(read_batches(batches(), readers=2)) == alone


@pytest.mark.skipif(not Path("/proc").exists(), reason="lists processes as Linux does")
def test_processes_end_with_each_other() -> None:
    before = list_children()
    with closing(read_batches(batches(), readers=2)) as read:
        for _ in range(5):
            next(read)
        first, _ = list_children() - before
        os.kill(first, signal.SIGKILL)
        with pytest.raises(ReaderStopped):
            list(read)

    assert list_children() == before


def list_children() -> set[int]:
    """List the processes that this one has started, in any thread."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(one) for children in lists for one in children.read_text().split()}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such choice")
def test_readers_are_those_for_the_cores_that_may_be_used() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert count_readers() == 0
    finally:
        os.sched_setaffinity(0, allowed)


def test_a_large_line_is_held_twice_at_most_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a":"{"a" * 4_000_000}"}}\n', encoding="utf-8")
    tracemalloc.start()
    try:
        assert [len(read_batch([one]).found) for one in read_documents(path)] == [1]
        assert tracemalloc.get_traced_memory()[1] < 9_000_000
    finally:
        tracemalloc.stop()
