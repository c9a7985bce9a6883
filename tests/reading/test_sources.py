"""Sources of many messages: in memory, or in a file if they are large."""

from __future__ import annotations

import tempfile
import tracemalloc
from pathlib import Path

import pytest

from webapp.reading.kept import Sources

SMALL = [b"", b"a", b"\xff\x00", b"long" * 9]
LARGE = [b"%d" % at * 3000 for at in range(900)]


def gather(sources: list[bytes]) -> Sources:
    gathered = Sources()
    for one in sources:
        gathered.append(one)
    return gathered


@pytest.mark.parametrize("sources", [[], SMALL, LARGE], ids=["none", "in memory", "in a file"])
def test_sources_are_a_sequence_of_what_was_appended(sources: list[bytes]) -> None:
    gathered = gather(sources)

    assert list(gathered) == sources
    assert len(gathered) == len(sources)
    for part in (slice(1, 3), slice(None, None, -1), slice(-2, None), slice(880, 2000)):
        assert gathered[part] == sources[part]
    assert gathered[-1:] == [gathered[-1]] if sources else not gathered
    with pytest.raises(IndexError):
        gathered[len(sources)]


def test_sources_can_be_appended_after_some_were_read() -> None:
    gathered = Sources()
    for at, one in enumerate(LARGE):
        gathered.append(one)
        assert gathered[at // 2] == LARGE[at // 2]

    assert list(gathered) == LARGE


def test_the_memory_of_large_sources_is_that_of_their_sizes() -> None:
    tracemalloc.start()
    try:
        gathered = gather([b"x" * 10_000] * 100)
        before = tracemalloc.get_traced_memory()[0]
        for at in range(3000):
            gathered.append(b"%04d" % at * 1000)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert grown < 200_000
    assert gathered[3099] == b"2999" * 1000


def test_sources_stay_in_memory_if_no_file_can_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))

    assert list(gather(LARGE)) == LARGE
