"""Bare answers to a question for a secret or a personal detail, in the same text or the next one.

`What is your date of birth?` names the line after it, which is a bare date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import re2

from webapp.redaction.prefilter import Prefilter, encode
from webapp.redaction.rules.kinds import (
    FUNCTION_WORDS,
    SecretPlace,
    is_made,
    is_mixed,
    is_told,
    is_value,
)
from webapp.redaction.rules.names import OF_DATA, OF_IDS
from webapp.redaction.rules.personal.identities import (
    DATE,
    OF_OUR_TIME,
    SMALL,
    TERMS,
    is_number,
    is_plate,
)

QUESTION: Final = "question: "
"""Begins the name of a text that answers the question after it."""


class _Asked(NamedTuple):
    """The subject of a question: its nouns, the form of an answer, and whether an answer is one."""

    kind: str
    nouns: str
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


_PASSWORD: Final = (
    r"pass(?:word|phrase|code|wd|wort)s?|\bpwd?\b|kennwort|wpa2?[ -]key|wi-?fi[ -](?:key|code)"
    r"|(?:wlan|netzwerk)-?(?:schlüssel|code)|mot de passe|\bmdp\b|contraseña|clave de acceso"
    r"|\bsenha|palavra-passe|parola d['’]ordine|wachtwoord|hasło|hasła|lösenord|adgangskode"
    r"|passord|salasana|heslo|şifre|парол|パスワード|密码|密碼|비밀번호"
    r"|(?:api|access|secret|private|license|encryption|signing|root|admin)[ -](?:key|secret|token)"
    r"|api-?schlüssel|clé (?:api|d['’]accès|secrète)|clave (?:api|secreta)|chave (?:de api|secreta)"
    r"|client secret|credentials?|zugangsdaten|identifiants|login details"
)
_CODE: Final = (
    r"what['’]?s?(?: is| was)? (?:the|your|his|her) (?:[a-z-]{1,12} )?code"
    r"|code (?:you|we|i) (?:received|got|sent|texted|were sent)|code (?:for|to|of) (?:the|your)"
    r" (?:front |back )?(?:door|gate|alarm|safe|garage|lock|building|phone|sim|entrance|house)"
    r"|確認コード|\bpin\b|\bpin-|\b[ot]tp\b|\btan\b|\bpuk\b|\bcv[vc]2?\b|暗証番号|認証コード|验证码|인증번호"
    r"|(?:verification|security|access|confirmation|authentication|one-time|login|sign-in|2fa|mfa"
    r"|unlock|door|gate|alarm|entry|sms|authenticator|backup|recovery|safe|garage|lock|digit|card"
    r"|texted)[ -](?:code|pin|passcode|combination)"
    r"|one[ -]time password|einmalpasswort"
    r"|(?:digits|number) on the (?:back|front)"
    r"|geheimzahl"
    r"|(?:bestätigungs|sicherheits|zugangs|tür|einmal|prüf|sms-|freischalt|verifizierungs)-?code"
    r"|code (?:pin|secret|d['’]accès|de vérification|de sécurité|reçu|de confirmation)"
    r"|código (?:pin|de verificación|de acceso|de seguridad|de verificação|de acesso|de segurança)"
    r"|codice (?:pin|di verifica|di sicurezza|di accesso)|kod (?:pin|weryfikacyjny|sms|dostępu)"
    r"|(?:verificatie|toegangs|beveiligings|pin)code"
)
_KEY: Final = r"\b(?:keys?|tokens?|secrets?|seed|session cookie)\b"
_BIRTH: Final = (
    r"(?:date|day|year) of (?:your )?birth|birth[ -]?da(?:te|y)|\bd\.?o\.?b\b"
    r"|when (?:were|was) (?:you|he|she|the (?:patient|child|applicant|policy ?holder)) born"
    r"|geburts(?:datum|tag)|wann (?:sind|bist|wurden|wurdest) (?:sie|du)\b[^\n?]{0,20}geboren"
    r"|date de naissance|\bn[ée]e?(?:\(e\))?[ -](?:vous|tu)|êtes-vous né|fecha de nacimiento"
    r"|cuándo nac|data de nascimento"
    r"|quando (?:você )?nasc|data di nascita|geboortedatum|data urodzenia|födelsedatum|fødselsdato"
    r"|дат[ау] рождения|生年月日|誕生日|出生日期|生日|생년월일"
)
_CARD: Final = (
    r"(?:credit |debit |bank )?card (?:number|details|no)|long number|(?:kredit|bank)?kartennummer"
    r"|kreditkarte|numéro de (?:la |votre )?carte|número de (?:la |su |tu )?tarjeta"
    r"|número do cartão"
    r"|numero di carta|kaartnummer|カード番号|卡号"
)
_PHONE: Final = (
    r"(?:phone|mobile|cell|telephone|contact|call-?back|daytime) (?:number|no)\b|\bmobile\b"
    r"|number (?:can|should|may|could|do) (?:we|i|you)|(?:best|your) number|telefon(?:nummer)?"
    r"|handynummer|rufnummer|numéro de (?:téléphone|portable)|teléfono|telefone|telemóvel|celular"
    r"|numero di telefono|telefoonnummer|numer telefonu|телефон|電話番号|电话|手机|전화"
)
_PLATE: Final = (
    r"(?:licen[cs]e|number|registration) plate|(?:vehicle )?registration|kennzeichen|matrícula"
    r"|kenteken"
)
_NAMED: Final = (
    r"maiden name|mädchenname|first pet|security (?:question|answer)|geburtsname der mutter"
)

_ID_FORM: Final = r"[A-Z0-9](?:[ ./-]{0,3}[A-Z0-9]){5,22}"
_ASKED: Final = (
    _Asked(
        "pin",
        _CODE,
        r"(?:G-)?[0-9](?:[ -]?[0-9]){2,8}[#*]?|[A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{4,8}){1,7}",
        lambda answer: _has_digits(2 if "-" in answer else 3)(answer),
    ),
    _Asked("api-key", _KEY, r"[A-Za-z0-9+/_=.~-]{16,300}", is_made),
    _Asked("birth-date", _BIRTH, DATE, lambda answer: OF_OUR_TIME.search(answer) is not None),
    _Asked("card", _CARD, r"[0-9](?:[ .-]{0,2}[0-9]){11,18}", _has_digits(12)),
    _Asked("phone", _PHONE, r"\+?\(?[0-9](?:[ ./()-]{0,3}[0-9]){6,14}", _is_phone),
    _Asked("id-number", rf"{TERMS}|\byour (?:{SMALL})\b", _ID_FORM, _is_id),
    _Asked("number-plate", _PLATE, r"[A-ZÄÖÜ0-9]{1,4}(?:[ -]?[A-ZÄÖÜ0-9]{1,4}){1,3}", is_plate),
    _Asked("password", _NAMED, r"[A-ZÀ-Þ][\w'’-]{2,24}", is_value),
    _Asked(
        "password",
        _PASSWORD,
        r"[!#-&(-+./-~À-ɏЀ-ӿ-]{4,100}|[a-z]{3,12}(?:[ ][a-z]{3,12}){3,11}",
        _is_password,
    ),
)
_LINK: Final = (
    r"(?:sure|ok(?:ay)?|yes|yep|yeah|of course|certainly|absolutely|no problem|thanks|hi|hello"
    r"|here(?: it is| you go|['’]s)?|it['’]?s|it is|it was|that['’]?s|that is|this is|is|was|my|the"
    r"|that would be|should be|use|try|number|code|password|pin|i think|i believe|well|um|uh|please"
    r"|one moment|let me see|born|on|(?:i was|i['’]m) born(?: on)?|und|natürlich|klar|ja|gerne?"
    r"|moment|das ist"
    r"|es ist|er ist|sie ist|das wäre|lautet|ist|bitte|also|meine?|am|ich bin|oui|bien sûr|voilà"
    r"|voici|c['’]est"
    r"|alors|est|le|la|mon|ma|sí|si|claro|por supuesto|aquí(?: está| tiene)?|el|es|mi|sim|é|meu"
    r"|minha"
    r"|certo|è|il|mio|ecco|tak|to|jasne|jest|det är|det er|het is|はい|です|是|네)"
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
    r"[\"'”“`*)]{0,3}(?:[.!。,;]?[ \t]*(?:[\r\n\"'}\]]|\Z)|[,;.!][ ]|です"
    r"|[ ](?:and|und|et|y|e|but|if|[–—-]|i think|i believe|thanks|danke|merci|gracias|please"
    r"|bitte)\b)",
    re.IGNORECASE,
)
_WHOLE: Final = re.compile(r"(?![\w/]|[.,:-]\w)")
"""The end of a number or a date, which a sentence may go on after."""

_QUESTION_END: Final = re.compile(
    r"(?<=[?？])(?=[ ])|(?<=[?？:.!。)}\"'\w])(?=[ \t]*\r?\n)|(?<=？)"
)
_ASKS: Final = re.compile(
    r"[?？]|\b(?:what|which|when|need|please|give|send|tell|provide|enter|type|confirm|verify|share"
    r"|supply|state|input|require|asked|wie|welche|wann|bitte|nennen|geben|gib|sagen|brauche"
    r"|brauchen"
    r"|benötige|benötigen|quel|quelle|donne[rz]?|indique[rz]?|saisi\w+|entre[rz]|besoin|cuál|dime"
    r"|dígame|introduzca|necesito|qual|informe|digite|preciso|quale|inserisca|geef|podaj|proszę"
    r"|ange"
    r"|skriv)\b|教|入力|请|告诉|何|いつ|무엇|알려|введите|назовите|[:：]\s*\Z",
    re.IGNORECASE,
)
_HOW: Final = re.compile(
    r"\b(?:how (?:do|can|could|should|would|to|many|long|often)|why|wie (?:kann|viele|lang|oft)"
    r"|pourquoi|combien|por qué|cuánt[oa]s|cómo"
    r"|(?:best|your) number of (?!the|your)\w+)\b",
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
_NO_CODE: Final = re.compile(
    r"(?:exit|error|status|return|result|zip|post(?:al)?|country|area|promo|discount|coupon|product"
    r"|item|source|booking|tracking|colou?r|airport|https?|response|dress|qr|bar|time|voucher"
    r"|currency|language|region|state|reason|close|course|class|part|program|python|java|sample"
    r"|postleitzahl|fehler|produkt|エラー|郵便)[ -]?(?:codes?|コード)"
    r"|codes? (?:block|snippet|review|path|example|sample|base)|\b(?:stand for|mean)\b",
    re.IGNORECASE,
)
_NO_KEY: Final = re.compile(
    rf"\b(?:{'|'.join(sorted(OF_DATA | OF_IDS))})[ _-]?(?:key|token|secret)s?\b", re.IGNORECASE
)
_REACH: Final = 200
_HOW_REACH: Final = 60
_NOUNS: Final = re2.compile(rf"(?i:{'|'.join(one.nouns for one in _ASKED)})")
_NOUNS_OF: Final = tuple(re.compile(one.nouns, re.IGNORECASE) for one in _ASKED)
_FORMS: Final = tuple(
    (re.compile(one.form), _END if one.kind in ("password", "pin") else _WHOLE) for one in _ASKED
)
ANSWERS_NEEDS: Final = _NOUNS.pattern
_HAS_NOUN: Final = Prefilter((ANSWERS_NEEDS,))
PERSONAL_ANSWERS: Final = frozenset(one.kind for one in _ASKED) - {"password", "pin", "api-key"}


def asks(text: str) -> bool:
    """Return whether the end of a text asks for a secret or a personal detail."""
    return _find_asked(text[-_REACH:]) is not None


def find_answers(text: str, question: str = "") -> Iterator[SecretPlace]:
    """Yield the answers to questions, each directly after its question or in the next line.

    `question` is the end of the text before, which the beginning of `text` may answer.
    """
    if question:
        yield from _find_answer(text, 0, question)
    for border in _QUESTION_END.finditer(text):
        at = border.end()
        line = text[max(at - _REACH, 0) : at].rstrip().rpartition("\n")[2]
        yield from _find_answer(text, at, line)


def _find_answer(text: str, at: int, question: str) -> Iterator[SecretPlace]:
    lead = _LEAD.match(text, at)
    if lead is None or not text[lead.end() : lead.end() + 1].strip():
        return
    answers = {
        number: match
        for number, (form, end) in enumerate(_FORMS)
        if (match := form.match(text, lead.end())) and end.match(text, match.end())
    }
    asked = _find_asked(question[-_REACH:]) if answers else None
    if asked in answers:
        answer = answers[asked]
        secret = answer[0].rstrip(".!?:")
        if _ASKED[asked].accepts(secret):
            yield SecretPlace(_ASKED[asked].kind, answer.start(), answer.start() + len(secret))


@lru_cache(maxsize=1024)
def _classify_noun(noun: str) -> int:
    return next((at for at, nouns in enumerate(_NOUNS_OF) if nouns.fullmatch(noun)), 0)


@lru_cache(maxsize=4096)
def _find_asked(question: str) -> int | None:
    """Find the last subject of a question."""
    if not _HAS_NOUN.find(encode(question)):
        return None
    nouns = list(_NOUNS.finditer(question))
    if not nouns:
        return None
    noun = nouns[-1]
    asked = _classify_noun(noun[0])
    line = question.strip().rpartition("\n")[2].rpartition('"')[2]
    # The label of a field is alone in its line.
    is_label = len(noun[0]) * 2 >= len(line) and noun[0] in line
    if (
        not (is_label or _ASKS.search(question))
        or _ABOUT.match(question, noun.end())
        or _HOW.search(question, max(noun.start() - _HOW_REACH, 0))
        or (_ASKED[asked].kind == "pin" and _NO_CODE.search(question))
        or (_ASKED[asked].kind == "api-key" and _NO_KEY.search(question))
    ):
        return None
    return asked
