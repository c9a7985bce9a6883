"""The sample completions Readback brings along, for a store that has just been created.

Each is a JSON file in `samples/`. Media stand beside them as files of their own, and a text
`@base64(NAME)` in the JSON takes the place of `samples/media/NAME`.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Final

from webapp.embedded.documents.records import CompletionRecord, read_completion
from webapp.embedded.store.store import Outcome, Store

SAMPLES: Final = Path(__file__).resolve().parents[1] / "samples"

_MEDIA = re.compile(r"@base64\(([\w.-]+)\)")


def load_samples(store: Store, *, folder: Path = SAMPLES) -> int:
    """How many samples were added: none unless opening `store` created it.

    So a sample that was deleted, or never wanted, does not come back.
    """
    if not store.is_new:
        return 0
    outcomes = store.add([_read(path) for path in sorted(folder.glob("*.json"))])
    return outcomes.count(Outcome.ADDED)


def _read(path: Path) -> CompletionRecord:
    media = path.parent / "media"
    text = path.read_text(encoding="utf-8")
    return read_completion(_MEDIA.sub(lambda match: _base64(media / match[1]), text).strip())


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
