"""The official Python client creates with `store=True` and reads back, on real ports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.support.model_server import FakeModel, chunks_of, stream
from tests.support.serving import serve
from webapp.embedded import ModelServer, Store, create_server

KEY = "sk-of-this-server-0123456789"


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def base_url(store: Store, model: FakeModel) -> Iterator[str]:
    with model.serve() as model_url:
        server = create_server(store, api_key=KEY, model=ModelServer(model_url))
        with serve(DispatcherMiddleware(NotFound(), {"/v1": server})) as root:
            yield f"{root}/v1"


@pytest.fixture
def client(base_url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=base_url, api_key=KEY, max_retries=0) as opened:
        yield opened


def test_it_creates_and_reads_back(client: OpenAI) -> None:
    created = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "Hi"}],
        store=True,
        metadata={"run": "1"},
    )
    found = client.chat.completions.retrieve(created.id)
    messages = client.chat.completions.messages.list(created.id)

    assert found.choices[0].message.content == created.choices[0].message.content == "Hello!"
    assert found.metadata == {"run": "1"}
    assert (found.model_extra or {})["request_id"] == created._request_id
    assert [one.content for one in messages] == ["Hi"]
    assert [one.id for one in client.chat.completions.list(metadata={"run": "1"})] == [created.id]


def test_it_streams_and_reads_back_at_once(client: OpenAI) -> None:
    said = []
    streamed = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "Hi"}],
        store=True,
        stream=True,
    )
    ids = set()
    for chunk in streamed:
        said += [choice.delta.content or "" for choice in chunk.choices]
        ids.add(chunk.id)
    found = client.chat.completions.retrieve(ids.pop())

    assert "".join(said) == found.choices[0].message.content == "Hello!"
    assert found.choices[0].finish_reason == "stop"


def test_it_sees_a_stream_that_breaks_off_as_an_error(model: FakeModel, client: OpenAI) -> None:
    model.script(stream(*chunks_of("Hel")[:2], done=False, breaks_off=True))
    streamed = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hi"}], store=True, stream=True
    )

    with pytest.raises(openai.APIError, match="broke off"):
        list(streamed)
    assert client.chat.completions.retrieve("chatcmpl-1").choices[0].message.content == "Hel"


def test_it_sees_a_wrong_key(base_url: str) -> None:
    client = OpenAI(base_url=base_url, api_key="sk-wrong")
    with client, pytest.raises(openai.AuthenticationError) as caught:
        client.chat.completions.list()
    assert caught.value.code == "invalid_api_key"


def test_it_sees_a_bad_request(model: FakeModel, client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=[], store=True)
    assert caught.value.param == "messages"
    assert model.requests == []


def test_asynchronously_many_at_once_create_and_read_back(base_url: str) -> None:
    async def one(client: AsyncOpenAI, at: int) -> None:
        completions = client.chat.completions
        if at % 2:
            created = await completions.create(
                model="m", messages=[{"role": "user", "content": str(at)}], store=True
            )
            completion_id = created.id
        else:
            streamed = await completions.create(
                model="m", messages=[{"role": "user", "content": str(at)}], store=True, stream=True
            )
            (completion_id,) = {chunk.id async for chunk in streamed}
        found = await completions.retrieve(completion_id)
        messages = [message.content async for message in completions.messages.list(completion_id)]

        assert found.choices[0].message.content == "Hello!"
        assert messages == [str(at)]

    async def use() -> None:
        async with AsyncOpenAI(base_url=base_url, api_key=KEY, max_retries=0) as client:
            await asyncio.gather(*(one(client, at) for at in range(12)))

    asyncio.run(use())
