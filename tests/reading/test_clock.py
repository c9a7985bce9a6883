"""Pages are bounded by the app's clock, which tests replace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.support.fake_time import NOW, FakeTime
from tests.support.fake_upstream import FakeUpstream, Json, error, stored
from tests.support.pages import Page
from webapp import create_app
from webapp.config import Config, Limits

ID = "chatcmpl-1"


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def timed_client(fake: FakeUpstream, time: FakeTime) -> Iterator[FlaskClient]:
    fake.completions[ID] = stored(ID, "text 0", created=int(NOW))
    limits = Limits(max_retries=0, page_timeout=10)
    with fake.serve() as base_url:
        config = Config(openai_base_url=base_url, limits=limits)
        yield create_app(config, clock=time.clock).test_client()


@pytest.mark.parametrize("path", ["/completions", f"/completions/{ID}/messages/{ID}-0/json"])
def test_a_page_whose_time_is_up_is_a_time_out(
    fake: FakeUpstream, timed_client: FlaskClient, time: FakeTime, path: str
) -> None:
    assert timed_client.get(path).status_code == 200

    def answer_late(page: Json) -> Json:
        time.passes(11)
        return page

    fake.page = answer_late
    assert "10 seconds" in Page.of(timed_client.get(path), 504).text


def test_a_new_completion_is_waited_for_by_the_clock(
    fake: FakeUpstream, timed_client: FlaskClient, time: FakeTime
) -> None:
    missing = error(404, f"Completion {ID} not found", code="not_found")
    fake.script(f"/chat/completions/{ID}/messages", missing, missing)

    page = Page.of(timed_client.get(f"/completions/{ID}"))

    assert [source for bubble in page.bubbles for source in bubble.sources][0] == "text 0"
    assert time.sleeps == [2]
