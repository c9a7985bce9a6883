"""Export of completions as JSONL that imports to the same store.

Owns what is written and told of; each line is written piece by piece, so that memory does not
grow with a completion or with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from webapp.embedded.store.originals import START_KEY, iter_original_json, keys_after
from webapp.embedded.store.store import Store

Write: TypeAlias = Callable[[bytes], object]


@dataclass(slots=True)
class ExportReport:
    """How many completions were written, and which of those asked for are not stored."""

    exported: int = 0
    unknown: list[str] = field(default_factory=list)


def export_completions(
    store: Store,
    write: Write,
    *,
    ids: Sequence[str] = (),
    model: str | None = None,
    metadata: Sequence[tuple[str, str]] = (),
    progress: Callable[[int], None] | None = None,
) -> ExportReport:
    """Writes a line each: the completions of `ids`, or all that pass the filters, oldest first.

    `progress` is called with the number written so far. A completion that is deleted while the
    others are written is left out.
    """
    report = ExportReport()
    for completion_id in ids or _found(store, model, metadata):
        if _write_line(store, write, completion_id):
            report.exported += 1
        elif ids:
            report.unknown.append(completion_id)
        if progress is not None:
            progress(report.exported)
    return report


def _found(store: Store, model: str | None, metadata: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Asks page by page, so that no moment of the store is held for as long as all takes."""
    last = START_KEY
    while True:
        with store.reading() as connection:
            keys = keys_after(connection, last, model=model, metadata=metadata)
        if not keys:
            return
        yield from (key.id for key in keys)
        last = keys[-1]


def _write_line(store: Store, write: Write, completion_id: str) -> bool:
    """Whether there is such a completion."""
    with store.reading() as connection:
        found = False
        for text in iter_original_json(connection, completion_id):
            write(text.encode())
            found = True
    if found:
        write(b"\n")
    return found
