"""The names that precede a secret, in many languages.

Names are those of members of objects, settings, headers, flags and variables, in any spelling:
`dbPassword`, `DB_PASSWORD_FILE`, `x-api-key`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from webapp.redaction.rules.kinds import split_words
from webapp.redaction.rules.shapes import Shape

_WORD: Final = re.compile(r"[A-ZÀ-Þ]+(?![a-zß-ž])|[A-ZÀ-Þ]?[a-zß-ž]+|[0-9]+|[^\W\d_a-zA-ZÀ-ž]+")

_TRAILING: Final = split_words(
    """
    prod production dev development staging stage test testing live sandbox old new current
    previous prev value val string str text plain plaintext clear cleartext raw base64 b64
    encoded encrypted enc hex default env var primary secondary main backup local remote input
    field confirm confirmation again repeat data here base material
    neu alt nouveau nouvelle nuevo nueva novo nova nuovo nuova nieuw
    """
)
_PASSWORDS: Final = split_words(
    """
    password passwd passwort pwd pass passphrase passcode pw pswd contrasenia lösen
    psw pword passw kennwort
    senha contraseña contrasena clave wachtwoord parola haslo hasło lösenord lösenordet losenord
    salasana jelszo jelszó heslo sifre şifre şifreniz adgangskode adgangskoden passord
    passordet parool geslo lozinka slaptažodis lykilorð пароль 口令
    motdepasse mdp
    """
)
_PASSWORD_ENDS: Final = ("password", "passwd", "passphrase", "passwort", "kennwort")
_WORDS_IN_KEY: Final = split_words("mon tur don joc hoc whis jer mal hot pass")
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
    weaviate qdrant voyage jina wlan wifi wpa wpa2
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

OF_FINGERPRINTS: Final = split_words("rsa dsa eddsa ecdsa ed25519 pgp gpg openpgp ssh")
"""Words before `key` and the fingerprint of one, in sentences."""

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

_PLURAL: Final = re.compile("(.*(?:word|phrase|passcode|key|token|pin|otp|pwd))s")
_MEANINGS: Final = {
    word: meaning
    for meaning, words in {
        "key": "schlüssel schluessel clé cle clef llave chave chiave sleutel nyckel nøgle klucz"
        " anahtar ключ",
        "secret": "geheimnis geheimer geheime segreto segreta secreto secreta secrète secrete"
        " segredo sekret sekretny gizli секрет",
        "token": "jeton токен",
        "private": "privater privée privee privada privata privé prive prywatny",
        "access": "zugang zugangs zugriffs accès acces acceso acesso accesso dostępu dostepu",
    }.items()
    for word in words.split()
}
"""Words of other languages, in most of which the noun is the first word of a name."""
_NOUNS: Final = frozenset(("key", "secret", "token"))
_COMPOUND: Final = re.compile(
    "(?P<before>.*?)(?:(?P<key>schlüssel|schluessel|sleutel|nyckel|密[钥鑰]|秘钥|秘密鍵|キー|키)"
    "|(?P<token>令牌|トークン|토큰)|(?P<secret>シークレット|비밀)"
    "|(?P<password>密[码碼]|パスワード|비밀번호))"
)
_OF_PASSWORDS: Final = split_words(
    "access login db bd database banco base root admin app api user usuario usuário utente"
    " uzytkownika użytkownika wifi wlan smtp ftp ssh mail email server servidor serveur prod dev"
    " test ldap vpn"
)
"""Words after that for a password, which say whose it is."""

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
    # Of the secrets of a cluster, whatever their names.
    "secretdata": ("secret", Shape.ANY),
    # Of an AppRole of Vault; elsewhere the name of a secret.
    "secretid": ("secret", Shape.SETTING),
    **dict.fromkeys(("seedphrase", "recoveryphrase"), ("seed-phrase", Shape.ANY)),
    "codeverifier": ("secret", Shape.RANDOM),
    **dict.fromkeys(("routingkey", "pdroutingkey"), ("secret", Shape.MADE)),
    # A list of their names, mostly.
    "secrets": ("secret", Shape.RANDOM),
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
_OF_CARDS: Final = split_words("card cc creditcard")
_EXPIRIES: Final = split_words("exp expiry expiration expires validthru")
_OF_PAGES: Final = split_words("page pagination next continuation cursor sync")
_CODED: Final = split_words(
    "pin otp verification security access auth mfa sms login tan puk cvv alarm door gate lock"
)
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
    words = _translate([word.lower() for word in _WORD.findall(name)])
    while len(words) > 1 and (
        words[-1] in _TRAILING
        or words[-1].isdigit()
        or (words[-1] in ("v", "private") and len(words) > 2)
    ):
        words.pop()
    if not words:
        return None
    words[-1] = _PLURAL.sub(r"\1", words[-1])
    return _classify_words(name, words)


_BY_LAST_WORDS: Final = {
    **{
        (kind, last): ("pin", Shape.CODE)
        for kind in ("recovery", "backup", "scratch")
        for last in ("code", "codes")
    },
    **{(kind, "seed"): ("totp-secret", Shape.RANDOM) for kind in ("mfa", "totp", "otp")},
    **{(kind, "answer"): ("password", Shape.ANY) for kind in ("security", "secret")},
    ("access", "signature"): ("token", Shape.RANDOM),
    ("device", "code"): ("token", Shape.RANDOM),
}


def _classify_words(name: str, words: Sequence[str]) -> tuple[str, Shape] | None:
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
    if not _OF_CARDS.isdisjoint(words) and not _EXPIRIES.isdisjoint(words):
        return "card", Shape.DIGITS
    if last == "token" and before in _OF_PAGES:
        return None
    if last == "token" or (last.endswith("token") and len(last) > 7):
        return "token", _find_shape_of_token(name, words)
    if words[0] == "x" and last == "key" and OF_DATA.isdisjoint(words):
        return "api-key", Shape.RANDOM
    if last in ("key", "apikey") or (last.endswith("key") and last[:-3] in _KEYS):
        return _classify_key(name, words)
    if last.endswith("key") and len(last) > 6 and last[:-3] not in _NO_KEYS | _WORDS_IN_KEY:
        return "key", Shape.MADE
    if joined.endswith("connectionstring"):
        return "secret", Shape.RANDOM
    if (before, last) in _BY_LAST_WORDS:
        return _BY_LAST_WORDS[before, last]
    if (last in ("code", "number") and before in _CODED) or words[-2:] == ["2", "fa"]:
        return "pin", Shape.DIGITS
    if last == "pat":
        return "token", Shape.RANDOM
    known = _BY_LAST_WORD.get(last)
    if last == "pin" and before in _NO_PINS:
        return None
    if known is not None and known[1] is Shape.RANDOM and _is_setting(name, words):
        return known[0], Shape.SETTING
    return known


def _translate(words: Sequence[str]) -> list[str]:
    """Translate the words of a name, and put the noun after those that say more of it."""
    translated: list[str] = []
    for word in words:
        compound = _COMPOUND.fullmatch(word)
        if compound is not None:
            before = compound["before"]
            translated += filter(None, (_MEANINGS.get(before, before), compound.lastgroup))
        else:
            translated.append(_MEANINGS.get(word, word))
    first, others = words[:1], translated[1:]
    if others and (
        (first[0] in _PASSWORDS and _OF_PASSWORDS.issuperset(others))
        or (_MEANINGS.get(first[0]) in _NOUNS or first[0] == "clave")
        and _KEYS.issuperset(others)
    ):
        if first[0] == "clave":
            is_password = _OF_PASSWORDS.issuperset(others) and "api" not in others
            return [*others, "password" if is_password else "key"]
        return [*others, translated[0]]
    return translated


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
    if last.endswith(_PASSWORD_ENDS) or (before, last) in (("pass", "phrase"), ("de", "passe")):
        return True
    return (
        last.endswith(("pass", "pwd", "pw"))
        and (2 if last.endswith("pw") else 5) < len(last) <= 16
        and last not in _NO_PASS
    )
