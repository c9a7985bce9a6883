"""Folders that only their owner can read, and the caches in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.folders import FolderCache, make_private_folder


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_each_folder_that_is_made_is_private_and_the_others_stay(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    folder = shared / "a" / "b" / "c"
    make_private_folder(folder)
    make_private_folder(folder)

    assert [mode(one) for one in (folder, *list(folder.parents)[:2])] == [0o700] * 3
    assert mode(shared) == 0o755


def test_a_relative_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_private_folder(Path("a/b"))
    make_private_folder(Path())

    assert [mode(tmp_path / one) for one in ("a", "a/b")] == [0o700, 0o700]


@pytest.mark.parametrize("place", ["file", "file/folder", "link", "link/folder"])
def test_what_is_no_folder_is_an_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")

    with pytest.raises(OSError, match=r"file|link"):
        make_private_folder(tmp_path / place)


def test_a_cache_knows_the_owners_of_files_that_others_keep_and_forget(tmp_path: Path) -> None:
    ours, other = (FolderCache(tmp_path, max_bytes=4_000, max_age=60) for _ in range(2))
    for at, owner in enumerate(("first", "second")):
        other.keep(owner, "0" * 32, [b"kept"], 4)
        # A change of long ago: the list of owners is kept until the next one.
        os.utime(tmp_path, ns=(at, at))
        assert ours.has_any(owner) and not ours.has_any("third")
    other.forget("first")
    assert ours.has_any("second") and not ours.has_any("first")
