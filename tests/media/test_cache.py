"""The cache of media: their owners, their lifetime, its size, and damaged files."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.support.media_bytes import media, png
from webapp.folders import FolderCache
from webapp.media import InlineMedia, MediaCache

ID = "chatcmpl-1"
OTHER = "chatcmpl-2"
HOUR = 3600


class Clock:
    """A clock that tests move, in unix seconds."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder named as the folders of servers are, which does not exist."""
    return tmp_path / "cache" / "media" / ("0" * 12)


@pytest.fixture
def cache(folder: Path, clock: Clock) -> MediaCache:
    return MediaCache(FolderCache(folder, max_bytes=4_000, max_age=HOUR, now=clock))


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def keep_all(cache: MediaCache, kept: Iterable[InlineMedia], completion_id: str = ID) -> None:
    for one in kept:
        cache.keep(completion_id, one)


def test_kept_media_are_found_by_their_digest(folder: Path) -> None:
    kept = [media(b"\0\1" * 50, "pcm16"), InlineMedia("data:,\ud800\nx"), media(png(1, 1), "a\nb")]
    writer, reader = (
        MediaCache(FolderCache(folder, max_bytes=10_000, max_age=HOUR)) for _ in range(2)
    )
    keep_all(writer, kept)

    for one in kept:
        found = reader.get(ID, one.digest)
        assert found is not None
        assert (found.digest, found.decode()) == (one.digest, one.decode())


@pytest.mark.parametrize(
    "digest", ["", "0" * 32, "0" * 31, "A" * 32, "../secret", "..", "0" * 32 + "\n"]
)
def test_what_was_not_kept_is_not_found(cache: MediaCache, folder: Path, digest: str) -> None:
    cache.keep(ID, media(b"a"))
    (folder.parent / "secret").write_text("x", encoding="utf-8")

    assert cache.get(ID, digest) is None
    assert len(files(folder)) == 1


def test_the_folders_are_private_and_hold_whole_files_only(cache: MediaCache, folder: Path) -> None:
    keep_all(cache, [media(b"a"), media(b"b"), media(b"a")])

    made = (folder, folder.parent, folder.parent.parent)
    assert [mode(one) for one in made] == [0o700] * 3
    assert [file.name[-32:] for file in files(folder)] == sorted(
        media(data).digest for data in (b"a", b"b")
    )
    assert all(mode(file) == 0o600 for file in files(folder))


def test_a_folder_that_others_can_read_becomes_private(cache: MediaCache, folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    cache.keep(ID, media(b"a"))

    assert mode(folder) == 0o700


def test_media_that_are_renewed_are_kept_for_longer(cache: MediaCache, clock: Clock) -> None:
    one = media(b"a")
    assert not cache.renew(ID, one.digest)
    cache.keep(ID, one)
    for _ in range(3):
        clock.now += HOUR - 1
        assert cache.renew(ID, one.digest)
    assert cache.get(ID, one.digest) is not None
    assert not cache.renew(OTHER, one.digest)


# Whose they are


@pytest.mark.parametrize("other", [OTHER, "", "chatcmpl", "chatcmpl-11", "../x", "\ud800", "*"])
def test_media_are_found_only_under_a_completion_that_has_them(
    cache: MediaCache, folder: Path, other: str
) -> None:
    one = media(b"a")
    cache.keep(ID, one)
    assert cache.get(other, one.digest) is None

    cache.keep(other, one)
    cache.forget(ID)
    assert cache.get(ID, one.digest) is None
    assert cache.get(other, one.digest) is not None

    cache.forget(other)
    assert files(folder) == []


def test_nothing_to_forget_is_no_error(cache: MediaCache, caplog: pytest.LogCaptureFixture) -> None:
    cache.forget(ID)
    assert caplog.records == []


def test_media_that_cannot_be_forgotten_are_logged(
    cache: MediaCache, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file, where a folder should be", encoding="utf-8")
    with caplog.at_level(logging.WARNING, "readback.media"):
        cache.forget(ID)

    assert str(folder) in caplog.text


def test_a_file_that_is_being_written_is_forgotten_too(cache: MediaCache, folder: Path) -> None:
    cache.keep(ID, media(b"a"))
    (whole,) = files(folder)
    whole.rename(folder / f"{whole.name[:17]}unfinished")
    cache.forget(ID)

    assert files(folder) == []


# Damage


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def change(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def grow(file: Path) -> None:
    """Make it a sparse file that is too large to read."""
    os.truncate(file, 10**10)


def replace_by_link(file: Path) -> None:
    target = file.rename(file.parent.parent / "target")
    file.symlink_to(target)


def replace_by_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def replace_by_bytes(file: Path) -> None:
    file.write_bytes(b"\xff\xfe no UTF-8")


DAMAGES = [
    lambda file: file.write_bytes(b""),
    cut,
    change,
    grow,
    replace_by_link,
    replace_by_pipe,
    replace_by_bytes,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_deleted_and_can_be_kept_again(
    cache: MediaCache, folder: Path, clock: Clock, damage: Callable[[Path], object]
) -> None:
    one = media(b"abc" * 30)
    cache.keep(ID, one)
    (file,) = files(folder)
    damage(file)
    os.utime(file, (clock.now, clock.now), follow_symlinks=False)

    assert cache.get(ID, one.digest) is None
    assert files(folder) == []
    cache.keep(ID, one)
    assert cache.get(ID, one.digest) == one


def test_a_file_of_another_length_is_written_again(cache: MediaCache, folder: Path) -> None:
    one = media(b"abc")
    cache.keep(ID, one)
    cut(files(folder)[0])
    cache.keep(ID, one)

    assert cache.get(ID, one.digest) == one


# Age


def test_old_media_are_neither_served_nor_kept(
    cache: MediaCache, folder: Path, clock: Clock
) -> None:
    one = media(b"a")
    cache.keep(ID, one)
    clock.now += HOUR
    assert cache.get(ID, one.digest) is not None

    clock.now += 1
    assert cache.get(ID, one.digest) is None
    assert files(folder) == []


def test_only_the_upstream_makes_media_young(cache: MediaCache, clock: Clock) -> None:
    read, shown = media(b"read"), media(b"shown")
    keep_all(cache, [read, shown])
    clock.now += HOUR - 1
    assert cache.get(ID, read.digest) is not None
    cache.keep(ID, shown)
    clock.now += HOUR - 1

    assert cache.get(ID, read.digest) is None
    assert cache.get(ID, shown.digest) is not None


def test_a_write_deletes_what_is_old(cache: MediaCache, folder: Path, clock: Clock) -> None:
    cache.keep(ID, media(b"old"))
    (folder / "left by a process that was killed").touch()
    os.utime(folder / "left by a process that was killed", (clock.now, clock.now))
    clock.now += HOUR + 1
    cache.keep(OTHER, media(b"new"))

    assert [file.name[-32:] for file in files(folder)] == [media(b"new").digest]


def test_a_file_from_the_future_is_not_kept_until_then(
    cache: MediaCache, folder: Path, clock: Clock
) -> None:
    cache.keep(ID, media(b"a"))
    clock.now -= 10 * HOUR

    assert cache.get(ID, media(b"a").digest) is None
    assert files(folder) == []


def test_a_sweep_deletes_what_is_old_of_every_server(
    cache: MediaCache, folder: Path, clock: Clock
) -> None:
    root = folder.parent
    emptied, used, strange = root / ("1" * 12), root / ("2" * 12), root / "documents"
    for other in (emptied, used, strange):
        MediaCache(FolderCache(other, max_bytes=4_000, max_age=HOUR, now=clock)).keep(
            ID, media(b"old")
        )
    cache.keep(ID, media(b"old"))
    clock.now += HOUR + 1
    MediaCache(FolderCache(used, max_bytes=4_000, max_age=2 * HOUR, now=clock)).keep(
        ID, media(b"new")
    )
    cache.sweep()

    assert files(folder) == []
    assert not emptied.exists()
    assert [file.name[-32:] for file in files(used)] == [media(b"new").digest]
    assert len(files(strange)) == 1


def test_a_sweep_of_a_cache_that_keeps_nothing_any_more_empties_it(
    cache: MediaCache, folder: Path, clock: Clock
) -> None:
    cache.keep(ID, media(b"a"))
    none = MediaCache(FolderCache(folder, max_bytes=0, max_age=HOUR, now=clock))

    assert none.get(ID, media(b"a").digest) is None
    cache.keep(ID, media(b"a"))
    none.sweep()
    assert files(folder) == []


def test_a_sweep_without_a_folder_is_no_error(cache: MediaCache, folder: Path) -> None:
    cache.sweep()
    assert not folder.exists()


# Size


def test_what_was_used_longest_ago_goes_first(
    cache: MediaCache, folder: Path, clock: Clock
) -> None:
    old, read, shown, new = (InlineMedia(letter * 990) for letter in "abcd")
    for one in (read, shown, old):
        cache.keep(ID, one)
        clock.now += 1
    assert cache.get(ID, read.digest) is not None
    clock.now += 1
    cache.keep(ID, shown)
    clock.now += 1

    keep_all(cache, [new, InlineMedia("e" * 990)])

    assert cache.get(ID, old.digest) is None
    assert all(cache.get(ID, one.digest) for one in (read, shown, new))


def test_the_cache_never_holds_more_than_it_may(cache: MediaCache, folder: Path) -> None:
    for place in range(40):
        cache.keep(f"chatcmpl-{place % 3}", InlineMedia(f"{place:03}" * 100))
        assert sum(file.stat().st_size for file in files(folder)) <= 4_000

    assert len(files(folder)) > 5


def test_eight_workers_hold_little_more_than_one_may(folder: Path, clock: Clock) -> None:
    workers = [
        MediaCache(FolderCache(folder, max_bytes=4_000, max_age=HOUR, now=clock)) for _ in range(8)
    ]
    for place in range(120):
        workers[place % 8].keep(ID, InlineMedia(f"{place:03}" * (place % 50)))
        assert sum(file.stat().st_size for file in files(folder)) <= 4_000 * 72 // 64


def test_a_text_of_more_than_a_quarter_of_the_cache_is_not_kept(cache: MediaCache) -> None:
    fits, large = InlineMedia("a" * 999), InlineMedia("b" * 1000)
    keep_all(cache, [fits, large])

    assert cache.get(ID, fits.digest) is not None
    assert cache.get(ID, large.digest) is None


def test_a_cache_of_no_bytes_keeps_nothing_and_makes_no_folder(folder: Path) -> None:
    cache = MediaCache(FolderCache(folder, max_bytes=0, max_age=HOUR))
    cache.keep(ID, media(b"a"))

    assert cache.get(ID, media(b"a").digest) is None
    assert not folder.parent.exists()


def test_a_folder_cleared_away_is_made_again(cache: MediaCache, folder: Path) -> None:
    cache.keep(ID, media(b"a"))
    for file in files(folder):
        file.unlink()
    folder.rmdir()

    assert cache.get(ID, media(b"a").digest) is None
    cache.keep(ID, media(b"a"))
    assert cache.get(ID, media(b"a").digest) is not None


def test_a_disk_that_refuses_is_no_error(cache: MediaCache, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("a file, where a folder should be", encoding="utf-8")
    cache.keep(ID, media(b"a"))
    cache.sweep()

    assert cache.get(ID, media(b"a").digest) is None
