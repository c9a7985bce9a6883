"""The questions of a list, when several lists ask for them at the same time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from tests.support.fake_time import FakeTime
from tests.support.fake_upstream import FakeUpstream, stored
from webapp.completions import Completion
from webapp.exact_json import Object, parse
from webapp.http.loopback import LoopbackAdapter
from webapp.reading.previews import Previews
from webapp.upstream import Deadline, Endpoint, Upstream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def test_lists_share_a_request_for_a_question_that_is_under_way() -> None:
    """Each of them would have the server read all of a large one."""
    completions = [stored(name, "Where is it?") for name in ("c1", "c2")]
    fake = FakeUpstream({one.completion["id"]: one for one in completions})
    begun, over = Event(), Event()

    def slow(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        begun.set()
        assert over.wait(60)
        return fake(environ, start)

    clock = FakeTime().clock
    endpoint = Endpoint.openai("http://127.0.0.1/v1")
    upstream = Upstream(endpoint, transport=LoopbackAdapter(slow, mount="/v1"), clock=clock)
    previews = Previews(upstream)
    parsed = [parse(json.dumps(one.completion)) for one in completions]
    large, other = (Completion.from_json(one) for one in parsed if isinstance(one, Object))

    def list_them(*listed: Completion, seconds: float = 60.0) -> None:
        deadline = Deadline.after(seconds, clock=clock)
        assert len(previews.build_rows(listed, deadline)) == 1

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(list_them, large)
        assert begun.wait(60)
        for _ in range(4):
            list_them(large, seconds=0.01)
        over.set()
        first.result()
    # This waits for everything that was requested before.
    list_them(other)

    assert [seen.path for seen in fake.requests] == [
        f"/chat/completions/{name}/messages" for name in ("c1", "c2")
    ]
