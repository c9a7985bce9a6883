"""Addresses that stand in a text as they are: `https://…`, `www.…` and mail.

GitHub's rules, in one pass: an address ends at white space or at a sign that no address has,
and gives back the punctuation behind it and the brackets that were not opened in it. What turns
out to be no address we link is text as a whole, so nothing is read twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

MAX_LENGTH: Final = 2_048

_ENDS: Final = (
    '\\s<>"`\\\\\u2e28\u2e29\ufdd0-\ufdef'
    "\u3001\u3002\u3008-\u3011\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\u00ab\u00bb\u201c\u201d"
)
_BODY: Final = re.compile(f"[^{_ENDS}]+")
_TRAILING: Final = frozenset("?!.,:;*_~'\u2019\u2026")
_BRACKETS: Final = {")": "(", "]": "["}
_HOST: Final = re.compile(
    r"(?:https?://|(?=www\.))(?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*\.?)(?::[0-9]{1,5})?(?=[/?#]|$)",
    re.IGNORECASE,
)
_ENTITY: Final = re.compile(r"&[A-Za-z0-9]{1,28};$")

_LOCAL_SIGNS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+-_"
_MAX_LOCAL: Final = 64
_DOMAIN: Final = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.){1,8}[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")


def install(parser: MarkdownIt) -> None:
    """Teaches `parser` to link addresses."""
    terminators = parser.inline.terminator_re.pattern
    # Text runs on to the next sign that may mean something: so far, no letter did.
    parser.inline.terminator_re = re.compile(rf"{terminators}|(?<![\w./:@-])www\.")
    parser.inline.ruler.push("address", _address)
    parser.core.ruler.push("mail", _mail)


def _address(state: StateInline, silent: bool) -> bool:
    if silent or state.linkLevel:
        return False
    start = _start(state)
    found = _BODY.match(state.src, start, state.posMax) if start is not None else None
    if found is None or start is None:
        return False
    address = _trimmed(found[0])
    behind = start + len(address)
    if behind <= state.pos:
        return False
    url = _url(state.md, address)
    before = state.pos - start
    if url is None:
        state.append_pending(address[before:])
    else:
        state.pending = state.pending[: len(state.pending) - before]
        _push_link(state, url, address)
    state.pos = behind
    return True


def _start(state: StateInline) -> int | None:
    """Where the address begins whose `://` or `www.` stands here."""
    pos, src = state.pos, state.src
    if src.startswith("www.", pos):
        # In the middle of a word the text before did not stop here.
        return None if pos and (src[pos - 1].isalnum() or src[pos - 1] in "_./:@-") else pos
    if not src.startswith("://", pos):
        return None
    for scheme in ("https", "http"):
        start = pos - len(scheme)
        if start >= 0 and src[start:pos].lower() == scheme:
            in_word = start and (src[start - 1].isalnum() or src[start - 1] in "_+.-")
            written = state.pending[-len(scheme) :].lower() == scheme
            return start if written and not in_word else None
    return None


def _trimmed(address: str) -> str:
    """`address` without the punctuation behind it, as GitHub reads it."""
    end = len(address)
    surplus = {
        close: address.count(close) - address.count(opens) for close, opens in _BRACKETS.items()
    }
    while end:
        last = address[end - 1]
        if last == ";" and (entity := _ENTITY.search(address, max(0, end - 30), end)):
            end = entity.start()
        elif last in _TRAILING:
            end -= 1
        elif surplus.get(last, 0) > 0:
            surplus[last] -= 1
            end -= 1
        else:
            break
    return address[:end]


def _url(md: MarkdownIt, address: str) -> str | None:
    """Where the link for `address` leads; None when it is none that we link."""
    if len(address) > MAX_LENGTH or not _HOST.match(address):
        return None
    is_short = address.startswith("www.")
    if is_short and "." not in address[4:]:
        return None
    url = md.normalizeLink(f"http://{address}" if is_short else address)
    return url if md.validateLink(url) else None


def _push_link(state: StateInline, url: str, text: str) -> None:
    token = state.push("link_open", "a", 1)
    token.attrs = {"href": url}
    token = state.push("text", "", 0)
    token.content = text
    state.push("link_close", "a", -1)


def _mail(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children and "@" in block.content:
            block.children = list(_with_mail(state.md, block.children))


def _with_mail(md: MarkdownIt, tokens: list[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            depth += token.nesting
        if token.type == "text" and not depth and "@" in token.content:
            yield from _split(md, token)
        else:
            yield token


def _split(md: MarkdownIt, token: Token) -> Iterator[Token]:
    """The text of `token` with its addresses of mail as links."""
    text, position = token.content, 0
    for start, end in _mails(text):
        url = md.normalizeLink(f"mailto:{text[start:end]}")
        if start < position or not md.validateLink(url):
            continue
        yield _text(text[position:start], token.level)
        yield Token("link_open", "a", 1, attrs={"href": url}, level=token.level)
        yield _text(text[start:end], token.level + 1)
        yield Token("link_close", "a", -1, level=token.level)
        position = end
    yield _text(text[position:], token.level)


def _mails(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses of mail stand in `text`."""
    at = text.find("@")
    while at >= 0:
        before = text[max(0, at - _MAX_LOCAL - 1) : at]
        local = before[len(before.rstrip(_LOCAL_SIGNS)) :].lstrip(".+-_")
        domain = _DOMAIN.match(text, at + 1)
        in_path = text.startswith("/", at - len(local) - 1)
        if 0 < len(local) <= _MAX_LOCAL and domain and not in_path:
            yield at - len(local), domain.end()
        at = text.find("@", at + 1)


def _text(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)
