"""Tokens that begin with words of a vendor that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.kinds import is_no_placeholder, is_random, split_words

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
_ANY_PREFIX: Final = re.compile(
    r"(?:(?<![A-Za-z0-9_/+.%\\-])|(?<=\s-)|(?<=\A-))(?P<words>[a-z][a-z0-9]{1,11}(?:[_-][a-z][a-z0-9]{0,11}){0,3})[_-]"
    r"(?P<rest>[A-Za-z0-9]{20,200}+(?:_[A-Za-z0-9]{6,100}+)?(?![A-Za-z0-9_/-]|\.[A-Za-z0-9])"
    r"|(?P<dashed>[A-Za-z0-9_-]{24,200}+={0,2}(?![A-Za-z0-9/]|\.[A-Za-z0-9])))"
)
PREFIX_NEEDS: Final = r"[_-][A-Za-z0-9][A-Za-z0-9_-]{19}"
"""An expression of RE2 that matches every text with a token that has any prefix."""


def find_prefixed(text: str) -> Iterator[tuple[int, int]]:
    """Yield the tokens that begin with words of no known vendor, as `acme_pat_…`."""
    for match in _ANY_PREFIX.finditer(text):
        words = re.split("[_-]", match["words"])
        rest = match["rest"]
        is_key = "pk" not in words and any(
            word in _OF_KEYS or word.endswith(("pat", "key", "token")) for word in words
        )
        is_long = len(rest) >= 30 and ID_PREFIXES.isdisjoint(words)
        cases = (any(map(str.islower, rest)), any(map(str.isupper, rest)))
        if (
            any(map(str.isdigit, rest))
            and (is_key or (is_long and all(cases)))
            and any(cases)
            and len(set(rest)) >= 10
            and is_no_placeholder(match[0])
            and (match["dashed"] is None or (is_key and all(cases) and is_random(rest)))
        ):
            yield match.span()
