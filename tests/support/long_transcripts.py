"""Transcripts that need more than one page, and the messages that a page shows of them."""

from __future__ import annotations

import json
from pathlib import Path

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
    choice = {"index": 0, "message": {"role": "assistant", "content": "The end."}}
    line = {"id": "chatcmpl-long", "created": 1_760_000_000, "model": "m", "messages": messages}
    path.write_text(json.dumps({**line, "choices": [choice]}) + "\n")
    return path


def ids_on(page: Page) -> list[str]:
    """Return the ids of the messages on the page, from top to bottom."""
    found: list[str] = page.eval_on_selector_all(
        ".bubble[data-message-id]", "all => all.map(one => one.dataset.messageId)"
    )
    return found
