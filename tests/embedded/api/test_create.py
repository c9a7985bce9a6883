"""Creating: the model server's answer comes back unchanged, and is stored if asked."""

from __future__ import annotations

import codecs
import json
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, TestResponse
from werkzeug.wsgi import ClosingIterator

from tests.support.api_answers import assert_error
from tests.support.model_server import (
    PATIENCE,
    STREAM,
    Answer,
    FakeModel,
    Json,
    chunk,
    chunks_of,
    delta,
    stream,
    whole,
)
from tests.support.model_server import completion as answered
from tests.support.serving import serve
from tests.support.widening import widen_timeout
from tools.store_rows import add, completion, rows
from webapp.embedded import ModelLimits, ModelServer, Store, create_server
from webapp.embedded.api.create_request import CreateRequest
from webapp.embedded.errors import ApiError
from webapp.embedded.limits import MAX_VALUES

pytestmark = pytest.mark.one_database

CREATE = "/chat/completions"
KEY = "sk-of-the-model-server"
ASKED: Json = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
STORED: Json = ASKED | {"store": True}
STREAMED: Json = STORED | {"stream": True}


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def model_url(model: FakeModel) -> Iterator[str]:
    with model.serve() as base_url:
        yield base_url


@pytest.fixture
def creating(store: Store, model_url: str) -> Callable[..., FlaskClient]:
    """Return a function that makes a client of a server with a model and these settings."""

    def client(**settings: Any) -> FlaskClient:
        server = ModelServer(model_url, api_key=KEY, **settings)
        return create_server(store, model=server).test_client()

    return client


@pytest.fixture
def client(creating: Callable[..., FlaskClient]) -> FlaskClient:
    return creating()


def post(client: FlaskClient, body: Json | bytes, **headers: str) -> TestResponse:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(CREATE, data=data, headers=headers, content_type="application/json")


def post_for_events(client: FlaskClient, body: Json) -> Iterator[bytes]:
    """Post a request for a stream; yield its events as they come."""
    for event in post(client, body).response:
        assert isinstance(event, bytes)
        yield event


def stored(client: FlaskClient, completion_id: str = "chatcmpl-1") -> Any:
    answer = client.get(f"{CREATE}/{completion_id}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def newest(client: FlaskClient) -> Any:
    return client.get(f"{CREATE}?limit=1").get_json()["data"][0]


def is_empty(client: FlaskClient) -> bool:
    return '"data":[]' in client.get(CREATE).text


# Returned answers.


def test_the_answer_is_the_servers_byte_for_byte(model: FakeModel, client: FlaskClient) -> None:
    body = b'{ "id": "chatcmpl-1",\n "choices": [ ], "n": 1.50, "s": "\\u00e9 \xc3\xa9" }\n'
    headers = (("X-Request-Id", "req_theirs"), ("X-RateLimit-Limit-Requests", "30000"))
    model.script(whole(body, content_type="application/json; charset=utf-8", headers=headers))

    answer = post(client, ASKED)

    assert answer.status_code == 200
    assert answer.get_data() == body
    assert answer.content_type == "application/json; charset=utf-8"
    assert answer.headers["x-request-id"] == "req_theirs"
    assert answer.headers["x-ratelimit-limit-requests"] == "30000"
    assert answer.headers["openai-version"] == "2020-10-01"


def test_the_request_is_forwarded_as_written_without_store_and_metadata(
    model: FakeModel, client: FlaskClient
) -> None:
    body = (
        b'{"model" : "m", "store": true, "temperature": 1.50, "messages":'
        b' [{"role":"user","content":"\\u00e9 \xc3\xa9"}], "seed":-8132613597486110237,'
        b' "metadata": {"a": "b"}}'
    )
    post(client, body, Authorization="Bearer of-the-client")

    (forwarded,) = model.requests
    assert forwarded.path == "/v1/chat/completions"
    assert forwarded.headers["authorization"] == f"Bearer {KEY}"
    assert forwarded.body == (
        b'{"model" : "m","temperature": 1.50,"messages":'
        b' [{"role":"user","content":"\\u00e9 \xc3\xa9"}],"seed":-8132613597486110237}'
    )


def test_store_and_metadata_are_forwarded_to_a_server_that_takes_them(
    model: FakeModel, creating: Callable[..., FlaskClient]
) -> None:
    body = json.dumps(STORED | {"metadata": {"a": "b"}}, indent=1).encode()
    post(creating(forwards_store=True), body)

    assert model.requests[0].body == body


def test_the_query_and_the_headers_of_the_model_server_go_with_every_request(
    store: Store, model: FakeModel, model_url: str
) -> None:
    echoed = b'{"error": {"message": "X-Key was wk-12345678, subscription 0123456789"}}'
    model.script(whole(echoed, status=401))
    server = ModelServer(
        f"{model_url}/?api-version=2024-10-21&subscription-key=0123456789",
        api_key=KEY,
        headers=[("X-Key", "wk-12345678"), ("authorization", "Basic dXNlcjpwYXNz")],
    )
    client = create_server(store, model=server).test_client()
    answer = post(client, ASKED)

    (forwarded,) = model.requests
    assert forwarded.path == (
        "/v1/chat/completions?api-version=2024-10-21&subscription-key=0123456789"
    )
    assert forwarded.headers["x-key"] == "wk-12345678"
    assert forwarded.headers["authorization"] == "Basic dXNlcjpwYXNz"
    assert b"X-Key was ***********, subscription **********" in answer.get_data()


@pytest.mark.parametrize(
    ("said", "is_kept"),
    [({}, True), ({"store": None}, True), ({"store": True}, True), ({"store": False}, False)],
)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_server_that_stores_all_keeps_what_does_not_refuse_it(
    model: FakeModel,
    creating: Callable[..., FlaskClient],
    said: Json,
    is_kept: bool,
    is_streamed: bool,
) -> None:
    client = creating(stores_all=True)
    post(client, ASKED | said | {"stream": is_streamed}).get_data()

    assert is_empty(client) is not is_kept
    assert b'"store"' not in model.requests[0].body


@pytest.mark.parametrize("is_streamed", [False, True])
def test_how_long_the_answer_took_is_stored_with_it(
    url: str, model: FakeModel, client: FlaskClient, is_streamed: bool
) -> None:
    model.script(stream(*chunks_of("a")) if is_streamed else whole(answered()))
    post(client, STORED | {"stream": is_streamed}).get_data()
    timing = timing_in(url)

    assert all(one >= 0 for one in timing.values())
    assert timing.keys() == ({"total_ms", "first_token_ms"} if is_streamed else {"total_ms"})
    assert timing.get("first_token_ms", 0) <= timing["total_ms"]


def test_an_answer_without_a_token_has_no_time_of_the_first(
    url: str, model: FakeModel, client: FlaskClient
) -> None:
    chunks = [chunk(delta(role="assistant", content="")), chunk(delta(finish_reason="stop"))]
    model.script(stream(*chunks))
    post(client, STREAMED).get_data()

    assert timing_in(url).keys() == {"total_ms"}


def timing_in(url: str) -> dict[str, int]:
    """Return the durations stored with the only completion; clients of the API see none."""
    ((given, wire),) = rows(url, "SELECT given_json, wire_json FROM completions")
    assert "readback_timing" not in wire
    timing: dict[str, int] = json.loads(given)["readback_timing"]
    return timing


def test_without_a_key_none_is_sent(store: Store, model: FakeModel, model_url: str) -> None:
    client = create_server(store, model=ModelServer(model_url + "/")).test_client()
    post(client, ASKED, Authorization="Bearer of-the-client")

    assert model.requests[0].path == "/v1/chat/completions"
    assert "authorization" not in model.requests[0].headers


def test_neither_a_proxy_nor_a_key_is_taken_from_the_environment(
    model: FakeModel, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)

    assert post(client, ASKED).status_code == 200
    assert model.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_refusal_by_the_model_server_comes_back_and_is_not_stored(
    model: FakeModel, client: FlaskClient
) -> None:
    body = b'{"error":{"message":"Slow down.","type":"requests","param":null,"code":null}}'
    model.script(whole(body, status=429, headers=(("Retry-After", "7"),)))

    answer = post(client, STORED)

    assert answer.status_code == 429
    assert answer.get_data() == body
    assert answer.headers["retry-after"] == "7"
    assert is_empty(client)


def test_nonsense_is_the_model_servers_to_judge(model: FakeModel, client: FlaskClient) -> None:
    nonsense = {"max_tokens": 0, "functions": [], "function_call": "?", "n": -1, "x": {"y": None}}

    assert post(client, STORED | nonsense).status_code == 200
    assert json.loads(model.requests[0].body) == ASKED | nonsense


# Stored completions.


def test_a_completion_is_stored_with_all_that_was_asked(
    model: FakeModel, client: FlaskClient
) -> None:
    model.script(whole(answered()))
    asked = (
        b'{"store":true,"model":"gpt-4o-mini","messages":[{"role":"system","content":"Be brief."},'
        b'{"role":"user","content":"Hi"}],"temperature":0.50,"seed":-8132613597486110237,'
        b'"user":"ada","metadata":{"run":"7"},"response_format":{"type":"json_object"},'
        b'"tools":[{"type":"function","function":{"name":"f"}}],"max_tokens":5,"stream":false}'
    )

    request_id = post(client, asked).headers["x-request-id"]

    one = stored(client)
    assert list(one)[:19] == [
        *("object", "id", "model", "created", "request_id", "tool_choice", "usage", "seed"),
        *("top_p", "temperature", "presence_penalty", "frequency_penalty", "system_fingerprint"),
        *("input_user", "service_tier", "tools", "metadata", "choices", "response_format"),
    ]
    assert {name: one[name] for name in list(one)[19:]} == {"max_tokens": 5}
    assert (one["model"], one["created"]) == ("gpt-4o-mini-2024-07-18", 1_758_039_103)
    assert (one["input_user"], one["metadata"]) == ("ada", {"run": "7"})
    assert one["request_id"] == request_id
    assert one["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert one["choices"] == [
        {
            "index": 0,
            "message": {
                "content": "Hello!",
                "role": "assistant",
                "tool_calls": None,
                "function_call": None,
            },
            "finish_reason": "stop",
            "logprobs": None,
        }
    ]
    text = client.get(f"{CREATE}/chatcmpl-1").text
    assert '"temperature":0.50' in text
    assert '"seed":-8132613597486110237' in text
    messages = client.get(f"{CREATE}/chatcmpl-1/messages").get_json()["data"]
    assert [(one["role"], one["content"]) for one in messages] == [
        ("system", "Be brief."),
        ("user", "Hi"),
    ]
    assert len(client.get(f"{CREATE}?metadata[run]=7").get_json()["data"]) == 1


def test_the_moderation_asked_for_is_not_taken_for_its_results(
    model: FakeModel, client: FlaskClient
) -> None:
    results = {"input": {"type": "error", "code": "overloaded", "message": "Later."}}
    model.script(whole(answered()), whole(answered(id="chatcmpl-2", moderation=results)))
    asked = STORED | {"moderation": {"model": "omni-moderation-latest"}}

    post(client, asked)
    post(client, asked)

    one, two = (client.get(f"{CREATE}/chatcmpl-{at}").get_json() for at in (1, 2))
    assert "moderation" not in one
    assert two["moderation"] == results
    assert one["input_moderation"] == two["input_moderation"] == asked["moderation"]


@pytest.mark.parametrize("store_member", [{}, {"store": False}, {"store": None}])
def test_nothing_is_stored_unless_the_request_asks_for_it(
    client: FlaskClient, store_member: dict[str, object]
) -> None:
    assert post(client, ASKED | store_member).status_code == 200
    assert post(client, ASKED | store_member | {"stream": True}).get_data().endswith(b"[DONE]\n\n")
    assert is_empty(client)


def test_a_completion_without_an_id_is_stored_under_one_of_its_own(
    model: FakeModel, client: FlaskClient
) -> None:
    nameless = {name: value for name, value in answered().items() if name != "id"}
    model.script(whole(nameless), whole(nameless), whole(answered("no/id?")))

    assert [post(client, STORED).status_code for _ in range(3)] == [200, 200, 200]

    data = client.get(CREATE).get_json()["data"]
    assert len({one["id"] for one in data}) == 3
    assert all(one["id"].startswith("chatcmpl-") for one in data)


def test_a_request_cannot_set_members_of_the_answer(model: FakeModel, client: FlaskClient) -> None:
    model.script(whole({"choices": [], "metadata": {"not": "asked"}, "timings": 1.50}))
    asked = {"id": "mine", "choices": [1], "usage": 1, "created": 1, "metadata": {"a": "b"}}
    post(client, STORED | asked | {"service_tier": "flex"})

    one = newest(client)
    assert one["id"].startswith("chatcmpl-")
    assert (one["choices"], one["usage"], one["metadata"]) == ([], None, {"a": "b"})
    assert (one["model"], one["service_tier"]) == ("gpt-4o-mini", "flex")
    assert one["timings"] == 1.5
    assert one["created"] > 1_758_039_103


def test_an_answer_with_a_taken_id_is_stored_under_a_new_one(
    store: Store, model: FakeModel, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    add(store, completion("chatcmpl-1"))
    model.script(whole(answered()))
    before = client.get(f"{CREATE}/chatcmpl-1").get_data()

    answer = post(client, STORED)

    assert answer.get_json() == answered()
    assert client.get(f"{CREATE}/chatcmpl-1").get_data() == before
    assert "chatcmpl-1 is stored with other content" in caplog.text
    one = stored(client, answer.headers["X-Readback-Stored-As"])
    assert one["original_id"] == "chatcmpl-1"
    assert one["choices"][0]["message"]["content"] == "Hello!"
    assert newest(client)["id"] == one["id"]


def test_every_answer_of_a_server_with_one_constant_id_is_stored(
    model: FakeModel, client: FlaskClient
) -> None:
    texts = ["one", "two", "two", "three"]
    model.script(
        *(whole(answered("chatcmpl-0", text)) for text in texts),
        stream(*chunks_of("four", completion_id="chatcmpl-0")),
        whole(answered("", "five")),
        whole(answered("  ", "six")),
        whole(answered("no/url?", "seven")),
    )

    for is_streamed in (False, False, False, False, True, False, False, False):
        post(client, STORED | {"stream": is_streamed}).get_data()

    data = client.get(f"{CREATE}?order=asc").get_json()["data"]
    assert len({one["id"] for one in data}) == 8
    said = [one["choices"][0]["message"]["content"] for one in data]
    assert sorted(said) == sorted([*texts, "four", "five", "six", "seven"])
    renamed = [one["original_id"] for one in data if one.get("original_id")]
    assert renamed.count("chatcmpl-0") == 4
    assert "no/url?" in renamed


def test_an_answer_stored_under_its_own_id_has_no_header_about_it(
    model: FakeModel, client: FlaskClient
) -> None:
    model.script(whole(answered()))
    assert "X-Readback-Stored-As" not in post(client, STORED).headers


def test_a_store_that_fails_does_not_harm_the_answer(
    url: str, model: FakeModel, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    model.script(whole(answered()), stream(*chunks_of("Hi")), whole(answered("chatcmpl-2")))
    rows(url, "ALTER TABLE completions RENAME TO elsewhere")

    assert post(client, STORED).get_json() == answered()
    assert post(client, STREAMED).get_data().endswith(b"data: [DONE]\n\n")
    assert caplog.text.count("A completion could not be stored") == 2
    assert "Hello!" not in caplog.text

    rows(url, "ALTER TABLE elsewhere RENAME TO completions")
    post(client, STORED)
    assert newest(client)["id"] == "chatcmpl-2"


# Streams.


def test_a_stream_comes_back_byte_for_byte_and_is_stored_as_one(
    model: FakeModel, client: FlaskClient
) -> None:
    usage = chunk(usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
    model.script(
        stream(
            b": keep-alive\n\n",
            *chunks_of("Hel", "lo", "!"),
            usage,
            headers=(("x-request-id", "req_theirs"),),
        )
    )
    sent = model.answers[0].body

    answer = post(client, STREAMED | {"stream_options": {"include_usage": True}})

    assert answer.get_data() == sent
    assert answer.content_type == STREAM
    assert answer.headers["x-request-id"] == "req_theirs"
    one = stored(client)
    assert one["choices"][0]["message"]["content"] == "Hello!"
    assert one["choices"][0]["finish_reason"] == "stop"
    assert one["usage"] == {"total_tokens": 3, "completion_tokens": 2, "prompt_tokens": 1}
    assert not {"incomplete", "stream", "stream_options", "store"} & set(one)


def test_several_choices_with_calls_are_stored_as_one_completion(
    model: FakeModel, client: FlaskClient
) -> None:
    call = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "f"}}
    model.script(
        stream(
            chunk(delta(1, role="assistant", refusal="No")),
            chunk(delta(0, role="assistant", tool_calls=[call])),
            chunk(delta(0, tool_calls=[{"index": 0, "function": {"arguments": "{}"}}])),
            chunk(delta(1, "stop", refusal="!"), delta(0, "tool_calls")),
        )
    )
    post(client, STREAMED | {"n": 2}).get_data()

    calling, refusing = stored(client)["choices"]
    assert calling["finish_reason"] == "tool_calls"
    assert calling["message"]["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]
    assert refusing["message"]["refusal"] == "No!"


def test_a_stream_is_stored_before_its_last_event_leaves(
    model: FakeModel, client: FlaskClient
) -> None:
    model.script(stream(*chunks_of("Hi")))
    events = iter(post(client, STREAMED).response)

    for event in events:
        if event == b"data: [DONE]\n\n":
            break
        assert is_empty(client)
    assert stored(client)["choices"][0]["message"]["content"] == "Hi"


def test_the_usage_that_comes_with_the_end_is_stored(model: FakeModel, client: FlaskClient) -> None:
    usage = chunk(usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
    late = stream(usage, chunk(delta(content=" too late")), b"data: no JSON\n\n", done=False)
    model.script(Answer((stream(*chunks_of("Hi")).body + late.body,), content_type=STREAM))
    sent = post(client, STREAMED).get_data()

    assert sent.endswith(late.body)
    given = stored(client)
    assert given["usage"]["total_tokens"] == 3
    assert given["choices"][0]["message"]["content"] == "Hi"
    assert "incomplete" not in given


USAGE: Json = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


@pytest.mark.parametrize(
    ("late", "amended"),
    [
        ([chunk(usage=USAGE)], {"usage": USAGE}),
        ([{"usage": USAGE}], {"usage": USAGE}),
        (
            [chunk(service_tier="flex"), chunk(usage=USAGE)],
            {"service_tier": "flex", "usage": USAGE},
        ),
        ([chunk(usage={"total_tokens": 1}), chunk(usage=USAGE)], {"usage": USAGE}),
        ([chunk(delta(content=""), usage=USAGE)], {"usage": USAGE}),
        (
            [{"sources": [{"url": "https://example.com/"}]}],
            {"sources": [{"url": "https://example.com/"}]},
        ),
        # Other servers give the packet an id and a time of its own.
        ([chunk(usage=USAGE, completion_id="usage-1") | {"created": 7}], {"usage": USAGE}),
        ([chunk(delta(content=" too late")), b": ping\n\n", b"data: no\n\n", {"type": "ping"}], {}),
        ([chunk(usage=None), b"data: [DONE]\n\n"], {}),
    ],
)
def test_what_comes_after_the_end_amends_the_completion(
    model: FakeModel, client: FlaskClient, late: list[Json | bytes], amended: Json
) -> None:
    ended = threading.Event()
    model.script(stream(*chunks_of("Hi"), b"data: [DONE]\n\n", ended, *late, done=False))
    sent = model.answers[0].body
    events = post_for_events(client, STREAMED | {"metadata": {"a": "b"}})
    received = [next(events)]
    while received[-1] != b"data: [DONE]\n\n":
        received.append(next(events))
    first = stored(client)
    changed = client.post(f"{CREATE}/chatcmpl-1", json={"metadata": {"a": "c"}})
    ended.set()
    received += events

    assert b"".join(received) == sent
    assert (first["usage"], first["metadata"]) == (None, {"a": "b"})
    assert stored(client) == changed.get_json() | amended


TOOL: Json = {"role": "tool", "content": '{"citations": [], "intent": "plan"}'}


def in_messages(index: int, ends: bool = False, **members: Any) -> Json:
    """Return one chunk of Azure's previews, which have several messages in a choice."""
    piece = {"index": index, "delta": members, "end_turn": ends}
    return {
        "id": "chatcmpl-1",
        "choices": [{"index": 0, "messages": [piece], "finish_reason": None}],
    }


def test_messages_in_place_of_a_message_are_the_answer(
    model: FakeModel, client: FlaskClient
) -> None:
    said = [in_messages(1, content=text) for text in ("Cov", "ered")]
    begun, end = in_messages(1, role="assistant"), in_messages(2, content="[DONE]", ends=True)
    model.script(
        stream(in_messages(0, **TOOL), begun, *said, end),
        whole(
            {
                "id": "b",
                "choices": [
                    {
                        "messages": [
                            TOOL,
                            begun["choices"][0]["messages"][0]["delta"]
                            | {"content": "Covered", "end_turn": True},
                        ]
                    }
                ],
            }
        ),
    )
    post(client, STREAMED).get_data()
    post(client, STORED)

    for name in ("chatcmpl-1", "b"):
        given = stored(client, name)
        [choice] = given["choices"]
        assert choice["message"]["content"] == "Covered"
        assert choice["messages"][0]["content"] == TOOL["content"]
        assert "incomplete" not in given


@pytest.mark.parametrize("late", [chunk(), chunk(delta(content="")), b"data: [DONE]\n\n"])
def test_a_completion_is_not_amended_without_a_difference(
    store: Store, model: FakeModel, client: FlaskClient, late: Json | bytes
) -> None:
    ended = threading.Event()
    model.script(stream(*chunks_of("Hi"), b"data: [DONE]\n\n", ended, late, done=False))
    events = post_for_events(client, STREAMED)
    assert b"data: [DONE]\n\n" in [next(events) for _ in range(4)]
    changes = store.changes
    ended.set()
    list(events)

    assert store.changes == changes


def test_a_finish_reason_after_the_end_completes_the_completion(
    model: FakeModel, client: FlaskClient
) -> None:
    begun, said, end = chunks_of("Hi")
    ended = threading.Event()
    model.script(stream(begun, said, b"data: [DONE]\n\n", ended, end, done=False))
    events = post_for_events(client, STREAMED)
    assert [next(events) for _ in range(3)][-1] == b"data: [DONE]\n\n"
    first = stored(client)
    ended.set()
    list(events)

    assert "no finish reason" in first["incomplete"]["reason"]
    assert "incomplete" not in stored(client)
    assert stored(client)["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("completion_id", ["chatcmpl-1", "a/b", ""])
def test_what_comes_late_amends_the_completion_under_an_id_of_the_stores(
    model: FakeModel, client: FlaskClient, completion_id: str
) -> None:
    model.script(whole(answered("chatcmpl-1", text="Another")))
    post(client, STORED)
    pieces = [json.dumps(one).encode() for one in chunks_of("Hi", completion_id=completion_id)]
    packets = [b"data: %b\n\n" % one for one in (*pieces, b"[DONE]")]
    model.script(stream(*packets, chunk(usage=USAGE, completion_id=completion_id), done=False))
    post(client, STREAMED).get_data()

    listed = client.get(f"{CREATE}?limit=10").get_json()["data"]
    assert len(listed) == 2
    [one] = [one for one in listed if one["id"] != "chatcmpl-1"]
    assert one["usage"] == USAGE
    assert one.get("original_id") == (completion_id or None)
    again = client.get(f"{CREATE}/{one['id']}/messages").get_json()["data"]
    assert [message["id"] for message in again] == [f"{one['id']}-0"]


def test_a_completion_stays_as_it_was_if_it_cannot_be_amended(
    url: str, model: FakeModel, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    ended = threading.Event()
    model.script(stream(*chunks_of("Hi"), b"data: [DONE]\n\n", ended, {"usage": USAGE}, done=False))
    sent = model.answers[0].body
    events = post_for_events(client, STREAMED)
    received = b"".join(next(events) for _ in range(4))
    rows(url, "ALTER TABLE tags RENAME TO elsewhere")
    ended.set()
    received += b"".join(events)
    rows(url, "ALTER TABLE elsewhere RENAME TO tags")

    assert received == sent
    assert stored(client)["choices"][0]["message"]["content"] == "Hi"
    assert stored(client)["usage"] is None
    assert caplog.text.count("A completion could not be stored") == 1


def test_a_completion_that_was_deleted_is_not_amended(
    model: FakeModel, client: FlaskClient
) -> None:
    ended = threading.Event()
    model.script(stream(*chunks_of("Hi"), b"data: [DONE]\n\n", ended, {"usage": USAGE}, done=False))
    events = post_for_events(client, STREAMED)
    assert [next(events) for _ in range(4)][-1] == b"data: [DONE]\n\n"
    assert client.delete(f"{CREATE}/chatcmpl-1").status_code == 200
    ended.set()
    list(events)

    assert is_empty(client)


def test_events_pass_as_they_come(store: Store, model: FakeModel, model_url: str) -> None:
    first, second = threading.Event(), threading.Event()
    begun, middle, end = chunks_of("Hi")
    model.script(stream(begun, first, middle, second, end))
    server = create_server(store, model=ModelServer(model_url))

    with serve(server) as base_url:
        answer = requests.post(base_url + CREATE, json=STREAMED, stream=True, timeout=PATIENCE)
        lines = answer.iter_lines(chunk_size=1)
        assert json.loads(next(lines)[6:]) == begun
        first.set()
        assert (next(lines), json.loads(next(lines)[6:])) == (b"", middle)
        second.set()
        assert (next(lines), json.loads(next(lines)[6:])) == (b"", end)
        assert list(lines) == [b"", b"data: [DONE]", b""]


def test_the_part_a_client_received_before_it_went_away_is_stored(
    store: Store, model: FakeModel, model_url: str
) -> None:
    begun, said, _ = chunks_of("Hi")
    gone = threading.Event()
    model.script(stream(begun, said, gone, *([said] * 20_000)))
    server = create_server(store, model=ModelServer(model_url))

    with serve(server) as base_url:
        answer = requests.post(base_url + CREATE, json=STREAMED, stream=True, timeout=PATIENCE)
        lines = answer.iter_lines(chunk_size=1)
        assert [next(lines)[:6] for _ in range(3)] == [b"data: ", b"", b"data: "]
        answer.close()
        gone.set()
        assert model.left.wait(PATIENCE)

    one = stored(server.test_client())
    assert one["incomplete"] == {"reason": "The client went away before the end of the answer."}
    assert one["choices"][0]["finish_reason"] == "length"
    assert one["choices"][0]["message"]["content"].startswith("Hi")


def test_a_client_that_was_gone_before_the_first_event_leaves_nothing_open(
    model: FakeModel, client: FlaskClient
) -> None:
    model.script(stream(*(chunks_of("Hi") * 20_000)))
    environ = EnvironBuilder(CREATE, method="POST", json=STREAMED).get_environ()

    body = client.application(environ, lambda status, headers, error=None: lambda data: None)
    ClosingIterator(body).close()

    assert model.left.wait(PATIENCE)
    assert newest(client)["choices"] == []
    assert "went away" in newest(client)["incomplete"]["reason"]


def test_a_stream_that_breaks_off_ends_with_an_error_and_is_stored_as_far_as_it_came(
    model: FakeModel, client: FlaskClient
) -> None:
    model.script(stream(*chunks_of("Hel", "lo")[:3], b'data: {"id":', done=False, breaks_off=True))
    begun = model.answers[0].body.removesuffix(b'data: {"id":')

    answer = post(client, STREAMED).get_data()

    assert answer.startswith(begun)
    error = json.loads(answer.removeprefix(begun).removeprefix(b"data: "))["error"]
    assert error["message"] == "The model server broke off its answer."
    assert error["type"] == "server_error"
    one = stored(client)
    assert one["incomplete"] == {"reason": error["message"]}
    assert one["choices"][0]["finish_reason"] == "length"
    assert one["choices"][0]["message"]["content"] == "Hello"


def test_an_error_in_the_stream_passes_and_marks_the_stored_completion(
    model: FakeModel, client: FlaskClient
) -> None:
    error = {"error": {"message": "Out of memory", "type": "server_error"}}
    model.script(stream(*chunks_of("Hel")[:2], error))
    sent = model.answers[0].body

    assert post(client, STREAMED).get_data() == sent
    one = stored(client)
    assert one["incomplete"]["reason"] == "The model server reported an error: Out of memory"
    assert one["choices"][0]["message"]["content"] == "Hel"


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ({"error": "Overloaded"}, "Overloaded"),
        ({"error": {"code": 502}}, '{"code": 502}'),
        ({"object": "error", "message": "No memory", "code": 40303}, "No memory"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}, "Busy"),
        ({"detail": "Not loaded"}, "Not loaded"),
        ({"error": {"type": "error", "error": {"type": "api", "message": "Late"}}}, "Late"),
        ({"error": {"message": "", "error": {"code": 5}}}, '{"code": 5}'),
        (chunk(delta() | {"finish_reason": "error", "error": {"message": "Died"}}), "Died"),
        (chunk(delta(finish_reason="error"), error={"message": "Gone"}), "Gone"),
        (chunk(delta(finish_reason="error")), 'the finish reason "error"'),
        ({"errors": [{"message": "Quota"}]}, "Quota"),
        ({"success": False, "message": "Slow"}, "Slow"),
        ({"status": "error", "message": "Boom"}, "Boom"),
        ({"status": 503, "title": "Down"}, "Down"),
        ({"error": {"message": "Bad", "metadata": {"raw": "Too hot"}}}, "Bad (Too hot)"),
        ({"error": {"message": "Bad", "metadata": {"raw": '{"error":"Hot"}'}}}, "Bad (Hot)"),
        ({"error": {"message": "Bad", "metadata": {"raw": "Bad\n"}}}, "Bad"),
        ({"error": {"message": "Bad", "metadata": {"raw": "{}"}}}, "Bad"),
        ({"message": "Full", "type": "overloaded_error"}, "Full"),
        ({"error_code": 17, "error_msg": "Daily limit"}, "Daily limit"),
        ({"base_resp": {"status_code": 1002, "status_msg": "Rate"}}, "Rate"),
        ({"status": {"code": 500, "message": "Of a status"}}, "Of a status"),
        ({"header": {"code": 10013, "message": "Of a header"}}, "Of a header"),
        ({"throttlingException": {"message": "Throttled"}}, "Throttled"),
        (b'data: [{"error":{"code":503,"message":"Array"}}]\n\n', "Array"),
        (b'event: error\ndata: {"message":"Named"}\n\n', "Named"),
        (b"event: error\ndata: Only words\n\n", "Only words"),
        (b'event: error\ndata: "Words in quotes"\n\n', "Words in quotes"),
    ],
)
@pytest.mark.parametrize("done", [True, False])
def test_an_error_of_any_shape_within_a_stream_is_the_reason_it_broke_off(
    model: FakeModel, client: FlaskClient, last: Json | bytes, reason: str, done: bool
) -> None:
    model.script(stream(*chunks_of("Hel")[:2], last, done=done))
    sent = model.answers[0].body

    assert post(client, STREAMED).get_data() == sent
    one = stored(client)
    said = one["incomplete"]["reason"].removeprefix("The model server reported an error: ")
    assert said.replace(" ", "") == reason.replace(" ", "")
    assert one["choices"][0]["message"]["content"] == "Hel"
    assert one["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("reason", [None, ""])
def test_an_answer_without_a_finish_reason_is_marked(
    model: FakeModel, client: FlaskClient, reason: str | None
) -> None:
    unfinished = answered("c-whole")
    unfinished["choices"][0]["finish_reason"] = reason
    pieces = [delta(finish_reason=reason, content="Hi"), delta(finish_reason=reason)]
    chunks = [chunk(one, completion_id="c-stream") for one in pieces]
    model.script(whole(unfinished), stream(*chunks))

    post(client, STORED)
    post(client, STREAMED).get_data()

    for name in ("c-whole", "c-stream"):
        one = stored(client, name)
        assert "no finish reason" in one["incomplete"]["reason"]
        assert one["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_answer_without_choices_is_marked(
    model: FakeModel, client: FlaskClient, is_streamed: bool
) -> None:
    empty = {"id": "chatcmpl-1", "choices": []}
    model.script(stream(empty) if is_streamed else whole(empty))

    post(client, STREAMED if is_streamed else STORED).get_data()

    assert "no finish reason" in stored(client)["incomplete"]["reason"]


@pytest.mark.parametrize("created", [0, -1, None])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_server_that_does_not_know_the_time_is_told_it(
    model: FakeModel, client: FlaskClient, created: int | None, is_streamed: bool
) -> None:
    pieces = [one | {"created": created} for one in chunks_of("Hi")]
    model.script(stream(*pieces) if is_streamed else whole(answered() | {"created": created}))

    post(client, STREAMED if is_streamed else STORED).get_data()

    assert stored(client)["created"] > 1_758_039_103


@pytest.mark.parametrize(("sent", "kept"), [("z-1", "z-1"), ("", "req_9"), (None, "req_9")])
def test_the_request_id_in_an_answer_is_kept(
    model: FakeModel, client: FlaskClient, sent: str | None, kept: str
) -> None:
    headers = (("x-request-id", "req_9"),)
    model.script(whole(answered() | {"request_id": sent}, headers=headers))

    post(client, STORED | {"request_id": "mine"} if sent == "" else STORED)

    assert stored(client)["request_id"] == kept


def test_chunks_of_many_values_are_read_and_larger_ones_named(
    model: FakeModel, client: FlaskClient
) -> None:
    """The bound is that of one text: an answer has more of them than one event may."""
    numbers = [{"numbers": [0] * (MAX_VALUES // 2)} for _ in range(3)]
    body = b"\n".join(json.dumps(one).encode() for one in (*chunks_of("Hi"), *numbers))
    model.script(whole(body), stream(*chunks_of("Hi"), {"numbers": [0] * (MAX_VALUES + 9)}))

    post(client, STORED)
    assert "incomplete" not in stored(client)
    client.delete(f"{CREATE}/chatcmpl-1")
    post(client, STREAMED).get_data()
    assert stored(client)["incomplete"]["reason"] == (
        f"An event of the stream holds more than {MAX_VALUES:,} values."
    )


def test_secrets_in_an_error_are_masked_in_what_was_received(
    model: FakeModel, client: FlaskClient
) -> None:
    error = {"message": f"Incorrect API key provided: sk-proj-{'aB3dE5fG7h' * 4}."}
    model.script(whole({"id": "chatcmpl-1", "error": error}))

    post(client, STORED)

    incomplete = newest(client)["incomplete"]
    assert "aB3dE5fG7h" not in json.dumps(incomplete)
    assert "Incorrect API key" in incomplete["received"]


@pytest.mark.parametrize("event", [b"data: {oops\n\n", b"data: \xff\n\n", b"data: 1\n\n"])
def test_an_unreadable_event_passes_and_marks_the_stored_completion(
    model: FakeModel, client: FlaskClient, event: bytes
) -> None:
    model.script(stream(event, *chunks_of("Hi")))
    sent = model.answers[0].body

    assert post(client, STREAMED).get_data() == sent
    assert stored(client)["incomplete"]["reason"].startswith("An event of the stream is not")
    assert stored(client)["choices"][0]["message"]["content"] == "Hi"


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_raw_nul_is_stored_as_its_escape(
    model: FakeModel, client: FlaskClient, is_streamed: bool
) -> None:
    body = answered(text="a\0b")
    raw = json.dumps(body).replace("\\u0000", "\0").encode()
    events = [
        b"data: " + json.dumps(one).replace("\\u0000", "\0").encode() + b"\n\n"
        for one in chunks_of("a\0b")
    ]
    model.script(stream(*events) if is_streamed else whole(raw))

    post(client, STREAMED if is_streamed else STORED).get_data()

    assert stored(client)["choices"][0]["message"]["content"] == "a\0b"


@pytest.mark.parametrize("name", [b"", b"event: error\n"])
def test_bytes_that_are_no_text_in_a_reported_error_are_replaced(
    model: FakeModel, client: FlaskClient, name: bytes
) -> None:
    model.script(stream(name + b'data: {"error": {"message": "Bad \xff"}}\n\n'))

    post(client, STREAMED).get_data()

    reason = newest(client)["incomplete"]["reason"]
    assert reason == "The model server reported an error: Bad \N{REPLACEMENT CHARACTER}"


LINES = [json.dumps(one, ensure_ascii=False).encode() for one in chunks_of("中文😀")]


@pytest.mark.parametrize(
    "events",
    [
        [b"data: " + line + b"\r\r" for line in LINES],
        [b"data: data: " + line + b"\n\n" for line in LINES],
        [b"data: " * 100_000 + line + b"\n\n" for line in LINES],
        [b"data: " + json.dumps(one, indent=1).encode() + b"\n\n" for one in chunks_of("中文😀")],
        [b"data: [" + b",".join(LINES) + b"]\n\n"],
        [b"x-trace: 1\nid: 7\ndata: " + line + b"\n\n" for line in LINES],
        [bytes([one]) for line in LINES for one in b"data: " + line + b"\r\n\r\n"],
        [*(b"data: " + line + b"\n\n" for line in LINES), b'data: "[DONE]"\n\n'],
        [*(b"data: " + line + b"\n\n" for line in LINES), b"data: [done]\n\n"],
        [b"\xef\xbb\xbfdata: " + line + b"\n\n" for line in LINES],
    ],
    ids=[
        *(
            "CR",
            "wrapped twice",
            "wrapped without end",
            "indented",
            "an array",
            "other fields",
            "byte by byte",
        ),
        *("a quoted end", "a small end", "byte order marks"),
    ],
)
def test_a_stream_that_is_written_oddly_passes_and_is_stored_whole(
    model: FakeModel, client: FlaskClient, events: list[bytes]
) -> None:
    model.script(stream(*events, done=False))
    sent = model.answers[0].body

    assert post(client, STREAMED).get_data() == sent
    one = stored(client)
    assert one["choices"][0]["message"]["content"] == "中文😀"
    assert "incomplete" not in one


@pytest.mark.parametrize(
    ("halves", "text", "is_whole"),
    [
        ((b"\xe4\xb8", b"\xad!"), "中!", True),
        ((b"\xf0", b"\x9f\x98\x80"), "😀", True),
        ((b"\xe4", b"!"), "\ufffd!", False),
    ],
)
def test_a_character_that_is_split_between_two_events_is_joined(
    model: FakeModel, client: FlaskClient, halves: tuple[bytes, bytes], text: str, is_whole: bool
) -> None:
    line = json.dumps(chunk(delta(content="?"))).encode()
    events = [b"data: " + line.replace(b"?", half) + b"\n\n" for half in halves]
    model.script(stream(*events, chunks_of()[-1]))
    sent = model.answers[0].body

    assert post(client, STREAMED).get_data() == sent
    one = stored(client)
    assert one["choices"][0]["message"]["content"] == text
    assert ("incomplete" not in one) is is_whole


@pytest.mark.parametrize(
    ("texts", "whole_text"),
    [(["Hel", "lo"], "Hello"), (["Hel", "Hello"], "Hello"), (["", "Hello", ""], "Hello")],
)
def test_messages_in_place_of_deltas_are_joined(
    model: FakeModel, client: FlaskClient, texts: list[str], whole_text: str
) -> None:
    choices = [{"index": 0, "message": {"role": "assistant", "content": one}} for one in texts]
    model.script(stream(*map(chunk, choices), chunk(delta(finish_reason="stop") | {"delta": None})))

    post(client, STREAMED).get_data()

    assert stored(client)["choices"][0]["message"]["content"] == whole_text


def test_the_whole_event_of_an_error_is_kept(model: FakeModel, client: FlaskClient) -> None:
    error = {"message": "Provider died", "code": 502, "metadata": {"provider_name": "p"}}
    model.script(stream(*chunks_of("Hel")[:2], {"error": error}))

    post(client, STREAMED).get_data()

    assert json.loads(stored(client)["incomplete"]["received"]) == {"error": error}


@pytest.mark.parametrize(
    "page", [b"<html>\n<h1>502 Bad Gateway</h1></html>", b"upstream died", b"dat"]
)
def test_an_error_page_at_the_end_of_a_stream_is_kept(
    model: FakeModel, client: FlaskClient, page: bytes
) -> None:
    model.script(stream(*chunks_of("Hel")[:2], page, done=False))
    sent = model.answers[0].body

    assert post(client, STREAMED).get_data() == sent
    one = stored(client)
    assert one["incomplete"]["received"] == page.decode()
    assert one["choices"][0]["message"]["content"] == "Hel"


@pytest.mark.parametrize(
    ("events", "reason", "received"),
    [
        ([{"error": {"message": "died"}}, b"data: <html>\n\n"], "died", ["died", "<html>"]),
        ([b"data: <html>\n\n", {"error": {"message": "died"}}], "not JSON.", ["<html>", "died"]),
        ([{"error": {"message": "died"}}, b"data: 1\n\n"], "died", ["died", "1"]),
        ([b'data: "overloaded"\n\n'], "not a JSON object.", ["overloaded"]),
    ],
)
def test_the_first_problem_of_a_stream_is_the_reason_and_every_event_of_one_is_kept(
    model: FakeModel, client: FlaskClient, events: list[Any], reason: str, received: list[str]
) -> None:
    model.script(stream(*chunks_of("Hel")[:2], *events, done=False))

    post(client, STREAMED).get_data()

    incomplete = stored(client)["incomplete"]
    assert incomplete["reason"].endswith(reason)
    lines = incomplete["received"].splitlines()
    assert [kept in line for kept, line in zip(received, lines, strict=True)] == [True] * len(lines)


def test_lines_of_one_event_are_counted_once(
    model: FakeModel, creating: Callable[..., FlaskClient]
) -> None:
    lines = b"\n".join(json.dumps(one).encode() for one in chunks_of("Hi"))
    client = creating(limits=ModelLimits(max_stored_bytes=len(lines) + 100))
    events = b"".join(b"data: " + line + b"\n" for line in lines.splitlines()) + b"\n"
    model.script(stream(events))

    post(client, STREAMED).get_data()

    assert "incomplete" not in stored(client)


@pytest.mark.parametrize("no_choices", [{}, {"choices": None}])
def test_what_comes_in_a_chunk_without_choices_is_kept(
    model: FakeModel, client: FlaskClient, no_choices: Json
) -> None:
    members = {"usage": {"total_tokens": 3}, "sources": [{"name": "s"}]}
    model.script(stream({"type": "ping"}, *chunks_of("Hi"), no_choices | members))

    post(client, STREAMED).get_data()

    one = stored(client)
    assert one["usage"]["total_tokens"] == 3
    assert one["sources"] == [{"name": "s"}]
    assert "type" not in one
    assert "incomplete" not in one


def test_a_byte_order_mark_is_no_part_of_an_answer(model: FakeModel, client: FlaskClient) -> None:
    whole_body = json.dumps(answered("c-whole", "Hello!")).encode()
    chunks = [
        chunk(delta(content="Hello!"), completion_id="c-stream"),
        *chunks_of("", completion_id="c-stream")[-1:],
    ]
    model.script(whole(codecs.BOM_UTF8 + whole_body), stream(codecs.BOM_UTF8, *chunks))

    post(client, STORED)
    post(client, STREAMED).get_data()

    for name in ("c-whole", "c-stream"):
        assert stored(client, name)["choices"][0]["message"]["content"] == "Hello!"


def test_a_stream_that_just_ends_is_complete_when_its_choices_are(
    model: FakeModel, client: FlaskClient
) -> None:
    model.script(
        stream(*chunks_of("Hi", completion_id="c-whole"), done=False),
        stream(*chunks_of("Hi", completion_id="c-early")[:2], done=False),
    )
    for _ in range(2):
        post(client, STREAMED).get_data()

    assert "incomplete" not in stored(client, "c-whole")
    assert stored(client, "c-early")["incomplete"] == {"reason": "The answer ended early."}


# Failing model servers.


def test_a_body_that_breaks_off_is_an_error_and_stored_as_far_as_it_came(
    model: FakeModel, client: FlaskClient
) -> None:
    model.script(whole(b'{"id": "chatcmpl-1", "choices": [{"ind', breaks_off=True))

    answer = post(client, STORED)

    assert answer.status_code == 502
    assert answer.get_json()["error"]["code"] == "model_server_broke_off"
    one = newest(client)
    assert one["incomplete"] == {
        "reason": "The model server broke off its answer.",
        "received": '{"id": "chatcmpl-1", "choices": [{"ind',
    }
    assert (one["model"], one["choices"]) == ("gpt-4o-mini", [])
    messages = client.get(f"{CREATE}/{one['id']}/messages").get_json()["data"]
    assert messages[0]["content"] == "Hi"


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"\xff", b"[]", b'{"id":"chatcmpl-1"}'])
def test_a_body_that_is_no_completion_passes_and_is_kept_as_it_came(
    model: FakeModel, client: FlaskClient, body: bytes
) -> None:
    model.script(whole(body, content_type="text/html"))

    answer = post(client, STORED)

    assert (answer.status_code, answer.get_data()) == (200, body)
    assert newest(client)["incomplete"]["received"] == body.decode(errors="replace")


def test_an_unreachable_model_server_is_reported(store: Store, model: FakeModel) -> None:
    with model.serve() as gone:
        pass
    client = create_server(store, model=ModelServer(gone, api_key=KEY)).test_client()

    answer = post(client, STORED)

    assert answer.status_code == 502
    assert answer.get_json() == {
        "error": {
            "message": "The model server cannot be reached.",
            "type": "server_error",
            "param": None,
            "code": "model_server_unreachable",
        }
    }
    assert is_empty(client)


@pytest.mark.parametrize("begins", [False, True])
def test_a_server_that_falls_silent_is_not_waited_for_for_ever(
    model: FakeModel, creating: Callable[..., FlaskClient], begins: bool
) -> None:
    def ask(seconds: float) -> str:
        client = creating(limits=ModelLimits(read_timeout=seconds))
        waiting = threading.Event()
        model.script(stream(*chunks_of("Hi")[:2], waiting) if begins else Answer((waiting, b"{")))
        answer = post(client, STREAMED).get_data(as_text=True)
        waiting.set()
        return answer

    before = '"content":"Hi"' if begins else "{"
    answer = widen_timeout(ask, before, seconds=0.1)

    assert before in answer
    error = json.loads(answer[answer.index('{"error"') :] if begins else answer)["error"]
    assert error["code"] == "model_server_timeout"


def test_a_redirect_is_not_followed(model: FakeModel, client: FlaskClient) -> None:
    model.script(whole(b"", status=307, headers=(("Location", "/v1/elsewhere"),)))

    answer = post(client, STORED)

    assert answer.status_code == 502
    assert "READBACK_MODEL_URL" in answer.get_json()["error"]["message"]
    assert len(model.requests) == 1


def test_the_model_servers_key_reaches_nobody(
    model: FakeModel, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    half = len(KEY) // 2
    body = f'{{"error": {{"message": "{KEY}{KEY[:5]}"}}}}'.encode()
    model.script(
        whole(body, status=401, headers=(("x-request-id", f"req-{KEY}"),)),
        stream(f": {KEY[:half]}".encode(), f"{KEY[half:]}\n\n".encode(), *chunks_of(KEY)),
    )

    refused, streamed = post(client, STORED), post(client, STREAMED)

    assert refused.get_data() == body.replace(KEY.encode(), b"*" * len(KEY))
    assert refused.headers["x-request-id"] == "req-" + "*" * len(KEY)
    assert KEY.encode() not in streamed.get_data()
    assert stored(client)["choices"][0]["message"]["content"] == "*" * len(KEY)
    assert KEY not in caplog.text


# Limits.


def test_an_answer_too_large_to_store_passes_whole(
    model: FakeModel, creating: Callable[..., FlaskClient]
) -> None:
    client = creating(limits=ModelLimits(max_stored_bytes=1000))
    large = answered(text="x" * 200_000)
    model.script(whole(large), stream(*chunks_of("Hel", "x" * 5000, "lo")))

    assert post(client, STORED).get_json() == large
    assert newest(client)["incomplete"] == {"reason": "The answer is larger than 1,000 bytes."}
    assert post(client, STREAMED).get_data().count(b"data: ") == 6
    assert stored(client)["choices"][0]["message"]["content"] == "Hel"
    assert stored(client)["incomplete"] == {"reason": "The answer is larger than 1,000 bytes."}


def test_a_request_may_be_large_but_not_beyond_its_cap(
    model: FakeModel, creating: Callable[..., FlaskClient]
) -> None:
    long = ASKED | {"messages": [{"role": "user", "content": "x" * 2_000_000}]}
    assert post(creating(), long).status_code == 200

    client = creating(limits=ModelLimits(max_request_bytes=1000))
    assert post(client, long).status_code == 413
    assert len(model.requests) == 1


@pytest.mark.parametrize("members", ["", '"store":true,'])
def test_the_text_of_a_request_is_bounded_by_the_memory_it_takes_and_its_images_are_not(
    members: str,
) -> None:
    text, image = '"\U0001f600 %s"', f'"data:image/png;base64,{"A" * 2**24}"'
    written = f'{{{members}"model":"m","messages":[{{"role":"user","content":[%s]}}]}}'
    body = (written % f"{text % 'a'},{image}").encode()

    sent = CreateRequest.parse(body).serialize(with_store=False)
    assert sent == body.replace(b'"store":true,', b"")
    with pytest.raises(ApiError, match="16,777,216 characters") as refused:
        CreateRequest.parse((written % (text % ("a " * 2**23))).encode())
    assert refused.value.status == 413


BAD_REQUESTS = {
    "[]": ("JSON body of your request: expected an object", None, "invalid_type"),
    "{": ("We could not parse the JSON body of your request", None, None),
    '{"messages": []}': ("you must provide a model parameter", None, None),
    '{"model": 1}': (
        "Invalid type for 'model': expected a string, but got a number instead.",
        "model",
        "invalid_type",
    ),
    '{"model": "m"}': (
        "Missing required parameter: 'messages'.",
        "messages",
        "missing_required_parameter",
    ),
    '{"model": "m", "messages": "Hi"}': (
        "Invalid type for 'messages': expected an array of objects, but got a string instead.",
        "messages",
        "invalid_type",
    ),
    '{"model": "m", "messages": []}': (
        "Invalid 'messages': empty array. Expected an array with minimum length 1, "
        "but got an empty array instead.",
        "messages",
        "empty_array",
    ),
    '{"model": "m", "messages": [{"role": "user"}, "Hi"]}': (
        "Invalid type for 'messages[1]': expected an object, but got a string instead.",
        "messages[1]",
        "invalid_type",
    ),
    '{"model": "m", "messages": [{}]}': (
        "Missing required parameter: 'messages[0].role'.",
        "messages[0].role",
        "missing_required_parameter",
    ),
    '{"model": "m", "messages": [{"role": "poet"}]}': (
        "Invalid value: 'poet'. Supported values are: 'system', 'assistant', 'user', 'function', "
        "'tool', and 'developer'.",
        "messages[0].role",
        "invalid_value",
    ),
    '{"model": "m", "messages": [{"role": null}]}': (
        "Invalid type for 'messages[0].role': expected one of 'system', 'assistant', 'user', "
        "'function', 'tool', or 'developer', but got null instead.",
        "messages[0].role",
        "invalid_type",
    ),
    '{"model": "m", "messages": [{"role": "user"}], "metadata": {"a": 1}}': (
        "Invalid type for 'metadata.a': expected a string, but got a number instead.",
        "metadata.a",
        "invalid_type",
    ),
    '{"model": "m", "messages": [{"role": "user"}], "store": "yes"}': (
        "Invalid type for 'store': expected a boolean, but got a string instead.",
        "store",
        "invalid_type",
    ),
}


@pytest.mark.parametrize("body", BAD_REQUESTS)
def test_a_bad_request_is_refused_and_not_forwarded(
    model: FakeModel, client: FlaskClient, body: str
) -> None:
    message, param, code = BAD_REQUESTS[body]
    answer = post(client, body.encode())

    assert message in answer.get_json()["error"]["message"]
    assert_error(answer, 400, answer.get_json()["error"]["message"], param, code)
    assert model.requests == []


def test_without_a_model_server_creating_is_refused_for_good(store: Store) -> None:
    answer = post(create_server(store).test_client(), STORED)

    assert answer.status_code == 501
    assert "READBACK_MODEL_URL" in answer.get_json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
