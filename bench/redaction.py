"""Measure the cost of redaction, as ratios to `json.loads` of the same text.

`python -m bench.redaction FILE…` parses every line of the files by `exact_json`, scans it, and
masks it. Then it does the same with hostile texts of two sizes and prints how the time grows: 2 is
linear, since the second is twice as long.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from webapp.exact_json import parse
from webapp.redaction import Redactor

_SIZE: Final = 20_000
_PIECES: Final = (
    *("sk-", "sk-a", "password=", "password: ", "password ", "token", "key key ", "secret='"),
    *(
        "keys:\n",
        "key:\nAb: x\n",
        "log in to ",
        "Ab: Ab3dEf6hIj9kLm2n ",
        "key Ab3dEf6hIj9kLm2nOp5q ",
    ),
    *(
        "://a:",
        "://a@",
        "@a.b",
        "a@b.co ",
        "eyJ",
        "eyJa.",
        "-----BEGIN PRIVATE KEY-----\n",
        "\\u0041",
    ),
    *("%41", "&amp;", "\\", "+49 30 1", "4111 ", "DE89 ", "AKIA", "_live_", ":5432:", "mysql -p"),
    *("copy a (password) from stdin\nb-12\n", "password: |\n  b-12\n", "b-12 as the password "),
    *(
        "select a,password from t|x\n",
        "select password from a\nselect \t \t \t ",
        "contact 12 34 56 ",
    ),
    *('password=%s" % ', "=3D", "61 62 63 ", "<<< b-12 ", "pin is ", "password: 'S=77-x' S = 7 "),
    *(
        "a.",
        "a-",
        "Cookie: a=bcdef; ",
        "basic ",
        "{",
        "[",
        '{"a":',
        "data: {}\n",
        "QUJD",
        "\x1b[0m",
    ),
)


def measure(work: Callable[[str], object], text: str) -> float:
    """Return the seconds of processor time that `work` takes for a text."""
    begin = time.process_time()
    work(text)
    return time.process_time() - begin


def redact(text: str) -> None:
    value = parse(text)
    Redactor().scan(value).redact(value)


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of redaction.")
    parser.add_argument("files", nargs="*", type=Path)
    lines = [line for file in parser.parse_args().files for line in file.read_text().splitlines()]
    if lines:
        # The rules learn from what they see; a server does so once.
        for line in lines[::10]:
            redact(line)
        loading = sum(measure(json.loads, line) for line in lines)
        parsing = sum(measure(parse, line) for line in lines)
        whole = sum(measure(redact, line) for line in lines)
        megabytes = sum(map(len, lines)) / 1e6
        for name, seconds in (("parsing", parsing), ("scanning and masking", whole - parsing)):
            per_megabyte = seconds / megabytes
            print(f"{name:24} {per_megabyte:6.2f} s/MB {seconds / loading:6.0f} × json.loads")
    print(f"{'hostile text':32} {'s/MB':>6} {'growth':>6}")
    for piece in _PIECES:
        short, long = (json.dumps(piece * (size // len(piece))) for size in (_SIZE, 2 * _SIZE))
        first, second = (measure(redact, text) for text in (short, long))
        print(f"{piece!r:32} {second * 1e6 / (2 * _SIZE):6.2f} {second / first:6.1f}", flush=True)


if __name__ == "__main__":
    main()
