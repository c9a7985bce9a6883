"""Load the sample completions into a store that has just been created.

Each sample is a JSON file in this folder. A text `@base64(NAME)` in it is replaced by the
contents of `media/NAME` in base64.
"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Final

from webapp.embedded.documents.records import CompletionRecord, parse_record
from webapp.embedded.store.store import Store
from webapp.embedded.store.writing import Outcome

SAMPLES: Final = Path(__file__).resolve().parent

_MEDIA = re.compile(r"@base64\(([\w.-]+)\)")


def load_samples(store: Store, *, folder: Path = SAMPLES) -> int:
    """Add the samples and return their number; add none unless opening `store` created it.

    So a sample that was deleted, or never wanted, does not come back.
    """
    if not store.is_new:
        return 0
    outcomes = store.add([_read_sample(path) for path in sorted(folder.glob("*.json"))])
    return outcomes.count(Outcome.ADDED)


def _read_sample(path: Path) -> CompletionRecord:
    def encode_media(match: re.Match[str]) -> str:
        return base64.b64encode((path.parent / "media" / match[1]).read_bytes()).decode("ascii")

    return parse_record(_MEDIA.sub(encode_media, path.read_text(encoding="utf-8")).strip())
