"""The list around completions that are too large to be read, each alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Json, Reply, Stored, error, stored
from tests.support.pages import AS_FRAGMENT, Page, pages_from
from webapp import create_app
from webapp.config import Config, Limits

LIST: Final = "/chat/completions"
LIMITS: Final = Limits(max_bytes=100_000)
TOO_LARGE: Final = "A completion that is too large to list"


def build(completion_id: str, *, large: bool) -> Stored:
    one = stored(completion_id, f"Asked in {completion_id}")
    if large:
        one.completion["choices"][0]["message"]["content"] = "x" * 150_000
    return one


def store_pattern(fake: FakeUpstream, pattern: str) -> list[str]:
    """Store a completion for each character, large for `L`, and return their addresses."""
    ids = [f"c-{at}" for at in range(len(pattern))]
    # The newest is listed first.
    for one, kind in reversed(list(zip(ids, pattern, strict=True))):
        fake.completions[one] = build(one, large=kind == "L")
    return [f"/completions/{one}" for one in ids]


@contextmanager
def reading(fake: FakeUpstream) -> Iterator[FlaskClient]:
    with fake.serve() as base_url:
        yield create_app(Config(openai_base_url=base_url, limits=LIMITS)).test_client()


@pytest.mark.parametrize("query", ["", "?limit=1", "?limit=3", "?limit=100"])
@pytest.mark.parametrize(
    "pattern",
    ["L", "Lsss", "sssLsss", "sssL", "ssLLLss", "LLLLL", "LsLsLsL", "s" * 19 + "L" + "s" * 6],
)
def test_every_completion_has_its_row_in_order(pattern: str, query: str) -> None:
    fake = FakeUpstream()
    addresses = store_pattern(fake, pattern)
    with reading(fake) as client:
        pages = list(pages_from(client, f"/completions{query}"))
    rows = [row for page in pages for row in page.rows]

    assert [row.href for row in rows] == addresses
    assert [TOO_LARGE in row.text for row in rows] == [kind == "L" for kind in pattern]
    assert "No more completions" in pages[-1].text
    assert not any(page.notices for page in pages)


def test_the_row_has_the_question_the_model_and_the_time() -> None:
    fake = FakeUpstream()
    store_pattern(fake, "L")
    with reading(fake) as client:
        (row,) = Page.of(client.get("/completions")).rows
        shown = Page.of(client.get(row.href or ""))

    assert row.question == "Asked in c-0"
    assert row.answer == TOO_LARGE
    assert "gpt-4o-mini-2024-07-18" in row.text
    assert row.node.css_first("time") is not None
    assert "Asked in c-0" in shown.text


def test_one_page_holds_what_fits_and_continues_with_htmx() -> None:
    fake = FakeUpstream()
    addresses = store_pattern(fake, "sLssLss")
    with reading(fake) as client:
        pages = list(pages_from(client, "/completions?limit=4", fragments=True))

    assert [len(page.rows) for page in pages] == [4, 3]
    assert [row.href for page in pages for row in page.rows] == addresses
    assert not pages[1].is_whole


def with_id_last(page: Json) -> Json:
    """Return the page with its completions' ids after their choices, as sorted names have it."""
    data = [dict(sorted(item.items())) if len(str(item)) > 1_000 else item for item in page["data"]]
    return page | {"data": data}


@pytest.mark.parametrize("pattern", ["Lss", "ssLss", "ssL", "LL"])
def test_a_completion_that_cannot_be_identified_ends_the_list_with_a_notice(pattern: str) -> None:
    fake = FakeUpstream(page=with_id_last)
    addresses = store_pattern(fake, pattern)
    with reading(fake) as client:
        answer = client.get("/completions")
        fragment = client.get("/completions", headers=AS_FRAGMENT)
    page = Page(answer.text)

    shown = pattern.index("L")
    assert [row.href for row in page.rows] == addresses[:shown]
    # As for any answer that cannot be used, unless a part of it can.
    assert answer.status_code == fragment.status_code == (200 if shown else 502)
    (notice,) = page.notices
    assert "cannot go on" in notice
    assert "100,000 bytes" in notice
    assert "READBACK_MAX_BYTES" in notice
    assert Page(fragment.text).notices
    assert "No more completions" not in page.text
    assert "Nothing is stored" not in page.text


@pytest.mark.parametrize("bad_id", ["../x", "a b", "", None, 17, "x" * 300, "<script>"])
def test_an_id_that_none_can_be_is_never_linked(bad_id: object) -> None:
    fake = FakeUpstream()
    body = {"object": "list", "data": [{"id": bad_id, "choices": "x" * 150_000}]}
    fake.script(LIST, *[Reply(200, body)] * 9)
    with reading(fake) as client:
        answer = client.get("/completions")
    page = Page(answer.text)

    assert answer.status_code == 502
    assert page.rows == []
    assert page.notices


def test_a_server_that_ignores_the_cursor_ends_with_a_notice() -> None:
    fake = FakeUpstream()
    body = {"object": "list", "data": [{"id": "c-1", "choices": "x" * 150_000}], "has_more": True}
    fake.script(LIST, *[Reply(200, body)] * 50)
    with reading(fake) as client:
        pages = list(pages_from(client, "/completions"))

    assert [row.href for page in pages for row in page.rows] == ["/completions/c-1"]
    assert pages[-1].notices
    assert len(fake.requests) < 20


def test_a_server_that_ignores_the_limit_has_no_row_that_is_wrong() -> None:
    fake = FakeUpstream(ignores_query=True)
    store_pattern(fake, "s" * 1_000)
    with reading(fake) as client:
        answer = client.get("/completions")
    page = Page(answer.text)

    assert answer.status_code == 502
    assert page.rows == []
    assert page.notices


def test_rows_before_an_error_are_shown_and_the_next_page_has_the_error() -> None:
    fake = FakeUpstream()
    body = {"object": "list", "data": [{"id": "c-1", "choices": "x" * 150_000}], "has_more": True}
    refused = error(400, "Not now")
    fake.script(LIST, *[Reply(200, body)] * 3, refused, refused)
    with reading(fake) as client:
        page = Page.of(client.get("/completions"))
        following = client.get(page.link("Load more") or "")

    assert [row.href for row in page.rows] == ["/completions/c-1"]
    assert following.status_code == 400


@pytest.mark.parametrize("pattern", ["L", "Lss", "ssLLss", "ssL"])
def test_the_embedded_server_s_list_goes_on_after_large_ones(
    config: Config, load: Callable[[Path], None], tmp_path: Path, pattern: str
) -> None:
    fake = FakeUpstream()
    addresses = store_pattern(fake, pattern)
    file = tmp_path / "large.jsonl"
    lines = [
        one.completion | {"created": 1_758_000_000 + at, "messages": one.messages}
        for at, one in enumerate(fake.completions.values())
    ]
    file.write_text("\n".join(map(json.dumps, lines)))
    load(file)
    client = create_app(replace(config, limits=LIMITS)).test_client()
    rows = [row for page in pages_from(client, "/completions") for row in page.rows]

    assert [row.href for row in rows] == addresses
    assert [TOO_LARGE in row.text for row in rows] == [kind == "L" for kind in pattern]
