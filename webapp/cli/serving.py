"""`readback serve`: run the viewer, with its embedded server if no other one is configured."""

from __future__ import annotations

import argparse
import errno
import secrets
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from webapp.cli.commands import Commands, add_command, open_store
from webapp.config import Config, ConfigError
from webapp.database import hide_password
from webapp.embedded import load_samples
from webapp.factories import build_endpoint, find_database_url
from webapp.formatting import count

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
    build_endpoint(config)
    address = _find_free_address(config)
    config = replace(config, secret_key=config.secret_key or secrets.token_hex(32))
    if config.uses_embedded:
        _fill_new_store(config)
    shown_host = f"[{config.host}]" if ":" in config.host else config.host
    print(f"Readback is at http://{shown_host}:{config.port}", flush=True)
    print(f"It reads from {_describe_source(config)}. Stop it with Ctrl+C.", flush=True)
    _run_workers(config, address)
    return 0


def _find_free_address(config: Config) -> str:
    """Return the IP address of HOST. Raises `ConfigError` if PORT is not free there.

    Granian does not resolve names; and it would share a port with a server that runs already,
    so that each of them gets some of the requests.
    """
    try:
        # A name may have an IPv4 and an IPv6 address; the first is the one that people type.
        found = min(socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM))
        family, place = found[0], found[4]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except OSError as error:
        raise ConfigError(_explain_refusal(config, error)) from error
    return str(place[0])


def _explain_refusal(config: Config, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"PORT={config.port} is in use on {config.host}; set another one"
    return f"HOST={config.host} and PORT={config.port} cannot be used: {error.strerror}"


def _run_workers(config: Config, address: str) -> None:
    # Granian forks off processes at import of its server; only this command needs it.
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    # Imported before the fork, so that the workers share it; the other commands need no pages.
    from webapp.app import create_app

    server = Granian(
        "webapp:create_app",
        address=address,
        port=config.port,
        interface=Interfaces.WSGI,
        # Looking for HTTP/2 as well, it waits for ever for a client that sends nothing.
        http=HTTPModes.http1,
        workers=config.workers,
        blocking_threads=config.threads,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=partial(_create_worker_app, create_app, config), wrap_loader=False)


def _create_worker_app(create_app: Callable[[Config], Flask], config: Config) -> Flask:
    """Return the app of a worker, for which a signal means what it does in any process.

    Until granian has set its own handlers a worker has those of the process it was forked
    from, which only note the signal. Ctrl+C reaches all of them; the parent, which then stops
    the workers, takes a worker that ends by itself for a failure.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return create_app(config)


def _describe_source(config: Config) -> str:
    if config.uses_embedded:
        return f"its embedded server ({hide_password(find_database_url(config))})"
    return build_endpoint(config).base_url


def _fill_new_store(config: Config) -> None:
    """Create the store before the workers open it, and load the samples into a new one."""
    with open_store(config) as store:
        added = load_samples(store)
    if added:
        print(f"Loaded {count(added, 'sample completion')}.", flush=True)
