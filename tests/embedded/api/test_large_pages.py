"""Pages of large completions and messages: sent object by object, and the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tools.store_rows import add, completion
from webapp.embedded import Store
from webapp.embedded.api.responding import SLICE, iter_slices
from webapp.embedded.store.pages import PageRequest
from webapp.embedded.store.schema import MAX_INLINE

LARGE = "é" * MAX_INLINE + "😀"
LIST = "/chat/completions"
MESSAGES = "/chat/completions/c1/messages"


def answer_of(text: str) -> list[Any]:
    return [{"index": 0, "message": {"role": "assistant", "content": text}}]


@pytest.fixture(autouse=True)
def _stored(store: Store) -> None:
    add(store, completion("c1", messages=3, created=1) | {"choices": answer_of(LARGE)})
    add(store, completion("c2", created=2), completion("c3", created=3, choices=answer_of(LARGE)))
    said = [{"role": "user", "content": text} for text in ("small", LARGE, "small", LARGE)]
    add(store, completion("c4", created=4) | {"messages": said})


@pytest.mark.parametrize("query", ["", "?limit=1", "?limit=2", "?order=asc&limit=3", "?after=c3"])
def test_a_list_is_what_its_completions_are(client: FlaskClient, query: str) -> None:
    answer = client.get(LIST + query)
    listed = answer.get_json()
    alone = [client.get(f"{LIST}/{one['id']}").get_data() for one in listed["data"]]

    first, last = json.dumps(listed["first_id"]), json.dumps(listed["last_id"])
    expected = b'{"object":"list","data":[' + b",".join(alone) + b"]"
    expected += f',"first_id":{first},"last_id":{last}'.encode()
    expected += b',"has_more":' + (b"true}" if listed["has_more"] else b"false}")
    assert answer.get_data() == expected
    assert answer.content_type == "application/json"


def test_messages_are_complete_in_their_order(client: FlaskClient) -> None:
    listed = client.get("/chat/completions/c4/messages").get_json()

    assert [one["content"] for one in listed["data"]] == ["small", LARGE, "small", LARGE]
    assert (listed["first_id"], listed["last_id"]) == ("c4-0", "c4-3")


@pytest.mark.parametrize("path", [LIST, "/chat/completions/c4/messages"])
def test_a_large_page_is_not_built_whole(client: FlaskClient, path: str) -> None:
    with client.get(path, buffered=False) as answer:
        assert answer.is_streamed
        assert answer.content_length is None


@pytest.mark.parametrize("path", [f"{LIST}?after=c3&limit=1", MESSAGES])
def test_a_small_page_has_a_length(client: FlaskClient, path: str) -> None:
    assert client.get(path).content_length


def test_an_error_before_the_first_byte_has_its_own_answer(client: FlaskClient) -> None:
    assert client.get(f"{LIST}?after=nothing").status_code == 400


def test_a_page_whose_object_is_deleted_meanwhile_breaks_off(store: Store) -> None:
    page = store.list_completions(PageRequest(None, 20, "desc"))
    store.delete_completion("c1")

    with pytest.raises(LookupError):
        page.to_json()


def test_a_large_text_waits_in_a_file_for_its_reader(client: FlaskClient, store: Store) -> None:
    text = "é" * SLICE
    add(store, completion("c6", created=6) | {"choices": answer_of(text)})
    with client.get(f"{LIST}/c6", buffered=False) as answer:
        slices = list(answer.iter_encoded())

    assert len(slices) > 2 and max(map(len, slices)) == SLICE
    assert json.loads(b"".join(slices))["choices"][0]["message"]["content"] == text
    assert client.get(f"{LIST}/c6-none").status_code == 404


def test_no_piece_is_read_before_its_turn() -> None:
    reads: list[int] = []

    def read() -> Iterator[str]:
        for at in range(3):
            reads.append(at)
            yield "x" * (2 * SLICE)

    slices = iter_slices(read())
    seen = [(next(slices), len(reads))[1] for _ in range(4)]
    assert seen == [1, 1, 2, 2]


def test_metadata_can_make_a_completion_large_and_small_again(
    client: FlaskClient, store: Store
) -> None:
    room = MAX_INLINE - 1_000
    add(store, completion("c5", created=5, choices=answer_of("x" * room)))
    for value, is_large in (("x" * 512, True), ("", False)):
        client.post(f"{LIST}/c5", json={"metadata": {f"key{at}": value for at in range(16)}})
        assert store.list_completions(PageRequest(None, 1, "desc")).is_large is is_large
