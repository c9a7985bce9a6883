"""Run a command whose arguments are parsed.

Every mistake of a user is reported as one line on standard error and a status other than 0.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
from typing import Final

from webapp.cli.terminal import print_line
from webapp.config import Config, ConfigError
from webapp.database import DRIVER_ERRORS, StoreError

_STOPPED: Final = 130
_PIPE_CLOSED: Final = 141
"""The statuses by which a shell reports that SIGINT or SIGPIPE ended a program."""


def run_command(options: argparse.Namespace) -> int:
    """Run the command of `options` and return its exit status."""
    if not getattr(options, "handles_signals", False):
        _stop_as_by_keyboard()
    try:
        needs_settings = getattr(options, "needs_settings", True)
        config = Config.from_environ(os.environ if needs_settings else {})
        status: int = options.run(options, config)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads the buffered output, and Python would fail to write it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except KeyboardInterrupt as stop:
        kept = str(stop) or "what was done before is kept."
        return _print_problem(f"stopped; {kept}", _STOPPED)
    except (ConfigError, StoreError, ValueError) as problem:
        return _print_problem(str(problem), 2)
    except DRIVER_ERRORS as error:
        cause = getattr(error, "orig", None) or "all of its connections stayed in use"
        return _print_problem(f"the store failed: {_take_first_line(cause)}", 1)
    except OSError as error:
        return _print_problem(f"{error.filename or 'output'}: {error.strerror}", 1)
    except sqlite3.Error as error:
        return _print_problem(f"a database file failed: {_take_first_line(error)}", 1)
    return status


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
