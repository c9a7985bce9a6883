"""Codes that people enter: of doors, of cards, of telephones, and those that are sent once."""

from __future__ import annotations

import re
from typing import Final

from webapp.redaction.rules.forms import ignoring_case
from webapp.redaction.rules.kinds import Kind, is_value

_QUOTES: Final = r"[\"'`“„«‘*(]{0,3}"
_CODES: Final = (
    "verification code|security code|access code|door code|entry code|gate code|alarm code"
    "|unlock code|confirmation code|authentication code|login code|backup code|recovery code"
    "|one-time code|sign-in code|safe code|2fa code|mfa code|bestätigungscode|sicherheitscode"
    "|zugangscode|türcode|einmalcode|einmal-code|sms-code|freischaltcode|aktivierungscode"
    "|verifizierungscode|voicemail code|lock code|garage code|pairing code|token code|vpn token"
    "|safe combination|passcode|lösenkod|codice di verifica|código pin|verificatiecode"
    "|code de vérification|code d'accès|code secret|code de sécurité|code de validation"
    "|code de confirmation|code à usage unique|código de verificación|código de acceso"
    "|código de seguridad|código de confirmación|código de verificação|código de acesso"
    "|código de segurança|código de confirmação|codice di accesso|codice di sicurezza"
    "|codice di conferma|toegangscode|beveiligingscode|bevestigingscode|inlogcode|kod pin|kod sms"
    "|kod weryfikacyjny|kod dostępu|verifieringskod|säkerhetskod|engångskod|bekreftelseskode"
    "|engangskode|adgangskode|doğrulama kodu|geheimzahl|code pin|pin code|pin number|one-time pin"
    "|one-time password|one-time passcode|one time password|einmalpasswort|einmalkennwort"
    "|authenticator code|validation code|activation code|sms code|pickup code|tan|mtan|pushtan"
    "|tan-code|mtan-code|smstan|sms-tan|push-tan|chiptan|phototan|photo-tan|itan|digicode"
    "|code d'entrée|code d’entrée"
    "|enter the code|enter code|enter this code|type the code|puk|keypad code|lockbox code|kenncode"
    "|your code|dein code|ihr code|euer code|ton code|votre code|meeting code|meeting passcode"
    "|clave dinámica|pincode|debit card pin|credit card pin"
)
_FOR: Final = r"(?:[ ](?:for|of|to|für|zu|de|du|del)[ ][\w '-]{1,30}?)?"
_SAYS: Final = (
    r"[\"'`*_]{0,3}(?:['’]s|</[a-z]{1,6}>|[ ](?:nr|no)\.|[ ](?:has )?changed to"
    r"|,(?=[ ][0-9]{6}(?![0-9]))|(?:[ ]number)?(?:[ ]?#|[ ]\([^()\n]{1,20}\))?"
    r"(?:[ ](?:is|was|ist|lautet|est|es|are|è|é|jest|er|är|to|[-–—])|[ \u00a0]?[:：="
    r"|]))[\"'`*]{0,3}"
)
_OF_NO_THING: Final = "".join(
    f"(?<!{thing} )"
    for thing in ("level", "stage", "chapter", "mission", "episode", "line", "page", "version")
    + ("year", "step", "port", "model", "achievement", "season", "error", "release")
    + ("world", "weapon", "skin", "item", "map", "character")
)
"""Is not after the noun of another number, as in `the unlock code for level 2048`."""
_CLOSES: Final = (
    r"(?=[.!?]?(?:\s*\Z|[ ]{0,9}\||[\"'`)*&<\\\n]|[,;:]|[.!?]\s|[ ](?:and|und|et|y|or|for|für|zur"
    r"|zum|pour|para|to|bitte|please|if|when|now|then|dann|expires?|läuft|arrived|came|works?"
    r"|worked|did|does|didn|doesn|just|again|but|on|can|could|will|would|i|you|we|it|why|so|because"
    r"|thanks|thx|danke|merci|gracias)\b)|[ ][-–—(])"
)
_LOCKED: Final = (
    r"(?:front |back |main )?(?:door|gate|garage|alarm(?: system)?|safe|lock(?:box|er)?|key ?box"
    r"|building|lobby|phone|voicemail"
    r"|tor|tür|haustür|garage|alarmanlage|tresor|schloss|handy|porte|portail|alarme|coffre|puerta|portón|portone|poort"
    r"|caja fuerte|alarma|porta|cancello|cassaforte|vpn|locker|bike|luggage|suitcase)"
)
_ENTERED_AT: Final = "|".join(
    f"(?<={place}[ -])"
    for place in ("door", "entry", "gate", "alarm", "access", "unlock", "security", "verification")
    + ("authentication", "login", "one-time", "sign-in", "safe", "2fa", "mfa", "lock", "lockbox")
    + ("garage", "pairing", "building", "pickup")
)
_MIXED: Final = "(?=[a-z]{0,7}[0-9])(?=[0-9]{0,7}[a-z])[a-z0-9]{4,10}"


def _is_mixed_code(secret: str) -> bool:
    """Return whether a code is of digits, or of digits and capitals, and not of one character."""
    return len(set(secret)) > 1 and secret.upper() == secret


def _is_of_device(secret: str) -> bool:
    """Return whether two groups are of capitals, and no words, years or numbers of models."""
    is_word = re.search("[AEIOU]", secret) is not None and secret.replace("-", "").isalpha()
    if re.match("[A-Z]{3}-[0-9]|(?:UTF|HTTP|IEEE|ANSI|ECMA|JIRA)-", secret):
        return False
    return secret.upper() == secret and re.search("[A-Z]", secret) is not None and not is_word


CODES: Final[tuple[Kind, ...]] = (
    ignoring_case(
        "pin",
        "code",
        rf"(?:{_ENTERED_AT}|(?<=tür)|(?<=zugangs)|(?<=sicherheits)|(?<=digi))codes?{_FOR}{_SAYS}"
        r"[ ]{1,2}"
        rf"{_QUOTES}(?P<secret>{_MIXED})[#*]?{_CLOSES}",
        _is_mixed_code,
    ),
    ignoring_case(
        "pin",
        "pin|otp|token|" + _CODES,
        rf"(?<![\w-])(?:(?:pin|token(?= for ))(?:[ -](?:code|number|nummer))?{_FOR}{_SAYS}|"
        rf"(?:otp|{_CODES}){_FOR}(?:{_SAYS})?)"
        rf"[ ]{{1,2}}{_QUOTES}{_OF_NO_THING}(?!(?<=alarm code )[0-9]{{1,8}}:[ ][a-z])"
        rf"(?P<secret>[0-9]{{4,8}}|[0-9]{{3}}[ -][0-9]{{3}}|[0-9]{{2}}(?:[ -][0-9]{{2}}){{2}})[#*]?"
        rf"{_CLOSES}",
        lambda secret: len(set(secret)) > 1,
    ),
    # Of several groups, some of them without a digit.
    ignoring_case(
        "pin",
        "recovery|backup|scratch|wiederherstellung",
        r"[a-z]{6,17}(?:s?[ _-]?code|s?[ ]?key)s?[\"'`*]{0,3}"
        rf"(?:{_FOR}{_SAYS}|[ ](?:has been |was )?(?:set |reset )?to):?"
        rf"[ ]{{0,2}}{_QUOTES}(?P<secret>[a-z0-9]{{4,8}}(?:-[a-z0-9]{{4,8}}){{1,7}})(?![\w-])",
        lambda secret: any(map(str.isdigit, secret)) and is_value(secret),
        r"(?:recovery|backup|scratch|wiederherstellung)s?[ _-]?(?:code|key)"
        r"[^\n]*[ :=\"'`*][a-z0-9]{4,8}-[a-z0-9]{4}",
    ),
    ignoring_case(
        "pin",
        "code |codice |código |combination |combo |kombination ",
        r"(?<![\w-])(?<!error )(?<!status )(?:code|codice|código|combination|combo|kombination)[ ]"
        r"(?:for (?:the|my|our)|to (?:the|my|our)|of the|fürs|für (?:das|die|den)|zum|zur|vom|du"
        r"|de la|de l['’]|della|del|per il|per la)[ ]?"
        rf"(?:[\w-]{{1,16}}[ ])?{_LOCKED}{_SAYS}[ ]{{1,2}}{_QUOTES}"
        rf"(?P<secret>[0-9]{{4,8}}|[0-9]{{1,2}}(?:-[0-9]{{1,2}}){{2}}|{_MIXED})[#*]?{_CLOSES}",
        _is_mixed_code,
        r"(?:code|codice|código|combination|kombination) [^\n]*[0-9]",
    ),
    ignoring_case(
        "pin",
        "pin ",
        r"(?<![\w-])pin (?P<secret>(?!19|20)[0-9]{4})"
        r"(?= (?:for|für|zur|zum|pour|para) (?:the|my|your|die|das|den|la|le|el) )",
        lambda secret: len(set(secret)) > 1,
        "pin [0-9]{4} ",
    ),
    ignoring_case(
        "pin",
        "unlock",
        r"unlock(?:s|ed|ing)?(?: [\w'’-]{1,16}){0,5}? (?:with|using|by)(?: (?:code|pin|the code))? "
        r"[\"'`]?(?P<secret>[0-9]{4,8})" + _CLOSES,
        lambda secret: len(set(secret)) > 1,
        r"unlock[^\n]* [0-9]{4}",
    ),
    ignoring_case(
        "pin",
        "cvv|cvc|cvn|card verification|security code|prüfziffer|kartenprüfnummer|prüfnummer"
        "|code on the back|digits on the back|number on the back|code auf der rückseite"
        "|cryptogramme|code de sécurité|código de seguridad|codice di sicurezza|beveiligingscode",
        r"(?<![a-z])(?:cv[vcn]2?|cryptogramme|code de sécurité|código de seguridad"
        r"|codice di sicurezza|beveiligingscode|card verification (?:code|value|number)"
        r"|security code|(?:code|digits|number) on the back|code auf der rückseite|prüfziffer"
        r"|(?:karten)?prüfnummer)(?:[ ](?:is|code|number|nr|ist|lautet))?"
        r"[\"'`*]{0,2}(?:['’]s)?(?:[ ]\([^()\n]{1,20}\))?"
        r"(?:[ ](?:of|for)(?:[ ][\w'’-]{1,16}){1,3}?)?(?:[ ][-–—]|,|</[a-z]{1,6}>"
        r"|[ ](?:nr|no)\.|[ ](?:has )?changed to)?[ :=#|]{1,3}[\"'`*]{0,2}"
        r"(?P<secret>[0-9]{3,4})(?![\w-]|[.,][0-9])",
        lambda secret: len(set(secret)) > 1,
        r"(?:cv[vcn]2?|card verification|security code|on the back|auf der rückseite"
        r"|prüf|cryptogramme|code de sécurité|código de seguridad|codice di sicurezza"
        r"|beveiligingscode)[a-z \"'’`*:=#|(),.<>/–—-]*[0-9]{3}",
    ),
    ignoring_case(
        "pin",
        "暗証番号|验证码|校验码|動態密碼|驗證碼|認証コード|確認コード|ワンタイムパスワード"
        "|인증번호|код подтверждения",
        r"[^\n0-9]{2,18}?[^\n0-9]{0,12}(?P<secret>[0-9]{4,8})(?![0-9]|[.][0-9])",
        lambda secret: len(set(secret)) > 1,
    ),
    # Asked whether it is one.
    ignoring_case(
        "pin",
        "is ",
        r"(?<!\w)is (?P<secret>[0-9]{3,8}) (?:the|my|your|his|her) "
        rf"(?:otp|pin|cv[vc]2?|{_CODES})(?!\w)",
        lambda secret: len(set(secret)) > 1,
        "is [0-9]{3,8} (?:the|my|your|his|her) ",
    ),
    ignoring_case(
        "pin",
        "use |enter |gib |utilisez |usa ",
        r"(?:use|enter|gib|utilisez|usa) (?:the code |code )?(?:g-)?"
        r"(?P<secret>[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})"
        r" (?:to (?:verify|log|sign|confirm|complete|authorize|reset)|as your|zum|zur|pour|para)\b",
        lambda secret: len(set(secret)) > 1,
        "(?:use|enter|gib|utilisez|usa) (?:the code |code )?(?:g-)?[0-9]{3}",
    ),
    ignoring_case(
        "pin",
        "authenticator|puk",
        r"(?:authenticator(?: app)?(?: shows| says|:)|puk(?:-?code|[12])?(?: is|:| ist)?) "
        r"[\"'`]?(?P<secret>[0-9]{3} ?[0-9]{3}|[0-9]{4,8})(?![0-9]|[.][0-9])",
        lambda secret: len(set(secret)) > 1,
    ),
    ignoring_case(
        "pin",
        "use otp |otp |one-time password |your |tan |code |código |codice |kod |код|kodunuz",
        r"(?:use otp|otp|one-time password|(?:mobile|push|sms)?tan(?: lautet| ist|:)"
        r"|your (?:[a-z0-9.-]{2,20} )?code|(?:(?<=seu )|(?<=tu )|(?<=su ))código|(?<=il tuo )codice"
        r"|(?:(?<=o )código|(?<=el )código|(?<=il )codice|(?<=le )code|(?<=der )code)(?= (?:é|es"
        r"|è|est"
        r"|lautet) [0-9]{5})|(?:(?<=je )|(?<=uw )|(?<=votre )|(?<=ton )|(?<=dein )|(?<=ihr ))code"
        r"|(?<=twój )kod"
        r"|(?:(?<=ваш )|(?<=твой ))код|kodunuz)"
        r"(?: is| é| es| è| est| to| lautet| ist)?:? (?P<secret>[0-9]{4,8}"
        r"|[0-9]{3}[ -][0-9]{3})(?![0-9]|[.][0-9])",
        lambda secret: len(set(secret)) > 1,
    ),
    ignoring_case(
        "pin",
        "code |code: |código |código: |codice ",
        r"(?<!error )(?<!status )(?<!exit )(?<!return )(?<!response )(?<!result )(?<!area )"
        r"(?<!zip )(?<!postal )(?<!discount )[a-zó]{4,6}:? "
        r"(?P<secret>[0-9]{4,8}|[0-9]{3}[ -][0-9]{3}|[0-9]{2}(?:[ -][0-9]{2}){2})[.,;]? "
        r"(?:\(?valid|\(?expires|is valid|will expire|ist gültig|gültig"
        r"|läuft|est valable|expire|es válido|para verificar|to verify|zur bestätigung"
        r"|(?:for your|für (?:ihre|deine)|pour votre|para su|para tu|para o seu|per il tuo)"
        r" (?:log-?in|sign-?in|anmeldung|registrierung|connexion|acceso|accesso|acesso)"
        # Whom nobody may be told.
        r"|(?:please )?(?:do not|don['’]t|never) (?:share|tell|give|disclose|forward)"
        r"|(?:bitte )?(?:nicht|niemals|nie) (?:weiter|mit)|teilen sie|no l[oa]s? (?:compart|d[eé])"
        r"|nunca l|ne (?:le )?(?:partage|communique|donne|divulgue)"
        r"|não (?:o )?(?:compartilh|partilh)|non (?:condivid|comunic))",
        lambda secret: len(set(secret)) > 1,
        "(?:code|código|codice):? [0-9]{2}",
    ),
    # After another detail of the same account or card.
    Kind(
        "pin",
        ("PIN ", "PUK ", "TAN "),
        re.compile(r"(?<=[,;/+&] )(?:PIN|PUK|TAN) (?P<secret>[0-9]{4,8})(?![\w-]|[.,:][0-9])"),
        lambda secret: len(set(secret)) > 1,
    ),
    # What another device shows, in two groups of capitals.
    ignoring_case(
        "pin",
        "code",
        rf"(?:{_ENTERED_AT}|(?<=device )|(?<=activation )|(?<=user )"
        r"|(?<=tv )|(?<=link )"
        r"|(?<=enrolment )|(?<=enrollment )|(?<=the )|(?<=this )|(?<=your ))code"
        r"(?: (?:is|ist|lautet|shown|displayed|on (?:the|your) [a-z]{2,12})"
        rf"|:){{0,2}}[ ]{{1,2}}{_QUOTES}(?P<secret>[a-z0-9]{{3,4}}-[a-z0-9]{{3,4}})(?![\w-])",
        _is_of_device,
        r"code[a-z: ]*[ \"'`“„«‘*(]+[a-z0-9]{3,4}-[a-z0-9]{3}",
    ),
)
