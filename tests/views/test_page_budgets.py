"""Budgets of a page: what costs too much is shown in a cheaper way, and nothing is left out."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.support.fake_upstream import FakeUpstream, Reply, stored
from tests.support.pages import Page
from webapp import exact_json

COSTLY = "**b** [a](https://a.example) `c`\n" * 400


def test_a_page_of_costly_markdown_shows_its_rest_as_plain_text(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *([COSTLY] * 20))
    page = Page.of(fake_client.get("/completions/chatcmpl-1"))
    plain = [bubble for bubble in page.bubbles if "as one page may hold" in bubble.text]
    assert 0 < len(plain) < 20
    assert all(bubble.sources == [COSTLY] for bubble in page.bubbles[:20])


def test_every_page_of_a_streamed_transcript_has_a_budget_of_its_own(
    fake: FakeUpstream, fake_client: FlaskClient
) -> None:
    fake.completions["chatcmpl-1"] = stored("chatcmpl-1", *([COSTLY] * 24))
    page = Page.of(fake_client.get("/completions/chatcmpl-1?all=1&limit=4"))
    assert "as one page may hold" not in page.text


def test_deep_json_does_not_outgrow_its_source() -> None:
    deep = '{"a":[' * 5_000 + "1" + "]}" * 5_000
    assert len(exact_json.indented(deep)) < 2 * len(deep)


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_brackets_without_end_are_a_clear_error(
    fake: FakeUpstream, fake_client: FlaskClient, bracket: str
) -> None:
    with pytest.raises(exact_json.NotJson, match="nested deeper than 200,000 levels"):
        exact_json.parse(bracket * 200_001)
    fake.script("/chat/completions", Reply(200, (bracket * 200_001).encode()))
    assert "not JSON" in Page.of(fake_client.get("/completions"), 502).text
