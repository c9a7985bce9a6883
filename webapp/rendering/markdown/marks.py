"""Citation marks inside what is held back: taken out of it, and set behind it."""

from __future__ import annotations

import re
from typing import Final

from webapp.rendering.citations.markers import CLOSE, OPEN, START

_MARK: Final = re.compile(f"{OPEN}[0-9]+{CLOSE}")
_ANY_MARK: Final = re.compile(f"(?:{OPEN}|{START})[0-9]+{CLOSE}")


def split_marks(text: str) -> tuple[str, str]:
    """`text` without its marks, and the marks that stand behind what they cite."""
    if CLOSE not in text:
        return text, ""
    return _ANY_MARK.sub("", text), "".join(_MARK.findall(text))
