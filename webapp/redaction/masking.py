"""Find secrets in a text, and replace each by the name of its kind."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from webapp.redaction.detecting import Detected, detect

KNOWN: Final = "***"
"""The mask of a secret that the program itself holds."""

MASK: Final = re.compile(r"\[masked: [a-z0-9-]{1,60}\]")
"""A mask in a text."""

_ELISIONS: Final = ("**", "...", "…", "••")
_MIN_SHOWN: Final = 2
_SHORTENED: Final = re.compile(
    r"(?<![^\s\"'`:=])(?P<head>[^\s\"'`*….•]{0,64})(?:\*{2,4096}|\.{3}|…|•{2,4096})"
    r"(?P<tail>[^\s\"'`*….•]{0,64})"
)
"""A token with its middle left out."""


def find(text: str) -> list[Detected]:
    """Find the secrets in `text` in their order, without overlaps; no personal data."""
    found = sorted(detect(text, with_people=False), key=lambda one: (one.start, -one.end))
    merged: list[Detected] = []
    for one in found:
        if merged and one.start < merged[-1].end:
            first = merged[-1]
            merged[-1] = replace(first, end=max(first.end, one.end))
        else:
            merged.append(one)
    return merged


def mask(text: str, *, known: Collection[str] = ()) -> str:
    """Mask every secret in `text`, those of `known` whole or shortened.

    A mask keeps neither a part of the secret nor its length. Masking twice changes nothing.
    """
    text = _mask_known(text, known)
    pieces = []
    at = 0
    for one in find(text):
        pieces += [text[at : one.start], write_mask(one.kind)]
        at = one.end
    return "".join(pieces) + text[at:]


def write_mask(kind: str) -> str:
    """Write the mask of a secret of this kind."""
    return f"[masked: {kind}]"


def _mask_known(text: str, known: Iterable[str]) -> str:
    """Replace the secrets of the program, raw, escaped and shortened; the longest first."""
    secrets = sorted({secret for secret in known if secret}, key=len, reverse=True)
    for secret in secrets:
        escaped = json.dumps(secret)[1:-1]
        for form in (secret, escaped, escaped.replace("/", r"\/"), quote(secret, safe="")):
            text = text.replace(form, KNOWN)
    if not secrets or not any(elision in text for elision in _ELISIONS):
        return text
    return _SHORTENED.sub(lambda match: _mask_shortened(match, secrets), text)


def _mask_shortened(match: re.Match[str], secrets: Iterable[str]) -> str:
    head, tail = match["head"], match["tail"].rstrip(".,;:!?)")
    for secret in secrets:
        begins = len(head) >= _MIN_SHOWN and secret.startswith(head)
        ends = len(tail) >= _MIN_SHOWN and secret.endswith(tail)
        if (begins and (ends or not tail)) or (ends and not head) or (begins and len(head) >= 4):
            return KNOWN + match["tail"][len(tail) :]
    return match[0]
