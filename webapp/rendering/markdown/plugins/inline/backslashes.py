r"""Keep the backslashes that a text means, and drop those that only escape Markdown.

A backslash is dropped before a character that could act as Markdown in its place, as in
`\*not bold\*`, `snake\_case`, `\#`, `1\.` and `\[1]`. It is kept anywhere else, and in all of a
word that has the form of a path or a regular expression: `C:\Users\_me`, `\d+\*`. A path may have
blanks: `C:\Program Files\_x`, `My\ File\[1].txt`.

Either way, the character after it is text. An escaped backslash is two backslashes, unless
a character follows them all that would act as Markdown.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias, cast

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, escape
from markdown_it.token import Token

_WORDS: Final = re.compile("[^\\s\u3001\u3002\u300c-\u300f\uff01\uff0c\uff1a\uff1b\uff1f]+")
_LITERAL: Final = re.compile(
    r"\\[^\W_]"  # `\Users`, `\d`
    r"|(?:^|[^\w\\])(?:\.{1,2}|~|%\w+%|%~\w+|\$(?:env:)?\w+|[A-Za-z]:)\\"  # `..\_old`, `C:\#tmp`
    r"|\$(?:\{[\w:]+\}|\([\w:]+\))\\"  # `${env:TEMP}\_x`
    r"|\\\*\.\w"  # `src\*.c`
    r"|\\[*+?.#]\{\d|\\\*\+|(?<!\w)\\\*\?"  # `\*{2}`, `\*+`
    r"|\\[./^?+:](?=\S)|\.[*+]|\(\?"  # `a\.b\*`, `\[.*\]`
    r"|\^\\[\[(]|\\[\])]\$(?!\w)|[^\\]\][*+]"  # `^\[`, `\]$`, `[a-z]+\]`
    r"|(?:^|\W)s/\S*/\S*/"  # `s/\[x\]//`
    r"|[\"']\\\\\S|\\\\[()]"  # `"\\*\\*"`, `"\\(a\\|b\\)"`
)
"""Signs of a path or a regular expression, none of which is an escape within a line."""

_PATH: Final = re.compile(r"[\"'(\[*]{0,3}(?:[A-Za-z]:|\\)\\")
_IN_PATH: Final = re.compile(r"[A-Z(]")
"""The beginning of a path with a drive or a host, and of a word after a blank in it."""

_RUN: Final = re.compile(r"\\{1,40}+")
_AFTER_RUN: Final = frozenset("*_`[]~#<|")
_MAX_BLANKS: Final = 4
"""Words of a path after one with a backslash."""

_ENDS: Final = frozenset(".,;:!?)\"'")

_QUOTES: Final = frozenset(['""', "''", "``", "()", "\u201c\u201d", "\u2018\u2019", "\u300c\u300d"])
"""Signs around a character that is only named, as in "`\\#`"."""

_BLOCK: Final = re.compile(r"[ \t>]*(?:[-+*]|[0-9]{1,9}[.)])?[ \t]*\Z")
_NUMBER: Final = re.compile(r"(?:^|[^\w.])[0-9]{1,9}\Z")
_AT_LINE_START: Final = frozenset("-+=>|")
"""Characters that would begin a list, a table or a heading at the beginning of a line."""

_ANYWHERE: Final = frozenset("#`~[]<>$&")
_EMPHASIS: Final = frozenset("*_")
_MAX_MARKER: Final = 80
"""Characters of the markers of lists and quotes that may begin a line."""

_MAX_FACE: Final = 40
"""Characters on either side of an underscore that may be a face."""

_MAX_BOLD: Final = 500
"""Characters of a bold path that ends in a backslash."""

_KEY: Final = "literal_words"
_Found: TypeAlias = tuple[str, Sequence[tuple[int, int]]]


def install(parser: MarkdownIt) -> None:
    """Replace the rule for backslashes in `parser`."""
    parser.inline.ruler.at("escape", parse_backslash)
    parser.inline.ruler.before("emphasis", "quantifier", parse_quantifier)


def parse_backslash(state: StateInline, silent: bool) -> bool:
    pos, src = state.pos, state.src
    if src[pos] != "\\" or pos + 1 >= state.posMax:
        return False
    following = src[pos + 1]
    if following == "\n":
        if not (src[pos - 1 : pos].isspace() or _is_literal_word(state)):
            return escape(state, silent)
        if not silent:
            state.append_pending("\\")
        state.pos += 1
        return True
    is_literal = _is_literal_word(state)
    is_escape = not is_literal and (
        _can_precede_markdown(src, pos) if following == "\\" else _could_act(src, pos)
    )
    end = pos + 2
    if _ends_bold(src, pos, is_literal=is_literal):
        is_escape, end = False, pos + 1
    elif is_literal and following == "_":
        # `src\__tests__` has no emphasis after its first underscore.
        while src.startswith("_", end, state.posMax):
            end += 1
    elif is_escape and src.startswith("\xaf\\\\_(", pos - 1):
        # An arm of a face that was escaped by half: `¯\\_(ツ)_/¯`.
        following, end = "\\_", pos + 3
    if not silent:
        token: Token = state.push("text_special", "", 0)
        token.markup = src[pos:end]
        token.content = following if is_escape else token.markup
        token.info = "escape"
    state.pos = end
    return True


def parse_quantifier(state: StateInline, silent: bool) -> bool:
    r"""Take the asterisk of a regular expression as text, as in `\[.*\]` and `\((.*?)\)`."""
    pos, src = state.pos, state.src
    if src[pos] == "_" or src.startswith("\\\\", pos - 2, pos):
        return _parse_sign_of_path(state, silent)
    if src[pos] != "*" or src[pos - 1 : pos] not in (".", "]", ")") or not pos:
        return False
    following = src[pos + 1 : pos + 2]
    if not following or following not in "?\\]$/|)":
        return False
    start = _find_literal_start(state)
    if start is None or (following == ")" and "(" not in src[start:pos]):
        return False
    if not silent:
        state.append_pending("*")
    state.pos += 1
    return True


def _parse_sign_of_path(state: StateInline, silent: bool) -> bool:
    r"""Take signs beside the backslashes of a path as text, as in `__x__\y` and `"C:\\*"`."""
    pos, src = state.pos, state.src
    sign, end = src[pos], pos + 1
    if sign not in "*_":
        return False
    while src.startswith(sign, end, state.posMax):
        end += 1
    is_before = sign == "_" and src.startswith("\\", end)
    is_after = src.startswith("\\\\", pos - 2, pos) and end == pos + 1
    is_after = is_after and not src[end : end + 1].isspace()
    if not (is_before or is_after) or end == state.posMax or not _is_literal_word(state):
        return False
    if not silent:
        state.append_pending(src[pos:end])
    state.pos = end
    return True


def _ends_bold(src: str, pos: int, *, is_literal: bool) -> bool:
    r"""Return whether bold text ends after the backslash at `pos`, as in `**C:\Windows\**`."""
    after = src[pos + 3 : pos + 4]
    may_end = not after.strip(".,;:!?)") or (is_literal and after.isspace())
    if not src.startswith("**", pos + 1) or not may_end:
        return False
    line = src[max(src.rfind("\n", 0, pos) + 1, pos - _MAX_BOLD) : pos]
    return line.count("**") % 2 == 1


def _can_precede_markdown(src: str, pos: int) -> bool:
    """Return whether the backslashes at `pos` are before a character that acts as Markdown."""
    run = _RUN.match(src, pos)
    return run is not None and src[run.end() : run.end() + 1] in _AFTER_RUN


def _could_act(src: str, pos: int) -> bool:
    """Return whether the character after the backslash at `pos` could act as Markdown there."""
    character = src[pos + 1]
    if src[pos - 1 : pos] + src[pos + 2 : pos + 3] in _QUOTES:
        return False
    if character in _ANYWHERE:
        return True
    if character in _EMPHASIS:
        return _could_emphasize(src, pos)
    if character == "!":
        return src.startswith(("[", "\\["), pos + 2)
    if character == "(":
        return src[pos - 1 : pos] == "]"
    line = src[src.rfind("\n", 0, pos) + 1 : pos]
    if character in ".)":
        is_last = pos + 2 == len(src) or src[pos + 2].isspace()
        return is_last and _NUMBER.search(line[-10:]) is not None
    return character in _AT_LINE_START and len(line) < _MAX_MARKER and bool(_BLOCK.match(line))


def _could_emphasize(src: str, pos: int) -> bool:
    r"""Return whether a run of `\*` or `\_` touches a word, or is where a list item begins."""
    escaped = src[pos : pos + 2]
    start = end = pos
    while src.startswith(escaped, start - 2) and start >= 2:
        start -= 2
    while src.startswith(escaped, end):
        end += 2
    before, after = src[start - 1 : start], src[end : end + 1]
    if before.isalnum() or after.isalnum() or end - start > 2 or before == "\\":
        return True
    # `\*` may also begin an item and end a phrase; a single `\_` is an arm: `¯\_(ツ)_/¯`.
    if escaped[1] == "*":
        return not before or not after or before.isspace() or after.isspace()
    word_before = src[max(0, start - _MAX_FACE) : start].split()[-1:] if before.strip() else []
    word_after = src[end : end + _MAX_FACE].split()[:1] if after.strip() else []
    return any(escaped in word for word in (*word_before, *word_after))


def _is_literal_word(state: StateInline) -> bool:
    return _find_literal_start(state) is not None


def _find_literal_start(state: StateInline) -> int | None:
    """Find where the word around the current position begins if it is a path or an expression."""
    # The words of a text that keep all their backslashes are found once for each text.
    src, words = cast("_Found", state.env.get(_KEY, ("", ())))
    if src is not state.src:
        words = list(_iter_literal_words(state.src))
        state.env[_KEY] = (state.src, words)
    at = bisect_right(words, (state.pos, len(state.src))) - 1
    return words[at][0] if at >= 0 and words[at][0] <= state.pos < words[at][1] else None


def _iter_literal_words(src: str) -> Iterator[tuple[int, int]]:
    r"""Yield where the literal words of `src` begin and end.

    A path may go on in the next word: after `\ `, as shells write it, and in names with capital
    letters after a drive or a host, as in `C:\Program Files (x86)\_x`.
    """
    end = blanks = 0
    for word in _WORDS.finditer(src):
        text = word[0]
        follows = word.start() == end + 1 and src[end] == " "
        is_escaped = follows and src[end - 1 : end] == "\\" and src[end - 2 : end - 1].isalnum()
        goes_on = follows and blanks > 0 and _IN_PATH.match(text) is not None
        has_backslash = "\\" in text
        if has_backslash and (is_escaped or goes_on or _LITERAL.search(text)):
            yield word.span()
        end = word.end()
        if text[-1] in _ENDS:
            blanks = 0
        elif _PATH.match(text) or (goes_on and has_backslash):
            blanks = _MAX_BLANKS
        else:
            blanks = blanks - 1 if goes_on else 0
