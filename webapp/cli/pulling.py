"""`readback pull`: copy completions of the configured server into the embedded server's store."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterable
from contextlib import closing

from webapp.cli.commands import Commands, add_command, add_filters, add_keep_both, has_filters
from webapp.cli.stores import open_store
from webapp.cli.terminal import ProgressLine, print_line
from webapp.completions import Completion
from webapp.config import Config, ConfigError
from webapp.factories import lists_input_only, open_upstream, widen_for_copy
from webapp.formatting import count
from webapp.keeping.copying import Copier, CopyReport, format_error
from webapp.upstream import UpstreamError


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "pull",
        run_pull,
        description="Copies completions with their messages from the server that OPENAI_API_KEY "
        "and its companions name, which may delete them after 30 days. What is stored already is "
        "skipped, so a pull that was stopped goes on. What cannot be copied is reported and the "
        "rest is copied; the exit status is then 1.",
        example="OPENAI_API_KEY=sk-… readback pull --metadata project=demo",
    )
    parser.add_argument("ids", nargs="*", metavar="ID")
    add_filters(parser)
    parser.add_argument("--all", action="store_true", help="all that the server lists")
    add_keep_both(parser)


def run_pull(options: argparse.Namespace, config: Config) -> int:
    if config.uses_embedded:
        raise ConfigError(
            "pull needs a server to copy from: set OPENAI_API_KEY, OPENAI_BASE_URL or "
            "AZURE_OPENAI_ENDPOINT"
        )
    if sum((bool(options.ids), has_filters(options), options.all)) != 1:
        raise ValueError("pull takes IDs, or --model and --metadata, or --all")
    # The command reports in sentences all that the client logs.
    logging.getLogger("readback").addHandler(logging.NullHandler())
    report = CopyReport()
    limits = widen_for_copy(config.limits)
    with (
        ProgressLine(sys.stderr) as line,
        open_store(config) as store,
        closing(open_upstream(config, limits=limits)) as upstream,
    ):
        copier = Copier(
            upstream,
            store,
            input_only=lists_input_only(upstream, config),
            say=line.say,
            keeps_both=options.keep_both,
        )
        is_whole = _copy_all(copier, options, report, line)
    print_line(_format_report(report))
    return 0 if is_whole and not report.failed and not report.conflicts else 1


def _copy_all(
    copier: Copier, options: argparse.Namespace, report: CopyReport, line: ProgressLine
) -> bool:
    """Copy everything asked for; return False if the server stopped it."""
    wanted: Iterable[str | Completion] = options.ids or copier.list_completions(
        model=options.model, metadata=dict(options.metadata)
    )
    try:
        for _ in copier.copy(wanted, report):
            line.show(_format_report(report))
    except UpstreamError as error:
        line.say(f"readback: {format_error(error)} {error.advice}")
        return False
    return True


def _format_report(report: CopyReport) -> str:
    said = [f"{count(report.copied, 'completion')} copied"]
    said += [f"{report.stored_already:,} stored already"] if report.stored_already else []
    said += [f"{report.conflicts:,} not copied: stored with other content"] * bool(report.conflicts)
    said += [f"{report.failed:,} not copied"] if report.failed else []
    hint = " With --keep-both they are stored too, under other ids." if report.conflicts else ""
    return ", ".join(said) + "." + hint
