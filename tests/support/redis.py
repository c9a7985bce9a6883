"""Run a real Redis in memory, as a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from tests.support.command import find_free_port

HOW_TO_INSTALL: Final = "it needs Redis: on Debian, apt-get install redis-server"


@contextmanager
def run_redis() -> Iterator[str]:
    """Yield the address of an empty Redis on loopback."""
    program = os.environ.get("READBACK_REDIS") or shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW_TO_INSTALL)
        pytest.skip(HOW_TO_INSTALL)
    port = find_free_port()
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert any("Ready to accept connections" in line for line in process.stdout)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
