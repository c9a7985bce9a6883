"""`readback serve`: run the viewer, with its embedded server if no other one is configured."""

from __future__ import annotations

import argparse
import ctypes
import errno
import gc
import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from webapp import access
from webapp.addresses.credentials import hide_password
from webapp.cli.commands import Commands, add_command
from webapp.cli.stores import open_store
from webapp.cli.terminal import print_line
from webapp.config import AddressError, Config
from webapp.database import DatabaseOpener, open_database
from webapp.database.outages import time_statements
from webapp.database.readiness import Readiness
from webapp.embedded import Spool, StoreUnavailable, load_samples
from webapp.factories import (
    build_endpoint,
    find_database_url,
    find_spool_folder,
    open_app_database,
)
from webapp.formatting import count
from webapp.http.transport import end_requests
from webapp.monitoring.exporter import CurrentState, Exporter
from webapp.monitoring.logs import set_up_logs
from webapp.monitoring.metrics import begin_counting, shared_metrics
from webapp.redaction import remember_secrets
from webapp.serving.admission import Quotas
from webapp.serving.processes import Workers
from webapp.serving.server import BACKLOG, Server

if TYPE_CHECKING:
    from flask import Flask

STOP_SECONDS: Final = 5
"""How long a stop waits for answers in progress before it cuts them off."""

_COLLECT_AFTER: Final = 20_000
"""Objects made until cycles among the youngest are looked for; Python's own number is 700."""
_MMAP_THRESHOLD: Final = -3
"""glibc's parameter for the size from which on memory is had from the system alone."""
_LARGE_BYTES: Final = 1_000_000
_SWITCH_SECONDS: Final = 0.002
"""How long a thread computes while others want to."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "serve",
        run_serve,
        description="Starts the viewer. Settings come from the environment.",
        example="PORT=9000 readback serve",
    )
    parser.set_defaults(handles_signals=True)


def run_serve(_options: argparse.Namespace, config: Config) -> int:
    """Check everything that can be wrong before the workers start, then serve."""
    remember_secrets(config.secrets)
    source = build_endpoint(config).base_url
    set_up_logs(config.log_format)
    with _listen(config.host, config.port) as listener, _export_metrics(config) as exporters:
        config = replace(config, secret_key=config.secret_key or secrets.token_hex(32))
        if config.uses_embedded:
            _fill_new_store(config)
            source = f"its embedded server ({hide_password(find_database_url(config))})"
        _put_access_in_force(config)
        shown_host = f"[{config.host}]" if ":" in config.host else config.host
        print_line(f"Readback is at http://{shown_host}:{config.port}")
        print_line(f"It reads from {source}. Stop it with Ctrl+C.")
        # Before the fork, so that the workers share it; other commands need no pages.
        from webapp.app import create_app, open_templates
        from webapp.templating.compiled import compile_all

        # A page that a new worker has to compile for waits long while another thread computes.
        compile_all(open_templates().jinja_env)
        # What is loaded stays. To look for cycles in it would take a second at a stop, and copy
        # memory that the workers share.
        gc.freeze()
        work = partial(_work, create_app, config, listener, os.getpid())
        Workers([work] * config.workers + exporters).run(stop_seconds=STOP_SECONDS)
    return 0


@contextmanager
def _export_metrics(config: Config) -> Iterator[list[Callable[[], None]]]:
    """Count within if a port is set; yield the work of the process that answers on it."""
    if not config.metrics_port:
        yield []
        return
    with (
        _listen(config.metrics_host, config.metrics_port, prefix="READBACK_METRICS_") as listener,
        tempfile.TemporaryDirectory(prefix="readback-metrics-") as folder,
        shared_metrics(Path(folder)) as registry,
    ):
        time_statements()
        parent = os.getpid()

        def export() -> None:
            begin_counting()
            registry.register(CurrentState(partial(_read_state, config, open_app_database(config))))
            Exporter(listener, registry).serve(parent=parent)

        yield [export]


def _read_state(config: Config, database: DatabaseOpener) -> dict[str, tuple[str, float]]:
    """Read the numbers that no worker counts: whether the database answers, and the spool's."""
    problem = Readiness(database, access.SCHEMA).find_problem()
    state = {"readback_store_up": ("Whether the database answers.", float(problem is None))}
    if config.uses_embedded:
        spool = Spool(find_spool_folder(config), max_bytes=config.spool_bytes).read_state()
        for name, number, kind in (
            ("waiting", spool.waiting, "wait for the database"),
            ("refused", spool.refused, "the database refused"),
            ("dropped", spool.dropped, "were lost"),
        ):
            state[f"readback_spool_{name}"] = (f"Completions that {kind}.", float(number))
    return state


def _listen(host: str, port: int, *, prefix: str = "") -> socket.socket:
    """Bind a socket to HOST and PORT. Raises `AddressError` if they cannot be had."""
    try:
        # A name may have an IPv4 and an IPv6 address; the first is the one that people type.
        found = min(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        with ExitStack() as unless_it_listens:
            listener = unless_it_listens.enter_context(socket.socket(found[0]))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(found[4])
            # Two sockets can be bound to one port while neither listens.
            listener.listen(BACKLOG)
            unless_it_listens.pop_all()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"{prefix}PORT={port} is in use on {host}; set another one"
        else:
            problem = (
                f"{prefix}HOST={host} and {prefix}PORT={port} cannot be used: {error.strerror}"
            )
        raise AddressError(problem) from error
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


def _work(
    create_app: Callable[..., Flask], config: Config, listener: socket.socket, parent: int
) -> None:
    """Serve as one of the workers, until SIGTERM or until its parent process is gone."""
    begin_counting()
    # A page may compute for a second; the event loop and the checks of health must not wait for
    # as many turns of five milliseconds as there are threads.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Give the memory of large texts back to the system when they are freed. Otherwise glibc raises
    # its bound with each of them, and then keeps the space of all.
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
    app = create_app(config, fills_new_store=True, completes_store=True)
    collect_rarely()
    quotas, shares = Quotas.for_config(config), config.workers > 1
    server = Server(app, listener, quotas, config.transfer_timeout, shares=shares)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(STOP_SECONDS))
    server.serve(parent=parent, end_requests=end_requests)


def collect_rarely() -> None:
    """Look for cycles of objects more rarely, and only among those made from now on.

    All others live as long as the process. A page makes some 10,000, hardly any of them in cycles.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


def _fill_new_store(config: Config) -> None:
    """Create the store before the workers open it, and load the samples into a new one.

    If its database is down, the workers do both when it is back.
    """
    if config.replica_url:
        # A malformed address would end each worker.
        open_database(find_database_url(config), replica_url=config.replica_url).close()
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
