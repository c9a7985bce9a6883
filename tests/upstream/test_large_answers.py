"""In a process, few requests of readers hold large answers at once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

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


def test_clients_with_few_requests_come_before_one_with_many() -> None:
    places = Places(2)
    greedy = [Holder(places, most_waiting=1, client="192.0.2.1") for _ in range(4)]
    other = Holder(places, most_waiting=1, client="192.0.2.2")
    for one in greedy[:2]:
        one.take_place(0)
    with ThreadPoolExecutor(2) as pool:
        displaced = pool.submit(greedy[2].take_place, 3600)
        _wait_for(places, 1)
        served = pool.submit(other.take_place, 3600)
        with pytest.raises(Busy):
            displaced.result(60)
        with pytest.raises(Busy):
            greedy[3].take_place(3600)
        greedy[0].end()
        served.result(60)

    assert other.has_place and greedy[1].has_place


def test_a_place_that_is_free_goes_to_the_client_with_fewer() -> None:
    places = Places(2)
    first, second, third = (Holder(places, most_waiting=9, client=one) for one in "aab")
    blocking = Holder(places, client="c")
    for one in (first, blocking):
        one.take_place(0)
    with ThreadPoolExecutor(2) as pool:
        later = pool.submit(second.take_place, 3600)
        _wait_for(places, 1)
        sooner = pool.submit(third.take_place, 3600)
        _wait_for(places, 2)
        blocking.end()
        sooner.result(60)
        assert third.has_place and not second.has_place
        third.end()
        later.result(60)

    assert second.has_place


def _wait_for(places: Places, number: int) -> None:
    """Return once so many requests wait for a place."""
    deadline = Deadline.after(60)
    while len(places._waiting) < number:
        deadline.check()


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
