"""curl against `readback serve`, as the API reference calls it: the bytes and headers that come."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import Final, TypeAlias

import pytest

from tests.sdk.api import Api
from tests.support.model_server import FakeModel, completion, whole

SEED: Final = -8132613597486110237
"""Larger than a double."""

ANSWER: Final = {"content": "Four. \u2713", "role": "assistant"}
COMPLETION: Final = (
    b'{"object":"chat.completion","id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18",'
    b'"created":1758039103,"request_id":"req_1","tool_choice":null,"usage":null,'
    b'"seed":-8132613597486110237,"top_p":1.0,"temperature":0.5,"presence_penalty":0.0,'
    b'"frequency_penalty":0.0,"system_fingerprint":"fp_1","input_user":null,'
    b'"service_tier":"default","tools":null,"metadata":%b,"choices":[{"index":0,"message":'
    b'{"content":"Four. \xe2\x9c\x93","role":"assistant","tool_calls":null,"function_call":null},'
    b'"finish_reason":"stop","logprobs":null}],"response_format":null}'
)
STORED: Final = {
    "id": "chatcmpl-1",
    "model": "gpt-4o-mini-2024-07-18",
    "created": 1_758_039_103,
    "request_id": "req_1",
    "seed": SEED,
    "temperature": 0.5,
    "system_fingerprint": "fp_1",
    "service_tier": "default",
    "metadata": {"run": "7"},
    "messages": [
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "user", "content": [{"type": "text", "text": "In words"}], "name": "ada"},
    ],
    "choices": [{"index": 0, "message": ANSWER, "finish_reason": "stop"}],
}


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire, decoded in nothing."""

    status: int
    headers: Message
    body: bytes


Curl: TypeAlias = Callable[..., Answer]


@pytest.fixture
def curl(api: Api) -> Curl:
    """Runs curl with the options, on a path below `/v1/chat/completions`."""
    assert shutil.which("curl"), "curl is not installed"
    api.add(STORED, STORED | {"id": "chatcmpl-2", "created": 1, "metadata": {"run": "8"}})

    def call(path: str, *options: str) -> Answer:
        url = f"{api.base_url}/chat/completions{path}"
        key = ["-H", "Authorization: Bearer unused"]
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", "-i", url, *key, *options]
        head, _, body = subprocess.check_output(command).partition(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        return Answer(int(line.split()[1]), message_from_bytes(fields), body)

    return call


def test_messages_are_compact_and_keep_their_five_keys(curl: Curl) -> None:
    answer = curl("/chatcmpl-1/messages", "-H", "Content-Type: application/json")

    assert_stored_headers(answer, 200)
    assert answer.body == (
        b'{"object":"list","data":[{"id":"chatcmpl-1-0","role":"user","content":"What is 2 + 2?",'
        b'"content_parts":null,"name":null},{"id":"chatcmpl-1-1","role":"user",'
        b'"content":"In words","content_parts":[{"type":"text","text":"In words",'
        b'"image_url":null,"input_audio":null,"file":null}],"name":"ada"}],'
        b'"first_id":"chatcmpl-1-0","last_id":"chatcmpl-1-1","has_more":false}'
    )


def test_the_page_after_the_last_message_is_empty(curl: Curl) -> None:
    answer = curl("/chatcmpl-1/messages?after=chatcmpl-1-1&limit=20&order=asc")

    assert_stored_headers(answer, 200)
    empty = b'{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}'
    assert answer.body == empty


def test_a_completion_keeps_its_key_order_and_its_numbers(curl: Curl) -> None:
    answer = curl("/chatcmpl-1")

    assert_stored_headers(answer, 200)
    assert answer.body == COMPLETION % b'{"run":"7"}'


@pytest.mark.parametrize(
    "filtered",
    [
        ("", "-G", "--data-urlencode", "metadata[run]=7", "-d", "limit=5"),
        ("?metadata[run]=7&limit=5", "--globoff"),
        ("?metadata%5Brun%5D=7&limit=5",),
    ],
    ids=["encoded by curl", "brackets as they are", "encoded by hand"],
)
def test_the_list_is_filtered_by_metadata(curl: Curl, filtered: tuple[str, ...]) -> None:
    answer = curl(*filtered)

    assert_stored_headers(answer, 200)
    assert answer.body == (
        b'{"object":"list","data":[%b],"first_id":"chatcmpl-1","last_id":"chatcmpl-1",'
        b'"has_more":false}' % (COMPLETION % b'{"run":"7"}')
    )


def test_an_update_is_answered_with_the_new_metadata(curl: Curl) -> None:
    answer = curl("/chatcmpl-1", *posted('{"metadata": {"b": "Zo\u00eb", "a": "1"}}'))

    assert_stored_headers(answer, 200)
    assert answer.body == COMPLETION % '{"b":"Zo\u00eb","a":"1"}'.encode()
    assert curl("/chatcmpl-1").body == answer.body


def test_what_was_deleted_is_not_found(curl: Curl) -> None:
    answer = curl("/chatcmpl-1", "-X", "DELETE")

    assert_stored_headers(answer, 200)
    assert answer.body == b'{"object":"chat.completion.deleted","id":"chatcmpl-1","deleted":true}'
    assert_not_found(curl("/chatcmpl-1", "-X", "DELETE"), "chatcmpl-1")
    assert_not_found(curl("/chatcmpl-1/messages"), "chatcmpl-1")


def test_an_unknown_id_is_not_found_by_any_operation(curl: Curl) -> None:
    assert_not_found(curl("/chatcmpl-none"), "chatcmpl-none")
    assert_not_found(curl("/chatcmpl-none/messages"), "chatcmpl-none")
    assert_not_found(curl("/chatcmpl-none", "-X", "DELETE"), "chatcmpl-none")
    assert_not_found(curl("/chatcmpl-none", *posted('{"metadata": {}}')), "chatcmpl-none")


def test_an_unknown_url_is_answered_in_the_same_envelope(curl: Curl) -> None:
    answer = curl("/chatcmpl-1/messages/chatcmpl-1-0")

    assert_stored_headers(answer, 404)
    assert answer.body.startswith(b'{\n  "error": {\n    "message": "Unknown request URL: GET /v1/')
    assert json.loads(answer.body)["error"]["code"] == "unknown_url"


def test_a_created_completion_comes_as_the_model_server_wrote_it(
    curl: Curl, model: FakeModel
) -> None:
    written = json.dumps(completion("chatcmpl-3"), indent=2).encode() + b"\n"
    model.script(whole(written, headers=(("x-ratelimit-limit-requests", "30000"),)))
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "store": True}

    answer = curl("", *posted(json.dumps(asked)))

    assert (answer.status, answer.body) == (200, written)
    assert answer.headers["x-ratelimit-limit-requests"] == "30000"
    exposed = answer.headers["access-control-expose-headers"]
    assert exposed == "X-Request-ID, X-Readback-Stored-As, X-Readback-Advice"
    assert curl("/chatcmpl-3").status == 200


def posted(body: str) -> list[str]:
    return ["-X", "POST", "-H", "Content-Type: application/json", "-d", body]


def assert_stored_headers(answer: Answer, status: int) -> None:
    """Check the headers of an answer about stored completions, which has none of rate limits."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["openai-processing-ms"].isdecimal()
    assert re.fullmatch("req_[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


def assert_not_found(answer: Answer, completion_id: str) -> None:
    assert_stored_headers(answer, 404)
    message = f'"message": "Completion {completion_id} not found"'
    assert (
        answer.body
        == (
            f'{{\n  "error": {{\n    {message},\n    "type": "invalid_request_error",\n'
            f'    "param": "completion_id",\n    "code": "not_found"\n  }}\n}}'
        ).encode()
    )
