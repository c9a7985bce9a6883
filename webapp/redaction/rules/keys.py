"""Keys of machines and wallets, seeds of one-time codes, and hashes of passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.forms import ignoring_case
from webapp.redaction.rules.kinds import (
    FUNCTION_WORDS,
    SPACE,
    Kind,
    SecretPlace,
    has_digit,
    is_mixed,
    is_no_placeholder,
    is_random,
    is_scrambled,
    is_value,
)

_LINE_BREAK: Final = (
    r"(?:[ \t]*+(?:(?:\r?\n|\\{1,4}r\\{1,4}n|\\{1,4}[nr])"
    # A string a line, of a program.
    r"(?:[\"'],?[ \t]*+[+.]?[ \t]*+\r?\n[ \t]*+[+.]?[ \t]*+[\"'])?"
    # A comment, or after the source of a log.
    r"(?:[ \t]*+[#*/]{1,3}[ \t]++|[^\r\n]{1,80}?[ \t](?=[A-Za-z0-9+/=]{16,100}[ \t]*(?:\r?\n|\Z)"
    r"|(?:[A-Za-z0-9+/=]{1,15}\r?\n[^\r\n]{1,80}?[ \t])?-----END))?)|[ \t]++|(?!))"
)
_KEY_BLOCK: Final = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:{_LINE_BREAK}++(?:[A-Za-z-]{{1,30}}: [^\r\n\\\"]{{1,200}}"
    r"|[A-Za-z0-9+/=]{16,}+|[A-Za-z0-9+/=]++(?=[ \t]*+(?:[\r\n\\\"']|\Z|-----)))|(?!))*+"
    rf"(?:{_LINE_BREAK}*+-----END [A-Z0-9 ]{{0,40}}PRIVATE KEY(?: BLOCK)?-----)?"
)

_NO_BODY: Final = re.compile(r"-----BEGIN [^-]*-----(?:\s*-----END [^-]*-----)?")

KEYS: Final[tuple[Kind, ...]] = (
    Kind(
        "private-key",
        ("-----BEGIN ",),
        re.compile(_KEY_BLOCK),
        # Programs search for the first line alone.
        lambda secret: _NO_BODY.fullmatch(secret) is None,
    ),
    Kind(
        "private-key",
        ("-----BEGIN OpenVPN", "---- BEGIN SSH2"),
        re.compile(
            r"----+ ?BEGIN (?:OpenVPN (?:tls-crypt-v2 (?:client|server) key|Static key V1)"
            r"|SSH2 ENCRYPTED PRIVATE KEY) ?----+\s{1,9}(?:[A-Z][a-z]{1,20}: [^\n]{1,100}\n){0,4}"
            r"(?P<secret>[A-Za-z0-9+/=]{16,100}(?:\s{1,9}[A-Za-z0-9+/=]{16,100}){0,60})"
        ),
        lambda _: True,
    ),
    Kind(
        "recovery-key",
        ("-",),
        re.compile(r"(?:-[0-9]{6}){7}(?![0-9-])"),
        lambda secret: len(secret) == 55,
        reach=6,
        needs="[0-9]-[0-9]{6}-[0-9]{6}-",
    ),
    Kind(
        "private-key",
        ("PuTTY-User-Key-File-",),
        re.compile(
            r"PuTTY-User-Key-File-[^\n]{0,100}(?:\n(?!\s{0,8}Private-Lines)[^\n]{0,200}){0,60}?\n"
            r"[ \t]{0,8}(?P<secret>Private-Lines: [0-9]{1,4}"
            r"(?:\r?\n[ \t]{0,8}[A-Za-z0-9+/=]{1,100}(?![A-Za-z0-9+/=:-])){0,200}"
            r"(?:\r?\n[ \t]{0,8}Private-MAC: [0-9a-f]{40,64})?)"
        ),
        lambda _: True,
    ),
    # Hashes of passwords, keys beside their ids, keys of wallets.
    Kind(
        "password-hash",
        ("$2a$", "$2b$", "$2y$", "$6$", "$5$", "$1$", "$y$", "$7$", "$P$", "$H$", "$apr1$")
        + ("$argon2", "$scrypt$", "$pbkdf2", "{SSHA", "{SHA}", "{CRYPT}", "pbkdf2_sha", "scrypt:")
        + ("pbkdf2:", "SCRAM-SHA-", "md5"),
        re.compile(
            r"\$(?:2[aby]\$[0-9]{2}|6|5|1|y|7|apr1|argon2(?:id|i|d)\$v=[0-9]{1,3}|scrypt"
            r"|pbkdf2(?:-sha[0-9]{1,3})?)\$[A-Za-z0-9./$=,+]{20,200}"
            # Cut off at the end of the text.
            r"|\$(?:2[aby]\$[0-9]{2}|6|5|apr1)\$[A-Za-z0-9./$]{8,19}\Z"
            r"|\$[PH]\$[A-Za-z0-9./]{31}(?![A-Za-z0-9./])"
            r"|(?<![A-Za-z0-9])md5[0-9a-f]{32}(?![0-9A-Za-z])"
            r"|\{(?:S?SHA[0-9]{0,3}|CRYPT)\}[A-Za-z0-9+/=.$]{20,200}"
            r"|(?:pbkdf2_sha[0-9]{1,3}\$[0-9]{1,9}|pbkdf2:sha[0-9]{1,3}:[0-9]{1,9}"
            r"|scrypt(?::[0-9]{1,9}){3}|SCRAM-SHA-[0-9]{1,3})\$[A-Za-z0-9+/=:$]{20,300}"
        ),
        # The `$` at its beginning is not that of a variable.
        lambda secret: is_no_placeholder(secret.lstrip("${")),
    ),
    # Both of an account of Windows, after its number.
    ignoring_case(
        "password-hash",
        ":",
        r":(?P<secret>[0-9a-f]{32}:[0-9a-f]{32}):::",
        is_no_placeholder,
        "[0-9a-f]{16}:::",
    ),
    # The private part of a JSON Web Key, in a text that is no JSON.
    Kind(
        "private-key",
        ('"d"', '"p"', '"q"', '"dp"', '"dq"', '"qi"', '"k"'),
        re.compile(r"\"[a-z]{1,2}\"\s{0,4}:\s{0,4}\"(?P<secret>[A-Za-z0-9_-]{43,4096})"),
        is_random,
        needs=rf"\"(?:d|p|q|dp|dq|qi|k)\"[{SPACE}]*:[{SPACE}]*\"[A-Za-z0-9_-]{{20}}",
    ),
    # Of a site: several keys, and their salts.
    ignoring_case(
        "key",
        "define(",
        r"define\(\s{0,4}[\"'][a-z_]{1,40}_(?:key|salt)[\"']\s{0,4},\s{0,20}'(?P<secret>[^'\n]{40,200})'",
        is_mixed,
        rf"define\([{SPACE}]*[\"'][a-z_]+_(?:key|salt)",
    ),
    # Values that are encrypted in a file by one key.
    Kind(
        "encrypted-secret",
        ("ENC(", "{cipher}", "ENC[", "$ANSIBLE_VAULT;", "vault:v", ">{"),
        re.compile(
            r">?(?P<secret>ENC\([A-Za-z0-9+/=_-]{12,4096}\)"
            r"|\{cipher\}(?:\{[a-z]{1,20}:[\w-]{1,60}\}){0,3}[A-Za-z0-9+/=]{16,4096}"
            r"|ENC\[[A-Z0-9_]{1,20},data:[^\]\n]{4,4096}\]"
            r"|\$ANSIBLE_VAULT;[^\n]{3,80}\n(?:[ \t]{0,40}[0-9a-f]{8,200}\r?\n?){1,400}"
            r"|vault:v[0-9]{1,3}:[A-Za-z0-9+/=]{20,4096}|\{[A-Za-z0-9+/]{22,400}={0,2}\}(?=<))"
        ),
        lambda secret: len(set(secret)) >= 8,
    ),
    Kind(
        "aws-secret",
        ("AKIA", "ASIA"),
        re.compile(
            r"A[KS]IA[A-Z0-9]{16}[^A-Za-z0-9/+]{1,20}(?:[0-9T:.Z+-]{19,32}\s{1,9})?"
            r"(?:[A-Za-z_ ]{1,30}[^A-Za-z0-9/+]{1,10}){0,2}"
            r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
        ),
        has_digit,
    ),
    Kind(
        "twilio-key",
        ("AC", "SK"),
        re.compile(
            r"(?:AC|SK)[0-9a-f]{32}[\"'`]?[\s:,=/|]{1,6}[\"'`]?(?P<secret>[0-9a-f]{32})(?![0-9a-f])"
        ),
        has_digit,
        needs=rf"(?:AC|SK)[0-9a-f]{{32}}[\"'`]?[{SPACE}:,=/|]+[\"'`]?[0-9a-f]{{32}}",
    ),
    ignoring_case(
        "wallet-key",
        "wallet(|privatekeytoaccount(|from_key(|fromsecretkey(|keypair(",
        r"[a-z_]{6,24}\(\s{0,9}[\"'](?P<secret>(?:0x)?[0-9a-f]{64}(?=[\"'])|(?:0x)?[0-9a-f]{32,64}\Z)",
        has_digit,
    ),
    ignoring_case(
        "wallet-key",
        "keypair|private key|private_key|privatekey|secret key|secret_key|secretkey|network_key",
        r"[a-z_ ]{7,11}[^\[\]\n]{0,40}\[\s{0,9}"
        r"(?P<secret>[0-9]{1,3}(?:,\s{0,9}[0-9]{1,3}){15,63})\s{0,9}\]",
        lambda _: True,
        rf"(?:keypair|(?:private|secret|network)[_ ]?key)[^\[\]\n]*\[[{SPACE}]*[0-9]{{1,3}},",
    ),
    ignoring_case(
        "license-key",
        "windows|office|activation|product key|product code|licen|registration|redeem|gift"
        "|voucher|serial|seriennummer|cd key|cd-key",
        r"[a-z]{2,12}(?:[- ](?:code|key|number|no|card|nr)){0,2}\.?(?: is| was| ist|:| =|=){0,2}"
        r"[ \t]{1,3}[\"'`]{0,2}(?P<secret>[a-z0-9]{4,6}(?:-[a-z0-9]{4,6}){2,7})(?![a-z0-9-])",
        lambda secret: secret.isupper() and has_digit(secret),
        r"[ \t][\"'`]*[a-z0-9]+-[a-z0-9]+-[a-z0-9]{4}",
    ),
)

_LINE_OF_WORDS: Final = re.compile(
    r"(?:(?<=[:=\"'`>|*(])|^|(?<=\bare)|(?<=\bis))[ \t]{0,9}[\"'`]{0,3}"
    r"(?P<secret>[a-z]{3,8}(?:[ ][a-z]{3,8}){11,24})"
    r"(?=[.\"'`)*]{0,3}[ \t]{0,9}(?:\r?\n|\Z|[\"'`<,|)–—]|(?<=[.] )[A-ZÀ-Þ]))",
    re.MULTILINE,
)
_NUMBERED_WORDS: Final = re.compile(
    r"^[ \t>]{0,9}1[.):]?[ \t]{1,4}"
    r"(?P<secret>[a-z]{3,8}(?:\s{1,9}(?:[2-9]|1[0-9]|2[0-4])[.):]?[ \t]{1,4}[a-z]{3,8}){11,23})\b",
    re.MULTILINE,
)
_LENGTHS: Final = frozenset((12, 15, 18, 21, 24))
PHRASES_NEEDS: Final = (
    r"(?:[a-z]{3,8} ){11}[a-z]{3}"
    rf"|1[.):]?[ \t]+[a-z]+[{SPACE}]+2[.):]?[ \t]+[a-z]+[{SPACE}]+3"
)


def find_phrases(text: str) -> Iterator[SecretPlace]:
    """Yield the phrases of as many words as a wallet has, which no sentence has alone."""
    for pattern in (_LINE_OF_WORDS, _NUMBERED_WORDS):
        for match in pattern.finditer(text):
            words = re.findall("[a-z]+", match["secret"])
            formed = sum(word.endswith(("ing", "ed", "ly", "s")) for word in words)
            if (
                len(words) in _LENGTHS
                and len(set(words)) >= 6
                and FUNCTION_WORDS.isdisjoint(words)
                and formed * 4 <= len(words)
            ):
                yield SecretPlace("seed-phrase", *match.span("secret"))


_KEY_END: Final = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
# Read from its end: lines of base64, of which the last one may be short.
_KEY_BODY: Final = re.compile(
    r"\s{0,9}[A-Za-z0-9+/=]{1,4096}(?:\s{1,9}[A-Za-z0-9+/=]{16,4096}){0,400}"
)
_MAX_KEY: Final = 32_768


def find_cut_keys(text: str) -> Iterator[SecretPlace]:
    """Yield the ends of private keys whose beginning was cut off."""
    for match in _KEY_END.finditer(text):
        body = _KEY_BODY.match(text[max(match.start() - _MAX_KEY, 0) : match.start()][::-1])
        if body is not None and len(body[0]) >= 16:
            yield SecretPlace("private-key", match.start() - len(body[0].rstrip()), match.end())


_GROUPS: Final = r"[A-Z2-7]{4}(?:[ -]?[A-Z2-7]{4}){3,15}"
_SMALL_GROUPS: Final = r"[a-z2-7]{4}(?:[ -][a-z2-7]{4}){3,15}"
_SEED: Final = re.compile(
    rf"(?<![A-Za-z0-9+/=_.&-])(?P<secret>{_GROUPS}|[A-Z2-7]{{16,103}}|[a-z2-7]{{16,64}}"
    rf"|{_SMALL_GROUPS})=*(?![A-Za-z0-9+/=_-])"
)
_WORD: Final = (
    r"(?:totp|hotp|2fa|2-fa|mfa|oath|otpauth|authenticator|two[ -]factor|multi[ -]factor"
    r"|zwei-?faktor|double facteur|dos factores|one[ -]time|einmal(?:code|passwort|kennwort)"
    r"|(?<![a-z])otp)"
)
_NAMED: Final = re.compile(_WORD, re.IGNORECASE)
_KEY: Final = re.compile(
    # On a page that shows a picture to scan as well.
    r"(?:setup|manual(?:ly)?|enter|security|scan|by hand|secret|this)[^\n]{0,40}?"
    r"(?:key|code|secret)[^\n]{0,24}:[ \t]{0,3}[\"'`*]{0,2}\Z"
    r"|(?:einrichtungs|authenticator-)schlüssel[^\n]{0,16}:[ ]{0,3}\Z"
    r"|(?:clé|clave|chave|chiave) (?:secr[eè]t[ao]?|de configura[a-zçã]+)[^\n]{0,16}:[ ]{0,3}\Z",
    re.IGNORECASE,
)
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BEFORE: Final = 100
_AFTER: Final = 60
_BREAK: Final = re.compile(r"\n[ \t]*\n")

SEEDS_NEEDS: Final = (
    r"(?:[A-Z2-7]{4}[ -]?){3}[A-Z2-7]{4}|(?:[a-z2-7]{4}[ -]){3}[a-z2-7]{4}|\b[a-z2-7]{16}"
)


def find_seeds(text: str, name: str) -> Iterator[SecretPlace]:
    """Yield the values in base32 beside a word for one-time codes, or in a member with its name."""
    is_named = _NAMED.search(name) is not None or name.lower() == "seed"
    for match in _SEED.finditer(text):
        secret = match["secret"]
        is_made = any(map(str.isdigit, secret)) or is_scrambled(secret)
        if not is_made or not is_value(secret) or secret.upper() in _ALPHABET:
            # Words in capitals, and in groups of four letters.
            continue
        before = _BREAK.split(text[max(match.start() - _BEFORE, 0) : match.start()])[-1]
        after = text[match.end() : match.end() + _AFTER].partition("\n")[0]
        if (
            is_named
            or _NAMED.search(before)
            or _KEY.search(before)
            or (not secret.islower() and _NAMED.search(after))
        ):
            yield SecretPlace("totp-secret", *match.span("secret"))
