"""Applications on another bind than loopback, with each way in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from tools.store_rows import database_url
from webapp import create_app
from webapp.config import Config

PASSWORD: Final = "correct horse battery"
HASH: Final = generate_password_hash(PASSWORD, method="scrypt:16384:8:1")

Open: TypeAlias = Callable[..., Flask]


@pytest.fixture
def open_app(tmp_path: Path) -> Open:
    """Return a function that starts an application for all machines with these settings."""

    def start(**settings: str) -> Flask:
        environ = {"HOST": "0.0.0.0", "DATABASE_URL": database_url(tmp_path), **settings}
        return create_app(Config.from_environ(environ))

    return start


@pytest.fixture
def with_password(open_app: Open) -> Flask:
    return open_app(READBACK_PASSWORD_HASH=HASH)
