"""`readback redact`: write files with their secrets and personal data masked."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from webapp.cli.commands import Commands, add_command, parse_path
from webapp.cli.terminal import print_line
from webapp.config import Config
from webapp.embedded.documents.api_json import join_lines
from webapp.embedded.limits import MAX_IMPORTED_VALUES
from webapp.embedded.transfer.files import read_documents
from webapp.exact_json import NotJson, parse
from webapp.formatting import count
from webapp.redaction import Redactor


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "redact",
        run_redact,
        description="Reads any format that `readback import` reads and writes each document on one "
        "line of standard output, unchanged but for masks and the ranges of citations: keys, "
        "tokens, passwords, e-mail addresses, card and telephone numbers are masked, each at "
        "every place in its document. "
        "Documents that cannot be read are reported and left out; the exit status is then 1. "
        "Other words, such as names of people, are masked only if --word names them.",
        example="readback redact runs.jsonl --word 'Ada Lovelace' > shared.jsonl",
    )
    parser.add_argument(
        "files", nargs="+", type=parse_path, metavar="FILE", help="a file, or - for standard input"
    )
    parser.add_argument(
        "--word",
        action="append",
        default=[],
        metavar="WORD",
        help="mask this word too, at every place; can be repeated",
    )


def run_redact(options: argparse.Namespace, config: Config) -> int:
    redactor = Redactor(options.word)
    masked: Counter[str] = Counter()
    documents = problems = 0
    for path in options.files:
        for document in read_documents(path):
            try:
                if document.problem is not None:
                    raise ValueError(document.problem)
                text = document.text.decode().strip()
                if not text:
                    continue
                value = parse(text, max_values=MAX_IMPORTED_VALUES)
            except NotJson as error:
                problems += 1
                print_line(f"{document.source}: it is not JSON: {error}", file=sys.stderr)
                continue
            except ValueError as error:
                problems += 1
                print_line(f"{document.source}: {error}", file=sys.stderr)
                continue
            scan = redactor.scan(value)
            sys.stdout.buffer.write(join_lines(scan.redact(value).source).encode() + b"\n")
            documents += 1
            for finding in scan.findings:
                masked[finding.kind] += finding.count
    sys.stdout.buffer.flush()
    for kind, number in masked.most_common():
        print_line(f"{kind}: {number:,} masked", file=sys.stderr)
    said = f"{count(documents, 'document')} written, {count(masked.total(), 'place')} masked"
    print_line(
        f"{said}, {count(problems, 'problem')}." if problems else f"{said}.", file=sys.stderr
    )
    return 1 if problems else 0
