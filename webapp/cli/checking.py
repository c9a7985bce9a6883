"""`readback check`: check completions in files, or those of the embedded server."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from webapp.analysis.checks import RULES, Report, Severity, Subject, check
from webapp.analysis.checks.rules import SEVERITIES
from webapp.cli.commands import Commands, add_command, parse_path
from webapp.cli.stores import open_store
from webapp.cli.terminal import print_json, print_line
from webapp.completions import Completion
from webapp.config import Config
from webapp.conversations import find_parting
from webapp.embedded import Store, export_completions, import_files
from webapp.exact_json import parse
from webapp.formatting import count

_LEVELS: Final[dict[Severity, str]] = {
    "error": "error",
    "warning": "warning",
    "remark": "note",
}
"""The severities in the words of SARIF."""

_SARIF: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "check",
        run_check,
        description="Checks the completions in files of any format that import reads, or those "
        "of the embedded server by their ids, and prints the findings. docs/checks.md explains "
        "every check. The exit status is 1 if a finding is at least as severe as --fail-on.",
        example="readback check runs/*.jsonl --format sarif > findings.sarif",
    )
    parser.add_argument(
        "subjects",
        nargs="+",
        metavar="FILE|ID",
        help="a file, - for standard input, or the id of a stored completion",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "sarif"), default="text", help="default: text"
    )
    parser.add_argument(
        "--fail-on",
        choices=(*SEVERITIES, "never"),
        default="error",
        help="the least severity that makes the exit status 1 (default: error)",
    )


def run_check(options: argparse.Namespace, config: Config) -> int:
    files = [parse_path(name) for name in options.subjects if name == "-" or Path(name).exists()]
    ids = [name for name in options.subjects if name != "-" and not Path(name).exists()]
    reports: list[tuple[str, Report]] = []
    problems: list[str] = []

    def add(store: Store, line: bytes) -> None:
        json = parse(line.decode("utf-8", "surrogatepass"))
        found = Completion.from_json(json).id
        parting = find_parting(store, found) if found else None
        report = check(Subject.from_document(json, parting))
        reports.append((found or f"completion {len(reports) + 1}", report))

    if files:
        with _open_files(files, problems) as store:
            export_completions(store, _Lines(partial(add, store)).write)
    if ids:
        with open_store(config) as store:
            found = export_completions(store, _Lines(partial(add, store)).write, ids=ids)
        problems += [f"{name} is neither a file nor a stored completion" for name in found.unknown]
    _PRINTERS[options.format](reports)
    for problem in problems:
        print_line(problem, file=sys.stderr)
    if problems:
        return 2
    if options.fail_on == "never":
        return 0
    least = SEVERITIES.index(options.fail_on)
    worst = (report.worst for _, report in reports if report.worst)
    return int(any(SEVERITIES.index(severity) <= least for severity in worst))


@contextmanager
def _open_files(files: list[Path], problems: list[str]) -> Iterator[Store]:
    """Open a store of the completions in `files`, which is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="readback-check-") as folder:
        store = Store(f"sqlite:///{folder}/checked.sqlite3")
        try:
            report = import_files(store, files, keeps_both=True)
            problems += [str(problem) for problem in report.problems]
            yield store
        finally:
            store.close()


class _Lines:
    """A writer that passes on each line when it is complete."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)
        if piece.endswith(b"\n"):
            self._take(b"".join(self._pieces))
            self._pieces.clear()


def _print_text(reports: list[tuple[str, Report]]) -> None:
    for completion_id, report in reports:
        if not (report.findings or report.left_out):
            continue
        print_line(completion_id)
        for finding in report.findings:
            print_line(
                f"  {finding.severity:<7}  {finding.where:<12}  {finding.code:<22}  "
                f"{finding.sentence}"
            )
        for code, number in report.left_out.items():
            print_line(f"  and {count(number, 'further finding')} of {code}")
    skipped = {reason: codes for _, report in reports for reason, codes in report.skipped.items()}
    for reason, codes in skipped.items():
        print_line(f"not checkable in some: {reason} ({', '.join(codes)})")
    counts = (
        count(sum(report.count(severity) for _, report in reports), severity)
        for severity in SEVERITIES
    )
    print_line(f"{count(len(reports), 'completion')}: {', '.join(counts)}.")


def _print_json(reports: list[tuple[str, Report]]) -> None:
    completions = [
        {
            "id": completion_id,
            "findings": [
                {
                    "code": finding.code,
                    "severity": finding.severity,
                    "where": finding.where,
                    "message": finding.number,
                    "sentence": finding.sentence,
                    "detail": finding.detail or None,
                }
                for finding in report.findings
            ],
            "left_out": report.left_out,
            "not_checkable": {reason: list(codes) for reason, codes in report.skipped.items()},
        }
        for completion_id, report in reports
    ]
    print_json({"completions": completions}, indent=2)


def _print_sarif(reports: list[tuple[str, Report]]) -> None:
    """Print the findings in SARIF 2.1.0, with the places as logical locations."""
    rules = [
        {
            "id": rule.code,
            "shortDescription": {"text": rule.title},
            "help": {"text": rule.effect},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        }
        for rule in RULES.values()
    ]
    results = [
        {
            "ruleId": finding.code,
            "level": _LEVELS[finding.severity],
            "message": {"text": finding.sentence},
            "locations": [
                {
                    "logicalLocations": [
                        {
                            "name": finding.where,
                            "fullyQualifiedName": f"{completion_id}/{finding.where}",
                        }
                    ]
                }
            ],
        }
        for completion_id, report in reports
        for finding in report.findings
    ]
    driver = {"name": "Readback", "rules": rules}
    run = {"tool": {"driver": driver}, "results": results}
    print_json({"$schema": _SARIF, "version": "2.1.0", "runs": [run]}, indent=2)


_PRINTERS: Final = {"text": _print_text, "json": _print_json, "sarif": _print_sarif}
