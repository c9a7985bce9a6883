"""Values of a generator beside the word for a key, whatever service the key is for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.kinds import (
    EXTENSION,
    SecretPlace,
    is_digest,
    is_made,
    match_at,
    split_words,
)
from webapp.redaction.rules.names import OF_DATA, OF_FINGERPRINTS, OF_IDS
from webapp.redaction.rules.vendors.unknown import ID_PREFIXES

_HINTS: Final = (
    *("key", "token", "secret", "credential", "creds", "passphrase", "password", "passwort"),
    *("auth", "bearer", "license", "licence", "seed", "vault", "clé", "llave", "clave", "chave"),
    *("klucz", "ключ", "jeton", "токен", "geheimnis", "segret", "secreto", "segredo", "apikey"),
    *("chiav", "wallet import", "wif", "privkey", "seckey"),
)
_NOUN: Final = re.compile(
    r"(?:(?:api|priv|sec)?keys?|tokens?|secrets?|credentials?|creds|passphrase|password|passwort|auth|bearer"
    r"|licen[sc]e|seed|vault|clés?|llaves?|claves?|chaves?|chiave|chiavi|klucz|ключа?|jetons?|токена?"
    r"|geheimnis|segreto|secreto|segredo|wallet import(?:[ ]format)?|wif)(?![A-Za-zÀ-ɏЀ-ӿ0-9_-])",
    re.IGNORECASE,
)
# They end longer words, or stand in texts without spaces.
_ENDINGS: Final = (
    *("schlüssel", "sleutel", "nyckel", "anahtar", "密钥", "密鑰", "令牌", "キー", "トークン"),
    *("키", "토큰"),
)
_ENDING: Final = re.compile(
    r"(?:schlüssels?|sleutels?|nyckeln?|anahtar(?:ım|ımız|ı)?)(?![\w-])|密钥|密鑰|令牌|キー|トークン|키|토큰",
    re.IGNORECASE,
)
_VERB_HINTS: Final = ("connect", "log", "sign", "authenticat", "access", "call", "query", "deploy")
_VERB: Final = re.compile(
    r"(?:connect|log|sign|authenticat|access|call|query|deploy)[a-z]{0,5}[ ](?:in[ ])?"
    r"(?:to|into|on|onto|the|at|mit|with)(?=[ ])",
    re.IGNORECASE,
)
_WITH: Final = re.compile(r"\b(?:with|using|via|mit|avec|con|com)[ \"'`“«]{1,3}\Z", re.IGNORECASE)

_SECRET: Final = r"(?P<secret>[A-Za-z0-9_/+][A-Za-z0-9_./+=~:-]{15,400}+)"
_VALUE: Final = re.compile(rf"(?<![A-Za-z0-9_./+=~@%\\&?#\]-]){_SECRET}(?![A-Za-z0-9@(\[\\%])")
_NEXT_VALUE: Final = re.compile(
    r"[\"'`]?(?:[ ]?[,;/&|→]|[ ](?:and|und|y|et|to|->|=>))[ ](?:(?:the[ ])?(?:new|old|neu|alt"
    r"|secret)"
    rf"(?:[ ]?one)?:?[ ])?[\"'`]?{_SECRET}(?![A-Za-z0-9@(\[\\%])"
)
_BLANK: Final = r"(?:[ \t>]{0,8}\r?\n)?"
_LINE_BELOW: Final = re.compile(
    rf"\r?\n{_BLANK}(?:[ \t>]{{0,8}}(?:```|~~~|-{{3,60}}|={{3,60}})[a-z]{{0,12}}[ \t]{{0,4}}\r?\n)?"
    r"[ \t>*`•-]{0,8}"
    rf"{_SECRET}[`*]{{0,2}}[ \t]{{0,8}}(?=\r?\n|\Z)"
)
_FILE_END: Final = re.compile(r"\.(?:py|js|ts|tsx|go|rs|java|rb|php|c|h|cpp|cs|md|pub)\b")
"""The end of the name of a file, which a commit is about."""
_HEAD_END: Final = re.compile(rf"[^\n:]{{0,40}}:[ \t]{{0,4}}\r?\n{_BLANK}")
_ENTRY: Final = re.compile(
    r"[ \t>*•-]{0,12}[\"'`*]{0,2}(?P<name>[\w][\w .'’/&-]{0,40})[\"'`*]{0,2}[ \t]{0,4}"
    rf"(?::|=|→|->|=>|–)[ \t\"'`*]{{1,4}}{_SECRET}[\"'`*]{{0,2}},?[ \t]{{0,8}}(?:\r?\n|\Z)"
)
_NAMED_LINE: Final = re.compile(
    r"^[ \t>*•-]{0,12}[\"'`*]{0,2}(?P<name>[A-Z][\w.'’&-]{1,20}(?:[ ][A-Z0-9][\w.'’&-]{0,20}){0,2})"
    rf"[\"'`*]{{0,2}}[ \t]{{0,4}}(?::|→|->|=>|–|—)[ \t\"'`*]{{1,4}}{_SECRET}[\"'`*]{{0,2}}"
    r"[ \t]{0,8}(?=\r?\n|\Z)",
    re.MULTILINE,
)
"""A name alone before a value in its line, as of a service."""

_MOST_ENTRIES: Final = 40

_BEFORE: Final = re.compile(r"(?P<word>[^\W\d_][\w.'’-]{0,24})[\"'`*]{0,2}[ _;,|\t-]\Z")
_NOUN_AFTER: Final = re.compile(
    r"[\"'`”»*)]{0,3}(?:,?[ ]{1,2}(?:(?P<link>is|was|as|for|in|into|to|under|an?"
    r"|looks?[ ]like|seems|because[ ]it[ ](?:is|was)"
    r"|ist|est|es|als|comme|como|come)(?=[ ])|<-{1,2}|←|\(|[–—=-](?=[ ]))"
    r"|[ \t]{0,4}\r?\n[ ]{0,3}[\^↑]{1,3})(?P<words>(?:[ ]?(?:[\w'’-]|\.(?=\w)){1,20}){0,7})",
    re.IGNORECASE,
)
_MASK: Final = re.compile(r"\[masked: [a-z0-9-]*\Z")
_PREFIX: Final = re.compile("[a-z0-9]{1,12}(?=[_-])")
_WORDS: Final = re.compile(r"[^\W\d_]+")
_USED: Final = re.compile("(?:authenticate|authorize|auth|login|log|sign|connect|access)")
_SENTENCE_END: Final = re.compile(r"[.!?](?:[ \n]|\Z)")
_LINK: Final = re.compile(
    r"(?:[:=>→|\"'`“«(*;,は是]"
    r"|\b(?:contains|holds|reads|is|was|ist|est|es|é|è|jest|är|er|with|using|says?|lautet)|['’]s)"
    r"[ \t\"'`“«*]{0,4}\Z"
)
_NAMED: Final = re.compile(r"\b(?:for|from|of|für|pour|de|para|per|voor|till?|do|dla)[ ][A-Z]")
_IT_IS: Final = frozenset(
    split_words("it its s is this that here should say says be use the new one value now follows")
)
_GIVEN: Final = split_words(
    "gave given got sent received issued generated provided created api my our your support below"
    " following"
)
_OWNERS: Final = split_words(
    "my our your their his her api access secret auth private license signing mein meine unser"
    " unsere invalid wrong expired following dein deine ma mon notre votre mi nuestra su minha meu"
    " nossa mia mio"
)
_WINDOW: Final = 100
_LONGEST: Final = 420
_MOST_WORDS: Final = 9

_NO_KEYS: Final = (
    OF_DATA
    | OF_IDS
    | split_words(
        """
        kid kty jwks modulus
        checks counts limit limits usage expires expired fingerprint thumbprint serial record row
        document block transaction address tx revision run job session cached hashed hashes
        """
    )
)
_OF_DATA_ALONE: Final = OF_DATA | split_words(
    "public publishable id hash commit sha checksum fingerprint file path object websocket"
)
"""Words before `key` and `token` that make them those of data."""

_OWNED: Final = split_words(
    "account org organization project team workspace app host domain user customer name deploy"
    " build release page channel model"
)
"""Words of ids that have keys as well."""

_NO_NAMED: Final = _NO_KEYS | split_words(
    """
    data content body payload blob ciphertext encrypted iv salt wallet peer cid btc eth sol
    integrity result output input text message base64 encoded value state code challenge location
    source target title subject boundary accept server via etag ray machine thumbprint signature
    cache websocket
    """
)
_NO_NAMES: Final = split_words(
    "the a an this that these those its each every any same with by for of to and or no new old"
    " der die das ein eine le les un une el los una o lo"
)
"""Words before `key` that say nothing about whose it is."""

# A value alone: that a word for it is near takes many states.
GENERATED_NEEDS: Final = "[A-Za-z0-9_./+=~:-]{16}"


def find_generated(text: str, lowered: str) -> Iterator[SecretPlace]:
    """Yield the values of a generator after the word for a key, below its line, and before it."""
    values = [one for one in _VALUE.finditer(text) if _is_key(one["secret"].rstrip(".:"))]
    if not values:
        return
    for noun in match_at(_NOUN, text, lowered, _HINTS, joiners=""):
        if not _MASK.search(text, max(noun.start() - 40, 0), noun.start()):
            yield from _find_after(text, noun)
            yield from _find_entries(text, noun.end())
    for noun in match_at(_ENDING, text, lowered, _ENDINGS, joiners=None):
        yield from _find_after(text, noun)
    for line in _NAMED_LINE.finditer(text):
        secret = line["secret"]
        if (
            len(secret) >= 20
            and _is_key(secret)
            and not is_digest(secret)
            and _NO_NAMED.isdisjoint(_list(line["name"]))
        ):
            yield SecretPlace("api-key", *line.span("secret"))
    for verb in match_at(_VERB, text, lowered, _VERB_HINTS):
        value = _find_value(text, verb.end())
        if value is not None and _WITH.search(text, verb.end(), value[0]):
            yield from _check(text, verb.end(), *value)
    for found in values:
        secret = found["secret"].rstrip(".:")
        after = _NOUN_AFTER.match(text, found.start() + len(secret))
        if after is not None:
            words = _list(after["words"].replace("_", " "))
            at = next((at for at, word in enumerate(words) if _NOUN.fullmatch(word)), None)
            is_used = after["link"] == "to" and words and _USED.fullmatch(words[0])
            if is_used or (at is not None and _is_noun_of_key(words, at, secret)):
                yield SecretPlace("api-key", found.start(), found.start() + len(secret))


def _find_after(text: str, noun: re.Match[str]) -> Iterator[SecretPlace]:
    """Yield the value in the rest of the line of a noun, or alone in the line below."""
    before = _BEFORE.search(text, max(noun.start() - 28, 0), noun.start())
    word = before["word"] if before else ""
    if not _OF_DATA_ALONE.isdisjoint(_list(word)):
        return
    # A key of a dictionary is often a digest or an id.
    is_of_somebody = (
        noun[0].lower() not in ("key", "keys")
        or (word[:1].isupper() and word.lower() not in _NO_NAMES | OF_FINGERPRINTS)
        or word.lower() in _OWNERS
        or (noun[0] in ("Key", "KEY") and text[noun.start() - 1 : noun.start()] in ("", "\n"))
    )
    value = _find_value(text, noun.end())
    if value is not None:
        between = text[noun.end() : value[0]]
        if is_digest(text[slice(*value)]) and not _is_beside(between, is_of_somebody):
            return
        yield from _check(text, noun.end(), *value)
        # The new one after the old one.
        after = _NEXT_VALUE.match(text, value[1])
        if after is not None and _is_key(after["secret"].rstrip(".:")):
            yield SecretPlace("api-key", *after.span("secret"))
        return
    end = text.find("\n", noun.end(), noun.end() + _WINDOW)
    below = None if end < 0 else _LINE_BELOW.match(text, end - text.endswith("\r", 0, end))
    if below is not None and _is_key(below["secret"]):
        if is_digest(below["secret"]) and _FILE_END.match(text, noun.end()):
            return
        between = text[noun.end() : end].rstrip(" .:!?\r")
        if (
            is_of_somebody
            or not is_digest(below["secret"])
            or _NAMED.search(between)
            or not _GIVEN.isdisjoint(_list(between))
        ):
            yield from _check(text, noun.end(), *below.span("secret"), until=end)


def _is_beside(between: str, is_of_somebody: bool) -> bool:
    """Return whether a digest is called a key by the words between them."""
    words = _list(between)
    if not words:
        return is_of_somebody and len(between) <= 4
    is_given = not _GIVEN.isdisjoint(words) or _NAMED.search(between) is not None
    return len(words) <= 7 and (is_of_somebody or is_given) and _LINK.search(between) is not None


def _find_value(text: str, start: int) -> tuple[int, int] | None:
    """Find the first value of a generator in the rest of a line."""
    end = text.find("\n", start, start + _WINDOW)
    end = min(start + _WINDOW, len(text)) if end < 0 else end
    for match in _VALUE.finditer(text, start, end + _LONGEST):
        if match.start() >= end:
            break
        secret = match["secret"].rstrip(".:")
        if _is_key(secret):
            return match.start(), match.start() + len(secret)
    return None


def _check(
    text: str, after: int, start: int, end: int, *, until: int | None = None
) -> Iterator[SecretPlace]:
    """Yield a value unless the words between say that it is an id, or end the sentence.

    These are the words from `after` to `until`, by default to the value.
    """
    between = text[after:start] if until is None else text[after:until].rstrip(" .:!?\r")
    words = _list(between)
    ends = list(_SENTENCE_END.finditer(between)) if words else []
    if (
        len(words) <= _MOST_WORDS
        and _has_no_id(words, text[start:end])
        and (not ends or _IT_IS.issuperset(_list(between[ends[-1].end() :])))
        and "[masked: " not in between
    ):
        yield SecretPlace("api-key", start, end)


def _find_entries(text: str, at: int) -> Iterator[SecretPlace]:
    """Yield the values in the lines below a head that calls them keys, each with a name."""
    head = _HEAD_END.match(text, at)
    if head is None or not _NO_KEYS.isdisjoint(_list(head[0])):
        return
    at = head.end()
    for _ in range(_MOST_ENTRIES):
        entry = _ENTRY.match(text, at)
        if entry is None:
            return
        if _is_key(entry["secret"]) and _NO_KEYS.isdisjoint(_list(entry["name"])):
            yield SecretPlace("api-key", *entry.span("secret"))
        at = entry.end()


def _is_noun_of_key(words: list[str], at: int, secret: str) -> bool:
    """Return whether the noun at a place of the words after a value calls it a key."""
    others = [*words[: max(at - 1, 0)], *words[at + 1 : at + 2]]
    return _OF_DATA_ALONE.isdisjoint(words[max(at - 1, 0) : at]) and _has_no_id(others, secret)


def _has_no_id(words: list[str], secret: str) -> bool:
    """Return whether words do not say that a value is an id; that of a digest needs less."""
    return (_NO_KEYS if is_digest(secret) else _NO_KEYS - _OWNED).isdisjoint(words)


def _is_key(secret: str) -> bool:
    """Return whether a value is made by a generator, and has no prefix of ids."""
    prefix = _PREFIX.match(secret)
    return (
        is_made(secret)
        and (prefix is None or prefix[0] not in ID_PREFIXES)
        and EXTENSION.search(secret) is None
    )


def _list(text: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(text)]
