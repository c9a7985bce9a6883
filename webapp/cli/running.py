"""Run a command whose arguments are parsed.

Every mistake of a user is reported as one line on standard error and a status other than 0.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
from typing import Final, TextIO, cast

from webapp.cli.terminal import print_line
from webapp.config import AddressError, Config, ConfigError
from webapp.database import DRIVER_ERRORS, StoreError

_STOPPED: Final = 130
_PIPE_CLOSED: Final = 141
"""The statuses by which a shell reports that SIGINT or SIGPIPE ended a program."""


def run_command(options: argparse.Namespace) -> int:
    """Run the command of `options` and return its exit status."""
    is_service = getattr(options, "handles_signals", False)
    if not is_service:
        _stop_as_by_keyboard()
    _open_missing_streams(is_service=is_service)
    try:
        needs_settings = getattr(options, "needs_settings", True)
        config = Config.from_environ(os.environ if needs_settings else {})
        status: int = options.run(options, config)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return _PIPE_CLOSED
    except KeyboardInterrupt as stop:
        kept = str(stop) or "what was done before is kept."
        return _print_problem(f"stopped; {kept}", _STOPPED)
    except AddressError as problem:
        return _print_problem(str(problem), 1)
    except (ConfigError, StoreError, ValueError) as problem:
        return _print_problem(str(problem), 2)
    except DRIVER_ERRORS as error:
        cause = getattr(error, "orig", None) or "all of its connections stayed in use"
        return _print_problem(f"the store failed: {_take_first_line(cause)}", 1)
    except OSError as error:
        if error.filename is None:
            _drop_output()
        return _print_problem(f"{error.filename or 'output'}: {error.strerror}", 1)
    except sqlite3.Error as error:
        return _print_problem(f"a database file failed: {_take_first_line(error)}", 1)
    return status


def _open_missing_streams(*, is_service: bool) -> None:
    """Open the standard streams that are closed, lest a file of the store takes their numbers.

    To read or write data fails, as for other programs. Messages are dropped, also those that a
    service writes to standard output.
    """
    if sys.stdin is None:
        sys.stdin = _open_null(0, os.O_WRONLY, "r")
    if sys.stdout is None:
        sys.stdout = _open_null(1, os.O_WRONLY if is_service else os.O_RDONLY, "w")
    if sys.stderr is None:
        sys.stderr = _open_null(2, os.O_WRONLY, "w")


def _open_null(number: int, flags: int, mode: str) -> TextIO:
    handle = os.open(os.devnull, flags)
    if handle != number:
        os.dup2(handle, number)
        os.close(handle)
    return cast("TextIO", open(number, mode, encoding="utf-8", closefd=False))


def _drop_output() -> None:
    """Drop the buffer of standard output: Python would fail to write it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop_as_by_keyboard() -> None:
    """Let signals stop a command as Ctrl+C does, so that it removes its unfinished files."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # `nohup` ignores SIGHUP.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _print_problem(sentence: str, status: int) -> int:
    print_line(f"readback: {sentence}", file=sys.stderr)
    return status


def _take_first_line(error: object) -> str:
    return str(error).partition("\n")[0]
