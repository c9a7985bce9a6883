"""The cache of pages changes nothing: a page is kept until anything that it is made of changes."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from flask import Flask, template_rendered
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.fake_upstream import FakeUpstream, stored
from tests.support.long_transcripts import write_completion
from tests.support.media_bytes import png
from tests.support.pages import Page
from tests.templating.test_bubble_cache import list_addresses
from webapp import create_app
from webapp.caching.inputs import note_inputs, read_input, spoil_page
from webapp.caching.pages import PAGES, PageCache
from webapp.config import Config
from webapp.embedded import Store, import_files, load_samples
from webapp.embedded.documents.records import Metadata
from webapp.factories import find_database_url
from webapp.serving.compression import finish_page

PAGE = "/completions/chatcmpl-1"
VIEWS = 4
"""The first view of a page compiles templates and lexers, which may take too long to keep it."""


def pages_of(app: Flask) -> PageCache:
    cache: PageCache = app.extensions[PAGES]
    return cache


@contextmanager
def count_renderings(app: Flask) -> Iterator[list[str | None]]:
    names: list[str | None] = []

    def note(_sender: Flask, template: object, **_more: object) -> None:
        names.append(getattr(template, "name", None))

    with template_rendered.connected_to(note, app):
        yield names


def read_until_kept(app: Flask, client: FlaskClient, address: str = PAGE) -> TestResponse:
    before = len(pages_of(app))
    for _ in range(VIEWS):
        client.get(address)
    assert len(pages_of(app)) == before + 1, address
    with count_renderings(app) as names:
        response = client.get(address)
    assert not names
    return response


def assert_rendered(app: Flask, get: Callable[[], TestResponse]) -> str:
    with count_renderings(app) as names:
        page = get().text
    assert names
    return page


def test_pages_are_the_same_with_and_without_the_cache(config: Config, tmp_path: Path) -> None:
    config = replace(config, database_url=f"sqlite:///{tmp_path / 'samples.sqlite3'}")
    store = Store(find_database_url(config))
    assert load_samples(store)
    store.close()
    plain, keeping = create_app(config), create_app(config)
    plain.extensions[PAGES] = PageCache(most_bytes=0, finish=finish_page)
    without, kept = (app.test_client(use_cookies=False) for app in (plain, keeping))
    addresses = [
        *[*list_addresses(without)][::2],
        "/completions",
        "/completions?limit=3&show=tools",
    ]
    fragment = {"HX-Request": "true"}
    for _ in range(VIEWS):
        for address in addresses:
            for headers in ({}, fragment):
                expected, found = (c.get(address, headers=headers) for c in (without, kept))
                assert found.data == expected.data, address
                assert found.headers.get("ETag") == expected.headers.get("ETag")
                assert found.headers.get("Vary") == expected.headers.get("Vary")
    assert len(pages_of(keeping)) > 5
    assert not len(pages_of(plain))
    packed = {"Accept-Encoding": "gzip"}
    for address in addresses[:3]:
        assert kept.get(address, headers=packed).data == without.get(address, headers=packed).data


def test_a_kept_page_needs_its_requests_and_no_rendering(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "a question")
    first = read_until_kept(fake_app, fake_client)
    asked = [(seen.path, seen.raw_query) for seen in fake.requests]
    fake.requests.clear()
    etag = first.headers["ETag"]
    with count_renderings(fake_app) as names:
        same = fake_client.get(PAGE, headers={"If-None-Match": etag})
    assert (same.status_code, same.data, names) == (304, b"", [])
    assert {(seen.path, seen.raw_query) for seen in fake.requests} <= set(asked)
    assert [(seen.path, seen.raw_query) for seen in fake.requests] == [(f"/chat{PAGE}", "")]


def test_a_page_with_a_result_under_its_call_is_kept(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "a question", "a call", "a result")
    _, asked, answered = fake.completions["chatcmpl-1"].messages
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked |= {"role": "assistant", "tool_calls": [call]}
    answered |= {"role": "tool", "tool_call_id": "call_1"}
    page = Page.of(read_until_kept(fake_app, fake_client))
    assert "a result" in page.one(".call .result").text()


def test_whatever_changes_is_seen(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "as it was")
    old = read_until_kept(fake_app, fake_client).text

    # The messages of a completion never change, but it may be replaced under its id.
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "as it is", created=1_758_039_104)
    assert "as it is" in assert_rendered(fake_app, lambda: fake_client.get(PAGE))

    changed = stored("chatcmpl-1", "as it was", metadata={"colour": "blue"})
    fake.completions["chatcmpl-1"] = changed
    assert "blue" in assert_rendered(fake_app, lambda: fake_client.get(PAGE))

    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "as it was")
    assert fake_client.get(PAGE).text == old

    del fake.completions["chatcmpl-1"]
    assert fake_client.get(PAGE).status_code == 404


def test_messages_are_read_again_if_the_browser_reloads_all_or_some_may_come(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "one")
    read_until_kept(fake_app, fake_client)
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "another")
    assert "another" not in fake_client.get(PAGE).text
    anew = partial(fake_client.get, PAGE, headers={"Cache-Control": "no-cache"})
    assert "another" in assert_rendered(fake_app, anew)
    for created in (int(time.time()), 2**63, None):
        fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "one")
        fake.completions["chatcmpl-1"].completion["created"] = created
        for _ in range(VIEWS):
            fake_client.get(PAGE)
        fake.completions["chatcmpl-1"].messages += stored("chatcmpl-1", "", "a late one").messages[
            1:
        ]
        assert "a late one" in assert_rendered(fake_app, partial(fake_client.get, PAGE)), created


def test_another_request_is_another_page(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "a question")
    page = read_until_kept(fake_app, fake_client).text
    assert_rendered(fake_app, lambda: fake_client.get(PAGE, base_url="http://127.0.0.1:8000/"))
    for name in ("HX-Request", "HX-Boosted", "HX-History-Restore-Request"):
        assert_rendered(fake_app, partial(fake_client.get, PAGE, headers={name: "true"}))
    assert 'aria-current="true">full' in page
    chosen = fake_client.get(f"{PAGE}?view=compact")
    assert "Set-Cookie" in chosen.headers
    again = assert_rendered(fake_app, lambda: fake_client.get(PAGE))
    assert 'aria-current="true">compact' in again
    for _ in range(VIEWS):
        # An answer that sets a cookie sets it each time.
        assert "Set-Cookie" in fake_client.get(f"{PAGE}?view=full").headers


def test_a_page_shows_the_conversation_and_the_pin_that_it_has_now(
    app: Flask, config: Config, client: FlaskClient, tmp_path: Path
) -> None:
    def add(name: str, *texts: str) -> None:
        messages = ",".join(f'{{"role":"user","content":"{text}"}}' for text in texts)
        path = tmp_path / f"{name}.jsonl"
        path.write_text(
            f'{{"id":"{name}","object":"chat.completion","created":1758039103,"model":"m",'
            f'"choices":[{{"index":0,"finish_reason":"stop","message":'
            f'{{"role":"assistant","content":"ok"}}}}],"messages":[{messages}]}}\n',
            encoding="utf-8",
        )
        store = Store(find_database_url(config))
        report = import_files(store, [path])
        store.close()
        assert report.added == 1, report.problems

    add("chatcmpl-1", "one")
    alone = read_until_kept(app, client).text
    assert "chatcmpl-2" not in alone
    add("chatcmpl-2", "one", "two")
    assert "chatcmpl-2" in assert_rendered(app, lambda: client.get(PAGE))
    assert client.post(f"{PAGE}/pin").status_code == 303
    assert "pin-mark" in assert_rendered(app, lambda: client.get(PAGE))


def test_a_list_shows_the_rows_pins_and_saved_filters_that_it_has_now(
    app: Flask, client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    long, api = "/completions/chatcmpl-long", "/v1/chat/completions/chatcmpl-long"
    path = write_completion(tmp_path / "long.jsonl", 3)
    load(path)
    other = tmp_path / "other.jsonl"
    other.write_text(path.read_text().replace("chatcmpl-long", "chatcmpl-other"))
    saved = {"name": "mine", "query": "filter=has:image"}
    changes: list[tuple[Callable[[], object], str]] = [
        (lambda: client.post(f"{long}/pin"), "Pinned"),
        (lambda: client.post("/saved-filters", data=saved), "mine"),
        (lambda: client.post(api, json={"metadata": {"key": "a new value"}}), "a new value"),
        (lambda: load(other), "2 completions"),
        (lambda: client.delete(api), "1 completion"),
    ]
    for change, words in changes:
        for _ in range(VIEWS):
            client.get("/completions")
        with count_renderings(app) as names:
            assert words not in re.sub("2 completions", "", client.get("/completions").text)
        assert not names, words
        change()
        assert words in assert_rendered(app, lambda: client.get("/completions")), words


def test_the_cache_stays_within_its_bytes(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    cache = fake_app.extensions[PAGES] = PageCache(most_bytes=100_000, finish=finish_page)
    for number in range(12):
        name = f"chatcmpl-{number}"
        fake.completions[name] = stored(name, "a question")
        for _ in range(VIEWS):
            fake_client.get(f"/completions/{name}")
        assert cache.size <= 100_000
    assert 0 < len(cache) < 12
    assert cache.size > 50_000


def test_a_page_with_an_error_is_not_kept(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "a question")
    for _ in range(VIEWS):
        assert fake_client.get("/completions/chatcmpl-2").status_code == 404
        assert fake_client.get(f"{PAGE}?all=1").status_code == 200
    assert not len(pages_of(fake_app))


def test_a_page_with_images_is_kept_as_long_as_they_are(
    fake_app: Flask, fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    """Also a bubble with images that took long: it has no code or formulas with a limit of time."""
    url = f"data:image/png;base64,{base64.b64encode(png(2, 2) + bytes(8_000_000)).decode()}"
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", "a question")
    fake.completions["chatcmpl-1"].messages[0]["content"] = [
        {"type": "image_url", "image_url": {"url": url}}
    ]
    page = read_until_kept(fake_app, fake_client)
    old, address = page.text, Page.of(page).one("img[src*='/media/']").attributes["src"]
    assert address is not None
    fake_app.extensions["readback"].media_cache.forget("chatcmpl-1")
    assert assert_rendered(fake_app, lambda: fake_client.get(PAGE)) == old
    fake.requests.clear()
    assert fake_client.get(address, buffered=True).status_code == 200
    assert not fake.requests, "the page has put the image into the cache again"
    with count_renderings(fake_app) as names:
        assert fake_client.get(PAGE).text == old
    assert not names


def test_inputs_are_compared_and_passed_on() -> None:
    values = iter((1, 1, 2))
    with note_inputs() as outer, note_inputs() as inner:
        assert read_input(lambda: next(values)) == 1
    assert outer.reads == inner.reads
    # The same, another one, and none that could be read.
    assert [outer.is_same for _ in range(3)] == [True, False, False]
    with note_inputs() as outer, note_inputs():
        spoil_page()
    assert outer.is_spoiled
    assert read_input(lambda: "outside of a page") == "outside of a page"


def test_a_change_in_our_own_store_is_seen(
    app: Flask, client: FlaskClient, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 30))
    page, api = "/completions/chatcmpl-long", "/v1/chat/completions/chatcmpl-long"
    assert "a new value" not in read_until_kept(app, client, page).text
    assert client.post(api, json={"metadata": {"key": "a new value"}}).status_code == 200
    assert "a new value" in assert_rendered(app, lambda: client.get(page))
    assert client.delete(api).status_code == 200
    assert client.get(page).status_code == 404


def test_a_completion_that_another_process_stores_again_is_seen(
    app: Flask, client: FlaskClient, load: Callable[[Path], None], config: Config, tmp_path: Path
) -> None:
    path = write_completion(tmp_path / "again.jsonl", 3)
    load(path)
    page = "/completions/chatcmpl-long"
    read_until_kept(app, client, page)
    path.write_text(path.read_text(encoding="utf-8").replace("Message 1", "Another 1"))
    with closing(Store(find_database_url(config))) as other:
        assert other.delete_completion("chatcmpl-long")
    load(path)
    assert "Another 1" in assert_rendered(app, lambda: client.get(page))


def test_the_version_of_a_completion_changes_with_it(config: Config, tmp_path: Path) -> None:
    store = Store(find_database_url(config))
    import_files(store, [write_completion(tmp_path / "long.jsonl", 3)])
    first = store.find_version("chatcmpl-long")
    assert first == store.find_version("chatcmpl-long") is not None
    store.replace_metadata("chatcmpl-long", Metadata('{"a":"b"}', (("a", "b"),)))
    assert store.find_version("chatcmpl-long") not in (first, None)
    assert store.find_version("chatcmpl-other") is None
    store.close()
