"""Two nodes behind nginx on one PostgreSQL and one Redis, while one fails after another."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.access.conftest import HASH, PASSWORD
from tests.support.command import PATIENCE, find_free_port
from tests.support.nginx import find_nginx
from tests.support.redis import run_redis
from tools.cluster import (
    Load,
    Node,
    find_missing,
    go_through_failures,
    open_client,
    running_echo_model,
    running_proxy,
    wait_for,
)
from tools.forking import Forkable
from tools.postgres import PostgresServer

KEY = "key-of-the-cluster-0123456789"

pytestmark = pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")


def test_no_acknowledged_write_is_lost_and_no_page_is_wrong(
    tmp_path: Path, postgres: PostgresServer, forkable: Forkable
) -> None:
    nginx = find_nginx()
    with ExitStack() as stack:
        settings = {
            "DATABASE_URL": stack.enter_context(postgres.database()),
            "RATELIMIT_STORAGE_URI": stack.enter_context(run_redis()),
            "READBACK_MODEL_URL": stack.enter_context(running_echo_model()),
            "READBACK_API_KEY": KEY,
            "READBACK_PASSWORD_HASH": HASH,
            "READBACK_TRUSTED_PROXIES": "127.0.0.1",
            "READBACK_WORKERS": "1",
            "SECRET_KEY": "the-same-on-each-node-0123456789",
        }
        nodes = [Node(tmp_path / name, find_free_port(), settings, forkable) for name in ("a", "b")]
        for node in nodes:
            stack.callback(node.kill)
            node.start()
        ports = [node.port for node in nodes]
        address = stack.enter_context(running_proxy(nginx, tmp_path / "nginx", ports))
        reader = open_client()
        login = {"password": PASSWORD}
        answer = reader.post(
            f"{address}/login", data=login, timeout=PATIENCE, allow_redirects=False
        )
        assert answer.status_code == 303
        load = Load(address, KEY, reader.cookies.get_dict())
        with load.running(readers=2, writers=2):
            go_through_failures(load, nodes, postgres)

        assert load.problems == []
        assert load.pages > 10
        assert len(load.written) > 20
        acknowledged = load.written | load.spooled
        for node in nodes:
            wait_for(lambda node=node: find_missing(node, KEY, load.spooled) == [])  # type: ignore[misc]
            assert find_missing(node, KEY, acknowledged) == []

        # A reader who logs out is logged out on every node.
        reader.post(f"{address}/logout", timeout=PATIENCE, allow_redirects=False)
        for node in nodes:
            page = open_client().get(
                f"{node.address}/completions",
                headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"},
                cookies=dict(load.cookies),
                timeout=PATIENCE,
                allow_redirects=False,
            )
            assert page.status_code == 303
