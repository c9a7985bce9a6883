"""The order in which requests that wait for a thread get one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from webapp.serving.queues import FairQueue


def waiting(client: str, number: int) -> Any:
    return SimpleNamespace(
        requests=[SimpleNamespace(client=client)],
        name=f"{client}{number}",
        service=lambda: None,
        cancel=lambda: None,
    )


def take(queue: FairQueue) -> str:
    name: str = queue.popleft().channel.name
    return name


def test_clients_take_turns_and_the_newest_does_not_wait_for_all() -> None:
    queue = FairQueue()
    for number in range(5):
        queue.append(waiting("a", number))
    queue.append(waiting("b", 0))

    assert len(queue) == 6
    assert [take(queue) for _ in range(3)] == ["a0", "b0", "a1"]
    queue.append(waiting("a", 5))
    assert [take(queue) for _ in range(4)] == ["a5", "a2", "a4", "a3"]
    assert not queue


def test_a_client_leaves_others_threads_and_goes_on_as_its_requests_are_answered() -> None:
    queue = FairQueue(most_of_one=2)
    for number in range(4):
        queue.append(waiting("a", number))
    turns = [queue.popleft(), queue.popleft()]
    queue.append(waiting("a", 4))

    assert not queue
    queue.append(waiting("b", 0))
    assert (len(queue), take(queue)) == (1, "b0")
    turns[0].service()
    assert (len(queue), take(queue)) == (3, "a4")
    assert not queue
    turns[1].cancel()
    assert len(queue) == 2
