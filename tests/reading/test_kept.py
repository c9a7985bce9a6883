"""Messages of runs that were read whole: kept on disk, for all workers, as long as they may be."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Stored, error, stored
from tests.support.pages import Page
from webapp import create_app
from webapp.config import Config, Limits
from webapp.factories import find_message_folder

ID = "chatcmpl-kept"
HERE = f"/completions/{ID}"
COMPLETION = f"/chat/completions/{ID}"


@pytest.fixture
def settings(
    fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Config]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fake.completions[ID] = stored(ID, *(f"text {at}" for at in range(250)))
    with fake.serve() as base_url:
        limits = Limits(max_retries=0, page_timeout=120)
        yield Config(openai_base_url=base_url, openai_api_key="sk-test-4f9a", limits=limits)


def start(settings: Config) -> FlaskClient:
    """Return a client of a worker that has read nothing yet."""
    return create_app(settings).test_client()


def paths(fake: FakeUpstream) -> list[str]:
    return [seen.path for seen in fake.requests]


def files(settings: Config) -> list[Path]:
    folder = find_message_folder(settings)
    return list(folder.iterdir()) if folder.exists() else []


def test_pages_of_a_run_read_whole_need_the_completion_alone(
    fake: FakeUpstream, settings: Config
) -> None:
    first = Page.of(start(settings).get(f"{HERE}?whole=1"))
    worker = start(settings)
    folder = find_message_folder(settings)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]

    for address in (
        HERE,
        f"{HERE}?after={ID}-199&limit=100",
        f"{HERE}?order=desc",
        f"{HERE}/messages/{ID}-137",
        f"{HERE}/messages/{ID}-137/earlier",
    ):
        fake.requests.clear()
        Page.of(worker.get(address))
        assert paths(fake) == [COMPLETION], address
    fake.requests.clear()
    assert len(Page.of(worker.get(f"{HERE}?all=1&limit=100")).bubbles) == 251
    assert paths(fake) == [COMPLETION]
    again = Page.of(worker.get(HERE))
    assert again.message_ids == first.message_ids
    assert "229 messages between" in again.text
    assert "counted on" not in again.text


def test_messages_that_a_server_lists_late_are_read_though_others_are_kept(
    fake: FakeUpstream, settings: Config
) -> None:
    all_of_them = stored(ID, *(f"text {at}" for at in range(130)), created=int(time.time()))
    fake.completions[ID] = Stored(all_of_them.completion, all_of_them.messages[:110])
    client = start(settings)
    assert "user 110" in Page.of(client.get(f"{HERE}?whole=1")).text

    fake.completions[ID] = all_of_them
    assert "user 130" in Page.of(client.get(f"{HERE}?whole=1")).text


def test_metadata_are_new_on_every_page_and_another_answer_is_another_run(
    fake: FakeUpstream, settings: Config
) -> None:
    client = start(settings)
    client.get(f"{HERE}?whole=1")
    fake.completions[ID].completion["metadata"] = {"eval": "fresh"}
    assert "fresh" in Page.of(client.get(HERE)).text

    fake.completions[ID] = stored(ID, "replaced", created=1)
    page = Page.of(client.get(HERE))
    assert [bubble.sources for bubble in page.bubbles] == [["replaced"], ["An answer"]]


def test_a_deleted_completion_takes_its_messages_along(
    fake: FakeUpstream, settings: Config
) -> None:
    client = start(settings)
    client.get(f"{HERE}?whole=1")
    assert files(settings)
    del fake.completions[ID]
    Page.of(client.get(HERE), 404)
    assert files(settings) == []


@pytest.mark.parametrize("text", [b"", b"\n", b"0" * 65, b"0" * 64 + b"\n[true,[]]\n"])
def test_a_damaged_file_is_read_anew(fake: FakeUpstream, settings: Config, text: bytes) -> None:
    start(settings).get(f"{HERE}?whole=1")
    (file,) = files(settings)
    file.write_bytes(text)
    page = Page.of(start(settings).get(HERE))
    assert page.bubbles[0].sources == ["text 0"]
    assert not file.exists()


def test_a_run_that_breaks_off_is_counted_as_far_as_it_was_read_and_continued(
    fake: FakeUpstream, settings: Config
) -> None:
    client = start(settings)
    last = fake.completions[ID].messages
    fake.completions[ID].messages = last[:100]
    whole = fake.page
    fake.page = lambda page: page | {"has_more": True}
    part = Page.of(client.get(f"{HERE}?whole=1"))
    assert "counted on 100" in part.text
    fake.page = whole
    fake.completions[ID].messages = last
    fake.requests.clear()
    rest = Page.of(start(settings).get(f"{HERE}?whole=1"))
    assert "counted on" not in rest.text
    assert f"after={ID}-99" in " ".join(seen.raw_query for seen in fake.requests)


def test_nothing_is_kept_where_the_setting_says_so_or_ids_are_no_cursors(
    fake: FakeUpstream, settings: Config
) -> None:
    start(replace(settings, message_cache_bytes=0)).get(f"{HERE}?whole=1")
    assert files(settings) == []
    for message in fake.completions[ID].messages:
        message["id"] = "same"
    start(settings).get(f"{HERE}?whole=1")
    assert files(settings) == []


def test_an_error_of_the_server_leaves_what_is_kept(fake: FakeUpstream, settings: Config) -> None:
    client = start(settings)
    client.get(f"{HERE}?whole=1")
    fake.script(COMPLETION, error(500, "Something broke"))
    page = Page.of(client.get(HERE))
    assert page.bubbles[0].sources == ["text 0"]
    assert files(settings)
