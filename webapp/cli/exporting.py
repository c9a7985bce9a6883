"""`readback export`: write the embedded server's completions as files."""

from __future__ import annotations

import argparse
import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from webapp.access import SHELL, Event, Record
from webapp.cli.commands import Commands, add_command, add_filters, has_filters, parse_path
from webapp.cli.stores import open_shares, open_store
from webapp.cli.terminal import ProgressLine, print_line
from webapp.config import Config
from webapp.embedded import ExportReport, export_completions, iter_ids
from webapp.formatting import count
from webapp.media import sanitize_file_name

EXTENSIONS: Final = {
    "json": "json",
    "jsonl": "jsonl",
    "md": "md",
    "html": "html",
    "csv": "csv",
    "promptfoo": "yaml",
}
"""The formats, and the extension of the file of one completion in each."""
_SINGLE: Final = ("html", "promptfoo")
"""The formats of which a file holds one completion."""
_DEVICES: Final = Path("/dev/fd")
"""Its links are to files that the user has opened, as for `-o >(gzip > FILE)`."""
_STANDARD_OUTPUT: Final = (Path("-"), Path("/dev/stdout"), _DEVICES / "1")


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "export",
        run_export,
        description="Writes completions with their messages, one a line, oldest first, exactly "
        "as they were given and with their present metadata; `readback import` reads them back. "
        "Other formats are for people (md, html), trainers (jsonl), spreadsheets (csv) and tests "
        "of prompts (promptfoo); what one of them cannot hold is reported. If FILE is a folder, "
        "each completion gets a file in it. The exit status is 1 when an ID is not stored.",
        example="readback export --metadata project=demo -o demo.jsonl",
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="a completion; without any, all")
    add_filters(parser)
    parser.add_argument(
        "--format", choices=tuple(EXTENSIONS), default="json", help="default: json, exact"
    )
    parser.add_argument(
        "-o", "--output", type=parse_path, metavar="FILE", help="write here; - is standard output"
    )


def run_export(options: argparse.Namespace, config: Config) -> int:
    if options.output in _STANDARD_OUTPUT:
        options.output = None
    if options.ids and has_filters(options):
        raise ValueError("export takes either IDs or filters")
    if options.format != "json" or (options.output is not None and options.output.is_dir()):
        return _export_form(options, config)
    with (
        ProgressLine(sys.stderr) as line,
        open_store(config) as store,
        open_shares(config) as (_, record),
        _open_output(options.output) as file,
    ):
        report = export_completions(
            store,
            file.write,
            ids=options.ids,
            model=options.model,
            metadata=options.metadata,
            progress=lambda number: line.show(f"{count(number, 'completion')} written"),
        )
        file.flush()
        _record(record, options, report)
    return _say(options, report)


def _export_form(options: argparse.Namespace, config: Config) -> int:
    """Write another format than exact JSON, or a file for each completion."""
    # The templates take a while to import, and no other command needs them.
    from webapp.cli.export_forms import FormWriter

    form, folder = options.format, options.output
    is_folder = folder is not None and folder.is_dir()
    if form in _SINGLE and not is_folder and len(options.ids) != 1:
        raise ValueError(f"{form} is written for one ID, or into a folder: -o FOLDER")
    if form == "csv" and is_folder:
        raise ValueError("csv is one table: -o FILE")
    report = ExportReport()
    with (
        ProgressLine(sys.stderr) as line,
        open_store(config) as store,
        open_shares(config) as (_, record),
        contextlib.ExitStack() as files,
    ):
        writer = FormWriter(store, config, form)
        ids = options.ids or iter_ids(store, options.model, options.metadata)
        file = None if is_folder else files.enter_context(_open_output(options.output))
        if form == "csv" and file:
            writer.write_table(ids, file, report)
        else:
            for completion_id in ids:
                if store.retrieve_completion(completion_id) is None:
                    report.unknown.append(completion_id)
                    continue
                opened = contextlib.nullcontext(file) if file else None
                name = sanitize_file_name(completion_id, otherwise="completion")
                with opened or _open_output(folder / f"{name}.{EXTENSIONS[form]}") as out:
                    writer.write(completion_id, out, report)
                line.show(f"{count(report.exported, 'completion')} written")
        if file:
            file.flush()
        _record(record, options, report)
    for sentence in writer.left_out.sentences:
        print_line(sentence, file=sys.stderr)
    if beyond := writer.left_out.count - len(writer.left_out.sentences):
        print_line(f"and {count(beyond, 'further thing')} left out", file=sys.stderr)
    return _say(options, report)


def _record(record: Record, options: argparse.Namespace, report: ExportReport) -> None:
    form = options.format
    if not options.ids:
        record.add(Event.EXPORT, SHELL, completions=report.exported, form=form)
    for one in options.ids:
        if one not in report.unknown:
            record.add(Event.EXPORT, SHELL, completion=one, form=form)


def _say(options: argparse.Namespace, report: ExportReport) -> int:
    """Print the ids not stored and the number written; return the exit status."""
    for completion_id in report.unknown:
        print_line(f"{completion_id} is not stored", file=sys.stderr)
    if options.output is not None:
        print_line(f"{count(report.exported, 'completion')} written to {options.output}.")
    return 1 if report.unknown else 0


@contextlib.contextmanager
def _open_output(path: Path | None) -> Iterator[BinaryIO]:
    """Open the output; a file gets its name, readable by its owner alone, when it is complete."""
    if path is None:
        yield sys.stdout.buffer
        return
    if path.is_symlink() and path.parent != _DEVICES:
        raise ValueError(f"{path} is a symbolic link, which export does not follow")
    if path.exists() and not path.is_file():
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        with os.fdopen(handle, "wb") as file:
            found = os.fstat(handle)
            # Another user could read the data from a pipe or a device of theirs.
            if found.st_uid not in (os.getuid(), 0) or stat.S_ISREG(found.st_mode):
                raise ValueError(f"{path} belongs to another user")
            yield file
        return
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        os.replace(name, path)
    except BaseException as error:
        os.unlink(name)
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(f"{path} was not written.") from None
        raise
