"""A clock that does not wait, and clients of a fake server over both transports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any, TypeAlias

import pytest

from tests.support.fake_time import FakeTime
from tests.support.fake_upstream import FakeUpstream
from webapp.http.loopback import LoopbackAdapter
from webapp.upstream import Endpoint, Upstream

KEY = "sk-test-0123456789abcdef"

Connect: TypeAlias = Callable[..., Upstream]


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def fake() -> FakeUpstream:
    return FakeUpstream()


@pytest.fixture(params=["socket", "loopback"])
def connect(request: pytest.FixtureRequest, time: FakeTime) -> Iterator[Connect]:
    """Makes a client of a fake server, over a socket and within the process by turns."""
    with ExitStack() as stack:

        def connected(fake: FakeUpstream, **options: Any) -> Upstream:
            options = {"clock": time.clock} | options
            base_url = "http://127.0.0.1/v1"
            if request.param == "socket":
                base_url = stack.enter_context(fake.serve())
            else:
                options["transport"] = LoopbackAdapter(fake)
            endpoint = Endpoint.openai(base_url, api_key=KEY)
            return stack.enter_context(closing(Upstream(endpoint, **options)))

        yield connected
