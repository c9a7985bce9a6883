"""Export completions as JSONL that imports to an equal store.

Lines are written piece by piece, so memory does not grow with a completion or with their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from webapp.embedded.store.originals import START_KEY, iter_original_json, read_keys_after
from webapp.embedded.store.store import Store

Write: TypeAlias = Callable[[bytes], object]


@dataclass(slots=True)
class ExportReport:
    """How many completions were exported, and which of the requested ids are not stored."""

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
    """Write one line for each completion: those of `ids`, else all that pass the filters.

    Without `ids`, the oldest comes first. `progress` is called with the number written so far.
    A completion that is deleted during the export is left out.
    """
    report = ExportReport()
    for completion_id in ids or iter_ids(store, model, metadata):
        is_stored = False
        with store.connect() as connection:
            for text in iter_original_json(connection, completion_id):
                write(text.encode())
                is_stored = True
        if is_stored:
            write(b"\n")
            report.exported += 1
        elif ids:
            report.unknown.append(completion_id)
        if progress is not None:
            progress(report.exported)
    return report


def iter_ids(store: Store, model: str | None, metadata: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the ids that pass the filters, the oldest first.

    They are read page by page, so that no snapshot is kept open for the whole export.
    """
    last = START_KEY
    while True:
        with store.connect() as connection:
            keys = read_keys_after(connection, last, model=model, metadata=metadata)
        if not keys:
            return
        yield from (key.id for key in keys)
        last = keys[-1]
