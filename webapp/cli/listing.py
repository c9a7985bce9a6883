"""`readback list`: print the embedded server's completions, one a line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Final

from webapp.cli.commands import Commands, add_command, add_filters, open_store
from webapp.cli.terminal import print_line
from webapp.completions import Completion
from webapp.config import Config
from webapp.embedded import Store
from webapp.embedded.store.originals import count_messages
from webapp.embedded.store.pages import PageRequest, UnknownCursor
from webapp.exact_json import parse
from webapp.formatting import count, first_words, moment
from webapp.messages import Message
from webapp.reading.previews import MESSAGES, preview_question

_AT_ONCE: Final = 20


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "list",
        _run_list,
        help="list the embedded server's completions",
        description="Lists completions, the newest first: id, time, model, number of messages, "
        "first words of the question.",
        example="readback list --model gpt-4o-mini-2024-07-18 --limit 5",
    )
    add_filters(parser)
    parser.add_argument(
        "--limit", type=_parse_count, default=20, metavar="N", help="at the most (default: 20)"
    )


def _parse_count(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _run_list(options: argparse.Namespace, config: Config) -> int:
    with open_store(config) as store:
        for completion in _iter_completions(store, options):
            completion_id = completion.id or ""
            with store.connect() as connection:
                messages = count(count_messages(connection, completion_id), "message")
            page = store.list_messages(completion_id, PageRequest(None, MESSAGES, "asc"))
            said = [Message.from_json(parse(text)) for text in page.data] if page else []
            words = first_words(preview_question(said).text, 60)
            words = f"[broken off] {words}" if completion.broken_off else words
            time, model = moment(completion.created), completion.model or "-"
            print_line(f"{completion_id:<38}  {time:<20}  {model:<24}  {messages:>12}  {words}")
    return 0


def _iter_completions(store: Store, options: argparse.Namespace) -> Iterator[Completion]:
    after: str | None = None
    left = options.limit
    while left > 0:
        request = PageRequest(after, min(left, _AT_ONCE), "desc")
        try:
            page = store.list_completions(request, model=options.model, metadata=options.metadata)
        except UnknownCursor as error:
            raise ValueError("the list changed while it was read; try again") from error
        yield from (Completion.from_json(parse(text)) for text in page.data)
        if not page.has_more:
            return
        after = page.ids[-1]
        left -= len(page.ids)
