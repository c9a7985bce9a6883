"""Two servers share one count of guesses in Redis, and one revocation in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.access.conftest import HASH, PASSWORD
from tests.support.command import PATIENCE, Readback, Served
from tests.support.redis import run_redis
from tools.forking import Forkable
from tools.postgres import PostgresServer

pytestmark = pytest.mark.process


@pytest.fixture
def two(
    tmp_path: Path, postgres: PostgresServer, forkable: Forkable
) -> Iterator[tuple[Served, Served]]:
    readback = Readback.of_user(
        tmp_path,
        forkable=forkable,
        HOST="0.0.0.0",
        READBACK_PASSWORD_HASH=HASH,
        READBACK_WORKERS="1",
    )
    with ExitStack() as stack:
        shared = readback.with_settings(
            DATABASE_URL=stack.enter_context(postgres.database()),
            RATELIMIT_STORAGE_URI=stack.enter_context(run_redis()),
        )
        yield stack.enter_context(shared.serve()), stack.enter_context(shared.serve())


def log_in(served: Served, password: str = PASSWORD) -> requests.Response:
    return served.client.post(
        served.url("/login"),
        data={"password": password},
        timeout=PATIENCE,
        allow_redirects=False,
    )


def test_they_share_one_count_and_one_revocation(two: tuple[Served, Served]) -> None:
    first, second = two
    assert log_in(first).status_code == 303
    # A cookie knows no ports, and both are 127.0.0.1.
    second.client.cookies.update(first.client.cookies)
    assert second.get("/sessions").url.endswith("/sessions")

    ended = first.client.post(first.url("/logout"), timeout=PATIENCE, allow_redirects=False)
    assert "/login?" in second.get("/sessions").url
    second.client.cookies.clear()
    assert ended.status_code == 303
    assert log_in(second).status_code == 303
    token = second.client.cookies["readback"]
    other = requests.Session()
    other.trust_env = False
    other.cookies.update({"readback": token})
    assert other.get(first.url("/sessions"), timeout=PATIENCE).url.endswith("/sessions")
    second.client.post(second.url("/logout"), data={"everywhere": "1"}, timeout=PATIENCE)
    assert "/login?" in other.get(first.url("/sessions"), timeout=PATIENCE).url

    guesses = [log_in(one, "wrong").status_code for one in (first, second) * 3]
    assert guesses == [401] * 5 + [429]
    assert {log_in(first).status_code, log_in(second).status_code} == {429}


def test_without_redis_each_process_counts_by_itself(tmp_path: Path, forkable: Forkable) -> None:
    with run_redis() as address:
        pass
    readback = Readback.of_user(
        tmp_path,
        forkable=forkable,
        HOST="0.0.0.0",
        READBACK_PASSWORD_HASH=HASH,
        READBACK_WORKERS="1",
        RATELIMIT_STORAGE_URI=address,
    )
    with readback.serve() as served:
        assert [log_in(served, "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
        said = served.stop().errors
    assert "RATELIMIT_STORAGE_URI failed, so this process counts alone: ConnectionError" in said
