"""Write stored completions in the formats of `readback export`, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import BinaryIO, Final

from webapp.app import load_stored, open_templates
from webapp.completions import Completion
from webapp.config import Config
from webapp.embedded import ExportReport, Store, export_completions
from webapp.exact_json import parse
from webapp.exports import (
    LeftOut,
    Transcript,
    encode,
    iter_csv,
    iter_html,
    iter_markdown,
    iter_promptfoo,
    iter_training_line,
)
from webapp.reading.streaming import stream_transcript
from webapp.static_files import export_sheet
from webapp.upstream import Deadline

_PAGE_SECONDS: Final = 60.0


class FormWriter:
    """Writes completions of `store`, each read a page at a time.

    `left_out` collects the members that the format cannot hold.
    """

    def __init__(self, store: Store, config: Config, form: str) -> None:
        self._store = store
        self._loader = load_stored(store, config)
        self._form = form
        self._templates = open_templates() if form == "html" else None
        self.left_out = LeftOut()

    def write(self, completion_id: str, file: BinaryIO, report: ExportReport) -> None:
        """Write a completion that is stored to `file`, and count it."""
        report.exported += 1
        if self._form == "json":
            export_completions(self._store, file.write, ids=[completion_id])
            return
        deadline = partial(Deadline.after, _PAGE_SECONDS)
        found = stream_transcript(self._loader, completion_id, deadline)
        left_out = LeftOut()
        transcript = Transcript(completion_id, found.completion, found.messages)
        for piece in encode(self._write(transcript, left_out)):
            file.write(piece)
        for sentence in left_out.sentences:
            self.left_out.add(f"{completion_id}: {sentence}")
        self.left_out.count += left_out.count - len(left_out.sentences)

    def write_table(self, ids: Iterable[str], file: BinaryIO, report: ExportReport) -> None:
        """Write the CSV of completions."""

        def read() -> Iterator[Completion]:
            for completion_id in ids:
                json = self._store.retrieve_completion(completion_id, as_given=True)
                if json is None:
                    report.unknown.append(completion_id)
                    continue
                report.exported += 1
                yield Completion.from_json(parse(json))

        for piece in encode(iter_csv(read())):
            file.write(piece)

    def _write(self, transcript: Transcript, left_out: LeftOut) -> Iterator[str]:
        if self._form == "md":
            return iter_markdown(transcript)
        if self._form == "jsonl":
            return iter_training_line(transcript, left_out)
        if self._form == "promptfoo":
            return iter_promptfoo(transcript, left_out)
        assert self._templates is not None
        with self._templates.app_context():
            return iter_html(transcript, self._templates.jinja_env, export_sheet())
