"""Run a real OpenID Connect provider, npm's oidc-provider, as a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from tools.paths import ROOT

HOW_TO_INSTALL: Final = "it needs Node and oidc-provider: run the tests by `make test`"
SCRIPT: Final = ROOT / "tests" / "access" / "provider.mjs"
SECRET: Final = "secret-of-readback"


@contextmanager
def run_provider(port: int, readback: str) -> Iterator[str]:
    """Run the provider on `port` for the Readback at the address `readback`; yield its issuer."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules" / "oidc-provider").is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(HOW_TO_INSTALL)
        pytest.skip(HOW_TO_INSTALL)
    process = subprocess.Popen(
        [node, SCRIPT, str(port), f"{readback}/login/openid/callback", f"{readback}/login"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        issuer = process.stdout.readline().strip()
        assert issuer.startswith("http://"), process.stderr.read()
        # Its warnings would fill the pipe in the end.
        process.stderr.close()
        yield issuer
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
