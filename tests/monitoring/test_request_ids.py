"""The executors of requests to the server."""

from __future__ import annotations

import threading

import pytest

from webapp.monitoring.request_ids import RequestPool, SameThread, find_request_id, set_request_id


def test_a_pool_runs_functions_with_the_id_of_the_request_that_submitted_them() -> None:
    set_request_id("one")
    with RequestPool(1) as pool:
        waiting = pool.submit(lambda: (find_request_id(), threading.current_thread()))
        set_request_id(None)
        request_id, thread = waiting.result()
    assert request_id == "one"
    assert thread is not threading.current_thread()


def test_the_same_thread_runs_functions_at_once() -> None:
    here = SameThread()
    assert here.submit(threading.current_thread).result() is threading.current_thread()
    failed = here.submit(int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        failed.result()
