"""Link bare URLs and mail addresses in a text: `https://…`, `www.…` and `a@b.example`.

GitHub's rules, in one pass: a URL ends at white space or at a character that no URL contains,
without trailing punctuation and unmatched closing brackets. If it turns out not to be allowed,
all of it becomes text, so nothing is parsed twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_letters, digits
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from webapp.rendering.urls import trim_address

MAX_LENGTH: Final = 2_048

_ENDS: Final = (
    '\\s<>"`\\\\\u2e28\u2e29\ufdd0-\ufdef'
    "\u3001\u3002\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\u00ab\u00bb\u201c\u201d"
)
_BODY: Final = re.compile(f"[^{_ENDS}\ue200-\ue20f]+")
_HOST: Final = re.compile(
    r"(?:https?://|(?=www\.))(?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*\.?)(?::[0-9]{1,5})?(?=[/?#]|$)",
    re.IGNORECASE,
)

_LOCAL_CHARACTERS: Final = f"{ascii_letters}{digits}.+-_"
_MAX_LOCAL: Final = 64
_DOMAIN: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.){1,8}[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")


def install(parser: MarkdownIt) -> None:
    """Add links for bare URLs and mail addresses to `parser`."""
    terminators = parser.inline.terminator_re.pattern
    # Text runs on to the next character that may begin syntax; by default, no letter does.
    parser.inline.terminator_re = re.compile(rf"{terminators}|(?<![\w./:@-])www\.")
    parser.inline.ruler.push("url", parse_url)
    parser.core.ruler.push("mail", link_mail)


def parse_url(state: StateInline, silent: bool) -> bool:
    if silent or state.linkLevel:
        return False
    start = _find_start(state)
    found = _BODY.match(state.src, start, state.posMax) if start is not None else None
    if found is None or start is None:
        return False
    text = trim_address(found[0])
    end = start + len(text)
    if end <= state.pos:
        return False
    href = _build_href(state.md, text)
    before = state.pos - start
    if href is None:
        state.append_pending(text[before:])
    else:
        state.pending = state.pending[: len(state.pending) - before]
        state.push("link_open", "a", 1).attrs = {"href": href}
        state.push("text", "", 0).content = text
        state.push("link_close", "a", -1)
    state.pos = end
    return True


def _find_start(state: StateInline) -> int | None:
    """Find the start of the URL whose `://` or `www.` is here."""
    pos, src = state.pos, state.src
    if src.startswith("www.", pos):
        # In the middle of a word, the text before did not stop here.
        return None if pos and (src[pos - 1].isalnum() or src[pos - 1] in "_./:@-") else pos
    if not src.startswith("://", pos):
        return None
    for scheme in ("https", "http"):
        start = pos - len(scheme)
        if start >= 0 and src[start:pos].lower() == scheme:
            in_word = start and (src[start - 1].isalnum() or src[start - 1] in "_+.-")
            is_pending = state.pending[-len(scheme) :].lower() == scheme
            return start if is_pending and not in_word else None
    return None


def _build_href(md: MarkdownIt, text: str) -> str | None:
    """Build the target of a bare URL, or None if it must not become a link."""
    if len(text) > MAX_LENGTH or not _HOST.match(text):
        return None
    is_short = text.startswith("www.")
    if is_short and "." not in text[4:]:
        return None
    url = md.normalizeLink(f"http://{text}" if is_short else text)
    return url if md.validateLink(url) else None


def link_mail(state: StateCore) -> None:
    """Link the mail addresses in the text of all blocks, except inside links."""
    for block in state.tokens:
        if block.type != "inline" or not block.children or "@" not in block.content:
            continue
        depth = 0
        children: list[Token] = []
        for token in block.children:
            if token.type in ("link_open", "link_close"):
                depth += token.nesting
            if token.type == "text" and not depth and "@" in token.content:
                children += _split_at_mail(state.md, token)
            else:
                children.append(token)
        block.children = children


def _split_at_mail(md: MarkdownIt, token: Token) -> Iterator[Token]:
    """Yield the text of `token` with its mail addresses as links."""
    text, position = token.content, 0
    for start, end in _iter_mail(text):
        url = md.normalizeLink(f"mailto:{text[start:end]}")
        if start < position or not md.validateLink(url):
            continue
        yield Token("text", "", 0, content=text[position:start], level=token.level)
        yield Token("link_open", "a", 1, attrs={"href": url}, level=token.level)
        yield Token("text", "", 0, content=text[start:end], level=token.level + 1)
        yield Token("link_close", "a", -1, level=token.level)
        position = end
    yield Token("text", "", 0, content=text[position:], level=token.level)


def _iter_mail(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each mail address in `text`."""
    at = text.find("@")
    while at >= 0:
        before = text[max(0, at - _MAX_LOCAL - 1) : at]
        local = before[len(before.rstrip(_LOCAL_CHARACTERS)) :].lstrip(".+-_")
        domain = _DOMAIN.match(text, at + 1)
        in_path = text.startswith("/", at - len(local) - 1)
        if 0 < len(local) <= _MAX_LOCAL and domain and not in_path:
            yield at - len(local), domain.end()
        at = text.find("@", at + 1)
