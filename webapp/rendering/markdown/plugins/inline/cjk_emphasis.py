"""Let emphasis begin and end beside the punctuation of Chinese, Japanese and Korean text.

CommonMark expects a space or punctuation on the outer side of `**(bold)**`, and these scripts
write no spaces. By the CJK-friendly amendment, their punctuation counts as letters inside, and any
of their characters as a space outside. A run without such a neighbour is scanned as before.
"""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import isPunctChar, isWhiteSpace
from markdown_it.parser_inline import RuleFuncInlineType
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.emphasis import tokenize as parse_emphasis
from markdown_it.rules_inline.state_inline import Scanned
from markdown_it.rules_inline.strikethrough import tokenize as parse_strikethrough

# Wide, fullwidth and halfwidth characters, and Hangul; no emoji, which other scripts use as well.
_CJK: Final = re.compile(
    "[\u1100-\u11ff\u20a9\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uffee\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff"
    "\U0001f200-\U0001f265\U00020000-\U0003fffd]"
)
_SELECTOR: Final = re.compile("[\ufe00-\ufe0e\U000e0100-\U000e01ef]")
"""Variants of the character before: the punctuation of a language, the form of an ideograph."""


def is_cjk(character: str) -> bool:
    """Return whether a character is of Chinese, Japanese or Korean text; the empty string is not.

    These scripts write no spaces.
    """
    return _CJK.match(character) is not None


class _CjkState(StateInline):
    """A state that scans runs of `*`, `_` and `~` by the amended rule."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803
        marker = self.src[start]
        end = start
        while end < self.posMax and self.src[end] == marker:
            end += 1
        before = _find_base(self.src, start)
        after = self.src[end] if end < self.posMax else " "
        cjk_before, cjk_after = _CJK.match(before), _CJK.match(after)
        if not (cjk_before or cjk_after):
            return super().scanDelims(start, canSplitWord)
        space_before, space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
        mark_before = not cjk_before and isPunctChar(before)
        mark_after = not cjk_after and isPunctChar(after)
        opens = not space_after and (
            not mark_after or space_before or mark_before or cjk_before is not None
        )
        closes = not space_before and (
            not mark_before or space_after or mark_after or cjk_after is not None
        )
        splits = canSplitWord
        return Scanned(
            opens and (splits or not closes or isPunctChar(before)),
            closes and (splits or not opens or isPunctChar(after)),
            end - start,
        )


def install(parser: MarkdownIt) -> None:
    """Amend emphasis and strikethrough in `parser`."""
    for name, parse in (("emphasis", parse_emphasis), ("strikethrough", parse_strikethrough)):
        parser.inline.ruler.at(name, _amend(parse))


def _amend(parse: RuleFuncInlineType) -> RuleFuncInlineType:
    def parse_amended(state: StateInline, silent: bool) -> bool:
        # The parser offers no other way to choose the class of its states.
        state.__class__ = _CjkState
        return parse(state, silent)

    return parse_amended


def _find_base(src: str, start: int) -> str:
    """Find the character before `start`, without variation selectors; a space if none."""
    at = start - 1
    if at > 0 and _SELECTOR.match(src, at):
        at -= 1
    return src[at] if at >= 0 else " "
