"""The first completion of a list whose answer is too large, from its beginning alone."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from tests.support.fake_upstream import FakeUpstream, Reply
from webapp.config import Limits
from webapp.upstream import Endpoint, TooLarge, Upstream, find_cut_completion

LONG = "x" * 200


def cut(text: str) -> str:
    """Return `text` up to the middle of its long string."""
    return text[: text.index(LONG) + 100]


@pytest.mark.parametrize(
    "item",
    [
        f'"id":"c-1","created":1758039103,"model":"m","choices":[{{"message":"{LONG}"}}]',
        f'"object":"chat.completion","model":"m","created":1758039103,"id":"c-1","x":"{LONG}"',
        f'"tools":[{{"id":"no"}},[{{"id":"no"}}]],"id":"c-1","created":1758039103,"a":"{LONG}"',
        f'"metadata":{{"id":"no","data":[{{"id":"no"}}]}},"created":1758039103,"id":"c-1"'
        f',"choices":[{{"id":"no","message":{{"id":"no","content":"{LONG}"',
        f'"x":"\\"id\\":\\"no\\"","y":"id","id":"c-1","z":"created","created":1758039103,"a":"{LONG}"',
        f'"id":"no","id":"c-1","created":1758039103,"a":"{LONG}"',
    ],
    ids=["id first", "id later", "ids before", "ids after", "ids in strings", "two ids"],
)
@pytest.mark.parametrize("head", ['{"data":[{', '{"object":"list", "first_id":"no",\n"data" : [ {'])
def test_the_id_of_the_item_is_found_and_no_other(head: str, item: str) -> None:
    found = find_cut_completion(cut(head + item))

    assert found is not None
    assert (found.id, found.created) == ("c-1", 1_758_039_103)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!doctype html>",
        "[" * 5_000,
        "}" * 5_000,
        '{"data":[]',
        '{"data":[{"id":"c-1","created":1},{"id":"c-2","a":"',
        '{"data":[{"id":"c-1"}],"x":[{"id":"c-2","a":"',
        '{"data":[{"id":"../x","a":"',
        '{"data":[{"id":"..","a":"',
        '{"data":[{"id":"a b","a":"',
        '{"data":[{"id":"' + "x" * 300 + '","a":"',
        '{"data":[{"id":17,"a":"',
        '{"data":[{"id":null,"a":"',
        '{"data":[{"id":"c-',
        '{"data":[["id","c-1",{"id":"c-2","a":"',
        '{"data":[{"choices":[{"id":"c-1","a":"',
        '{"other":{"data":[{"id":"c-1","a":"',
        '{"id":"c-1","choices":[{"a":"',
    ],
)
def test_nothing_is_found_where_no_item_is_cut_off_after_its_id(text: str) -> None:
    assert find_cut_completion(text) is None


def test_a_time_that_is_cut_off_is_none() -> None:
    found = find_cut_completion('{"data":[{"id":"c-1","created":17580')

    assert found is not None
    assert found.created is None


@pytest.mark.parametrize("is_compressed", [False, True])
def test_an_answer_that_is_too_large_keeps_its_beginning(is_compressed: bool) -> None:
    noise = random.Random(0).randbytes(200_000).hex() + "é" * 100_000
    page = {"object": "list", "data": [{"id": "c-1", "choices": noise}]}
    body = json.dumps(page, ensure_ascii=False).encode()
    headers = (("Content-Encoding", "gzip"),) if is_compressed else ()
    fake = FakeUpstream()
    fake.script(
        "/chat/completions", Reply(200, gzip.compress(body) if is_compressed else body, headers)
    )
    with fake.serve() as base_url:
        upstream = Upstream(Endpoint(base_url), limits=Limits(max_bytes=100_000))
        with pytest.raises(TooLarge) as caught:
            upstream.list_completions(limit=1)
        upstream.close()
    found = find_cut_completion(caught.value.beginning)

    assert len(caught.value.beginning) <= 64 * 1024
    assert found is not None
    assert found.id == "c-1"
