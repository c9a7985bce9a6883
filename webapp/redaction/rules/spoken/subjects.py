"""Words about things that have numbers and dates as well, beside those of secrets and of people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from webapp.redaction.rules.kinds import split_words

OTHERS: Final = split_words(
    """
    order invoice ticket version build release page line chapter room step error exit status http
    level stage achievement
    port row column table issue commit tracking booking flight gate seat model reader
    part chip device machine area zip postal postcode discount promo voucher country isbn sku item
    bestellung rechnung zeile seite jahr fehler version plz postleitzahl
    rose fell grew reached sold costs cost fee fees premium rate spending due balance
    revenue total sum amount price limit length size least between count attempts expires expiry
    invented founded introduced released photo applications workers
    requires bytes function method library package module phone tel telefon order-id
    """
)
"""Words about another thing, a count, an amount or a time."""

UNBORN: Final = split_words(
    "party cake celebration project fork star idea company library framework language site version"
    " release rule concept"
)
"""Those that are said to be born."""

_PRODUCTS: Final = split_words(
    """
    linux unix gnu windows android ios macos firefox chrome chromium safari netscape mozilla opera
    python java javascript typescript perl rust php swift kotlin scala haskell fortran cobol lisp
    pascal golang git github gitlab docker kubernetes wikipedia google facebook twitter youtube
    amazon apple microsoft netflix spotify uber airbnb bitcoin ethereum email web internet www html
    css http arpanet postgresql postgres mysql sqlite redis mongodb debian ubuntu fedora vim emacs
    bash zsh react angular vue django flask rails node npm nasa nato unesco euro chatgpt gpt openai
    anthropic mistral llama minecraft tetris photoshop excel slack reddit wordpress apache nginx
    """
)
"""Names that stand for no person, without an article."""
_PEOPLE: Final = split_words(
    """
    child baby boy girl son daughter kid kids twin twins patient customer client applicant user
    employee candidate person man woman husband wife mother father brother sister student tenant
    dad mum mom uncle aunt niece nephew cousin grandmother grandfather grandma grandpa grandson
    granddaughter partner fiancé fiancée friend neighbour neighbor colleague boss parent member
    driver holder policyholder policy insured claimant defendant suspect victim owner player author
    """
)
_ARTICLES: Final = split_words("the a an this that its our your das der die ein eine le la el los")
_VERBS: Final = split_words("was were is first")


def is_thing(before: Sequence[str]) -> bool:
    """Return whether the words before `born` are about a product, or a thing with an article."""
    words = [word for word in before if word not in _VERBS]
    if not words:
        return False
    has_article = not _ARTICLES.isdisjoint(words[-2:-1])
    return words[-1] in _PRODUCTS or (has_article and words[-1] not in _PEOPLE)
