"""The order in which requests that wait for a thread get one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from webapp.serving.queues import FairQueue


def waiting(client: str, number: int) -> Any:
    return SimpleNamespace(requests=[SimpleNamespace(client=client)], name=f"{client}{number}")


def test_clients_take_turns_and_the_newest_does_not_wait_for_all() -> None:
    queue = FairQueue()
    for number in range(5):
        queue.append(waiting("a", number))
    queue.append(waiting("b", 0))

    assert len(queue) == 6
    assert [queue.popleft().name for _ in range(3)] == ["a0", "b0", "a1"]
    queue.append(waiting("a", 5))
    assert [queue.popleft().name for _ in range(4)] == ["a5", "a2", "a4", "a3"]
    assert not queue
