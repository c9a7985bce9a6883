"""Tokens that begin with words of a vendor that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.kinds import (
    has_all_cases,
    is_digest,
    is_made,
    is_mixed,
    is_no_placeholder,
    is_random,
    split_words,
)

ID_PREFIXES: Final = split_words(
    """
    call msg run file req resp rs chatcmpl cmpl gen batch thread asst toolu step vs ws ci fc fp
    evt event cus prod price sub ch pi pm seti in il card txn acct user usr org proj project team
    id uuid trace span request response job task node build chunk main index assets pk pub public
    sha sha256 sha384 sha512 sha1 md5 etag nonce ref rev commit digest hash integrity boundary
    webkit v tx dpl phc
    """
)
"""Words before the `_` of ids that anybody may know."""
_OF_KEYS: Final = split_words(
    """
    key keys apikey api secret token tok sk pat live prod priv private auth access admin svc
    signkey sec pw pwd rk bearer personal refresh tk
    """
)
# Any vendor's: words that say so, or more random letters than an id has.
_WORD: Final = "(?:[a-z][a-z0-9]{1,11}|[A-Z][A-Z0-9]{1,7}|[A-Z][a-z]{2,11})"
_ANY_PREFIX: Final = re.compile(
    # Not in a digest of base64 after its name.
    r"(?:(?<![A-Za-z0-9_/+.%\\-])(?<!sha256=)(?<!sha384=)(?<!sha512=)|(?<=\s-)|(?<=\A-))"
    # In groups of one length, after words, or in parts after dots.
    r"(?:(?:[A-Z]{2,6}-)?(?P<groups>[A-Z0-9]{5,8}(?:-[A-Z0-9]{5,8}){3,7})(?![\w-])"
    rf"|(?P<words>{_WORD}(?:[_-](?:[a-z]|{_WORD})){{0,3}})[_-]"
    r"(?P<rest>[A-Za-z0-9]{20,200}+(?:_[A-Za-z0-9]{6,100}+)?(?![A-Za-z0-9_/-]|\.[A-Za-z0-9])"
    r"|(?P<dashed>[A-Za-z0-9_-]{24,200}+={0,2}(?![A-Za-z0-9/]|\.[A-Za-z0-9])))"
    r"|(?P<first>[a-z][a-z0-9]{1,11})(?:\.v?[0-9]{1,2})?(?P<dotted>(?:\.[A-Za-z0-9_-]{16,300}+){1,3})(?![\w./-]))"
)
PREFIX_NEEDS: Final = r"[_-][A-Za-z0-9][A-Za-z0-9_-]{19}|\.[A-Za-z0-9_-]{20}"
"""An expression of RE2 that matches every text with a token that has any prefix."""


def find_prefixed(text: str) -> Iterator[tuple[int, int]]:
    """Yield the tokens that begin with words of no known vendor, as `acme_pat_…`."""
    for match in _ANY_PREFIX.finditer(text):
        if _has_parts(match) if match["words"] is None else _has_rest(match):
            yield match.span()


def _has_parts(match: re.Match[str]) -> bool:
    """Return whether all parts after a word are random."""
    if match["groups"]:
        groups = match["groups"].split("-")
        mixed = sum(map(is_mixed, groups))
        return len(set(map(len, groups))) == 1 and mixed >= 3 and not is_digest("".join(groups))
    parts = match["dotted"][1:].split(".")
    return (
        len(match["dotted"]) >= 36
        and match["first"] not in ID_PREFIXES
        and all(has_all_cases(part) and is_random(part) and is_made(part) for part in parts)
    )


def _has_rest(match: re.Match[str]) -> bool:
    """Return whether the rest is random, and longer than ids are or after a word for a key."""
    words = re.split("[_-]", match["words"].lower())
    rest = match["rest"]
    is_key = "pk" not in words and any(
        word in _OF_KEYS or word.endswith(("pat", "key", "token")) for word in words
    )
    is_long = len(rest) >= 30 and ID_PREFIXES.isdisjoint(words)
    cases = (any(map(str.islower, rest)), any(map(str.isupper, rest)))
    # One of one case can be a digest.
    is_made_alone = is_long and is_made(rest) and (all(cases) or len(rest) >= 32)
    return (
        any(map(str.isdigit, rest))
        and (is_key or (is_made_alone and not is_digest(rest)))
        and any(cases)
        and len(set(rest)) >= 10
        and is_no_placeholder(match[0])
        and (match["dashed"] is None or (is_key and all(cases) and is_random(rest)))
    )
