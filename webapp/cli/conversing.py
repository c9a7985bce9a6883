"""`readback conversations`: print which of the embedded completions continue each other."""

from __future__ import annotations

import argparse
from typing import Any

from webapp.cli.commands import Commands, add_command, parse_count
from webapp.cli.stores import open_store
from webapp.cli.terminal import print_json, print_line
from webapp.config import Config
from webapp.conversations import Conversation
from webapp.formatting import count, moment


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "conversations",
        run_conversations,
        description="Lists conversations, the latest first: completions that continue each other, "
        "or share metadata that READBACK_CONVERSATION_KEYS names.",
        example="readback conversations --format json --limit 5",
    )
    parser.add_argument(
        "--format",
        choices=["text", "json"],
        default="text",
        help="a line for each with its first request, or a JSON object a line with every request "
        "(default: text)",
    )
    parser.add_argument(
        "--limit", type=parse_count, default=20, metavar="N", help="at the most (default: 20)"
    )
    parser.add_argument(
        "--least",
        type=parse_count,
        default=2,
        metavar="N",
        help="requests that a conversation must have (default: 2)",
    )


def run_conversations(options: argparse.Namespace, config: Config) -> int:
    with open_store(config) as store:
        store.complete()
        for completion_id in store.list_conversations(limit=options.limit, least=options.least):
            conversation = store.find_conversation(completion_id)
            if conversation is None or not conversation.requests:
                # Deleted since the list was read.
                continue
            if options.format == "json":
                print_json(_describe(conversation))
            else:
                print_line(_write_line(conversation))
    return 0


def _write_line(conversation: Conversation) -> str:
    first, last = conversation.requests[0], conversation.requests[-1]
    branches = count(sum(1 for _ in conversation.iter_ends()), "branch", "branches")
    tokens = "" if conversation.tokens is None else count(conversation.tokens, "token")
    requests = count(conversation.total, "request")
    return (
        f"{first.id:<38}  {moment(last.created or None):<20}  {requests:>12}  {branches:>11}"
        f"  {tokens:>14}  {last.model or '-'}"
    )


def _describe(conversation: Conversation) -> dict[str, Any]:
    requests = [
        {
            "id": one.id,
            "parent": one.parent,
            "created": one.created or None,
            "model": one.model,
            "finish_reasons": one.reasons,
            "messages": one.messages,
            "new_messages": one.added,
            "total_tokens": one.total_tokens,
            "cached_tokens": one.cached_tokens,
            "duration_ms": one.duration_ms,
        }
        for one in conversation.requests
    ]
    head = {"id": conversation.requests[0].id, "total": conversation.total}
    return head | {"tokens": conversation.tokens, "requests": requests}
