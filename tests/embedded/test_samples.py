"""Samples are loaded once, into a store that is new, with their media in place."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tools.store_rows import completion
from webapp.embedded import Store, load_samples
from webapp.embedded.samples import SAMPLES
from webapp.embedded.store.pages import PageRequest

pytestmark = pytest.mark.new_database

FIRST = PageRequest(None, 100, "asc")


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    (folder / "media").mkdir(parents=True)
    (folder / "media" / "dot.png").write_bytes(b"\x89PNG\x00")
    url = "data:image/png;base64,@base64(dot.png)"
    parts = [{"type": "image_url", "image_url": {"url": url}}]
    pictured = completion("picture") | {"messages": [{"role": "user", "content": parts}]}
    (folder / "b.json").write_text(json.dumps(pictured, indent=2) + "\n")
    (folder / "a.json").write_text(json.dumps(completion("plain")))
    return folder


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """Yield a store whose database is created here: only such a one gets samples."""
    with closing(Store(url)) as store:
        yield store


def test_samples_are_loaded_into_a_new_store(store: Store, samples: Path) -> None:
    assert load_samples(store, folder=samples) == 2
    assert store.list_completions(FIRST).ids == ("plain", "picture")


def test_media_stand_where_the_samples_name_them(store: Store, samples: Path) -> None:
    load_samples(store, folder=samples)

    page = store.list_messages("picture", FIRST)
    assert page is not None
    [part] = json.loads(page.data[0])["content_parts"]
    kind, _, encoded = part["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(encoded, validate=True) == b"\x89PNG\x00"


def test_samples_do_not_come_back_after_they_were_deleted(url: str, samples: Path) -> None:
    with closing(Store(url)) as store:
        load_samples(store, folder=samples)
        store.delete_completion("plain")
    with closing(Store(url)) as again:
        assert load_samples(again, folder=samples) == 0
        assert again.list_completions(FIRST).ids == ("picture",)


def test_samples_stay_out_of_a_store_that_was_there_before(url: str, samples: Path) -> None:
    with closing(Store(url)):
        pass
    with closing(Store(url)) as store:
        assert load_samples(store, folder=samples) == 0
        assert store.list_completions(FIRST).ids == ()


def test_all_samples_brought_along_are_loaded(store: Store) -> None:
    names = sorted(SAMPLES.glob("*.json"))

    assert load_samples(store) == len(names)
    assert "@base64(" not in "".join(store.list_completions(FIRST).data)
