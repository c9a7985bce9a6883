"""`readback serve`: run the viewer, with its embedded server if no other one is configured."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from webapp.cli.commands import Commands, add_command, open_store
from webapp.cli.terminal import print_line
from webapp.config import Config, ConfigError
from webapp.embedded import StoreUnavailable, load_samples
from webapp.factories import build_endpoint, find_database_url, open_app_database
from webapp.formatting import count
from webapp.redaction import hide_password, remember_secrets
from webapp.serving.admission import Shares
from webapp.serving.processes import Workers
from webapp.serving.server import BACKLOG, Server

if TYPE_CHECKING:
    from flask import Flask

STOP_SECONDS: Final = 5
"""How long a stop waits for answers in progress before it cuts them off."""


def add_parser(commands: Commands) -> None:
    add_command(
        commands,
        "serve",
        _run_serve,
        help="show completions in the browser",
        description="Starts the viewer. Settings come from the environment; see the README.",
        example="PORT=9000 readback serve",
    )


def _run_serve(_options: argparse.Namespace, config: Config) -> int:
    """Check everything that can be wrong before the workers start, then serve."""
    remember_secrets(config.secrets)
    source = build_endpoint(config).base_url
    with _listen(config) as listener:
        config = replace(config, secret_key=config.secret_key or secrets.token_hex(32))
        if config.uses_embedded:
            _fill_new_store(config)
            source = f"its embedded server ({hide_password(find_database_url(config))})"
        _put_access_in_force(config)
        _log_record()
        shown_host = f"[{config.host}]" if ":" in config.host else config.host
        print_line(f"Readback is at http://{shown_host}:{config.port}")
        print_line(f"It reads from {source}. Stop it with Ctrl+C.")
        # Imported before the fork, so that the workers share it; other commands need no pages.
        from webapp.app import create_app

        work = partial(_work, create_app, config, listener, os.getpid())
        Workers(work, config.workers).run(stop_seconds=STOP_SECONDS)
    return 0


def _listen(config: Config) -> socket.socket:
    """Return a socket bound to HOST and PORT. Raises `ConfigError` if they cannot be had."""
    try:
        # A name may have an IPv4 and an IPv6 address; the first is the one that people type.
        found = min(socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM))
        listener = socket.socket(found[0])
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(found[4])
        # Two sockets can be bound to one port while neither listens.
        listener.listen(BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"PORT={config.port} is in use on {config.host}; set another one"
        else:
            problem = f"HOST={config.host} and PORT={config.port} cannot be used: {error.strerror}"
        raise ConfigError(problem) from error
    return listener


def _put_access_in_force(config: Config) -> None:
    """End the sessions of an old password on every process that shares the database.

    If the database is down, the workers do it when they need the sessions.
    """
    if not config.access.ways:
        return
    from webapp.access import Access

    database = open_app_database(config)
    try:
        Access(config, database, now=time.time).sessions.put_in_force()
    except StoreUnavailable as problem:
        if not problem.outage.may_pass:
            raise
    finally:
        database.close()


def _log_record() -> None:
    """Write the record to standard error, one JSON object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("readback.record")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _work(
    create_app: Callable[..., Flask], config: Config, listener: socket.socket, parent: int
) -> None:
    """Serve as one of the workers, until SIGTERM or until its parent process is gone."""
    app = create_app(config, fills_new_store=True)
    server = Server(app, listener, Shares.for_config(config), config.transfer_timeout)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(STOP_SECONDS))
    server.serve(parent=parent)


def _fill_new_store(config: Config) -> None:
    """Create the store before the workers open it, and load the samples into a new one.

    If its database is down, the workers do both when it is back.
    """
    try:
        with open_store(config) as store:
            added = load_samples(store)
    except StoreUnavailable as problem:
        if not problem.outage.may_pass:
            raise
        print_line(f"readback: {problem} It is tried again until it can be.", file=sys.stderr)
        return
    if added:
        print_line(f"Loaded {count(added, 'sample completion')}.")
