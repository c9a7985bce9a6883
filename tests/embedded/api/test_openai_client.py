"""The official Python client against this server on a real port, blocking and asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.support.serving import serve
from tools.store_rows import add, completion
from webapp.embedded import Store, create_server

SEED = -8132613597486110237


@pytest.fixture
def base_url(store: Store) -> Iterator[str]:
    add(
        store,
        *(
            completion(f"c{at}", messages=5, created=at, metadata={"odd": str(at % 2)}, seed=SEED)
            for at in range(7)
        ),
    )
    mounted = DispatcherMiddleware(NotFound(), {"/v1": create_server(store)})
    with serve(mounted) as address:
        yield f"{address}/v1"


@pytest.fixture
def client(base_url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=base_url, api_key="unused") as opened:
        yield opened


@pytest.fixture
def asynchronously(base_url: str) -> Callable[[Callable[[AsyncOpenAI], Awaitable[None]]], None]:
    """Return a function that runs a coroutine with a client of its own."""

    async def with_client(use: Callable[[AsyncOpenAI], Awaitable[None]]) -> None:
        async with AsyncOpenAI(base_url=base_url, api_key="unused") as opened:
            await use(opened)

    return lambda use: asyncio.run(with_client(use))


def test_it_lists_completions_page_by_page(client: OpenAI) -> None:
    page = client.chat.completions.list(limit=3)

    assert [one.id for one in page.data] == ["c6", "c5", "c4"]
    assert page.has_more is True
    assert [one.id for one in client.chat.completions.list(limit=3)] == [
        f"c{at}" for at in reversed(range(7))
    ]


def test_it_lists_in_order_and_by_metadata(client: OpenAI) -> None:
    found = client.chat.completions.list(order="asc", metadata={"odd": "1"}, limit=2)

    assert [one.id for one in found] == ["c1", "c3", "c5"]


def test_it_retrieves_a_completion_exactly(client: OpenAI) -> None:
    found = client.chat.completions.retrieve("c3")

    assert (found.id, found.created, found.choices[0].message.content) == ("c3", 3, "Yes.")
    assert (found.model_extra or {})["seed"] == SEED
    assert (found._request_id or "").startswith("req_")


def test_it_pages_through_messages(client: OpenAI) -> None:
    first = client.chat.completions.messages.list("c1", limit=2)
    messages = list(client.chat.completions.messages.list("c1", limit=2))

    assert len(first.data) == 2
    assert [one.id for one in messages] == [f"c1-{at}" for at in range(5)]
    assert [one.content for one in messages] == [f"message {at}" for at in range(5)]


def test_it_updates_metadata(client: OpenAI) -> None:
    updated = client.chat.completions.update("c1", metadata={"a": "é"})

    assert updated.metadata == {"a": "é"}
    assert [one.id for one in client.chat.completions.list(metadata={"a": "é"})] == ["c1"]


def test_it_deletes_and_sees_that_nothing_is_found(client: OpenAI) -> None:
    assert client.chat.completions.delete("c1").deleted is True

    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.messages.list("c1")
    assert caught.value.code == "not_found"
    assert caught.value.param == "completion_id"
    assert (caught.value.request_id or "").startswith("req_")


def test_it_sees_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.list(limit=101)
    assert caught.value.code == "integer_above_max_value"


def test_it_does_not_retry_an_unsupported_operation(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="m", messages=[], store=True)
    assert caught.value.status_code == 501
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_asynchronously_it_lists_retrieves_updates_and_deletes(
    asynchronously: Callable[[Callable[[AsyncOpenAI], Awaitable[None]]], None],
) -> None:
    async def use(client: AsyncOpenAI) -> None:
        completions = client.chat.completions
        listed = [one.id async for one in completions.list(limit=2, order="asc")]
        messages = [one.id async for one in completions.messages.list("c2", limit=2)]
        updated = await completions.update("c2", metadata={"a": "b"})
        retrieved = await completions.retrieve("c2")
        deleted = await completions.delete("c2")

        assert listed == [f"c{at}" for at in range(7)]
        assert messages == [f"c2-{at}" for at in range(5)]
        assert updated.metadata == retrieved.metadata == {"a": "b"}
        assert deleted.deleted is True
        with pytest.raises(openai.NotFoundError) as caught:
            await completions.retrieve("c2")
        assert caught.value.code == "not_found"

    asynchronously(use)


def test_asynchronous_requests_at_once_are_all_answered(
    asynchronously: Callable[[Callable[[AsyncOpenAI], Awaitable[None]]], None],
) -> None:
    async def use(client: AsyncOpenAI) -> None:
        asked = (
            client.chat.completions.update(f"c{at % 7}", metadata={"n": str(at)})
            for at in range(30)
        )
        answered = await asyncio.gather(*asked)

        assert [one.metadata for one in answered] == [{"n": str(at)} for at in range(30)]

    asynchronously(use)
