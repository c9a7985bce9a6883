"""Of a process, few requests of readers hold large answers at once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest

from tests.support.fake_upstream import FakeUpstream, Reply, stored
from webapp.http.deadline import Deadline
from webapp.upstream import (
    LARGE,
    BadRequest,
    Busy,
    Endpoint,
    Holder,
    Places,
    Upstream,
    hold_answers,
)


@pytest.fixture
def upstream(fake: FakeUpstream) -> Iterator[Upstream]:
    fake.completions["c-large"] = stored("c-large", "x" * (LARGE + 1))
    fake.completions["c-small"] = stored("c-small", "Hello")
    with fake.serve() as base_url:
        yield Upstream(Endpoint.openai(base_url=base_url, api_key="sk-test"))


def test_so_many_have_a_place_and_the_others_wait_within_a_bound() -> None:
    places = Places(2)
    first, second, third = (Holder(places) for _ in range(3))
    for one in (first, second, first):
        one.take_place(0)
    with pytest.raises(Busy) as busy:
        third.take_place(0)
    assert busy.value.http_status == 503 and busy.value.retry_after

    first.end()
    third.take_place(0)

    assert second.has_place and third.has_place and not first.has_place
    with pytest.raises(Busy):
        first.take_place(0)


def test_who_finds_too_many_waiting_is_refused_at_once() -> None:
    places = Places(1)
    Holder(places).take_place(0)

    with pytest.raises(Busy):
        Holder(places, most_waiting=0).take_place(3600)


def test_a_large_answer_takes_a_place_before_it_is_read(upstream: Upstream) -> None:
    places = Places(1)
    other, own = Holder(places), Holder(places, most_waiting=0)
    other.take_place(0)
    with hold_answers(own):
        assert upstream.list_messages("c-small").data
        with pytest.raises(Busy):
            upstream.list_messages("c-large")
        other.end()
        (message,) = upstream.list_messages("c-large", deadline=Deadline.after(60)).data

    assert own.has_place and message.json.length > LARGE
    assert upstream.list_messages("c-large").data, "a command needs no place"


def test_a_compressed_answer_takes_a_place_when_it_unfolds(
    upstream: Upstream, fake: FakeUpstream
) -> None:
    body = json.dumps({"object": "list", "data": [{"content": "x" * LARGE}]}).encode()
    path = "/chat/completions/c-large/messages"
    fake.script(path, Reply(body=gzip.compress(body), headers=(("Content-Encoding", "gzip"),)))
    places = Places(1)
    Holder(places).take_place(0)

    with hold_answers(Holder(places, most_waiting=0)), pytest.raises(Busy):
        upstream.list_messages("c-large")


def test_a_change_that_was_made_is_not_refused_for_its_large_answer(
    upstream: Upstream, fake: FakeUpstream
) -> None:
    answer = {"index": 0, "message": {"role": "assistant", "content": "x" * LARGE}}
    fake.completions["c-spoken"] = stored("c-spoken", choices=[answer])
    places = Places(1)
    Holder(places).take_place(0)

    with hold_answers(Holder(places, most_waiting=0)):
        completion = upstream.update_completion("c-spoken", metadata={"k": "v"})

    assert [member.value.source for member in completion.metadata] == ['"v"']


def test_the_beginning_of_a_large_error_needs_no_place(
    upstream: Upstream, fake: FakeUpstream
) -> None:
    body = json.dumps({"error": {"message": "No."}, "more": "x" * LARGE}).encode()
    fake.script("/chat/completions/c-small", Reply(body=body, status=400))
    places = Places(1)
    Holder(places).take_place(0)

    with hold_answers(Holder(places, most_waiting=0)), pytest.raises(BadRequest):
        upstream.retrieve_completion("c-small")
