"""Bare answers to a question for a secret or a personal detail, in the same text or the next one.

`What is your date of birth?` names the line after it, which is a bare date.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import re2

from webapp.redaction.prefilter import replace_surrogates
from webapp.redaction.rules.kinds import FUNCTION_WORDS, SecretPlace, is_made, is_mixed, is_value
from webapp.redaction.rules.names import OF_DATA, OF_IDS
from webapp.redaction.rules.personal.addresses import ADDRESS_MEMBER, STREET, is_address_part
from webapp.redaction.rules.personal.identities import DATE, OF_OUR_TIME, is_number
from webapp.redaction.rules.personal.vehicles import is_plate
from webapp.redaction.rules.shapes import is_told
from webapp.redaction.rules.spoken.nouns import Noun, list_nouns

QUESTION: Final = "question: "
"""Begins the name of a text that answers the question after it."""


class _Asked(NamedTuple):
    """The answer to a question for a subject: its kind and form, and whether a text is one."""

    kind: str
    form: str
    accepts: Callable[[str], bool]


def _is_password(answer: str) -> bool:
    words = answer.split()
    if len(words) > 1:
        return len(words) >= 4 and FUNCTION_WORDS.isdisjoint(words)
    return is_told(answer) or (len(answer) >= 6 and is_mixed(answer) and is_value(answer))


def _has_digits(least: int) -> Callable[[str], bool]:
    return lambda answer: sum(map(str.isdigit, answer)) >= least and len(set(answer)) > 1


def _is_phone(answer: str) -> bool:
    # Seven or eight digits alone are as often a count: of those who use a mobile, or of phones.
    return _has_digits(7)(answer) and (
        not answer.isdigit() or len(answer) >= 9 or answer.startswith("0")
    )


def _is_id(answer: str) -> bool:
    return is_number(answer) and len(set(answer)) > 1


_ASKED: Final = {
    "code": _Asked(
        "pin",
        r"(?:G-)?[0-9](?:[ -]?[0-9]){2,8}[#*]?|[A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{4,8}){1,7}",
        lambda answer: _has_digits(2 if "-" in answer else 3)(answer),
    ),
    "key": _Asked("api-key", r"[A-Za-z0-9+/_=.~-]{16,300}", is_made),
    "birth": _Asked("birth-date", DATE, lambda answer: OF_OUR_TIME.search(answer) is not None),
    "card": _Asked("card", r"[0-9](?:[ .-]{0,2}[0-9]){11,18}", _has_digits(12)),
    "phone": _Asked("phone", r"\+?\(?[0-9](?:[ ./()-]{0,3}[0-9]){6,14}", _is_phone),
    "id": _Asked("id-number", r"[A-Z0-9](?:[ ./-]{0,3}[A-Z0-9]){5,22}", _is_id),
    "plate": _Asked("number-plate", r"[A-ZÄÖÜ0-9]{1,4}(?:[ -]?[A-ZÄÖÜ0-9]{1,4}){1,3}", is_plate),
    "address": _Asked("address", STREET, lambda answer: True),
    "name": _Asked("password", r"[A-ZÀ-Þ][\w'’-]{2,24}(?:[ ][\w'’-]{1,24}){0,3}", is_value),
    "password": _Asked(
        "password",
        r"[!#-&(-+./-;=-~À-ɏЀ-ӿ-]{4,100}|[a-z]{3,12}(?:[ ][a-z]{3,12}){3,11}",
        _is_password,
    ),
}
_LINK: Final = (
    r"(?:sure|ok(?:ay)?|(?:it )?(?:says|reads)|yes|yep|yeah|of course|certainly|absolutely"
    r"|no problem|thanks|hi|hello"
    r"|here(?: it is| you go|['’]s)?|it['’]?s|it is|it was|that['’]?s|that is|this is|is|was|my|the"
    r"|that would be|should be|use|try|number|code|password|pin|i think|i believe|well|um|uh|please"
    r"|one moment|let me see|born|on|(?:i was|i['’]m) born(?: on)?|und|natürlich|klar|ja|gerne?"
    r"|moment|das ist|es ist|er ist|sie ist|das wäre|lautet|ist|bitte|also|meine?|am|ich bin|oui"
    r"|bien sûr|voilà|voici|c['’]est|alors|est|le|la|mon|ma|sí|si|claro|por supuesto|aquí(?: está"
    r"| tiene)?|el|es|mi|sim|é|meu|minha|certo|è|il|mio|ecco|tak|to|jasne|jest|det är|det er|het is"
    r"|はい|です|是|네)"
)
_LEAD: Final = re.compile(
    r"[\"'}\])*`]{0,4}[ \t]*(?:\r?\n[ \t]*){0,3}"
    # When and by whom it was said, or the mark of an answer.
    r"(?:[\[(]?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?[\])]?[ ])?"
    r"(?:[>*_\[\"-]{0,3}[A-Za-zÀ-ɏ][\w .'()-]{0,30}[*_\]]{0,3}:[*_]{0,2}[ \t]|a[.)] |[>*-] )?"
    r"[\"'“„`*{(]{0,3}"
    rf"(?:{_LINK}(?:[ ,.:;!–—…-]{{1,4}}|(?<=[いすは是네]))){{0,6}}[\"'“„`*(]{{0,3}}",
    re.IGNORECASE,
)
_END: Final = re.compile(
    r"[\"'”“`*)]{0,3}(?:[.!。,;]?[ \t]*(?:[\r\n\"'}\]]|</|\Z)|[,;.!][ ]|です|[ ](?:and|und|et|y|e"
    r"|but|if|[–—-]|i think|i believe|thanks|danke|merci|gracias|please|bitte)\b)",
    re.IGNORECASE,
)
_WHOLE: Final = re.compile(r"(?![\w/]|[.,:-]\w)")
"""The end of a number or a date, which a sentence may go on after."""

_QUESTION_END: Final = re.compile(r"[?？](?=[ ])|？|[ \t]++\r?\n|\r?\n")
_BEFORE_END: Final = re.compile(r"[?？:.!。)}\"'\w]")
_ASKS: Final = re.compile(
    r"[?？]|\b(?:what|which|when|need|please|give|send|tell|provide|enter|type|confirm|verify|share"
    r"|supply|state|input|require|asked|wie|welche|wann|bitte|nennen|geben|gib|sagen|brauche"
    r"|brauchen|benötige|benötigen|quel|quelle|donne[rz]?|indique[rz]?|saisi\w+|entre[rz]|besoin"
    r"|cuál|dime|dígame|introduzca|necesito|qual|informe|digite|preciso|quale|inserisca|geef|podaj"
    r"|proszę|ange|skriv)\b|教|入力|请|告诉|何|いつ|무엇|알려|введите|назовите|[:：]\s*\Z",
    re.IGNORECASE,
)
_HOW: Final = re.compile(
    r"\b(?:how (?:do|can|could|should|would|to|many|long|often)|why|wie (?:kann|viele|lang|oft)"
    r"|pourquoi|combien|por qué|cuánt[oa]s|cómo|(?:best|your) number of (?!the|your)\w+)\b",
    re.IGNORECASE,
)
"""Begins questions about a password, not for one."""
_ABOUT: Final = re.compile(
    r"s?[ -](?:manager|polic|field|hash|reset|length|rule|requirement|hint|format|type|column"
    r"|strength|generator|for\?|used for|mean|stand|contain|stored|expire|valid|work|correct|wrong"
    r"|name|regex|layout|pattern|count|limit|usage|budget|size|endpoint|table|api\b|date|party)"
    r"|[ ](?:required|necessary|nötig|notwendig|obligatoire)",
    re.IGNORECASE,
)
"""Goes on after the noun in questions about it."""
NO_CODE: Final = re2.compile(
    r"(?i:(?:exit|error|status|return|result|zip|post(?:al)?|country|area|promo|discount|coupon|product"
    r"|item|source|booking|tracking|colou?r|airport|https?|response|dress|qr|bar|time|voucher"
    r"|currency|language|region|state|reason|close|course|class|part|program|python|java|sample"
    r"|postleitzahl|fehler|produkt|エラー|郵便)[ -]?(?:codes?|コード)"
    r"|codes? (?:block|snippet|review|path|example|sample|base)|\b(?:stand for|mean)\b)"
)
_NO_KEY: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(OF_DATA | OF_IDS))})[ _-]?(?:key|token|secret)s?\b", re.IGNORECASE
)
_REACH: Final = 200
_HOW_REACH: Final = 60
_NAMED_SUBJECTS: Final = frozenset(("code", "birth", "card", "id", "plate", "name", "address"))
"""Others have rules of their own for names, since ids have names like theirs."""
_WORD: Final = re.compile(r"[A-ZÀ-Þ]+(?![a-zß-ž])|[A-ZÀ-Þ]?[a-zß-ž]+|[^\W\d_a-zA-ZÀ-ž]+")
_NUMBER: Final = re.compile(r"(?: (?:number|no|nr|num|id|code|nummer|answer|s))*")
_LONGEST_NAME: Final = 60
_LEAST_DIGITS: Final = 8
_FORMS: Final = {
    subject: (re.compile(one.form), _END if one.kind in ("password", "pin") else _WHOLE)
    for subject, one in _ASKED.items()
}
PERSONAL_ANSWERS: Final = frozenset(
    ("birth-date", "card", "phone", "id-number", "number-plate", "address")
)


def asks(text: str) -> bool:
    """Return whether the end of a text asks for a secret or a personal detail."""
    return _find_asked(text[-_REACH:]) is not None


def find_answer(text: str, question: str) -> Iterator[SecretPlace]:
    """Yield the answer at the beginning of a text to the end of the text before."""
    asked = _find_asked(question[-_REACH:])
    if asked is not None:
        yield from _read_answer(text, 0, asked)


def find_named_answer(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the whole text if the name of its member is a noun for it, as `doorCode` is."""
    if name == ADDRESS_MEMBER and is_address_part(text):
        yield SecretPlace("address", 0, len(text))
    subject = _classify_name(name[:_LONGEST_NAME])
    if subject is None or len(text) > _REACH or not _FORMS[subject][0].fullmatch(text):
        return
    # An amount, or a count.
    is_short = subject == "id" and text.isdigit() and len(text) < _LEAST_DIGITS
    if _ASKED[subject].accepts(text) and not is_short:
        yield SecretPlace(_ASKED[subject].kind, 0, len(text))


@lru_cache(maxsize=4096)
def _classify_name(name: str) -> str | None:
    words = " ".join(_WORD.findall(name)).lower()
    nouns = list_nouns(words)
    is_last = bool(nouns) and _NUMBER.fullmatch(words, nouns[-1].end) is not None
    return nouns[-1].subject if is_last and nouns[-1].subject in _NAMED_SUBJECTS else None


def find_answers(text: str, nouns: list[Noun]) -> Iterator[SecretPlace]:
    """Yield the answers to questions, each directly after its question or in the next line."""
    nouns = [noun for noun in nouns if noun.subject in _ASKED]
    ends = [noun.end for noun in nouns]
    for border in _QUESTION_END.finditer(text, nouns[0].start) if nouns else ():
        is_line = border[0][-1] == "\n"
        at = border.start() if is_line else border.end()
        if at > nouns[-1].start + _REACH:
            return
        if is_line and not _BEFORE_END.match(text, at - 1):
            continue
        noun = nouns[max(bisect_right(ends, at) - 1, 0)]
        line = max(text.rfind("\n", max(at - _REACH, 0), at) + 1, at - _REACH, 0)
        if line <= noun.start < at:
            for answer in _read_answer(text, at, noun.subject):
                question = text[line:at].rstrip()
                if _is_asked(question, noun.start - line, noun.end - line, noun.subject):
                    yield answer


def _read_answer(text: str, at: int, asked: str) -> Iterator[SecretPlace]:
    """Yield the text at a place, after words like `It is`, if it has the form of an answer."""
    lead = _LEAD.match(text, at)
    form, end = _FORMS[asked]
    answer = form.match(text, lead.end()) if lead is not None else None
    if answer is not None and end.match(text, answer.end()):
        secret = answer[0].rstrip(".!?:")
        if _ASKED[asked].accepts(secret):
            yield SecretPlace(_ASKED[asked].kind, answer.start(), answer.start() + len(secret))


# The same question is looked at for each of the values that may answer it, in both passes.
@lru_cache(maxsize=1024)
def _find_asked(question: str) -> str | None:
    """Find the last subject of a question."""
    nouns = [noun for noun in list_nouns(question) if noun.subject in _ASKED]
    if nouns and _is_asked(question, nouns[-1].start, nouns[-1].end, nouns[-1].subject):
        return nouns[-1].subject
    return None


def _is_asked(question: str, start: int, end: int, subject: str) -> bool:
    """Return whether a question is for the noun from `start` to `end`, and not about it."""
    noun = question[start:end]
    line = question.strip().rpartition("\n")[2].rpartition('"')[2]
    # The label of a field is alone in its line.
    is_label = len(noun) * 2 >= len(line) and noun in line
    return not (
        not (is_label or _ASKS.search(question))
        or _ABOUT.match(question, end)
        or _HOW.search(question, max(start - _HOW_REACH, 0))
        or (subject == "code" and NO_CODE.search(replace_surrogates(question)))
        or (subject == "key" and _NO_KEY.search(question))
    )
