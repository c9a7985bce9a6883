"""Every bubble of the fixtures, through the whole application: it shows what its file says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.gallery.app import create_gallery
from tests.gallery.reading import Seen, missing
from tests.support.fake_upstream import FakeUpstream, Reply, Stored
from tests.support.gallery import Fixture, fixtures
from tests.support.pages import Page, open_menu
from webapp.config import Budgets, Config, Limits

FIXTURES = fixtures()
TEXT_BUDGET = 20_000
"""Small, so that a file need not be large to be beyond it."""


@pytest.fixture(scope="module")
def upstream() -> FakeUpstream:
    return FakeUpstream()


@pytest.fixture(scope="module")
def reader(upstream: FakeUpstream) -> Iterator[FlaskClient]:
    """The application over the fake upstream, and with the gallery."""
    with upstream.serve() as base_url:
        config = Config(
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            limits=Limits(max_retries=0),
            budgets=Budgets(text_bytes=TEXT_BUDGET),
        )
        yield create_gallery(config).test_client()


def test_there_are_bubbles_of_every_kind() -> None:
    assert len(FIXTURES) >= 130
    assert len({fixture.name for fixture in FIXTURES}) == len(FIXTURES)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_a_bubble_shows_what_its_file_says(
    reader: FlaskClient, upstream: FakeUpstream, fixture: Fixture
) -> None:
    path = f"/chat/completions/{fixture.completion_id}"
    upstream.script(path, Reply(body=fixture.completion()))
    upstream.script(f"{path}/messages", Reply(body=fixture.page()))
    page = Page.of(reader.get(f"/completions/{fixture.completion_id}"))
    seen = Seen(page.one(".transcript"))
    assert list(missing(fixture.expected, seen)) == []
    if wanted := fixture.expected.get("menus"):
        messages = json.loads(fixture.page())["data"]
        upstream.completions[fixture.completion_id] = Stored(
            json.loads(fixture.completion()), messages
        )
        heads = page.all(".bubble-head, .call-head")
        said = " ".join(open_menu(reader, one).text for one in heads if one.css(".menu-link"))
        assert [words for words in wanted if words not in said] == []


@pytest.fixture(scope="module")
def gallery(reader: FlaskClient) -> Page:
    return Page.of(reader.get("/dev/gallery"))


def test_the_gallery_shows_every_bubble_as_its_page_does(gallery: Page) -> None:
    samples = {node.attributes["data-sample"]: node for node in gallery.all("[data-sample]")}
    assert list(samples) == [fixture.name for fixture in FIXTURES]
    lacks = {
        fixture.name: list(missing(fixture.expected, Seen(samples[fixture.name])))
        for fixture in FIXTURES
    }
    assert {name: sentences for name, sentences in lacks.items() if sentences} == {}


def test_no_two_things_of_the_gallery_have_one_id(gallery: Page) -> None:
    ids = [node.attributes["id"] for node in gallery.all("[id]")]
    assert len(ids) == len(set(ids))


def test_a_group_of_the_gallery_has_an_address(reader: FlaskClient) -> None:
    group = FIXTURES[0].name.partition(".")[0]
    page = Page.of(reader.get("/dev/gallery", query_string={"group": group}))
    shown = [node.attributes["data-sample"] for node in page.all("[data-sample]")]
    assert shown == [one.name for one in FIXTURES if one.name.startswith(f"{group}.")]
    Page.of(reader.get("/dev/gallery?group=../upstream"), status=404)


def test_the_media_of_the_gallery_are_there(reader: FlaskClient, gallery: Page) -> None:
    sources = [node.attributes["src"] for node in gallery.all("main img, main audio")]
    assert sources
    statuses = {source: reader.get(source or "").status_code for source in sources}
    assert set(statuses.values()) == {200}


def test_the_gallery_is_no_part_of_the_application(client: FlaskClient) -> None:
    Page.of(client.get("/dev/gallery"), status=404)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Expecting"),
        ('{"what": "no sentence", "message": {}, "sees": ["x"]}', "`what` is not a sentence"),
        ('{"what": "A sentence.", "message": {}}', "expects nothing"),
        ('{"what": "A sentence.", "message": {}, "see": ["x"]}', "see is not an expectation"),
        ('{"what": "A sentence.", "message": {}, "sees": "x"}', "sees is not an expectation"),
        ('{"what": "A sentence.", "message": {}, "code": [{"lang": "c"}]}', "code is not"),
    ],
)
def test_a_file_that_would_pass_without_being_checked_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "group" / "name.json"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=words):
        fixtures(tmp_path)
