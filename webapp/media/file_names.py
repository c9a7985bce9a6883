"""Sanitize the name of a file that somebody sent."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 120
# Characters with a meaning to a shell or a file system; white space and
# control characters; and the marks that reorder or hide text, so that `.exe` reads as it is.
_UNFIT: Final = re.compile(
    '[\x00-\x1f\x7f-\x9f"*:<>?|\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff'
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def sanitize_file_name(name: str, *, otherwise: str) -> str:
    """Strip unfit characters from the last part of `name`; `otherwise` if nothing is left."""
    last = re.split(r"[\\/]", name[-1_000:])[-1]
    fit = _UNFIT.sub("", last).strip(" .")
    if len(fit) > _LONGEST:
        stem, dot, extension = fit.rpartition(".")
        tail = dot + extension if stem and len(extension) < 12 else ""
        fit = fit[: _LONGEST - len(tail)] + tail
    return fit or otherwise
