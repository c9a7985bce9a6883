"""The nouns for secrets and personal details, in many languages.

A question asks for them, and their values are in the next line, or in the same sentence.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

import re2

from webapp.redaction.prefilter import prepare
from webapp.redaction.rules.personal.identities import BIRTHS, SMALL, TERMS

_PASSWORD: Final = (
    r"pass(?:word|phrase|code|wd|wort)s?|\bpwd?\b|kennwort|wpa[23]?(?:[ -](?:psk|personal))?"
    r"[ -](?:key|psk)|wi-?fi[ -](?:key|code)"
    r"|(?:code|clé|clave|código|chave|codice|chiave)(?: (?:du|de la|del|de|do|della))?"
    r" (?:wi-?fi|wlan)|(?:wlan|netzwerk)-?(?:schlüssel|code)|mot de passe|\bmdp\b"
    r"|contraseña|clave de acceso"
    r"|\bsenha|palavra-passe|parola d['’]ordine|wachtwoord|hasło|hasła|lösenord|adgangskode"
    r"|passord(?:et)?|salasana|heslo|şifre|\bparola(?:nız|m|sı)?\b|mật khẩu|kata sandi(?:nya)?"
    r"|kata laluan|contrasenya"
    r"|nenosiri|парол|パスワード|密码|密碼|비밀번호"
    r"|(?:api|access|secret|private|licen[cs]e|encryption|signing|root|admin)[ -](?:key|secret"
    r"|token)"
    r"|api-?schlüssel|clé (?:api|d['’]accès|secrète)|clave (?:api|secreta)|chave (?:de api|secreta)"
    r"|client secret|\bpass\b|\bclave\b|\bp/w\b|\bcreds\b|credentials?|zugangsdaten"
    r"|identifiants|login details"
)
_CODE: Final = (
    r"what['’]?s?(?: is| was)? (?:the|your|his|her) (?:[a-z-]{1,12} )?code"
    r"|code (?:you|we|i) (?:received|got|sent|texted|were sent)|code (?:for|to|of) (?:the|your)"
    r" (?:front |back )?(?:door|gate|alarm|safe|garage|lock|building|phone|sim|entrance|house)"
    r"|mã (?:xác nhận|xác thực|otp)|kode (?:otp|verifikasi)|doğrulama kodu"
    r"|(?:whatsapp|signal|telegram|google|apple|steam|microsoft|facebook|paypal|discord) code"
    r"|確認コード|\bpin\b|\bpin-|\b[ot]tp\b|\btan\b|\bpuk\b|\bcv[vc]2?\b|暗証番号|認証コード|验证码|인증번호"
    r"|(?:front )?(?:verification|security|access|confirmation|authentication|one-time|login"
    r"|sign-in|2fa|mfa"
    r"|unlock|door|gate|alarm|entry|sms|authenticator|backup|recovery|safe|garage|lock|digit|card"
    r"|texted)[ -](?:code|pin|passcode|combination|combo)|lock ?box combo|one[ -]time password"
    r"|einmalpasswort"
    r"|(?:digits|number) on the (?:back|front)"
    r"|geheimzahl|keypad|key ?(?:safe|box)"
    r"|texted (?:me|us)|(?:got|received) an? (?:text|sms)|(?:text|sms) says"
    r"|code that|(?:three|four|six|drei|vier)[ -](?:digit|ziffern)"
    r"|(?:bestätigungs|sicherheits|zugangs|tür|tor|haus|alarm|garagen|entsperr|einmal|prüf|sms-|freischalt|verifizierungs)-?code"
    r"|code (?:pin|secret|d['’]accès|de vérification|de sécurité|reçu|de confirmation)"
    r"|reçu par sms|digicode"
    r"|código (?:pin|de verificación|de acceso|de seguridad|de verificação|de acesso|de segurança)"
    r"|codice (?:pin|di verifica|di sicurezza|di accesso)|kod (?:pin|weryfikacyjny|sms|dostępu)"
    r"|(?:verificatie|toegangs|beveiligings|pin)code"
)
_KEY: Final = r"\b(?:keys?|tokens?|secrets?|seed|session cookie)\b"
_BIRTH: Final = (
    r"(?:date|day|year) of (?:your )?birth|birth[ -]?da(?:te|y)|\bd\.?o\.?b\b|when (?:were"
    r"|was) (?:you|he|she|the (?:patient|child|applicant|policy ?holder)) born|\bborn\b|geboren"
    r"|\bn[ée]e? le\b|\bnac[íi] el|\bnacid[oa] el|\bnat[oa] il|född den|urodzon[ya]|родил(?:ся|ась)"
    r"|\bnasc(?:i|eu|id[oa]) (?:em|a|no dia)\b|geburts(?:datum|tag)"
    r"|wann (?:sind|bist|wurden|wurdest) (?:sie|du)\b[^\n?]{0,20}geboren"
    r"|\bn[ée]e?(?:\(e\))?[ -](?:vous|tu)|êtes-vous né|cuándo nac|quando (?:você )?nasc"
    rf"|生日(?:[是为為：:?？在 ]|\b)|{BIRTHS}"
)
_CARD: Final = (
    r"(?:credit |debit |bank )?card (?:number|details|no)|long number|(?:kredit|bank)?kartennummer"
    r"|kreditkarte|numéro de (?:la |votre )?carte|número de (?:la |su |tu )?tarjeta"
    r"|número do cartão|numero di carta|kaartnummer|カード番号|卡号"
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
    r"maiden name|mädchenname|first pet|(?:security|secret) (?:question|answer)"
    r"|geburtsname der mutter"
)

# RE2 knows the borders of words in ASCII alone.
_BOUNDED: Final = [rf"\b{one}" if one[0].isascii() else one for one in TERMS.split("|")]
_ID: Final = (
    rf"(?:{'|'.join(_BOUNDED)}|\b(?:my|his|her|the) social\b|\binsured\b|versichert|insurance"
    rf"|tax number|passnummer|(?:policy|member|subscriber|tax|licen[cs]e) (?:number|id)|licen[cs]e"
    rf"|\byour (?:{SMALL})\b|\bEIN\b|\bmy tin\b|\bacct\b\.?(?: ?#| no| number))"
)
_ADDRESS: Final = (
    r"\b(?:live at|lives? (?:at|in)|ship|send|deliver|delivery|address|home|moved to|parcel|courier"
    r"|pick me up|adresse|anschrift|lieferung|lieferadresse|wohne?t?|wohnhaft|residence|street"
    r"|vivo en|vivimos en|habito en|domicili[oe]|j['’]habite|nous habitons|abito (?:in|a)"
    r"|moro (?:na|no|em)|envíal[oa]|livre[zr]?|livraison|dirección|direction|indirizzo|adres)\b"
)
_ENTRY: Final = (
    r"\b(?:log(?:ged|ging)?[ -]?(?:in|on)(?:to)?|sign(?:ed)? in|get in(?:to)?"
    r"|gets (?:you|me|us|one) in(?:to)?|ssh into|ssh [\w.-]+@[\w.-]+|prompt(?:s|ed)?|einloggen"
    r"|anmelden|melde?t? (?:dich|euch)|connexion|connecter|connecte[sz]?-(?:toi|vous)"
    r"|entra(?:r|s|d)? como|inicia(?:r)? sesión|conéctate|accedi|acced[ea]r?|vpn"
    r"|authenticat[a-z]{1,4}|unlock(?:s|ed)?|decrypt(?:s|ed)?|protected|locked|wi-?fi|wlan)\b"
)
_LOCK: Final = r"\b(?:front door|gate|garage|safe|door|haustür|tresor|alarm)\b"

_PATTERNS: Final = {
    "code": _CODE,
    "key": _KEY,
    "birth": _BIRTH,
    "card": _CARD,
    "phone": _PHONE,
    "plate": _PLATE,
    "name": _NAMED,
    "password": _PASSWORD,
    "id": _ID,
    "address": _ADDRESS,
    "entry": _ENTRY,
    "lock": _LOCK,
}
NOUNS_NEEDS: Final = f"(?i:{'|'.join(_PATTERNS.values())})"
_NOUNS: Final = re2.compile(NOUNS_NEEDS)
_OF: Final = {subject: re.compile(one, re.IGNORECASE) for subject, one in _PATTERNS.items()}


class Noun(NamedTuple):
    """A noun at a place of a text, with its subject."""

    start: int
    end: int
    text: str
    subject: str


def list_nouns(text: str) -> list[Noun]:
    """List the nouns of a text, in their order."""
    spans = (noun.span() for noun in _NOUNS.finditer(prepare(text)))
    words = ((start, end, text[start:end]) for start, end in spans)
    return [
        Noun(start, end, word.lower(), _classify(word.lower()))
        for start, end, word in words
        # The German article, and no number of an employer.
        if word not in ("ein", "Ein")
    ]


@lru_cache(maxsize=1024)
def _classify(noun: str) -> str:
    return next((name for name, nouns in _OF.items() if nouns.fullmatch(noun)), "password")
