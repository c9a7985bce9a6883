"""The spool: what it keeps, on which terms, and what becomes of files it cannot use."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tools.outages import MountRefused, small_disk
from webapp.database import Outage, StoreUnavailable, find_outage
from webapp.embedded.documents.from_exchange import RecordedAnswer
from webapp.embedded.recording.exchange import DamagedFile, Exchange
from webapp.embedded.recording.spool import Spool, SpoolFault, SpoolState
from webapp.exact_json import Object, parse

DOWN = StoreUnavailable("The store is down.", Outage.DOWN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "far" / "spool"


@pytest.fixture
def spool(folder: Path) -> Spool:
    return Spool(folder, max_bytes=10_000)


def json_object(text: str) -> Object:
    value = parse(text)
    assert isinstance(value, Object)
    return value


def exchange(name: str = "req_1", **answer: str) -> Exchange:
    body = json_object('{ "id": "c",\n "seed": 1.0e400, "x": "\\ud800é" }')
    return Exchange(json_object('{"model": "m",\n"n": 1.0}'), RecordedAnswer(body), name, 1_758_000)


def read(answer: RecordedAnswer | None) -> tuple[object, ...] | None:
    if answer is None:
        return None
    source = None if answer.json is None else answer.json.source
    return (source, answer.problem, answer.received, answer.timing)


def drained(spool: Spool) -> list[str]:
    seen: list[str] = []
    assert spool.drain(lambda one: seen.append(one.request_id))
    return seen


def remount(disk: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "answer",
    [
        RecordedAnswer(json_object('{ "id": "c",\n "seed": 1.0e400, "x": "\\ud800é" }')),
        RecordedAnswer(json_object("{}"), "The answer ended early."),
        RecordedAnswer(problem="The answer is not JSON.", received="\n{ \u2028 \ufffd"),
    ],
)
def test_an_exchange_comes_back_byte_for_byte(answer: RecordedAnswer) -> None:
    for earlier in (None, RecordedAnswer(json_object('{"id":"é"}'), timing={"total_ms": 1})):
        given = Exchange(json_object('{"model": "m",\n"n": 1.0}'), answer, "req_1", 7, earlier)
        again = Exchange.parse(given.serialize())

        assert again.request.source == given.request.source
        assert read(again.answer) == read(answer)
        assert read(again.earlier) == read(earlier)
        assert (again.request_id, again.now) == ("req_1", 7)


def test_every_cut_file_is_known_as_damaged() -> None:
    one = exchange()
    data = replace(one, earlier=one.answer).serialize()
    for length in range(len(data)):
        with pytest.raises(DamagedFile):
            Exchange.parse(data[:length])


def test_nobody_else_can_read_it(spool: Spool, folder: Path) -> None:
    (folder / "exchanges").mkdir(parents=True, mode=0o777)
    spool.put(exchange(), Outage.FULL)

    assert [stat.S_IMODE(path.stat().st_mode) for path in files(folder)] == [0o600]
    assert stat.S_IMODE((folder / "exchanges").stat().st_mode) == 0o700


def test_every_folder_on_the_way_is_private(spool: Spool, folder: Path) -> None:
    spool.put(exchange(), Outage.FULL)

    made = (folder / "exchanges", folder, folder.parent)
    assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o700] * 3


def test_a_link_in_its_place_is_not_followed(spool: Spool, folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (folder / "exchanges").symlink_to(tmp_path / "elsewhere")

    assert not spool.put(exchange(), Outage.DOWN)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_oldest_comes_first_and_leaves_with_its_file(
    spool: Spool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"req_{at}" for at in range(12)]
    for at, name in enumerate(names):
        assert spool.put(exchange(name), Outage.READ_ONLY)
        if at == 5:
            monkeypatch.setattr(time, "time_ns", lambda: 1_000)

    assert spool.read_state() == SpoolState(waiting=12, outage=Outage.READ_ONLY)
    assert drained(spool) == names
    assert spool.is_empty and files(folder) == []


def test_an_outage_while_draining_keeps_that_one_and_the_rest(spool: Spool) -> None:
    for at in range(3):
        spool.put(exchange(f"req_{at}"), Outage.DOWN)

    def add(one: Exchange) -> None:
        if one.request_id == "req_1":
            raise DOWN

    with pytest.raises(StoreUnavailable):
        spool.drain(add)
    assert drained(spool) == ["req_1", "req_2"]


def test_what_the_store_refuses_is_set_aside_and_the_rest_is_added(
    spool: Spool, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for at in range(3):
        spool.put(exchange(f"req_{at}"), Outage.DOWN)
    first = files(folder)[0]
    first.write_bytes(first.read_bytes()[:-1])
    for at in range(3):
        whole = exchange(f"req_{at}")
        spool.put(replace(whole, earlier=whole.answer), Outage.DOWN)
    added: list[str] = []

    def add(one: Exchange) -> None:
        if one.request_id == "req_1":
            raise ValueError("no")
        added.append(one.request_id)

    assert spool.drain(add)
    # What amends a completion waits beside it.
    assert spool.read_state() == SpoolState(refused=4)
    assert (added, len(files(folder))) == (["req_2", "req_2"], 4)
    assert str(first) in caplog.text


def test_beyond_its_bytes_exchanges_are_counted_and_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    size = len(exchange().serialize())
    spool, other = (Spool(folder, max_bytes=2 * size + 10) for _ in range(2))
    spool.prepare()
    kept = [one.put(exchange(), Outage.FULL) for one in (spool, other, spool, other)]

    assert kept == [True, True, False, False]
    assert spool.read_state() == other.read_state() == SpoolState(2, Outage.FULL, 0, 2)
    assert caplog.text.count("the disk of the database is full") == 4
    assert caplog.text.count("READBACK_SPOOL_BYTES") == 2


def test_without_a_folder_exchanges_are_counted_in_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool", max_bytes=10_000)
    spool.prepare()

    assert not spool.put(exchange(), Outage.DOWN)
    assert spool.read_state() == SpoolState(dropped=1)
    assert drained(spool) == []


def test_a_count_that_cannot_be_written_is_kept_until_it_can(spool: Spool, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "exchanges").write_text("")
    assert not spool.put(exchange(), Outage.DOWN)
    assert spool.read_state() == SpoolState(dropped=1)

    (folder / "exchanges").unlink()
    assert spool.put(exchange(), Outage.DOWN)
    assert Spool(folder, max_bytes=0).read_state() == SpoolState(1, Outage.DOWN, dropped=1)


def test_a_disk_that_becomes_read_only_keeps_nothing_from_the_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is it taken for an outage of the store, in which answers need the spool."""
    with ExitStack() as stack:
        try:
            disk = stack.enter_context(small_disk(tmp_path / "disk", megabytes=1))
        except MountRefused as refusal:
            pytest.skip(str(refusal))
        spool = Spool(disk, max_bytes=100_000)
        for at in range(3):
            assert spool.put(exchange(f"req_{at}"), Outage.DOWN)
        remount(disk, "ro")
        spool.prepare()
        assert spool.read_state() == SpoolState(3, Outage.DOWN)
        added: list[str] = []

        def add(one: Exchange) -> None:
            added.append(one.request_id)
            if one.request_id == "req_1":
                raise ValueError("no completion")

        for _ in range(2):
            with pytest.raises(SpoolFault, match="Read-only file system") as failed:
                spool.drain(add)
            assert find_outage(failed.value) is None
        assert added == ["req_0", "req_1", "req_2"]
        assert not spool.put(exchange(), Outage.DOWN)
        assert "Read-only file system" in caplog.records[-1].message

        remount(disk, "rw")
        assert spool.drain(add) and spool.is_empty
        assert added == ["req_0", "req_1", "req_2"]
        assert spool.put(exchange(), Outage.DOWN)
        assert spool.read_state() == SpoolState(1, Outage.DOWN, refused=1, dropped=1)


def test_only_one_drains_at_a_time(spool: Spool, folder: Path) -> None:
    spool.put(exchange(), Outage.DOWN)
    other = Spool(folder, max_bytes=10_000)
    tried: list[bool] = []

    assert spool.drain(lambda _: tried.append(other.drain(lambda _: None)))
    assert tried == [False]


def test_leftovers_of_killed_processes_are_removed_and_never_read(
    spool: Spool, folder: Path
) -> None:
    spool.put(exchange(), Outage.DOWN)
    old, new = (folder / "exchanges" / f"{name}.tmp" for name in ("old", "new"))
    for path in (old, new):
        path.write_bytes(exchange("half").serialize()[:20])
    os.utime(old, (time.time() - 3600,) * 2)

    assert drained(spool) == ["req_1"]
    assert files(folder) == [new]


def test_an_outage_that_was_just_seen_is_remembered(spool: Spool) -> None:
    seen = [spool.current_outage]
    spool.begin_outage(Outage.LOCKED)
    seen.append(spool.current_outage)
    spool.end_outage()
    seen.append(spool.current_outage)

    assert seen == [None, Outage.LOCKED, None]
