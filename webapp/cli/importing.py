"""`readback import`: load completions from files into the embedded server's store."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from webapp.cli.commands import Commands, add_command, add_keep_both, parse_path
from webapp.cli.stores import open_store
from webapp.cli.terminal import ProgressLine, print_line
from webapp.config import Config
from webapp.embedded import ImportReport, import_files
from webapp.embedded.transfer.pieces import FORMATS
from webapp.embedded.transfer.reading import count_readers
from webapp.embedded.transfer.splitting import SourceLine
from webapp.formatting import count, size

_HOW_TO_GO_ON: Final = (
    "The import ended early; the rest is not loaded. To go on, repeat the command: what is loaded "
    "stays, and is not loaded twice."
)


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "import",
        run_import,
        description=f"Loads completions from JSONL or JSON files, compressed or not: {FORMATS}. "
        "What cannot be read is reported and the rest is loaded; the exit status is then 1. "
        "Importing again changes nothing.",
        example="readback import runs/*.jsonl batch_input.jsonl batch_output.jsonl.gz",
    )
    parser.add_argument(
        "files", nargs="+", type=parse_path, metavar="FILE", help="a file, or - for standard input"
    )
    add_keep_both(parser)


def run_import(options: argparse.Namespace, config: Config) -> int:
    """Import, and print the number stored, also if an error or a signal ends the import early."""
    report = ImportReport()
    try:
        with ProgressLine(sys.stderr) as line, open_store(config) as store:

            def show(done: int, total: int, completions: int) -> None:
                read = f"{size(done)} of {size(total)}" if total else size(done)
                line.show(f"{read}, {count(completions, 'completion')}")

            import_files(
                store,
                options.files,
                progress=show,
                report=report,
                keeps_both=options.keep_both,
                readers=count_readers(),
            )
    except (Exception, KeyboardInterrupt):
        _print_report(report)
        print(_HOW_TO_GO_ON, flush=True)
        raise
    return _print_report(report)


def _print_report(report: ImportReport) -> int:
    for problem in report.problems:
        print_line(str(problem), file=sys.stderr)
    for path, forms in report.formats.items():
        found = ", ".join(count(number, *form.value) for form, number in forms.items())
        print_line(f"{SourceLine(path, None)}: {found}")
    for renamed in report.renamed:
        print_line(str(renamed))
    said = [f"{count(report.added, 'completion')} loaded"]
    said += [f"{report.unchanged:,} stored already"] if report.unchanged else []
    said += [f"{report.conflicts:,} not loaded: stored with other content"] * bool(report.conflicts)
    said += [f"{count(report.bad, 'problem')}"] if report.bad else []
    print_line(", ".join(said) + ".")
    if report.conflicts:
        print_line("With --keep-both they are stored too, under other ids.")
    if report.without_messages:
        print_line(f"{count(report.without_messages, 'completion')} came without messages.")
    return 1 if report.problems else 0
