"""`readback list`: print the embedded server's completions, one a line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, Final

from webapp.cli.commands import Commands, add_command, add_filters, parse_count
from webapp.cli.stores import complete_checks, open_store
from webapp.cli.terminal import print_json, print_line
from webapp.completions import Completion
from webapp.config import Config
from webapp.embedded import Store, StoreFinder
from webapp.embedded.store.originals import count_messages
from webapp.embedded.store.pages import (
    JsonPage,
    ListRequest,
    Order,
    PageRequest,
    UnknownCursor,
)
from webapp.exact_json import parse
from webapp.finding import BadQuery, RowNumbers, parse_query
from webapp.finding.query import SORTS
from webapp.formatting import count, first_words, moment
from webapp.messages import Message
from webapp.reading.previews import MESSAGES, preview_question

_AT_ONCE: Final = 20


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "list",
        run_list,
        description="Lists completions, the newest first: id, time, model, number of messages, "
        "first words of the question. Words are the filters of the page's list, such as "
        "tool:shell, finish:length, has:image, findings:error, tokens:>1000, messages:10-20, "
        "model:, metadata:key=value, since:2026-11-01.",
        example="readback list 'tool:shell finish:length' --sort tokens --limit 5",
    )
    parser.add_argument("words", nargs="*", metavar="WORDS", help="filters")
    add_filters(parser)
    parser.add_argument(
        "--sort",
        choices=tuple(SORTS),
        default="time",
        help="the latest, or the greatest number, first (default: time)",
    )
    parser.add_argument("--reverse", action="store_true", help="the earliest or least first")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: one object a line"
    )
    parser.add_argument(
        "--limit", type=parse_count, default=20, metavar="N", help="at the most (default: 20)"
    )


def run_list(options: argparse.Namespace, config: Config) -> int:
    try:
        query = parse_query(" ".join(options.words))
    except BadQuery as problem:
        raise ValueError(str(problem)) from problem
    if query.terms:
        raise ValueError(f"{query.terms[0]!r} is no filter; readback search looks for texts")
    with open_store(config) as store:
        complete_checks(store, query)
        listed = ListRequest(query, options.sort, is_bounded=False)
        for page in _iter_pages(store, options, listed):
            numbers = StoreFinder(store).find_numbers(page.ids)
            for text in page.data:
                completion = Completion.from_json(parse(text))
                known = numbers.get(completion.id or "")
                if known is None:
                    # An older program stored it, and its facts are yet to be derived.
                    with store.connect() as connection:
                        known = RowNumbers(count_messages(connection, completion.id or ""))
                opening = store.list_messages(
                    completion.id or "", PageRequest(None, MESSAGES, "asc")
                )
                said = [Message.from_json(parse(text)) for text in opening.data] if opening else []
                question = preview_question(said).text
                if options.format == "json":
                    print_json(_describe(completion, known, question))
                else:
                    print_line(_write_line(completion, known, question))
    return 0


def _write_line(completion: Completion, numbers: RowNumbers, question: str) -> str:
    words = first_words(question, 60)
    words = f"[broken off] {words}" if completion.broken_off else words
    time, model = moment(completion.created), completion.model or "-"
    messages = count(numbers.messages, "message")
    return f"{completion.id or '':<38}  {time:<20}  {model:<24}  {messages:>12}  {words}"


def _describe(completion: Completion, numbers: RowNumbers, question: str) -> dict[str, Any]:
    return {
        "id": completion.id,
        "created": completion.created,
        "model": completion.model,
        "finish_reasons": completion.finish_reasons,
        **asdict(replace(numbers, total_tokens=_count_tokens(completion, numbers))),
        "question": first_words(question, 200),
    }


def _count_tokens(completion: Completion, numbers: RowNumbers) -> int | None:
    """Count the tokens exactly; the store keeps at most 31 bits of their number."""
    usage, known = completion.usage, numbers.total_tokens
    if usage is None or known is None:
        return known
    if usage.total_tokens is not None:
        return max(known, usage.total_tokens)
    return max(known, (usage.prompt_tokens or 0) + (usage.completion_tokens or 0))


def _iter_pages(
    store: Store, options: argparse.Namespace, listed: ListRequest
) -> Iterator[JsonPage]:
    after: str | None = None
    left = options.limit
    while left > 0:
        order: Order = "asc" if options.reverse else "desc"
        request = PageRequest(after, min(left, _AT_ONCE), order)
        try:
            page = store.list_completions(
                request, model=options.model, metadata=options.metadata, listed=listed
            )
        except UnknownCursor as error:
            raise ValueError("the list changed while it was read; try again") from error
        yield page
        if not page.has_more:
            return
        after = page.ids[-1]
        left -= len(page.ids)
