"""`readback serve`: the viewer, and the server it brings along where no other one is set."""

from __future__ import annotations

import argparse
import os
import secrets

from webapp.application import database_url, endpoint
from webapp.cli.commands import Commands, add_command, open_store
from webapp.config import Config
from webapp.embedded import load_samples, without_password
from webapp.rendering.words import count


def add_to(commands: Commands) -> None:
    add_command(
        commands,
        "serve",
        _serve,
        help="show completions in the browser",
        description="Starts the viewer. Settings come from the environment; see the README.",
        example="PORT=9000 readback serve",
    )


def _serve(_options: argparse.Namespace, config: Config) -> int:
    """Checks everything that can be wrong before the workers start, then serves."""
    # Granian forks off processes at import of its server; only this command needs it.
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    endpoint(config)
    os.environ.setdefault("SECRET_KEY", config.secret_key or secrets.token_hex(32))
    if config.uses_embedded:
        _fill_new_store(config)
    shown_host = f"[{config.host}]" if ":" in config.host else config.host
    print(f"Readback is at http://{shown_host}:{config.port}", flush=True)
    print(f"It reads from {_source(config)}. Stop it with Ctrl+C.", flush=True)
    server = Granian(
        "webapp:create_app",
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=config.threads,
        log_level=LogLevels.error,
    )
    server.serve()
    return 0


def _source(config: Config) -> str:
    if config.uses_embedded:
        return f"its embedded server ({without_password(database_url(config))})"
    return endpoint(config).base_url


def _fill_new_store(config: Config) -> None:
    """Creates the store before the workers open it; a new one gets the samples."""
    with open_store(config) as store:
        added = load_samples(store)
    if added:
        print(f"Loaded {count(added, 'sample completion')}.", flush=True)
