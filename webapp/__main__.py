"""The `readback` command, also `python -m webapp`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Final, NoReturn

_STOPPED: Final = 130


def main() -> int:
    """Run the command and return its exit status.

    Ctrl+C ends it with a sentence also in its first second, while its modules are imported.
    """
    may_stop = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if may_stop:
        signal.signal(signal.SIGINT, _stop)
    from webapp.cli import parse_arguments

    options = parse_arguments()
    from webapp.cli.running import run_command

    if may_stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run_command(options)


def _stop(*_: object) -> NoReturn:
    # An error would be raised in the middle of any module, which could take it for its own.
    os.write(2, b"readback: stopped.\n")
    os._exit(_STOPPED)


if __name__ == "__main__":
    sys.exit(main())
