"""Requests and results of each method of the client, the same over both transports."""

from __future__ import annotations

import json

import pytest

from tests.support.fake_upstream import (
    FakeUpstream,
    Json,
    Reply,
    always_more,
    error,
    message,
    stored,
)
from tests.upstream.conftest import KEY, Connect
from webapp.http.loopback import LoopbackAdapter
from webapp.upstream import (
    BadAnswer,
    Endpoint,
    InvalidId,
    NotFound,
    NotSupported,
    Upstream,
    UpstreamError,
    count_from_newest,
)

ID = "chatcmpl-1"
TEXTS = ("one", "two", "three", "four", "five")


@pytest.fixture
def fake() -> FakeUpstream:
    return FakeUpstream({ID: stored(ID, *TEXTS)})


def test_a_list_of_completions_is_a_page(connect: Connect, fake: FakeUpstream) -> None:
    page = connect(fake).list_completions()

    assert [completion.id for completion in page.data] == [ID]
    assert page.has_more is False
    assert fake.requests[0].path == "/chat/completions"


def test_blank_parameters_are_not_sent(connect: Connect, fake: FakeUpstream) -> None:
    connect(fake).list_completions(after="", order="", model="", metadata={"": "x", "k": ""})

    assert fake.requests[0].raw_query == ""


def test_the_query_and_the_headers_of_the_endpoint_go_with_every_request(
    fake: FakeUpstream,
) -> None:
    with fake.serve() as base_url:
        endpoint = Endpoint.openai(f"{base_url}?api-version=2024-10-21&flag", api_key=KEY)
        upstream = Upstream(endpoint.with_headers([("CF-Access-Client-Id", "a.access")]))
        upstream.list_completions(limit=5)
        upstream.update_completion(ID, metadata={})

    assert [seen.raw_query for seen in fake.requests] == [
        "api-version=2024-10-21&flag&limit=5",
        "api-version=2024-10-21&flag",
    ]
    assert {seen.headers["cf-access-client-id"] for seen in fake.requests} == {"a.access"}
    assert {seen.headers["authorization"] for seen in fake.requests} == {f"Bearer {KEY}"}


def test_filters_are_percent_encoded(connect: Connect, fake: FakeUpstream) -> None:
    fake.completions[ID].completion["metadata"] = {"a b&c=": "é/ü?"}
    upstream = connect(fake)
    page = upstream.list_completions(limit=5, order="asc", metadata={"a b&c=": "é/ü?"})

    assert [completion.id for completion in page.data] == [ID]
    assert fake.requests[0].raw_query == (
        "limit=5&order=asc&metadata%5Ba%20b%26c%3D%5D=%C3%A9%2F%C3%BC%3F"
    )


def test_a_completion_keeps_its_exact_source(connect: Connect, fake: FakeUpstream) -> None:
    body = '{"id":"chatcmpl-1","seed":-8132613597486110237,"top_p":1.0}'
    fake.script(f"/chat/completions/{ID}", Reply(200, body))

    assert connect(fake).retrieve_completion(ID).json.source == body


def test_an_update_sends_the_metadata_as_json(connect: Connect, fake: FakeUpstream) -> None:
    completion = connect(fake).update_completion(ID, metadata={"k": "é"})

    assert [member.name.text for member in completion.metadata] == ["k"]
    assert json.loads(fake.requests[0].body) == {"metadata": {"k": "é"}}
    assert fake.requests[0].method == "POST"
    assert fake.requests[0].headers["content-type"] == "application/json"


def test_a_lone_surrogate_can_be_stored(connect: Connect, fake: FakeUpstream) -> None:
    fake.script(f"/chat/completions/{ID}", Reply(200, {"id": ID}))
    connect(fake).update_completion(ID, metadata={"k": "\ud800"})

    assert json.loads(fake.requests[0].body) == {"metadata": {"k": "\ud800"}}


def test_a_deleted_completion_is_gone(connect: Connect, fake: FakeUpstream) -> None:
    upstream = connect(fake)
    upstream.delete_completion(ID)

    assert fake.completions == {}
    with pytest.raises(NotFound):
        upstream.delete_completion(ID)


def test_a_deletion_without_a_body_or_with_no_error_is_one(
    connect: Connect, fake: FakeUpstream
) -> None:
    confirmed = Reply(200, {"id": ID, "deleted": True, "error": ""})
    fake.script(f"/chat/completions/{ID}", Reply(204), confirmed)
    connect(fake).delete_completion(ID)
    connect(fake).delete_completion(ID)

    assert [seen.method for seen in fake.requests] == ["DELETE"] * 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"id": ID, "deleted": False}, BadAnswer),
        ({"error": {"message": "No."}}, BadAnswer),
        ({"error": "Unexpected endpoint or method."}, NotSupported),
    ],
)
def test_a_denied_deletion_is_an_error(
    connect: Connect, fake: FakeUpstream, answer: Json, kind: type[UpstreamError]
) -> None:
    fake.script(f"/chat/completions/{ID}", Reply(200, answer))

    with pytest.raises(kind):
        connect(fake).delete_completion(ID)


def test_messages_come_in_pages(connect: Connect, fake: FakeUpstream) -> None:
    upstream = connect(fake)
    page = upstream.list_messages(ID, limit=2, after=f"{ID}-1")

    assert [message.plain_text for message in page.data] == ["three", "four"]
    assert page.has_more is True
    assert fake.requests[0].query == [("after", f"{ID}-1"), ("limit", "2")]


@pytest.mark.parametrize("index", range(len(TEXTS)))
def test_one_message_takes_two_calls_at_any_depth(
    connect: Connect, fake: FakeUpstream, index: int
) -> None:
    message = connect(fake).retrieve_message(ID, f"{ID}-{index}")

    assert message.plain_text == TEXTS[index]
    assert len(fake.requests) == 2


def test_a_message_the_server_does_not_know_is_not_found(
    connect: Connect, fake: FakeUpstream
) -> None:
    with pytest.raises(NotFound, match="no such message"):
        connect(fake).retrieve_message(ID, f"{ID}-99")


def test_another_message_than_the_one_asked_for_is_not_found(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.ignores_query = True

    with pytest.raises(NotFound, match="no such message"):
        connect(fake).retrieve_message(ID, f"{ID}-9")


def test_a_message_is_found_on_a_server_that_ignores_cursors(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.ignores_query = True

    assert connect(fake).retrieve_message(ID, f"{ID}-3").plain_text == TEXTS[3]


def count_messages(upstream: Upstream) -> int | None:
    newest = upstream.list_messages(ID, limit=1, order="desc")
    return count_from_newest(ID, newest)


def test_messages_are_counted_by_the_index_in_the_newest_id(
    connect: Connect, fake: FakeUpstream
) -> None:
    assert count_messages(connect(fake)) == 5
    assert fake.requests[0].query == [("limit", "1"), ("order", "desc")]
    assert len(fake.requests) == 1


def test_an_index_after_msg_counts_too(connect: Connect, fake: FakeUpstream) -> None:
    fake.completions[ID].messages = [{"id": f"{ID}-msg-{n}"} for n in range(3)]

    assert count_messages(connect(fake)) == 3


def test_a_total_is_taken_as_the_count(connect: Connect, fake: FakeUpstream) -> None:
    fake.page = lambda page: page | {"total": 12}

    assert count_messages(connect(fake)) == 12


def test_no_messages_count_as_none_at_all(connect: Connect, fake: FakeUpstream) -> None:
    fake.completions[ID].messages = []

    assert count_messages(connect(fake)) == 0


@pytest.mark.parametrize("id", ["msg_abc", f"{ID}-x", "other-4", f"{ID}-", f"{ID}4"])
def test_an_id_of_another_form_gives_no_count(
    connect: Connect, fake: FakeUpstream, id: str
) -> None:
    fake.completions[ID].messages = [{"id": "first"}, {"id": id}]

    assert count_messages(connect(fake)) is None


def test_an_oldest_message_in_place_of_the_newest_gives_no_count(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.completions[ID].messages = [message(ID, 0, "one")]
    fake.page = always_more

    assert count_messages(connect(fake)) is None


def test_the_headers_of_a_call(connect: Connect, fake: FakeUpstream) -> None:
    connect(fake).list_completions()
    headers = fake.requests[0].headers

    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "gzip, deflate"
    assert headers["user-agent"].startswith("Readback/")
    assert "content-type" not in headers


def test_cookies_are_not_kept(connect: Connect, fake: FakeUpstream) -> None:
    page = Reply(200, {"data": []}, (("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")))
    fake.script("/chat/completions", page)
    upstream = connect(fake)
    upstream.list_completions()
    upstream.list_completions()

    assert "cookie" not in fake.requests[1].headers


@pytest.mark.parametrize(
    "id", ["", ".", "..", "a/b", "a?b", "a#b", "%2e%2e", "a b", "é", "a\n", "x" * 257]
)
def test_what_cannot_be_an_id_is_refused_unsent(
    connect: Connect, fake: FakeUpstream, id: str
) -> None:
    upstream = connect(fake)
    for call in (
        lambda: upstream.retrieve_completion(id),
        lambda: upstream.update_completion(id, metadata={}),
        lambda: upstream.delete_completion(id),
        lambda: upstream.list_messages(id),
        lambda: upstream.list_messages(ID, after=id or ".."),
        lambda: upstream.list_completions(after=id or ".."),
        lambda: next(upstream.every_message(id)),
    ):
        with pytest.raises(InvalidId):
            call()

    assert fake.requests == []


def test_unusual_ids_arrive_as_they_are(connect: Connect, fake: FakeUpstream) -> None:
    odd = "gen:1~a._-:" + "x" * 200
    fake.completions[odd] = stored(odd, "text")

    assert connect(fake).retrieve_completion(odd).id == odd


def test_classic_azure_calls_carry_the_version_first() -> None:
    fake = FakeUpstream()
    endpoint = Endpoint.azure("http://127.0.0.1", KEY, api_version="2025-02-01-preview")
    upstream = Upstream(endpoint, transport=LoopbackAdapter(fake, mount="/openai"))
    with pytest.raises(NotFound):
        upstream.list_messages("unknown", limit=2)

    assert fake.requests[0].raw_query == "api-version=2025-02-01-preview&limit=2"
    assert fake.requests[0].headers["api-key"] == KEY
    assert "authorization" not in fake.requests[0].headers


def test_an_unknown_completion_is_not_found(connect: Connect, fake: FakeUpstream) -> None:
    fake.script(
        "/chat/completions/gone",
        error(404, "Completion gone not found", code="not_found", x_request_id="req_1"),
    )

    with pytest.raises(NotFound) as problem:
        connect(fake).retrieve_completion("gone")
    assert problem.value.http_status == problem.value.status == 404
    assert problem.value.server_message == "Completion gone not found"
    assert problem.value.code == "not_found"
    assert problem.value.request_id == "req_1"
