"""`readback search`: print the completions of the embedded server that match."""

from __future__ import annotations

import argparse
from typing import Final

from webapp.cli.commands import Commands, add_command, parse_count
from webapp.cli.stores import complete_checks, open_store
from webapp.cli.terminal import print_json, print_line
from webapp.config import Config
from webapp.embedded import StoreFinder
from webapp.finding import BadQuery, Cursor, Found, parse_query
from webapp.formatting import first_words, moment

_AT_ONCE: Final = 20
_SECONDS: Final = 60.0


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "search",
        run_search,
        description="Prints the completions that match, the newest first, and the words around "
        "each match. Words are those of the page's search: a text, texts in quotes, and filters "
        "such as tool:shell, finish:length, has:image, findings:error, tokens:>1000, model:, "
        "metadata:key=value, since:2026-11-01, in:output.",
        example="readback search 'tool:shell \"permission denied\"'",
    )
    parser.add_argument("words", nargs="+", metavar="WORDS", help="what to search for")
    parser.add_argument(
        "--limit", type=parse_count, default=20, metavar="N", help="at the most (default: 20)"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: one object a line"
    )


def run_search(options: argparse.Namespace, config: Config) -> int:
    try:
        query = parse_query(" ".join(options.words))
    except BadQuery as problem:
        raise ValueError(str(problem)) from problem
    if not query:
        raise ValueError("there is nothing to search for")
    left = options.limit
    after: Cursor | None = None
    with open_store(config) as store:
        complete_checks(store, query)
        finder = StoreFinder(store)
        while left:
            results = finder.search(query, after=after, limit=min(left, _AT_ONCE), seconds=_SECONDS)
            for found in results.found:
                _print_found(found, as_json=options.format == "json")
            left -= len(results.found)
            after = results.cursor
            if after is None:
                break
    return 0


def _print_found(found: Found, *, as_json: bool) -> None:
    if as_json:
        hits = [
            {name: getattr(hit, name) for name in ("scope", "role", "message_id", "match")}
            | {"before": hit.before, "after": hit.after}
            for hit in found.hits
        ]
        line = {"id": found.id, "created": found.created, "model": found.model}
        print_json(line | {"question": found.question, "hits": hits})
        return
    words = first_words(found.question, 60)
    print_line(f"{found.id:<38}  {moment(found.created):<20}  {found.model or '-':<24}  {words}")
    for hit in found.hits:
        snippet = " ".join(f"{hit.before}{hit.match}{hit.after}".split())
        print_line(f"    {hit.message_id or hit.scope}: {snippet}")
