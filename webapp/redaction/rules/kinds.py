"""Kinds of secrets, and the values that are not secrets in any context."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from webapp.redaction.prefilter import find_hints


def split_words(text: str) -> frozenset[str]:
    """Split a list that is written as a text into its words."""
    return frozenset(text.split())


FUNCTION_WORDS: Final = split_words(
    """
    the of and is are to in for on at by with from was were be been it as or an not no but we they
    you your my our his her its their he she who whom if so do does did has have had would should
    could may might must shall them than then too very any more most other such only own same
    stored anywhere kept changed set never always yet der die das und ist nicht ein eine zu von
    mit auf für den dem les des est une dans pour sur el la los las una que con para por del
    """
)
"""Words of every sentence, and of no phrase of a generator."""

GENERAL_KINDS: Final = split_words(
    """
    api-key access-key private-key key token secret password credential parameter session
    authorization bearer-token
    """
)
"""Kinds of secrets of which only the place is known, not the vendor or the form."""

WORD: Final = r"0-9A-Z_a-zÀ-\u1fff"
"""Letters and digits in a class, but those of languages without spaces between words."""

SPACE: Final = r"\s\x0b\x1c-\x20\x85\p{Z}"
"""White space in a class of RE2, whose `\\s` is that of ASCII alone."""

_RUN: Final = re.compile(
    r"(?:fm2_|glc_|pdus\+|endr\+)[A-Za-z0-9+/_]{6}|[A-Za-z0-9](?:[A-Za-z0-9_.~$-]|//|\*\*|…|•){5,}"
)
"""Tokens are at least this long; those in base64 may go on after a `/`."""

_REST: Final = re.compile(r"[A-Za-z0-9_.+/=-]{6,200}+(?P<is_cut>\Z)?")
"""A token with more or fewer characters than its vendor's: invented, or cut off."""

_LONGEST_CUT: Final = 220
_CUT_DIGEST: Final = re.compile(r"[0-9a-f]{16,}\Z|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]*\Z")
_TAIL: Final = re.compile(r"[A-Za-z0-9_~-]*\Z")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{80}")
_MASK: Final = re.compile(r"\[?masked: |\*{3}\Z")
_EXAMPLE: Final = 200
"""Characters at the beginning that mark an example of documentation as one."""

_PLACEHOLDER: Final = re.compile(
    r"your|example|placeholder|change[_-]?me|change[_-]?this|redacted|masked|removed|hidden|x{5}"
    r"|\*{3}|\.{3}|…|•{2}|\A(?:required|nullable|confirmed)\||dummy|sample|insert|replace|todo|(?:key|secret|token|password|value)[_-]?here"
    # A bracket that a generator has written is not closed at the end.
    r"|\A[$%#]?(?:[<{\[]|\((?![\w!@#$%^&*()=+-]{12,100}(?<!\))\Z))|\A(?:&lt;|%3C|%7B)|\A\$(?:[A-Za-z_]|[A-Z0-9_]+\Z)|\A%[A-Za-z_]+%|\A@[A-Za-z][\w./-]*\Z"
    # Tags of YAML, and the end of a placeholder in HTML.
    r"|\A![a-z]+\Z|&(?:[gl]t|quot|amp|apos);?\Z"
    # Where a program finds it: in a vault, a file, the environment.
    # And where a job puts its files; the address of an account, which all can read.
    r"|\A(?:Linux|Windows|macOS)-|\A0x[0-9a-f]{40}\Z|\A(?:vault:secret/|(?:op|bw|ssm|awssm|gcpsm|keyvault|secretsmanager|file)://|ref\+[a-z]+:|projects/[^/\s]{1,60}/secrets/)"
    r"|\Aos\.|\Aenv[.:]|\Aprocess\.|getenv|\A(?:my|the|some|any|a|new|old|user|db|test)?[_-]?"
    r"(?:api|access|secret|private|auth|client|app)?[_-]?"
    r"(?:pass(?:word|wd|phrase|code)?s?|pwd|secrets?|tokens?|keys?|credentials?)[0-9]?\Z",
    re.IGNORECASE,
)
_WORDS: Final = split_words(
    """
    any array basic bearer bool boolean buffer bytes char date default digest dict disabled
    empty enabled env false float from function hash hidden int integer key list long map
    missing name negotiate never nil no none not null number object off on optional or plain
    plaintext private prompt public random required secret secretstr securestring set str
    string test text token true type undefined unknown unset user uuid value varchar void yes
    valid invalid incorrect wrong expired admin root username email login auth base64 sha256
    md5 hmac jwt oauth oauth2 apikey todo tbd n/a na const let var self this return and is if
    the erforderlich ungültig falsch vergessen verschlüsselt requis requise obligatoire
    incorrect invalide oublié oubliée obligatorio obligatoria requerido requerida incorrecta
    obrigatório obrigatória incorreta errata obbligatoria vereist verplicht wymagane
    passwort kennwort contraseña contrasena wachtwoord parola senha hasło lösenord heslo
    guest postgres forgotten mandatory hashed encrypted protected blank same stored 1password
    authentication
    """
)


class SecretPlace(NamedTuple):
    """The place of a secret, with its kind."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of secret; a match is one only if `accepts` returns true for the secret part.

    Its pattern begins where one of `hints` is found; it has a group `secret` if only a part is.
    """

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool]
    ignores_case: bool = False
    """Whether the pattern and the hints, all in lower case, are for the text in lower case."""
    reach: int = 0
    """The greatest number of characters before the hint that belong to the secret."""
    needs: str = ""
    """An expression of RE2 that every text with such a secret matches; by default any hint."""

    def write_needs(self) -> str:
        """Write the expression of RE2 that every text with such a secret matches."""
        any_of = self.needs or "|".join(map(re.escape, self.hints))
        return f"(?i:{any_of})" if self.ignores_case else any_of

    def search(self, text: str, lowered: str) -> Iterator[tuple[int, int]]:
        """Yield where the secrets of this kind are in `text`."""
        searched = lowered if self.ignores_case else text
        for hint in find_hints(searched, self.hints):
            at = searched.find(hint)
            while at >= 0:
                match = self.pattern.match(searched, at)
                next_at = at + len(hint)
                if match is not None:
                    next_at = max(next_at, match.end())
                    place = self.check(text, match)
                    if place is not None:
                        yield place
                at = searched.find(hint, next_at)

    def check(self, text: str, match: re.Match[str]) -> tuple[int, int] | None:
        """Find the place of the secret in a match; None if it is not a secret."""
        start, end = match.span("secret" if "secret" in self.pattern.groupindex else 0)
        if self.reach:
            tail = _TAIL.search(text, max(start - self.reach, 0), start)
            start = tail.start() if tail else start
        # A sentence may end with the secret.
        secret = text[start:end].rstrip(".!?:")
        if end - start - len(secret) >= 3 and len(secret) < 12:
            # An example of documentation, with the rest left out.
            return None
        return (start, start + len(secret)) if secret and self.accepts(secret) else None


class Tokens:
    """Kinds whose secrets begin with one of their hints, at the start of a token; all in one pass.

    A hyphen is a part of a token: else `sk-sk-sk-…` would begin one at every third character. But
    one after a space or at the start of a line, as in a diff, is not.

    A token may be cut off at the end of the text; after a prefix that `is_known` by itself it needs
    fewer characters.
    """

    def __init__(self, kinds: Sequence[Kind], is_known: Callable[[str], bool]) -> None:
        hints = {hint for kind in kinds for hint in kind.hints}
        self._kinds = {
            hint: [kind for kind in kinds if hint.startswith(kind.hints)] for hint in hints
        }
        self._known = frozenset(
            hint for hint in hints if (is_known(hint) if hint[-1] in "-_." else len(hint) >= 8)
        )
        by_first: dict[str, list[str]] = {}
        for hint in sorted(hints, key=len, reverse=True):
            by_first.setdefault(hint[0], []).append(re.escape(hint[1:]))
        any_of = "|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in by_first.items())
        self._hints = re.compile(rf"(?:(?<![A-Za-z0-9_-])|(?<=\s-)|(?<=\A-))(?:{any_of})")
        self._needs = rf"(?:^|[^A-Za-z0-9_-])-?(?:{'|'.join(kind.write_needs() for kind in kinds)})"

    def write_needs(self) -> str:
        """Write an expression of RE2 that every text with such a secret matches."""
        return self._needs

    def has(self, text: str, at: int) -> bool:
        """Return whether a secret of one of these kinds begins at a place."""
        hint = self._hints.match(text, at)
        return hint is not None and any(
            kind.pattern.match(text, at) for kind in self._kinds[hint[0]]
        )

    def _is_rest(self, hint: str, secret: str, *, is_cut: bool) -> bool:
        """Return whether a token goes on so after its prefix, invented or cut off."""
        if not hint.strip("A"):
            # Zeros in base64.
            return False
        if is_cut and _CUT_DIGEST.match(secret):
            return hint[0].isalpha() and is_mixed(secret)
        if hint not in self._known:
            return is_cut and hint[-1] in "-_" and is_made(secret) and not is_digest(secret)
        letters = re.sub("[_-]", "", secret)
        if is_cut:
            return has_all_cases(letters) or is_jumble(letters)
        return is_made(secret) and not is_digest(secret)

    def search(self, text: str) -> Iterator[tuple[Kind, int, int]]:
        """Yield the secrets of these kinds in `text`, each with its kind."""
        done = 0
        for run in _RUN.finditer(text):
            for hint in self._hints.finditer(text, run.start(), run.end()):
                at = hint.start()
                # A long text in base64 has all prefixes.
                if at < done or (
                    text[at - 1 : at] in ("+", "/") and _BASE64.match(text, max(at - 80, 0))
                ):
                    continue
                for kind in self._kinds[hint[0]]:
                    match = kind.pattern.match(text, at)
                    is_near_end = len(text) - at <= _LONGEST_CUT
                    if (
                        match is None
                        and (is_near_end or hint[0] in self._known)
                        and (rest := _REST.match(text, hint.end()))
                    ):
                        secret = rest[0].rstrip(".=")
                        if self._is_rest(hint[0], secret, is_cut=rest["is_cut"] is not None):
                            done = hint.end() + len(secret)
                            yield kind, at, done
                    elif match is not None:
                        done = max(done, match.end())
                        place = kind.check(text, match)
                        if place is not None:
                            yield kind, *place


def match_at(
    pattern: re.Pattern[str],
    text: str,
    lowered: str,
    hints: Sequence[str],
    joiners: str | None = "_-",
) -> Iterator[re.Match[str]]:
    """Yield the matches that begin with one of `hints`, at the beginning of a word.

    A word does not begin after one of `joiners`; without any, it begins anywhere. Faster than a
    search for a pattern that begins with alternatives.
    """
    for hint in find_hints(lowered, hints):
        at = lowered.find(hint)
        while at >= 0:
            # Languages without spaces have words of others between their own.
            is_first = (
                joiners is None
                or at == 0
                or not (
                    (text[at - 1].isalnum() and text[at - 1] < "\u2e80") or text[at - 1] in joiners
                )
            )
            match = pattern.match(text, at) if is_first else None
            if match is not None:
                yield match
            at = lowered.find(hint, match.end() if match else at + len(hint))


def is_mask(secret: str) -> bool:
    return _MASK.match(secret) is not None


def is_value(secret: str) -> bool:
    """Return whether `secret` can be the value of a password: no type, variable or example."""
    is_word = secret.lower() in _WORDS or len(set(secret)) < 2 or not any(map(str.isalnum, secret))
    return not is_word and _PLACEHOLDER.search(secret[:_EXAMPLE]) is None


def is_no_placeholder(secret: str) -> bool:
    """Return whether `secret` is neither a variable nor an example of documentation."""
    return len(set(secret)) >= 4 and is_value(secret)


def has_digit(secret: str) -> bool:
    """Return whether `secret` is a value with a digit in it."""
    return is_value(secret) and any(character.isdigit() for character in secret)


def is_mixed(secret: str) -> bool:
    """Return whether letters are mixed with digits, or small letters with capitals."""
    return any(map(str.isalpha, secret)) and (
        any(map(str.isdigit, secret))
        or (secret.lower() != secret and secret.upper() != secret and not secret.istitle())
    )


def has_all_cases(secret: str) -> bool:
    """Return whether there are a capital, a small letter and a digit."""
    return all(any(map(test, secret)) for test in (str.isupper, str.islower, str.isdigit))


_WRITTEN: Final = re.compile(
    r"[\s(){}\[\]<>\"'`,;]|://|\A[./~]|[/\\.:_-][a-z]{3,12}[/\\.:_-][a-z]{3,12}\b"
    r"|(?<![0-9])(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9])"
)
"""Values that people write: words, paths and dates."""


def is_random(secret: str) -> bool:
    """Return whether `secret` looks like made by a generator, and not like words or a path."""
    return (
        len(secret) >= 16
        and is_mixed(secret)
        and len(set(secret)) >= 8
        and _WRITTEN.search(secret) is None
        and is_value(secret)
    )


EXTENSION: Final = re.compile(r"\.[a-z]{2,5}\Z")
"""The end of the name of a file."""

_DIGEST: Final = re.compile(r"[0-9a-f]{24,128}|[0-9A-F]{24,128}|[0-9A-F]{16}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_SIDES: Final = re.compile("[a-z]+|[A-Z]+|[0-9]+")


def is_digest(secret: str) -> bool:
    """Return whether `secret` has the form of a digest or of a UUID, as of a key or of an id."""
    return bool(_DIGEST.fullmatch(secret) or _UUID.fullmatch(secret)) and is_mixed(secret)


def is_made(secret: str) -> bool:
    """Return whether no person and no program writes `secret` but a generator of keys.

    Its small letters, capitals and digits change places more often than those of names do.
    """
    if is_digest(secret):
        return is_no_placeholder(secret)
    secret = secret.lstrip("/+")
    if not is_random(secret):
        return False
    piece = max(re.split(r"[^A-Za-z0-9]", re.sub("[+/=]", "", secret)), key=len)
    digits = sum(map(str.isdigit, piece))
    sides = len(_SIDES.findall(piece)) / max(len(piece), 1)
    if len(piece) < 12:
        # Of base64 in its form for addresses, in which `-` and `_` are letters.
        piece = re.sub("[^A-Za-z0-9]", "", secret)
        sides = len(_SIDES.findall(piece)) / len(piece)
        is_of_all = re.search("[a-z]", piece) and re.search("[A-Z]", piece)
        return len(piece) >= 24 and is_of_all is not None and digits >= 1 and sides >= 0.45
    if len(set(piece)) < 8:
        return False
    if piece.lower() == piece or piece.upper() == piece:
        return digits >= 3 and len(piece) - digits >= 3 and sides >= 0.18
    return sides >= 0.38 if digits else sides >= 0.52 and len(piece) >= 24


_RARE: Final = re.compile(
    r"q(?!u)|j(?![aeiouyäöü])|v(?=[bcdfghjkmnpqstwxz])|x(?=[bdfgjkmnrsvwz])|z(?=[bcdfghjkmnpqrstvwx])"
    r"|w(?=[bcdfgjkmpqtvxz])|[bcdfghklmnpqrstvwxz](?=j)|[bcdfghjklmnpqvwz](?=x)|[bcdfgjkmpqvwx](?=z)"
    r"|f(?=[bcdghkmnpvw])|[bdfjklmqvxz](?=h)|h(?=[bcdfghkpqvxz])|b(?=[cdfgkmnpqtvw])|g(?=[bcdfkpqtvw])"
    r"|k(?=[bcdfgmpqtvx])|m(?=[cdfghkqtvw])|p(?=[bcdfgkmnqvw])|[bdfgjkmpqtvwxz](?=k)|[jkqvwxz](?=q)"
    r"|[dfgkmpt](?=c)|d(?=[bcfgkmpqtv])|t(?=[bdfgkmpqv])|l(?=[qrwx])|r(?=[hjqx])|c(?=[bdfgmnpqvw])"
)
"""The first of two letters that words hardly have next to each other."""


_HUMP: Final = re.compile("[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_VOWEL: Final = re.compile("[aeiouyAEIOUY]")


def is_jumble(secret: str) -> bool:
    """Return whether `secret` is of letters of both cases as a generator writes them."""
    unspoken = sum(_VOWEL.search(hump) is None for hump in _HUMP.findall(secret))
    return (
        8 <= len(secret) <= 64
        and secret.isalpha()
        and secret.isascii()
        and is_mixed(secret)
        and 2 * len(_RARE.findall(secret.lower())) + unspoken >= len(secret) * 2 / 5
    )


def is_scrambled(secret: str) -> bool:
    """Return whether `secret` is of many letters in an order that words do not have."""
    return (
        len(secret) >= 16
        and secret.isalpha()
        and len(_RARE.findall(secret.lower())) * 5 >= len(secret)
    )


_PHRASE: Final = re.compile(r"[a-z]{3,12}(?:-(?![a-z]*(?:ed|ing|ly|able)\b)[a-z]{3,12}){2,7}")
_NO_PHRASE: Final = FUNCTION_WORDS | GENERAL_KINDS


def is_phrase(secret: str) -> bool:
    """Return whether `secret` is of words that a generator joined by hyphens."""
    return _PHRASE.fullmatch(secret) is not None and _NO_PHRASE.isdisjoint(secret.split("-"))


def is_strong(secret: str) -> bool:
    """Return whether `secret` is neither a word nor a number of a sentence."""
    return len(secret) >= 5 and (is_mixed(secret) or re.search(r"[^\w.,:'’/-]", secret) is not None)
