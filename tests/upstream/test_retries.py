"""When a call is made again, and when the wait is not worth beginning."""

from __future__ import annotations

import pytest

from tests.support.fake_time import NOW, FakeTime
from tests.support.fake_upstream import FakeUpstream, Reply, error, stored
from tests.upstream.conftest import Connect
from webapp.upstream import (
    Deadline,
    Limits,
    NotFound,
    RateLimited,
    ServerFailed,
    TimedOut,
    UpstreamError,
)

ID = "chatcmpl-1"
PATH = f"/chat/completions/{ID}"


@pytest.fixture
def fake() -> FakeUpstream:
    return FakeUpstream({ID: stored(ID, "one")})


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(
    connect: Connect, fake: FakeUpstream, time: FakeTime, status: int
) -> None:
    fake.script(PATH, error(status, "busy"), error(status, "busy"))

    assert connect(fake).retrieve_completion(ID).id == ID
    first, second = time.sleeps
    assert 0.375 <= first <= 0.5
    assert 0.75 <= second <= 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422])
def test_a_lasting_failure_is_not_tried_again(
    connect: Connect, fake: FakeUpstream, time: FakeTime, status: int
) -> None:
    fake.script(PATH, error(status, "no"))
    with pytest.raises(UpstreamError):
        connect(fake).retrieve_completion(ID)

    assert len(fake.requests) == 1
    assert time.sleeps == []


def test_the_number_of_retries_is_limited(connect: Connect, fake: FakeUpstream) -> None:
    fake.script(PATH, *[error(500, "busy")] * 9)
    with pytest.raises(ServerFailed):
        connect(fake, limits=Limits(max_retries=4)).retrieve_completion(ID)

    assert len(fake.requests) == 5


def test_the_backoff_grows_to_eight_seconds(
    connect: Connect, fake: FakeUpstream, time: FakeTime
) -> None:
    fake.script(PATH, *[error(500, "busy")] * 9)
    with pytest.raises(ServerFailed):
        connect(fake, limits=Limits(max_retries=6, page_timeout=99)).retrieve_completion(ID)

    for wait, longest in zip(time.sleeps, [0.5, 1, 2, 4, 8, 8], strict=True):
        assert 0.75 * longest <= wait <= longest


def test_updates_are_tried_again_too(connect: Connect, fake: FakeUpstream) -> None:
    fake.script(PATH, error(503, "busy"))
    connect(fake).update_completion(ID, metadata={"k": "v"})

    assert [seen.body for seen in fake.requests] == [b'{"metadata": {"k": "v"}}'] * 2


def test_the_server_may_forbid_a_retry(connect: Connect, fake: FakeUpstream) -> None:
    fake.script(PATH, error(429, "no", x_should_retry="false"))
    with pytest.raises(RateLimited):
        connect(fake).retrieve_completion(ID)

    assert len(fake.requests) == 1


def test_the_server_may_ask_for_a_retry(connect: Connect, fake: FakeUpstream) -> None:
    fake.script(PATH, error(404, "not yet", x_should_retry="true"))

    assert connect(fake).retrieve_completion(ID).id == ID


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_After": "3"}, 3),
        ({"Retry_After": "1.5"}, 1.5),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after_ms": "250", "Retry_After": "9"}, 0.25),
        ({"Retry_After": "Tue, 16 Sep 2025 16:13:25 GMT"}, 5),
        ({"Retry_After": "Tue, 16 Sep 2025 16:13:25 -0000"}, 5),
    ],
)
def test_the_server_says_how_long_to_wait(
    connect: Connect, fake: FakeUpstream, time: FakeTime, headers: dict[str, str], wait: float
) -> None:
    fake.script(PATH, error(429, "slow down", **headers))
    connect(fake).retrieve_completion(ID)

    assert NOW == 1758039200
    assert time.sleeps == [pytest.approx(wait)]


@pytest.mark.parametrize(
    "written",
    [
        *("0", "-5", "soon", "nan", "inf", "", "1e308", "1_0", "0x10", "9" * 401, "\u00b2"),
        "Tue, 16 Sep 1925 16:13:25 GMT",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 31 Dec 2025 23:59:59 +99999999999999",
        "Fri, 99 Foo 2025 99:99:99 GMT",
    ],
)
def test_a_useless_wait_is_replaced_by_the_usual_one(
    connect: Connect, fake: FakeUpstream, time: FakeTime, written: str
) -> None:
    fake.script(PATH, error(429, "slow down", Retry_After=written))
    connect(fake).retrieve_completion(ID)

    assert 0.375 <= time.sleeps[0] <= 0.5


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry_After": "9" * 300},
        {"Retry_After": "99999999999999999999.5"},
        {"retry_after_ms": "9" * 400},
        {"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"},
        {"Retry_After": "Fri, 31 Dec 9999 23:59:59 -2359"},
    ],
)
def test_an_absurd_wait_is_a_month(
    connect: Connect, fake: FakeUpstream, time: FakeTime, headers: dict[str, str]
) -> None:
    fake.script(PATH, error(429, "slow down", **headers))
    with pytest.raises(RateLimited) as problem:
        connect(fake).retrieve_completion(ID)

    assert problem.value.retry_after == 30 * 86_400
    assert time.sleeps == []


def test_a_wait_beyond_the_deadline_is_not_begun(
    connect: Connect, fake: FakeUpstream, time: FakeTime
) -> None:
    fake.script(PATH, error(429, "slow down", Retry_After="60"))
    with pytest.raises(RateLimited) as problem:
        connect(fake, limits=Limits(page_timeout=30)).retrieve_completion(ID)

    assert problem.value.retry_after == 60
    assert problem.value.http_status == 429
    assert time.sleeps == []


def test_nothing_is_sent_after_the_deadline(
    connect: Connect, fake: FakeUpstream, time: FakeTime
) -> None:
    deadline = Deadline.after(1, clock=time.clock)
    time.passes(1)
    with pytest.raises(TimedOut):
        connect(fake).retrieve_completion(ID, deadline=deadline)

    assert fake.requests == []


def test_a_deadline_counts_down_to_zero(time: FakeTime) -> None:
    deadline = Deadline.after(3, clock=time.clock)
    time.passes(2)

    assert deadline.remaining() == 1
    assert (deadline.leaves(0.9), deadline.leaves(1)) == (True, False)
    time.passes(5)
    assert deadline.remaining() == 0
    assert deadline.has_passed


def test_a_new_completion_is_waited_for(
    connect: Connect, fake: FakeUpstream, time: FakeTime
) -> None:
    not_yet = error(404, f"Completion {ID} not found", code="not_found")
    fake.script(f"{PATH}/messages", not_yet, not_yet, not_yet)
    fake.script(PATH, not_yet)
    upstream = connect(fake)

    assert len(upstream.list_messages(ID, created=int(NOW) - 1).data) == 1
    assert time.sleeps == [2, 2, 2]
    assert upstream.retrieve_completion(ID, created=int(NOW) + 7).id == ID


def test_a_new_completion_is_waited_for_three_times(
    connect: Connect, fake: FakeUpstream, time: FakeTime
) -> None:
    fake.script(PATH, *[error(404, "not found")] * 9)
    with pytest.raises(NotFound):
        connect(fake).retrieve_completion(ID, created=int(NOW))

    assert len(fake.requests) == 4


@pytest.mark.parametrize("created", [None, int(NOW) - 11, int(NOW) + 3600])
def test_an_old_completion_is_not_waited_for(
    connect: Connect, fake: FakeUpstream, time: FakeTime, created: int | None
) -> None:
    fake.script(PATH, error(404, "not found"))
    with pytest.raises(NotFound):
        connect(fake).retrieve_completion(ID, created=created)

    assert time.sleeps == []


def test_a_new_completion_is_not_waited_for_beyond_the_deadline(
    connect: Connect, fake: FakeUpstream, time: FakeTime
) -> None:
    fake.script(PATH, *[error(404, "not found")] * 9)
    with pytest.raises(NotFound):
        connect(fake, limits=Limits(page_timeout=3)).retrieve_completion(ID, created=int(NOW))

    assert time.sleeps == [2]


def test_a_404_after_an_answered_failure_is_no_deletion(
    connect: Connect, fake: FakeUpstream
) -> None:
    fake.script(PATH, error(500, "busy"), error(404, "not found"))
    with pytest.raises(NotFound):
        connect(fake).delete_completion(ID)

    assert fake.requests[0].method == "DELETE"


def test_an_answer_with_a_redirect_is_not_tried_again(connect: Connect, fake: FakeUpstream) -> None:
    fake.script(PATH, Reply(302, "", (("Location", "/login"),)))
    with pytest.raises(UpstreamError):
        connect(fake).retrieve_completion(ID)

    assert len(fake.requests) == 1
