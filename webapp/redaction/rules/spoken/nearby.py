"""Secrets and personal details some words after the noun for them, or before it, in one sentence.

`The passport I handed over at the desk said …` has words between that no list can know. So the
value has a strict form instead, and the words must not be about another thing that has a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from webapp.redaction.prefilter import replace_surrogates
from webapp.redaction.rules.forms import is_argument
from webapp.redaction.rules.kinds import WORD, SecretPlace, is_digest, is_jumble, split_words
from webapp.redaction.rules.names import OF_DATA, OF_IDS
from webapp.redaction.rules.personal.addresses import STREET, is_address, is_surely_address
from webapp.redaction.rules.personal.identities import DATE, OF_OUR_TIME, is_number
from webapp.redaction.rules.personal.vehicles import is_plate
from webapp.redaction.rules.shapes import CODE, NAMED_CODE, is_told, strip_sentence
from webapp.redaction.rules.spoken.answers import NO_CODE
from webapp.redaction.rules.spoken.nouns import Noun
from webapp.redaction.rules.spoken.regions import REACH, Values, is_apart
from webapp.redaction.rules.spoken.subjects import OTHERS, UNBORN, is_thing

_MOST_WORDS: Final = 10
_MOST_WORDS_BACK: Final = 8
_CONTEXT: Final = 30

_LABEL: Final = re.compile(r"[\"'`*:]{0,3}[ \t]{0,4}\r?\n[ \t]{0,8}")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SAYS: Final = split_words(
    """
    er är és ay ni adalah là olarak είναι е є je c'est jest este oli var luidt sera foi fue siendo
    is was be are to with by it's its it says said reads read shows showed number nr no nummer
    numéro número numero ist war lautet lautete heißt est es era é è now jetzt again as
    always usual immer toujours siempre sempre
    being becomes became remains remained stays equals called have has had hat gave give gives
    got try type typed enter entered use used using press wants want needs takes mit avec con
    com und and of
    picked chose set yesterday auf zu gestern nimmst einfach übrigens this that's code pin
    same him her them me one then der die das le la el il mine tell back put asks gate
    """
)
"""Words directly before a value."""
_SIGNED: Final = re.compile(r"[:=>→,–—-][ ]?[\"'`“„«‘*(]{0,3}\Z")
_COUNTED: Final = re.compile(
    r"[ ]?(?:%|€|\$|°)|:[ ](?!(?:please|bitte|do|don|never|keep|nicht)\b)[a-zà-ÿ]{2,}"
    r"|[ -]?(?:[kKMG]i?B|px|ms|kg|km|mm|cm|EUR|USD)\b"
    r"|[ ](?!(?:and|or|but|is|was|if|when|on|in|at|for|to|as|from|which|please|valid|issued|expires"
    r"|then|because|so|since|until|with|by|und|oder|ist|für|auf|am|bitte|gültig|et|y|e|that|it"
    r"|not|now|again|last|btw|this|the|my|belongs|below|above|ausgestellt|near|next|before|after"
    r"|today|tomorrow|instead|together|alone|right|just|bei|im|mit|bis|seit|statt|where|wo|across"
    r"|opposite|behind|here|there|thanks|danke|zusammen|allein|neben|gegenüber|hinten|oben)\b)"
    r"[a-zà-ÿ]{2,}|-\w|[ ](?:Tag|Woche|Monat|Jahr|Stunde|Minute|Sekunde|Meter|Kilometer|Euro"
    r"|Werktag|Uhr|Stück|Mal|Person|Prozent|Tür|Zeile|Seite|Stufe)(?:e|n|en)?\b"
)
"""Goes on after a number of things."""
_LINKED: Final = re.compile(
    r"[\"'`”»“’*)]{0,3},?[ \t]{1,3}(?:\(?(?:that['’]?s|this is|it['’]?s|das ist|c['’]est)[ ]"
    r"(?:the|my|your|our|das|le)|(?:as|for (?:its|my|your|his|her|our|their)|als|comme|como|come"
    r"|jako|som)|\((?:the|my|your|our|das|mein|le|mon|la|el|mi|o|il)|(?:is|was|are|ist|war|est|es"
    r"|era|é|è)[ ](?:the|my|your|our|its|his|her|das|dein|mein|ihr|unser|le|la|el|o|a|il|mon|ton"
    r"|votre|mi|tu|su))(?:[ ][\w-]{1,12}){0,2}[ ]|[ ]\(",
    re.IGNORECASE,
)
"""Links the value before it to the noun after it."""

_BACK: Final = split_words("is was as in into for to my your ist als est es that's it's")
"""Words between a value and the noun after it."""


class _Said(NamedTuple):
    """A value, and how it is said: the noun and its subject, and the words between them.

    It `is_said` if the last word is one that values follow, and `is_signed` after a sign such as a
    colon. `context` has the words before both.
    """

    value: str
    noun: str
    subject: str
    words: list[str]
    is_said: bool
    context: list[str]
    is_before: bool
    is_linked: bool = False
    is_signed: bool = False


class _Near(NamedTuple):
    """The kind of a value, its form and length, and whether a value is one."""

    kind: str
    form: str
    longest: int
    accepts: Callable[[_Said], bool]


_THREE: Final = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9!@#$%^&*+=?])(?=.*[0-9].*)")
_GROUPS: Final = re.compile("(?=.*[0-9])[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){2,7}")
_PARTS: Final = re.compile(r"\w+(?:/\w+)+")
"""Choices and paths."""
_PREFIXED_ID: Final = re.compile(r"[a-z]{2,9}[_-][A-Za-z0-9]{14,}\Z")
_CHECKSUM: Final = re.compile(r"(?:sha|md)[0-9]{1,3}[:=-][0-9A-Fa-f]{32}")
_NO_SECRETS: Final = OF_DATA | OF_IDS | {"per"}
_VERBS: Final = [
    [verb]
    for verb in (
        *("enter", "entered", "type", "typed", "use", "used", "try", "tried", "paste", "pasted"),
        *("gib", "tippe", "entrez", "saisir", "probé"),
    )
]


_WITH: Final = split_words(
    "with using via by mit avec con com use type typed enter entered and und then wants needs"
)
"""Words before a password that opens something; `to` and `as` are before its name and a user."""
_JOINED: Final = re.compile("(?=.*[a-z])[A-Za-z]{3,}[-_.][A-Za-z]{3}")


def _is_password(said: _Said) -> bool:
    secret = said.value
    if said.noun.startswith("key") or not is_argument(secret) or not is_told(secret):
        return False
    if said.is_linked:
        return True
    if said.words and said.words[-1].endswith("name"):
        return False
    if len(secret) < 8 or _PARTS.fullmatch(secret):
        return False
    if _CHECKSUM.match(secret):
        return False
    if (is_digest(secret) or _PREFIXED_ID.match(secret)) and not _NO_SECRETS.isdisjoint(said.words):
        return False
    if said.is_before:
        is_entered = said.context[-1:] in _VERBS and said.words[0] not in ("to", "in")
        return (
            _THREE.match(secret) is not None and re.search("[^A-Za-z0-9.]", secret) is not None
        ) or (is_entered and (CODE.search(secret) or NAMED_CODE.match(secret)) is not None)
    if said.subject == "entry":
        is_name = CODE.search(secret) is None and not (
            NAMED_CODE.match(secret) and _JOINED.match(secret)
        )
        is_by = said.noun == "protected" and "by" in said.words
        is_network = said.noun.startswith(("wi", "wlan")) and said.words == ["is"]
        return not (is_name or is_by or not is_network and _WITH.isdisjoint(said.words[-1:]))
    is_next = not said.words and _THREE.match(secret) and re.search("[^A-Za-z0-9.]", secret)
    if CODE.search(secret) or _GROUPS.fullmatch(secret) or is_next:
        return True
    # The columns of a statement say which of its values are secrets.
    is_said = said.is_said and "values" not in said.words
    return is_said and (NAMED_CODE.match(secret) is not None or is_jumble(secret))


_BACK_OF_CARD: Final = re.compile("cv[vc]|three|drei|digits|number|security")
_OWNERS: Final = split_words("my her his voicemail sim card phone door gate alarm with and")
_DIGITS: Final = ("digit", "ziffern")
_DIGIT_CODES: Final = split_words(
    "code codes pin passcode combination card karte back rückseite cvv cvc security sms text sent"
)
_OPENS: Final = split_words(
    "code codes opens open enter press type combination combo geht wants pin unlock"
)


def _is_code(said: _Said) -> bool:
    if said.noun.endswith(_DIGITS) and _DIGIT_CODES.isdisjoint(said.words + said.context):
        # As in `a three-digit number`.
        return False
    if len(said.value) == 3:
        return said.is_said and _BACK_OF_CARD.match(said.noun) is not None
    if NO_CODE.search(replace_surrogates(said.noun)):
        return False
    if said.subject == "lock" and _OPENS.isdisjoint(said.words + said.context):
        return False
    is_verb = len(said.words) == 2 and said.words[1] == "to"
    if (
        said.noun.startswith("pin")
        and (not said.words or is_verb)
        and _OWNERS.isdisjoint(said.context[-2:])
    ):
        # Of a device, or as in `pin numpy to 1264`.
        return False
    is_year = re.fullmatch("(?:19|20)[0-9]{2}", said.value) is not None
    is_other = not OTHERS.isdisjoint(said.context)
    return said.is_said and not is_year and not is_other and len(set(said.value)) > 1


_LICENCES: Final = ("license", "licence")
_VERSION: Final = re.compile(
    r"[0-9]\.[0-9]|(?<![0-9])(?:19|20)[0-9]{2}(?:[01][0-9][0-3][0-9])?(?![0-9])"
)
"""The version of a licence of software, or its year."""


def _is_id(said: _Said) -> bool:
    number = said.value
    if not is_number(number) or len(set(number)) < 3:
        return False
    if said.noun in _LICENCES and _VERSION.search(number):
        return False
    return said.is_said or re.search("[A-Z]", number) is not None


def _is_birth(said: _Said) -> bool:
    is_date = said.is_said or not said.value.isdigit()
    if not UNBORN.isdisjoint(said.words + said.context):
        return False
    if said.noun == "born" and not said.is_before and is_thing(said.context):
        return False
    return is_date and OF_OUR_TIME.search(said.value) is not None and len(said.words) <= 6


_LIVES: Final = (
    *("live", "wohn", "moved", "residence", "street", "viv", "habit", "j'habite", "j’habite"),
    *("nous habitons", "abito", "moro", "domicili"),
)
_TO: Final = split_words("to at in is address an nach ist lautet es est è é am bei under")


def _is_address(said: _Said) -> bool:
    is_placed = said.noun.startswith(_LIVES) or not _TO.isdisjoint(said.words[-1:])
    return is_address(said.value, is_placed or said.is_signed or said.is_before)


_CODES: Final = _Near(
    "pin",
    r"(?<![\w.,:/+$€-])(?:G-)?(?P<value>[0-9]{3}[ -][0-9]{3}|[0-9]{2}(?:[ -][0-9]{2}){2}"
    r"|[0-9]{3,8})[#*]?(?![\w/%:-]"
    r"|[.,][0-9])",
    10,
    _is_code,
)
_PASSWORDS: Final = _Near(
    "password",
    r"(?<![^\s\"'`“„«‘*(:=])(?P<value>(?!=)(?=[^\s]{0,60}(?:[0-9]|[!@#$%^&*+=?][^\s]|[a-z][A-Z]))"
    # Without the next field of a query.
    r"(?:(?!&[A-Za-z_]{1,30}=)[^\s\"'`“”„«»,;()<>]){5,100})",
    100,
    _is_password,
)
_NEAR: Final = {
    "code": _CODES,
    "lock": _CODES,
    "id": _Near(
        "id-number",
        rf"(?<![{WORD}.,/+$€%-])(?P<value>[A-Z0-9](?:[ ./-]?[A-Z0-9]){{6,24}})"
        rf"(?![{WORD}-]|[.,][0-9])",
        40,
        _is_id,
    ),
    "birth": _Near(
        "birth-date", rf"(?<![{WORD}.,/-])(?P<value>(?i:{DATE}))(?![{WORD}])", 20, _is_birth
    ),
    "address": _Near("address", rf"(?<![\w.,/-])(?P<value>{STREET})", 100, _is_address),
    "plate": _Near(
        "number-plate",
        r"(?<![\w.,/-])(?P<value>[A-ZÄÖÜ0-9]{1,4}(?:[ -]?[A-ZÄÖÜ0-9]{1,4}){1,3})(?![\w-])",
        20,
        lambda said: said.is_said and is_plate(said.value) and "such" not in said.words,
    ),
    "password": _PASSWORDS,
    "entry": _PASSWORDS,
    "key": _PASSWORDS,
}
_FORMS: Final = {near.form: re.compile(near.form) for near in _NEAR.values()}
_ABOUT: Final = re.compile(
    r"s?[ -](?:manager|polic|field|hash|reset|length|rule|requirement|hint|format|type|column"
    r"|strength|generator|regex|layout|pattern|count|limit|usage|budget|size|endpoint|table|plate)",
    re.IGNORECASE,
)
"""Goes on after a noun that is about another thing."""
_DIGIT: Final = re.compile("[0-9]")
_SIGN: Final = re.compile(r"[0-9!@#$%^&*+=?]|[a-z][A-Z]")
"""Every password that is known without its place has such a sign."""

_CHANGED: Final = re.compile(
    r"[.!?:]{0,3}[\"'`”]{0,2}(?:[ ](?:to|into|with|nach|auf|zu|in|à|a|en|por|par|→|->)"
    r"|[,;.]?[ ](?:and[ ]|but[ ])?(?:(?:it['’]?s|it[ ]is|is|that['’]s)[ ])?now"
    r"(?:[ ](?:it['’]?s|it[ ]is))?"
    r"|[,;.]?[ ](?:(?:and|but|und|et|y|e)[ ])?(?:(?:the|das|la|le|el|il|der)[ ])?(?:new|neue[s]?"
    r"|nueva?|nuevo|nouveau|nouvelle|nuov[ao]|nov[ao])"
    r"(?:[ ](?:one|password|token|key|pw|passwort|kennwort|contraseña|clave))?"
    r"[ ](?:is|will[ ]be|ist|lautet|es|est|è|é))[ ][\"'`“„«‘*(]{0,3}"
    r"(?P<secret>(?=[^\s]{0,60}[0-9!@#$%^&*+=?])[^\s\"'`“”„«»,;()<>]{5,100})",
    re.IGNORECASE,
)
"""The new value, after the old one."""


def find_nearby(text: str, nouns: list[Noun]) -> Iterator[SecretPlace]:
    """Yield the values after or before their nouns, in the same sentence."""
    # A value belongs to the nearest noun, so that no text is read many times.
    limits: list[int] = []
    next_start: dict[str, int] = {}
    for noun in reversed(nouns):
        limits.append(next_start.get(noun.subject, len(text)))
        next_start[noun.subject] = noun.start
    last_end: dict[str, int] = {}
    found: dict[str, Values] = {}
    for noun in nouns:
        limit = limits.pop()
        near = _NEAR.get(noun.subject)
        # The name of a resource has parts between colons.
        if (
            near is None
            or text[noun.start - 1 : noun.start] == ":" == text[noun.end : noun.end + 1]
        ):
            continue
        values = found.get(near.form)
        if values is None:
            values = found[near.form] = _read_values(text, near, nouns)
        begin = max(noun.start - REACH, last_end.get(noun.subject, 0))
        last_end[noun.subject] = noun.end
        is_about = _ABOUT.match(text, noun.end) is not None
        place = None if is_about else _read_after(text, noun, near, values, limit)
        place = place or _read_before(text, noun, near, values, begin, is_about)
        if place is not None:
            yield SecretPlace(near.kind, *place)
            if near is _PASSWORDS and (changed := _CHANGED.match(text, place[1])):
                secret = strip_sentence(changed["secret"])
                if is_argument(secret) and is_told(secret):
                    start = changed.start("secret")
                    yield SecretPlace(near.kind, start, start + len(secret))


def _read_values(text: str, near: _Near, nouns: list[Noun]) -> Values:
    """Read the values of a form beside all its nouns."""
    places = [(noun.start, noun.end) for noun in nouns if _NEAR.get(noun.subject) is near]
    sign = _SIGN if near.kind == "password" else _DIGIT
    return Values(text, _FORMS[near.form], sign, near.longest, places)


def _read_after(
    text: str, noun: Noun, near: _Near, values: Values, limit: int
) -> tuple[int, int] | None:
    """Find a value that begins before `limit`, or there."""
    end = noun.end
    limit = min(limit, end + REACH)
    label = _LABEL.match(text, end)
    begin = end if label is None else label.end()
    for tried, match in enumerate(values.iter_after(begin, limit + near.longest)):
        between = text[begin : match.start()]
        words = [word.lower() for word in _WORD.findall(between)]
        if (
            tried == 3
            or match.start() > limit
            or len(words) > _MOST_WORDS
            or not OTHERS.isdisjoint(words)
            or is_apart(between)
            or (near.kind == "pin" and _DIGIT.search(between))
        ):
            return None
        value = strip_sentence(match["value"], text[match.end("value") : match.end("value") + 2])
        is_bare = near.kind == "address" and not is_surely_address(value)
        is_counted = (value.isdigit() or is_bare) and _COUNTED.match(text, match.end())
        is_signed = _SIGNED.search(between) is not None
        is_said = not words or words[-1] in _SAYS or is_signed
        context = _WORD.findall(text[max(noun.start - _CONTEXT, 0) : noun.start].lower())
        said = _Said(
            value, noun.text, noun.subject, words, is_said, context, False, is_signed=is_signed
        )
        if not is_counted and near.accepts(said):
            return match.start("value"), match.start("value") + len(value)
    return None


def _read_before(
    text: str, noun: Noun, near: _Near, values: Values, begin: int, is_about: bool
) -> tuple[int, int] | None:
    """Find a value after `begin` that words link to the noun."""
    start = noun.start
    match = values.find_before(begin, start)
    if match is None:
        return None
    between = text[match.end() : start]
    words = [word.lower() for word in _WORD.findall(between)]
    # Verbs are last in German.
    is_linked = not is_about and (
        _LINKED.fullmatch(between) is not None or (noun.text == "geboren" and between == " ")
    )
    if not is_linked and (
        len(words) > _MOST_WORDS_BACK
        or _BACK.isdisjoint(words)
        or not OTHERS.isdisjoint(words)
        or is_apart(between)
    ):
        return None
    value = strip_sentence(match["value"], text[match.end("value") : match.end("value") + 2])
    context = _WORD.findall(text[max(match.start() - _CONTEXT, 0) : match.start()].lower())
    said = _Said(value, noun.text, noun.subject, words, True, context, True, is_linked)
    if near.accepts(said):
        return match.start("value"), match.start("value") + len(value)
    return None
