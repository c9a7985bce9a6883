"""The official Node client against `readback serve`: paging, errors, writing, streams."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import pytest

from tests.sdk.api import Api, not_here
from tests.support.model_server import Answer, FakeModel, chunks_of, completion, stream, whole
from tools.paths import ROOT

SCRIPT: Final = Path(__file__).with_name("node_client.mjs")
ANSWER: Final = {"index": 0, "message": {"role": "assistant", "content": "4"}, "logprobs": None}
MESSAGE_KEYS: Final = ["id", "role", "content", "content_parts", "name"]

Node: TypeAlias = Callable[..., Any]


@pytest.fixture(scope="module")
def node(shared_api: Api) -> Iterator[Node]:
    """Calls a method of the client's `chat.completions`."""
    if shutil.which("node") is None or not (ROOT / "node_modules" / "openai").is_dir():
        not_here("the official Node client")
    with subprocess.Popen(
        ["node", SCRIPT],
        env=os.environ | {"OPENAI_BASE_URL": shared_api.base_url, "OPENAI_API_KEY": "unused"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        asked, answered = process.stdin, process.stdout
        assert asked is not None and answered is not None

        def call(how: Literal["one", "each", "bytes"], method: str, *arguments: object) -> Any:
            asked.write(f"{json.dumps([how, method, arguments])}\n")
            asked.flush()
            return json.loads(answered.readline())

        yield call


@pytest.fixture(autouse=True)
def stored(api: Api) -> None:
    """Seven completions, the newest `c6`; every second one is odd."""
    api.add(
        *(
            {
                "id": f"c{at}",
                "created": at,
                "model": "m",
                "metadata": {"odd": str(at % 2)},
                "messages": [{"role": "user", "content": f"{number}"} for number in range(5)],
                "choices": [ANSWER | {"finish_reason": "stop"}],
            }
            for at in range(7)
        )
    )


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_it_pages_through_all_messages(node: Node, limit: int) -> None:
    messages = node("each", "messages.list", "c1", {"limit": limit})

    assert [one["id"] for one in messages] == [f"c1-{at}" for at in range(5)]
    assert all(list(one) == MESSAGE_KEYS for one in messages)


def test_it_pages_backwards_from_a_message(node: Node) -> None:
    query = {"limit": 2, "order": "desc", "after": "c1-4"}

    messages = node("each", "messages.list", "c1", query)

    assert [one["content"] for one in messages] == ["3", "2", "1", "0"]


def test_it_pages_through_the_list_and_its_filters(node: Node) -> None:
    newest_first = node("each", "list", {"limit": 3})
    odd = node("each", "list", {"limit": 1, "order": "asc", "metadata": {"odd": "1"}})

    assert [one["id"] for one in newest_first] == [f"c{at}" for at in reversed(range(7))]
    assert [one["id"] for one in odd] == ["c1", "c3", "c5"]


def test_it_raises_what_is_not_found_with_all_that_is_said_of_it(node: Node) -> None:
    for method, *further in (["retrieve"], ["update", {"metadata": {}}], ["delete"]):
        assert_not_found(node("one", method, "none", *further))
    assert_not_found(node("each", "messages.list", "none"))


def test_it_raises_a_bad_request(node: Node) -> None:
    error = node("one", "list", {"limit": 101})["error"]

    assert (error["name"], error["status"], error["param"], error["code"]) == (
        "BadRequestError",
        400,
        "limit",
        "integer_above_max_value",
    )


def test_it_updates_and_filters_by_what_it_wrote(node: Node) -> None:
    metadata = {"judged by": "Zoë & co"}

    updated = node("one", "update", "c1", {"metadata": metadata})
    found = node("each", "list", {"metadata": metadata})

    assert updated["metadata"] == metadata
    assert updated["_request_id"].startswith("req_")
    assert [one["id"] for one in found] == ["c1"]


def test_it_deletes(node: Node) -> None:
    deleted = node("one", "delete", "c1")

    deleted.pop("_request_id")
    assert deleted == {"object": "chat.completion.deleted", "id": "c1", "deleted": True}
    assert_not_found(node("one", "delete", "c1"), "c1")


def test_it_streams_a_completion_that_is_stored_and_reads_it_back(node: Node) -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "store": True}

    chunks = node("each", "create", asked | {"stream": True, "metadata": {"by": "node"}})
    (completion_id,) = {chunk["id"] for chunk in chunks}
    retrieved = node("one", "retrieve", completion_id)
    (message,) = node("each", "messages.list", completion_id)
    (listed,) = node("each", "list", {"metadata": {"by": "node"}})

    said = [choice["delta"].get("content") or "" for one in chunks for choice in one["choices"]]
    assert "".join(said) == retrieved["choices"][0]["message"]["content"] == "Hello!"
    assert len(chunks) == 4
    assert retrieved["choices"][0]["finish_reason"] == "stop"
    assert (message["role"], message["content"]) == ("user", "Hi")
    assert listed["id"] == completion_id


PROMPT: Final = {"model": "m", "prompt": "a"}
CHAT: Final = {"model": "m", "messages": [{"role": "user", "content": "a"}]}


@pytest.mark.parametrize(
    ("method", "asked", "answer"),
    [
        ("models.list", {}, whole(b'{ "object":"list", "data":[{"id":"m","created":1.0}] }\n')),
        (
            "embeddings.create",
            {"model": "m", "input": "a", "encoding_format": "float"},
            whole(b'{"object":"list","data":[{"index":0,"embedding":[0.10, -1e-7]}]}'),
        ),
        (
            "completions.create",
            PROMPT | {"stream": True},
            stream(b'data: {"choices":[{"text":"caf\xc3\xa9"}]}\n\n', b": keep-alive\n\n"),
        ),
        ("chat.completions.create", CHAT, whole(completion(text="caf\u00e9"))),
        (
            "chat.completions.create",
            CHAT | {"stream": True, "store": True},
            stream(b": first\r\n\r\n", *chunks_of("caf\u00e9")),
        ),
    ],
    ids=["models", "embeddings", "text stream", "chat", "chat stream"],
)
def test_it_receives_what_the_model_server_sent_byte_for_byte(
    node: Node, model: FakeModel, method: str, asked: dict[str, Any], answer: Answer
) -> None:
    model.script(answer)

    received = node("bytes", method, *([asked] if asked else []))

    assert base64.b64decode(received) == answer.body


def assert_not_found(answer: Any, completion_id: str = "none") -> None:
    error = answer["error"]
    assert re.fullmatch("req_[0-9a-f]{32}", error.pop("requestID"))
    assert error == {
        "name": "NotFoundError",
        "status": 404,
        "code": "not_found",
        "param": "completion_id",
        "type": "invalid_request_error",
        "message": f"404 Completion {completion_id} not found",
    }
