"""Transcripts that need more than one page, and the messages that a page shows of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tools.paths import REAL_DATA

LONG = REAL_DATA / "transcripts" / "coding_log_long.jsonl"
needs_real_data = pytest.mark.skipif(
    not LONG.exists(), reason="the real transcripts are not beside this checkout"
)


def write_completion(path: Path, count: int) -> Path:
    """Write a completion of `count` messages to `path`, as a line to import."""
    messages = [
        {"role": "user" if at % 2 == 0 else "assistant", "content": f"Message {at + 1}.\n\n" * 3}
        for at in range(count)
    ]
    return _write(path, messages)


def _write(path: Path, messages: list[dict[str, Any]]) -> Path:
    choice = {"index": 0, "message": {"role": "assistant", "content": "The end."}}
    line = {"id": "chatcmpl-long", "created": 1_760_000_000, "model": "m", "messages": messages}
    path.write_text(json.dumps({**line, "choices": [choice]}) + "\n")
    return path


def write_agent_run(path: Path, calls: int) -> Path:
    """Write a completion of `calls` tool calls, each with its result and some words after it."""
    messages: list[dict[str, Any]] = []
    for at in range(calls):
        function = {"name": "look", "arguments": "{}"}
        call = {"id": f"call_{at}", "type": "function", "function": function}
        messages += [
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{at}", "content": "Found."},
            {"role": "assistant", "content": "Once more."},
        ]
    return _write(path, messages)


def ids_on(page: Page) -> list[str]:
    """Return the ids of the messages on the page, from top to bottom."""
    found: list[str] = page.eval_on_selector_all(
        ".bubble[data-message-id]", "all => all.map(one => one.dataset.messageId)"
    )
    return found
