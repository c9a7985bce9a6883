"""The official client against the whole application, beside the pages that show the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest
from flask import Flask
from flask.testing import FlaskClient
from openai import OpenAI

from tests.support.fake_upstream import Json
from tests.support.pages import Page, pages_from
from tests.support.serving import serve
from webapp import create_app
from webapp.config import Config
from webapp.embedded import Store, load_samples
from webapp.embedded.samples import SAMPLES
from webapp.factories import find_database_url

SEED = -8132613597486110237


def completion(number: int) -> Json:
    """A completion of a given age; every second one was an evaluation."""
    return {
        "id": f"chatcmpl-{number}",
        "created": 1_760_000_000 + number,
        "model": "gpt-4o-mini-2024-07-18" if number % 3 else "gpt-4o-2024-08-06",
        "seed": SEED,
        "metadata": {"eval": str(number % 2)},
        "messages": [{"role": "user", "content": f"question {at}"} for at in range(45)],
        "choices": [{"message": {"role": "assistant", "content": f"answer {number}"}}],
    }


@pytest.fixture(autouse=True)
def loaded(load: Callable[[Path], None], tmp_path: Path) -> None:
    file = tmp_path / "ten.jsonl"
    file.write_text("".join(f"{json.dumps(completion(number))}\n" for number in range(10)))
    load(file)


@pytest.fixture
def sdk(app: Flask) -> Iterator[OpenAI]:
    """The official client, over a real port."""
    with serve(app) as address, OpenAI(base_url=f"{address}/v1", api_key="unused") as opened:
        yield opened


def hrefs(client: FlaskClient, query: str = "") -> list[str | None]:
    """Where the rows of the list lead, all pages of it."""
    pages = pages_from(client, f"/completions?limit=4{query}")
    return [row.href for page in pages for row in page.rows]


def test_the_list_shows_what_the_client_lists(sdk: OpenAI, client: FlaskClient) -> None:
    listed = [one.id for one in sdk.chat.completions.list(limit=3)]
    assert listed == [f"chatcmpl-{number}" for number in range(9, -1, -1)]
    assert hrefs(client) == [f"/completions/{one}" for one in listed]


def test_filters_find_the_same(sdk: OpenAI, client: FlaskClient) -> None:
    listed = sdk.chat.completions.list(
        model="gpt-4o-2024-08-06", metadata={"eval": "1"}, order="desc", limit=1
    )
    found = [one.id for one in listed]
    assert found == ["chatcmpl-9", "chatcmpl-3"]
    query = "&model=gpt-4o-2024-08-06&metadata[eval]=1"
    kept = "model=gpt-4o-2024-08-06&metadata%5Beval%5D=1"
    assert hrefs(client, query) == [f"/completions/{one}?{kept}" for one in found]


def test_a_retrieved_completion_and_its_page_agree(sdk: OpenAI, client: FlaskClient) -> None:
    one = sdk.chat.completions.retrieve("chatcmpl-4")
    assert (one.model_extra or {})["seed"] == SEED
    page = Page.of(client.get(f"/completions/{one.id}?limit=100"))
    assert page.bubbles[-1].sources == [one.choices[0].message.content] == ["answer 4"]
    assert str(SEED) in page.one(".settings").text()
    assert one.model in page.one(".bar-facts").text()


def test_messages_page_by_page_are_those_of_the_transcript(
    sdk: OpenAI, client: FlaskClient
) -> None:
    messages = list(sdk.chat.completions.messages.list("chatcmpl-4", limit=10))
    assert [one.content for one in messages] == [f"question {at}" for at in range(45)]
    pages = pages_from(client, "/completions/chatcmpl-4?limit=10")
    shown = [one for page in pages for one in page.message_ids if one]
    assert shown == [one.id for one in messages]


def test_messages_backwards_too(sdk: OpenAI, client: FlaskClient) -> None:
    messages = list(sdk.chat.completions.messages.list("chatcmpl-4", limit=7, order="desc"))
    pages = pages_from(client, "/completions/chatcmpl-4?limit=7&order=desc")
    shown = [one for page in pages for one in page.message_ids if one]
    assert shown == [one.id for one in messages]
    assert len(shown) == 45


def test_an_update_is_seen_on_the_page_and_by_its_filter(sdk: OpenAI, client: FlaskClient) -> None:
    sdk.chat.completions.update("chatcmpl-4", metadata={"judged by": "Zoë & <co>"})
    about = Page.of(client.get("/completions/chatcmpl-4")).one(".about .metadata")
    assert " ".join(about.text(separator=" ").split()) == "judged by Zoë & <co>"
    query = {"key": "judged by", "value": "Zoë & <co>"}
    page = Page.of(client.get("/completions", query_string=query, follow_redirects=True))
    kept = "metadata%5Bjudged+by%5D=Zo%C3%AB+%26+%3Cco%3E"
    assert [row.href for row in page.rows] == [f"/completions/chatcmpl-4?{kept}"]


def test_what_was_deleted_is_gone_from_all_pages(sdk: OpenAI, client: FlaskClient) -> None:
    assert Page.of(client.get("/completions/chatcmpl-4")).bubbles
    assert sdk.chat.completions.delete("chatcmpl-4").deleted is True
    with pytest.raises(openai.NotFoundError):
        sdk.chat.completions.retrieve("chatcmpl-4")
    Page.of(client.get("/completions/chatcmpl-4"), 404)
    Page.of(client.get("/completions/chatcmpl-4/messages/chatcmpl-4-0"), 404)
    assert "/completions/chatcmpl-4" not in hrefs(client)


def test_errors_are_the_client_s_own_and_not_pages(sdk: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        sdk.chat.completions.messages.list("chatcmpl-none")
    assert missing.value.code == "not_found"
    with pytest.raises(openai.BadRequestError):
        sdk.chat.completions.list(limit=1000)


def test_every_sample_is_the_same_for_the_client_and_the_page(tmp_path: Path) -> None:
    config = Config(database_url=f"sqlite:///{tmp_path / 'samples.sqlite3'}")
    store = Store(find_database_url(config))
    assert load_samples(store) == len(list(SAMPLES.glob("*.json")))
    store.close()
    app = create_app(config)
    with serve(app) as address, OpenAI(base_url=f"{address}/v1", api_key="unused") as sdk:
        for one in sdk.chat.completions.list(limit=100):
            messages = [message.id for message in sdk.chat.completions.messages.list(one.id)]
            pages = pages_from(app.test_client(), f"/completions/{one.id}?limit=100")
            bubbles = [bubble for page in pages for bubble in page.bubbles]
            inputs = bubbles[: len(messages)]
            # Results that came out of order are shown under their calls.
            assert sorted(bubble.message_id or "" for bubble in inputs) == sorted(messages)
            assert len(bubbles) == len(messages) + len(one.choices)
