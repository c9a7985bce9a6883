"""Write a list of completions as CSV, one row each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from webapp.completions import Completion
from webapp.formatting import LONE_SURROGATES, iso_moment

_COLUMNS: Final = (
    *("id", "created", "model", "finish_reason", "prompt_tokens", "completion_tokens"),
    *("total_tokens", "calls", "answer", "metadata"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Beginnings of a cell that spreadsheets take for a formula."""


def iter_csv(completions: Iterable[Completion]) -> Iterator[str]:
    """Yield the head and a row for each completion; times are in UTC, metadata is JSON.

    A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    yield "\ufeff"
    yield _write_row(_COLUMNS)
    for one in completions:
        usage = one.usage
        counts = (
            (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
            if usage
            else (None, None, None)
        )
        messages = [choice.message for choice in one.choices if choice.message]
        metadata = ", ".join(
            f"{member.name.source}: {member.value.source}" for member in one.metadata
        )
        yield _write_row(
            (
                one.id or "",
                iso_moment(one.created),
                one.model or "",
                " ".join(one.finish_reasons),
                *("" if count is None else count for count in counts),
                sum(len(message.calls) for message in messages),
                "\n\n".join(message.plain_text for message in messages),
                f"{{{metadata}}}" if metadata else "",
            )
        )


def _write_row(cells: Iterable[str | int]) -> str:
    file = io.StringIO()
    csv.writer(file).writerow([_disarm(one) if isinstance(one, str) else one for one in cells])
    return file.getvalue()


def _disarm(text: str) -> str:
    """Make `text` safe for a cell: no formula, no null, no lone surrogate."""
    text = LONE_SURROGATES.sub("\ufffd", text.replace("\0", "\u2400"))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
