"""The names that precede a secret, and the values that can be one there.

Names are those of members of objects, settings, headers, flags and variables, in any spelling:
`dbPassword`, `DB_PASSWORD_FILE`, `x-api-key`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import Final

from webapp.redaction.rules.kinds import (
    is_digest,
    is_made,
    is_mixed,
    is_no_placeholder,
    is_random,
    is_value,
    split_words,
)


class Shape(Enum):
    """The form that a value needs to be a secret; the surer its name, the looser the form."""

    ANY = "any value that is no example"
    CODE = "with a digit, or mixed"
    RANDOM = "made by a generator"
    SETTING = "made by a generator, or a UUID"
    MADE = "made by a generator, and by nobody else"
    LONG = "made by a generator, longer than ids and no digest"
    DIGITS = "a short number"
    COOKIE = "pairs of a name and a value"


_WORD: Final = re.compile(r"[A-ZÀ-Þ]+(?![a-zß-ž])|[A-ZÀ-Þ]?[a-zß-ž]+|[0-9]+|[^\W\d_a-zA-ZÀ-ž]+")

_TRAILING: Final = split_words(
    """
    prod production dev development staging stage test testing live sandbox old new current
    previous prev value val string str text plain plaintext clear cleartext raw base64 b64
    encoded encrypted enc hex default env var primary secondary main backup local remote input
    field confirm confirmation again repeat data here base
    """
)
_PASSWORDS: Final = split_words(
    """
    password passwd passwort pwd pass passphrase passcode pw pswd psw pword passw kennwort
    senha contraseña contrasena clave wachtwoord parola haslo hasło lösenord lösenordet losenord
    salasana jelszo jelszó heslo sifre şifre şifreniz adgangskode adgangskoden passord
    passordet parool geslo lozinka slaptažodis lykilorð пароль 密码 密碼 口令 パスワード 비밀번호
    motdepasse mdp
    """
)
_PASSWORD_ENDS: Final = (
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "密码",
    "パスワード",
)
_NO_PASS: Final = frozenset(("compass", "bypass", "surpass", "trespass", "encompass", "multipass"))

_KEYS: Final = split_words(
    """
    api access secret private auth app application service account signing sign encryption
    encrypt decryption cipher crypto master license licence subscription webhook session
    client consumer deploy shared ssh gpg pgp rsa dsa ecdsa ed25519 server admin root jwt hmac
    aes des write read ingest ingestion integration developer dev rest bot vault unseal
    recovery product activation push preshared fcm vapid host seal cookie csrf django flask
    rails laravel signature verification token user authorization authentication identity
    management function provisioning instrumentation pem ssl tls ca account2 storage hex openai
    anthropic claude gemini mistral groq cohere huggingface replicate pinecone stripe sendgrid
    twilio mailgun datadog dd newrelic algolia maps mapbox openrouter deepseek perplexity
    together azure aws google gcp firebase github gitlab slack discord telegram notion
    airtable asana trello jira zendesk hubspot salesforce shopify square paypal plaid
    braintree adyen razorpay cloudflare digitalocean linode heroku netlify vercel supabase
    sentry rollbar bugsnag pagerduty opsgenie grafana honeycomb elastic segment mixpanel
    amplitude intercom mailchimp postmark resend weather openweather tmdb rapidapi serpapi
    tavily exa elevenlabs deepgram assemblyai langsmith langchain nvidia xai fireworks
    weaviate qdrant voyage jina
    """
)
_TOKENS: Final = split_words(
    """
    access refresh auth authentication authorization bearer api bot session personal pat id
    csrf xsrf vault github gitlab gh slack discord telegram npm pypi docker oauth oauth2 jwt
    security sts service user admin deploy registry hf huggingface openai app application
    private secret device reset verification invite magic login push webhook signing identity
    client ci bitbucket jira cloudflare digitalocean heroku netlify vercel consul nomad kube
    kubernetes k8s sa sentry snyk sonar codecov coveralls circleci travis buildkite notion
    linear figma airtable dropbox hubspot shopify mapbox twitter facebook instagram linkedin
    twitch spotify strava plex influx influxdb grafana telemetry join worker agent runner
    cluster master root
    """
)
OF_DATA: Final = split_words(
    """
    primary foreign partition sort cache idempotency object group row hash range index lookup
    dict map json public routing dedupe dedup lock queue page pagination next continuation
    cursor sync change etag eos bos pad unk cls sep mask stop start end max min num count
    """
)
"""Words of the names of keys and tokens that anybody may know."""

OF_IDS: Final = split_words(
    """
    id ids uid uuid zone account org organization project team workspace app commit sha sha1
    sha256 md5 hash digest release version build deploy deployment event trace span request
    issue page board card list task channel video playlist track album region bucket index
    dataset image tag branch ref url uri host domain user customer name slug status meeting
    album artist model checksum etag nonce cache primary partition public publishable file path
    object
    """
)
"""Words before an id or a digest that anybody may know."""

_NO_KEYS: Final = (
    OF_DATA
    | OF_IDS
    | split_words(
        """
        element item node tab menu option field form message thread log query storage document doc
        view route screen state selected active label translation locale string text content table
        column entity record blob media photo attachment asset component parent child root base
        the a an this that which each every
        """
    )
)

_SESSIONS: Final = re.compile(
    r"(?:phpsessid|jsessionid|sessionid|connect\.sid|asp\.?net[_.]session_?id|aspxauth|laravel_session"
    r"|csrftoken|xsrf-token|remember_(?:me|token).{0,60}|__(?:secure|host)-.{1,60}|sess(?:ion)?[_-]?cookie"
    r"|session[_-]?token|auth[_-]?session|(?:_?[a-z]{1,20})?_session|session|sid|session_?id)\Z",
    re.IGNORECASE,
)
_BY_NAME: Final = {
    **dict.fromkeys(
        ("authorization", "proxyauthorization", "xauthorization"), ("authorization", Shape.ANY)
    ),
    **dict.fromkeys(("cookie", "setcookie", "cookies", "cookieheader"), ("cookie", Shape.COOKIE)),
    # The private part of a JSON Web Key, or a key that both sides have.
    **dict.fromkeys(("d", "k", "dp", "dq", "qi", "p", "q"), ("private-key", Shape.LONG)),
    # Of the secrets of a cluster, whatever their names.
    "secretdata": ("secret", Shape.ANY),
    # Of an AppRole of Vault; elsewhere the name of a secret.
    "secretid": ("secret", Shape.SETTING),
    **dict.fromkeys(("seedphrase", "recoveryphrase"), ("seed-phrase", Shape.ANY)),
    **dict.fromkeys(("codeverifier", "routingkey", "pdroutingkey"), ("secret", Shape.RANDOM)),
    **dict.fromkeys(("samlresponse", "samlrequest", "samlassertion"), ("credential", Shape.RANDOM)),
}
_BY_LAST_WORD: Final = {
    **dict.fromkeys(
        ("pin", "cvv", "cvc", "cvv2", "otp", "totp", "pincode", "mfa", "puk"),
        ("pin", Shape.DIGITS),
    ),
    **dict.fromkeys(
        ("credential", "credentials", "creds", "cred", "jwt", "bearer", "sas", "sig"),
        ("credential", Shape.RANDOM),
    ),
    "psk": ("password", Shape.ANY),
    **dict.fromkeys(("mnemonic", "seedphrase"), ("seed-phrase", Shape.ANY)),
    **dict.fromkeys(("auth", "pepper"), ("secret", Shape.RANDOM)),
    **dict.fromkeys(("license", "licence"), ("license-key", Shape.MADE)),
    **dict.fromkeys(("csrf", "xsrf"), ("token", Shape.MADE)),
    "salt": ("secret", Shape.MADE),
}
_CODED: Final = split_words("pin otp verification security access auth mfa sms login tan puk cvv")
_NO_PINS: Final = split_words(
    "led gpio io data clk clock rx tx reset cs miso mosi sda scl button pwm relay sensor board d a"
)
"""Words for the pins of a device."""
_KINDS_OF_KEYS: Final = {"private": "private-key", "api": "api-key", "access": "access-key"}


@lru_cache(maxsize=4096)
def classify(name: str) -> tuple[str, Shape] | None:
    """Find the kind of secret that `name` has as its value, and its shape; None if none."""
    if not name or len(name) > 100:
        return None
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and (
        words[-1] in _TRAILING
        or words[-1].isdigit()
        or (words[-1] in ("v", "private") and len(words) > 2)
    ):
        words.pop()
    if not words:
        return None
    last = words[-1]
    before = words[-2] if len(words) > 1 else ""
    joined = "".join(words)
    if last in ("hash", "digest", "hashed") and _is_password(before, ""):
        return "password-hash", Shape.RANDOM
    if _is_password(last, before):
        return "password", Shape.ANY
    if joined in _BY_NAME:
        return _BY_NAME[joined]
    if words[0] == "sec":
        # Of browsers, made anew for each connection.
        return None
    if _SESSIONS.match(name):
        # That of a log is a UUID as well.
        return "session", Shape.RANDOM if words == ["session", "id"] else Shape.SETTING
    if last in ("secret", "secrets") or (last.endswith("secret") and last != "nonsecret"):
        return "secret", Shape.CODE
    if last == "token" or (last.endswith("token") and len(last) > 7):
        return "token", _find_shape_of_token(name, words)
    if words[0] == "x" and last == "key":
        return "api-key", Shape.RANDOM
    if last in ("key", "apikey") or (last.endswith("key") and last[:-3] in _KEYS):
        return _classify_key(name, words)
    if joined.endswith("connectionstring"):
        return "secret", Shape.RANDOM
    if name.isupper() and last.endswith(("key", "token")) and len(last) >= 6:
        return "key", Shape.MADE
    if last in ("code", "codes") and before in ("recovery", "backup", "scratch"):
        return "pin", Shape.CODE
    if (last in ("code", "number") and before in _CODED) or words[-2:] == ["2", "fa"]:
        return "pin", Shape.DIGITS
    if (before, last) == ("device", "code"):
        return "token", Shape.RANDOM
    if last == "seed" and before in ("mfa", "totp", "otp"):
        return "totp-secret", Shape.RANDOM
    known = _BY_LAST_WORD.get(last)
    if last == "pin" and before in _NO_PINS:
        return None
    if known is not None and known[1] is Shape.RANDOM and _is_setting(name, words):
        return known[0], Shape.SETTING
    return known


def _find_shape_of_token(name: str, words: Sequence[str]) -> Shape:
    if {*words[-2:-1], words[-1][:-5]} & _TOKENS:
        return Shape.CODE
    # Alone it is nobody's id, as it is in `page_token`.
    is_whole = len(words) == 1 or _is_setting(name, words)
    return Shape.SETTING if is_whole else Shape.RANDOM


def _classify_key(name: str, words: Sequence[str]) -> tuple[str, Shape] | None:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    is_sure = last == "apikey" or before in _KEYS or last[:-3] in _KEYS
    kind = _KINDS_OF_KEYS.get(before or last[:-3], "api-key" if is_sure else "key")
    if is_sure:
        return kind, Shape.CODE
    # A setting in capitals names somebody's key; a member `key` is mostly a name.
    if _is_setting(name, words):
        return kind, Shape.SETTING
    is_named = len(words) > 1 and _NO_KEYS.isdisjoint(words[:-1])
    return (kind, Shape.MADE) if is_named else None


def _is_setting(name: str, words: Sequence[str]) -> bool:
    """Return whether a name is that of a variable of the environment, or of a header."""
    is_written = name.isupper() or re.search("[A-Za-z]-[A-Za-z]", name) is not None
    return is_written and len(words) > 1 and OF_DATA.isdisjoint(words)


def _is_password(last: str, before: str) -> bool:
    if last in _PASSWORDS:
        # `pass` alone is a word, and so are others with it.
        return last not in ("clave",) or not before
    if last.endswith(_PASSWORD_ENDS) or (before, last) == ("pass", "phrase"):
        return True
    return (
        last.endswith(("pass", "pwd", "bindpw", "rootpw"))
        and 5 < len(last) <= 16
        and last not in _NO_PASS
    )


_SENTENCE: Final = re.compile(
    r"\A[^\W\d_]+(?:['’-][^\W\d_]+){0,3}(?:[ ][^\W\d_]+(?:['’-][^\W\d_]+){0,3})+[.?!:…]?\Z"
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::)[A-Za-z_$][\w$]*)*\Z")
_PATH: Final = re.compile(r"(?:~|\.{1,2})?(?:/[\w.-]+){2,40}/?\Z|/[a-z]{2,12}\Z")
"""The path of a file, as of the working directory, whose name is that of passwords as well."""

_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z", re.IGNORECASE)
_QUESTION: Final = re.compile(r":[ ]?\Z|(?:\A|\s)[^\W\d_]+\?[ ]?\Z|\A[A-Z][a-z]+ (?:your|the|a) ")
"""The end of the prompt that a program prints before it reads a password."""

_TERM: Final = re.compile(
    "(?:oauth|base|sha|md|ec|utf|aes|http|argon|web|arg|param|(?<![A-Za-z])(?:s|v|k|i|x|p|h|b|d|r|id))"
    "[0-9]{1,4}",
    re.IGNORECASE,
)
_DIGIT_INSIDE: Final = re.compile(r"[0-9][A-Za-z]|[0-9]{3}|[a-z][A-Z]{1,2}[0-9]")
"""Digits where names of variables have none."""

_MOST: Final = 4096
_KEY_LENGTH: Final = 43
"""Of 32 bytes in base64; what is shorter is as often an id."""
_MEMBER: Final = re.compile(r"[A-Za-z_$][\w.$]*\[[:\"'][\w-]+[\"']?\]")
_PAIR: Final = re.compile(r"([^\s=;,]{1,100})=([^\s;,]{4,4096})")
_MOST_PAIRS: Final = 40
"""As many are hardly choices alone, and are not looked at one by one."""

_ATTRIBUTES: Final = frozenset(("path", "domain", "expires", "max-age", "samesite", "priority"))
_LOGIN: Final = re.compile("sess|sid|auth|token|login|csrf|xsrf|jwt|remember", re.IGNORECASE)
_NAMES: Final = re.compile(
    r"pass|pwd|secret|token|key|cred|auth|param|input|field|arg|value|conf|env|prompt|user", re.I
)


def has_shape(secret: str, shape: Shape, *, is_quoted: bool) -> bool:
    """Return whether a value can be the secret that its name promises.

    In code a value without quotes is mostly a variable.
    """
    if not 3 <= len(secret) <= _MOST or not is_value(secret):
        return False
    if shape is Shape.DIGITS:
        return secret.isdigit() and 3 <= len(secret) <= 8
    if shape is Shape.COOKIE:
        pairs = list(islice(_PAIR.finditer(secret), _MOST_PAIRS))
        return len(pairs) == _MOST_PAIRS or any(_is_credential(*pair.groups()) for pair in pairs)
    # A member of a collection.
    if not is_quoted and _MEMBER.match(secret):
        return False
    if not is_quoted and _IDENTIFIER.match(secret) and _is_code_name(secret, shape):
        return False
    if shape is Shape.ANY:
        if _PATH.match(secret):
            return False
        is_question = _QUESTION.search(secret) and not is_mixed(secret)
        return _SENTENCE.match(secret) is None and not is_question
    if re.search(r"\s", secret):
        return False
    if shape is Shape.CODE:
        return (
            len(secret) >= 6
            and is_no_placeholder(secret)
            and (
                is_mixed(secret)
                or (secret.isdigit() and len(secret) >= 8)
                or (
                    is_quoted
                    and len(secret) >= 8
                    and re.search(r"[^A-Za-z_.:/ -]", secret) is not None
                )
                or (is_quoted and len(secret) >= 12 and secret.isalnum())
            )
        )
    if shape is Shape.LONG:
        return len(secret) >= _KEY_LENGTH and is_random(secret) and not is_digest(secret)
    if shape is Shape.MADE:
        return is_made(secret) and _UUID.match(secret) is None
    return is_random(secret) and (shape is Shape.SETTING or _UUID.match(secret) is None)


def _is_credential(name: str, value: str) -> bool:
    """Return whether a pair of a cookie is no choice of a reader, as `lang=en`."""
    return (
        name.lower() not in _ATTRIBUTES
        and is_value(value)
        and (
            _LOGIN.search(name) is not None
            or (len(value) >= 6 and is_mixed(value))
            or len(value) >= 16
        )
    )


def _is_code_name(secret: str, shape: Shape) -> bool:
    """Return whether an identifier is rather a variable than a secret."""
    if _DIGIT_INSIDE.search(_TERM.sub("", secret)):
        return False
    if re.search(r"\.|->|::", secret):
        return True
    capitals = sum(map(str.isupper, secret)) / len(secret)
    if is_random(secret) and (any(map(str.isdigit, secret)) or 0.3 <= capitals <= 0.7):
        return False
    if _NAMES.search(secret):
        return True
    return not any(map(str.isdigit, secret)) and (shape is not Shape.ANY or "_" in secret)
