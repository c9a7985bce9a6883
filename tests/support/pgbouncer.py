"""Run PgBouncer before a PostgreSQL server: a transaction may get any of a few connections."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import make_url

from tests.support.command import find_free_port
from tools.postgres import PostgresServer

HOW_TO_INSTALL: Final = "it needs PgBouncer: on Debian, apt-get install pgbouncer"
_SETTINGS: Final = """
[databases]
* = host={folder} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
"""


@contextmanager
def run_pgbouncer(server: PostgresServer, database_url: str, *, connections: int) -> Iterator[str]:
    """Yield the URL of the database through a pooler, which has so many connections to it."""
    program = os.environ.get("READBACK_PGBOUNCER") or shutil.which("pgbouncer")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW_TO_INSTALL)
        pytest.skip(HOW_TO_INSTALL)
    port = find_free_port()
    settings = Path(server.folder) / f"pgbouncer-{port}.ini"
    written = _SETTINGS.format(folder=server.folder, port=port, connections=connections)
    settings.write_text(written)
    process = subprocess.Popen(
        [program, settings], cwd="/", stderr=subprocess.PIPE, text=True, **server.user
    )
    assert process.stderr is not None
    try:
        assert any("process up" in line for line in process.stderr)
        address = make_url(database_url).set(host="127.0.0.1", port=port, query={})
        yield address.render_as_string(hide_password=False)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
