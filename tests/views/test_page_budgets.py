"""Budgets of a page: what costs too much is shown in a cheaper way, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Reply, stored
from tests.support.pages import Page
from webapp import create_app, exact_json
from webapp.config import Budgets, Config

ID = "chatcmpl-1"
HERE = f"/completions/{ID}"
COSTLY = "**b** [a](https://a.example) `c`\n" * 10


@pytest.fixture
def reader(fake: FakeUpstream) -> Iterator[FlaskClient]:
    """A viewer whose pages have room for twelve costly texts, and time for all of them."""
    with fake.serve() as base_url:
        config = Config(
            openai_base_url=base_url,
            openai_api_key="sk-test-4f9a",
            budgets=Budgets(page_brackets=1_000, seconds=600.0),
        )
        yield create_app(config).test_client()


def test_a_page_of_costly_markdown_shows_its_rest_as_plain_text(
    fake: FakeUpstream, reader: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *([COSTLY] * 20))
    page = Page.of(reader.get(HERE))
    plain = [bubble for bubble in page.bubbles if "as one page may hold" in bubble.text]
    assert len(plain) == 8
    assert all(bubble.sources == [COSTLY] for bubble in page.bubbles[:20])


def test_every_page_of_a_streamed_transcript_has_a_budget_of_its_own(
    fake: FakeUpstream, reader: FlaskClient
) -> None:
    fake.completions[ID] = stored(ID, *([COSTLY] * 60))
    page = Page.of(reader.get(f"{HERE}?all=1&limit=4"))
    assert len(page.bubbles) == 61
    assert "Shown as plain text" not in page.text


def test_a_long_transcript_falls_back_nowhere_if_its_ids_are_no_cursors(
    fake: FakeUpstream, reader: FlaskClient
) -> None:
    one = stored(ID, *(["**b** [a](https://a.example) `c`"] * 1_200))
    for at, listed in enumerate(one.messages):
        listed["id"] = f"message {at}"
    fake.completions[ID] = one
    fake.ignores_query = True
    page = Page.of(reader.get(f"{HERE}?all=1"))
    assert len(page.bubbles) == 1_201
    assert "Shown as plain text" not in page.text


def test_deep_json_does_not_outgrow_its_source() -> None:
    deep = '{"a":[' * 5_000 + "1" + "]}" * 5_000
    assert len(exact_json.indent(exact_json.parse(deep))) < 2 * len(deep)


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_brackets_without_end_are_a_clear_error(
    fake: FakeUpstream, fake_client: FlaskClient, bracket: str
) -> None:
    fake.script("/chat/completions", Reply(200, (bracket * 200_001).encode()))
    page = Page.of(fake_client.get("/completions"), 502)
    assert "not JSON" in page.text
    assert "nested deeper than 200,000 levels" in page.text
