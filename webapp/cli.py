"""The `readback` command: serve, import.

Every problem a user can make is one line on standard error and a status other than 0.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from webapp.application import database_url, endpoint
from webapp.config import Config, ConfigError
from webapp.embedded import ImportReport, Store, StoreError, import_files, load_samples
from webapp.rendering.words import count, size


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        config = Config.from_environ(os.environ)
        status: int = options.run(options, config)
    except (ConfigError, StoreError, ValueError) as problem:
        print(f"readback: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="readback", description="A web viewer for stored chat completions."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve",
        help="show completions in the browser",
        description="Starts the viewer. Settings come from the environment; see the README.",
        epilog="example: PORT=9000 readback serve",
    )
    serve.set_defaults(run=_serve)
    load = commands.add_parser(
        "import",
        help="load completions from JSONL files into the embedded server",
        description="Loads JSONL, one completion a line with `messages` and `choices`. "
        "A line that cannot be read is reported and the rest is loaded; the exit status is "
        "then 1. Importing again changes nothing.",
        epilog="example: readback import runs/*.jsonl",
    )
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    load.set_defaults(run=_import)
    return parser


def _serve(options: argparse.Namespace, config: Config) -> int:
    """Checks everything that can be wrong before the workers start, then serves."""
    # Granian forks off processes at import of its server; only this command needs it.
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    endpoint(config)
    os.environ.setdefault("SECRET_KEY", config.secret_key or secrets.token_hex(32))
    if config.uses_embedded:
        _open_store(config)
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
        return f"its embedded server ({database_url(config)})"
    return endpoint(config).base_url


def _open_store(config: Config) -> None:
    """Creates the store before the workers open it; a new one gets the samples."""
    store = Store(database_url(config))
    try:
        added = load_samples(store)
    finally:
        store.close()
    if added:
        print(f"Loaded {count(added, 'sample completion')}.", flush=True)


def _import(options: argparse.Namespace, config: Config) -> int:
    store = Store(database_url(config))
    try:
        report = import_files(store, options.files, progress=_progress(sys.stderr))
    finally:
        store.close()
    return _report(report)


def _progress(stream: TextIO) -> _ProgressLine | None:
    return _ProgressLine(stream) if stream.isatty() else None


class _ProgressLine:
    """One line on a terminal that says how far an import is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, done: int, total: int, completions: int) -> None:
        end = "\n" if done >= total else ""
        line = f"\r{size(done)} of {size(total)}, {count(completions, 'completion')}\x1b[K{end}"
        self._stream.write(line)
        self._stream.flush()


def _report(report: ImportReport) -> int:
    for problem in report.problems:
        print(problem, file=sys.stderr)
    said = [f"{count(report.added, 'completion')} loaded"]
    said += [f"{report.unchanged:,} stored already"] if report.unchanged else []
    said += [f"{report.conflicts:,} not loaded: stored with other content"] * bool(report.conflicts)
    said += [f"{count(report.bad, 'bad line')}"] if report.bad else []
    print(", ".join(said) + ".")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
