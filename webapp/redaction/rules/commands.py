"""Secrets that commands take: in flags, after users, in here-strings, on standard input."""

from __future__ import annotations

import re
from typing import Final

from webapp.redaction.rules.forms import ARGUMENT, TWO_STRINGS, ignoring_case, is_argument
from webapp.redaction.rules.kinds import (
    Kind,
    has_digit,
    is_mixed,
    is_phrase,
    is_random,
    is_strong,
    is_value,
)
from webapp.redaction.rules.shapes import is_told

_FLAGS: Final = r"(?: -{1,2}[a-z][a-z-]{0,30}(?:[ =][^\s\"'-][^\s]{0,100})?){0,6}"
_WORD: Final = r"[\"']?[\w./:-]{1,100}[\"']?"


def _is_secret(secret: str) -> bool:
    return len(secret) >= 5 and is_argument(secret) and not secret.startswith(("@", "file:", "<"))


def _is_strong(secret: str) -> bool:
    return _is_secret(secret) and is_strong(secret)


def _is_here(secret: str) -> bool:
    return (
        _is_strong(secret) and re.search(r"[{}\[\]]|\A\$|\A[\w./-]+\.[a-z]{1,5}\Z", secret) is None
    )


COMMANDS: Final[tuple[Kind, ...]] = (
    ignoring_case(
        "secret",
        "gh secret set|glab variable set|glab secret",
        r"(?:gh|glab) [a-z]{5,9}(?: set)? [^\n|;]{0,200}?(?:(?:--body|-b|--value|-v)[ =])"
        + ARGUMENT,
        _is_secret,
    ),
    ignoring_case(
        "secret",
        "glab variable set|user-secrets set|env:set|secrets set|secret set|credential set"
        "|kubectl create secret",
        rf"[a-z:-]{{3,12}}(?:[ :]set)?{_FLAGS} {_WORD}(?:[ ]|=)" + ARGUMENT,
        _is_strong,
    ),
    ignoring_case(
        "secret",
        "--secret-string|--secret-value|keyvault secret set|put-parameter|create-secret"
        "|put-secret-value",
        r"(?:--secret-(?:string|value)|keyvault secret set[^\n|;]{0,300}? --value"
        r"|put-parameter(?=[^\n]{0,400}securestring)[^\n|;]{0,300}? --value)[ =]" + ARGUMENT,
        _is_secret,
    ),
    ignoring_case(
        "secret",
        "encrypt_string|travis encrypt|cargo login|kubeseal --raw",
        rf"[a-z_-]{{5,14}}(?: [a-z-]{{5,8}})?{_FLAGS} " + ARGUMENT,
        _is_strong,
    ),
    ignoring_case(
        "password",
        "http |https |xh |ab |hey |httpie |wrk |aria2c |lftp |ncftp |smbclient |rpcclient "
        "|winexe |smbmap |net |mount.cifs |crackmapexec |nxc ",
        r"[a-z0-9.]{2,12} (?:[^\n|;]{0,200}? )?(?:-a|--auth|-u"
        r"|--user)[ =][\"']?[\w.@\\/+-]{1,80}[:%,](?P<secret>[^\s\"'|;]{3,200})",
        _is_strong,
        r"(?:-[au]|--auth|--user)[ =][\"']?[\w.@\\/+-]+[:%,]",
    ),
    ignoring_case(
        "password",
        "mysqladmin|add_user|change_password|wifi connect|wpa_passphrase|kinit|createuser|smbpasswd"
        "|http-basic.|set-password|adduser",
        r"(?:mysqladmin[^\n|;]{0,200}? password|(?:add_user|change_password|wpa_passphrase) "
        r"[^\s]{1,64}|wifi connect [^\n|;]{1,64}? password|http-basic\.[^\s]{1,80} [^\s]{1,64}"
        r"|set-password [^\s]{1,64}) " + ARGUMENT,
        _is_strong,
    ),
    ignoring_case(
        "password",
        "sp_addlogin|sp_addlinkedsrvlogin|sp_password",
        r"sp_[a-z]{4,20}[^\n;]{0,300},\s{0,9}n?'(?P<secret>[^'\n]{3,200})'\s{0,9}(?:;|\n|\Z)",
        _is_secret,
    ),
    ignoring_case(
        "password",
        "<(echo |<(printf ",
        r"<\((?:echo|printf) (?:-n |%s |'%s' )?" + ARGUMENT,
        _is_strong,
    ),
    ignoring_case(
        "password",
        "<<<",
        r"<<<[ ]?(?P<quote>[\"']?)(?:[\w.-]{1,40}:)?(?P<secret>[^\s\"'|;]{3,200})(?P=quote)"
        r"(?=[\s;|)&<'\"}]|\Z)",
        _is_here,
    ),
    ignoring_case(
        "secret",
        "echo |printf ",
        r"(?:echo|printf) (?:-n |-e |-ne |'%s' |\"%s\" |%s )?[\"']?"
        r"(?P<secret>[^\s\"'|]{3,200})[\"']?"
        r"\s{0,4}\|[^\n|]{0,200}(?:secrets? (?:create|set|put|add|versions)|secret put|--with-token"
        r"|env add|--body-file|--data-file=-|auth login|login)",
        _is_strong,
        r"(?:echo|printf) [^\n|]*\|",
    ),
    ignoring_case(
        "password",
        "assword|assphrase|kennwort|passwort",
        r"(?:assword|assphrase|kennwort|passwort)[^\"'\n]{0,16}[\"'][^\n\"']{0,20}"
        r"(?:\n[^\n\"']{0,40})?"
        r"\bsend[a-z]{0,12}[\s(]{1,4}(?:--\s)?[\"'](?P<secret>[^\"'\\\n]{3,200})",
        _is_secret,
        r"send[a-z]*[ (]+(?:-- )?[\"']",
    ),
    ignoring_case(
        "password",
        'send "|send -- "',
        r"send (?:-- )?\"(?P<secret>[^\"'\\\n ]{5,100})(?:\\[rn]){1,2}\"(?=[^\n]{0,60}passw)",
        _is_strong,
    ),
    ignoring_case(
        "password",
        "stdin.write(|sendline(|sudo -s",
        r"(?:sudo -s[^\n]{0,100}\n[^\n\"']{0,60}stdin\.write|sendline)\([bru]{0,1}[\"']"
        r"(?P<secret>[^\"'\\\n]{5,200})",
        lambda secret: _is_strong(secret) and is_value(secret) and " " not in secret,
    ),
    ignoring_case(
        "token",
        "login ",
        r"login (?:--token |-t )?(?P<secret>[a-z0-9_.-]{20,200})(?![^\s<\"'`])",
        is_random,
        r"login ",
    ),
    # A user, and then a password, of any command.
    ignoring_case(
        "password",
        " -u | --user| --login | -l | -d ",
        r" -{1,2}(?:u|l|d|user(?:name)?|login)[ =][^\n|;]{1,120}? (?:-p|--pass(?:word|wd)?)[ =]?"
        + ARGUMENT,
        _is_strong,
        r" -{1,2}(?:u|l|d|user(?:name)?|login)[ =]",
    ),
    ignoring_case(
        "key",
        "--key|--auth|--value|--string-value|--otp|--login|--secret-access",
        r"--[a-z-]{3,24}[ =]" + ARGUMENT,
        is_random,
        r"--(?:key|auth|value|string-value|otp|login|secret-access)[a-z-]*[ =]",
    ),
    ignoring_case(
        "password",
        "net use ",
        r"net use [^\s]{2,100} (?:[^\s]{3,100} )??(?P<secret>[^\s/\"'][^\s\"']{3,200}) ?/user:",
        _is_strong,
    ),
    ignoring_case(
        "password",
        ".py |impacket-",
        r"(?:\.py|impacket-[a-z]{3,20}) (?:-{1,2}[a-z-]{1,20} ){0,4}[\"']?(?:[\w.-]{1,40}/)?"
        r"[\w.$-]{1,40}:[\"']?(?P<secret>[^\s\"']{4,100})[\"']?@[\w.-]{2}",
        _is_strong,
        r"(?:\.py|impacket-[a-z]+) (?:-[a-z-]+ )*[^\s]*:[^\s]*@",
    ),
    # A user and a password in one word.
    ignoring_case(
        "password",
        "auth |auth=|credential|creds |creds:|login=|login:|login |account |userpass|]:",
        r"(?:auth|credentials?|creds|login|account|userpass|\]:[0-9]{1,5})"
        r"(?:(?<!account)[ ](?:for|to|on|of)(?:[ ][\w.-]{1,30}){1,2}?)?(?:[ ](?:is|are))?[ =:]{1,3}"
        r"[\"'`]?[\w.@+-]{1,60}:(?P<secret>[^\s\"'/:,;][^\s\"':,;]{4,100})",
        lambda secret: _is_strong(secret) and is_told(secret),
        r"(?:auth|credentials?|creds|login|account|userpass|\]:[0-9]+)"
        r"(?: (?:for|to|on|of)[ \w.-]+)?(?: (?:is|are))?[ =:]+"
        r"[\"'`]?[\w.@+-]+:",
    ),
    # Fields of forms that a test fills, by the end of their selector.
    ignoring_case(
        "password",
        "assword|passwd|pwd|passcode|passphrase|secret|token|api-key|api_key|apikey|otp|asswort"
        "|ennwort|contraseña|ot de passe|senha",
        r"(?:assword|passwd|pwd|passcode|passphrase|secret|token|api[-_]?key|otp|asswort|ennwort"
        r"|contraseña|ot de passe|senha)[\"'`\])}]{1,4}"
        r"(?:\s{0,9}(?:\.\s?[a-z_]{1,20}\([^()\n]{0,20}\)){0,2}\.\s?"
        r"(?:type|fill|send_?keys|set_?value|set|enter_?text|press_?sequentially|input|clear_and_type)"
        r"\(|\s{0,2},)\s{0,4}[\"'](?P<secret>[^\"'\n]{4,200}?)(?:\{[a-z]{2,9}\})?[\"']",
        lambda secret: _is_secret(secret) and (is_told(secret) or is_phrase(secret)),
        r"(?:assword|passwd|pwd|passcode|passphrase|secret|token|api[-_]?key|otp|asswort|ennwort"
        r"|contraseña|ot de passe|senha)[\"'`\])}]+[\s.,]",
    ),
    # A parameter that its store keeps encrypted.
    Kind(
        "secret",
        ('"SecureString"',),
        re.compile(
            r"\"SecureString\"[^{}]{0,200}?\"Value\"\s{0,4}:\s{0,4}\"(?P<secret>[^\"\n]{3,4096})\""
        ),
        is_value,
    ),
    # A line of a jar of cookies.
    Kind(
        "cookie",
        ("TRUE\t", "FALSE\t"),
        re.compile(
            r"(?:TRUE|FALSE)\t(?:/[^\t\n]{0,200})\t(?:TRUE|FALSE)\t[0-9]{1,12}\t[^\t\n]{1,100}\t"
            r"(?P<secret>[^\s]{8,4096})"
        ),
        lambda secret: is_value(secret) and (is_mixed(secret) or len(secret) >= 20),
    ),
    Kind(
        "credential",
        ("334 UGFzc3dvcmQ6",),
        re.compile(
            r"334 UGFzc3dvcmQ6(?:\r?\n|\\r\\n)(?:C: |> ?)?"
            r"(?P<secret>[A-Za-z0-9+/]{4,400}={0,2})(?!\w)"
        ),
        lambda secret: len(secret) % 4 == 0,
    ),
    # What Windows prints of a network, and the settings of one.
    ignoring_case(
        "password",
        "key content|schlüsselinhalt|contenu de la clé|contenido de la clave|contenuto chiave",
        r"[a-zé ü]{11,22}\s{0,20}: (?P<secret>[^\n]{8,63}?)(?=[ \t]*(?:\r?\n|\Z))",
        is_value,
    ),
    ignoring_case(
        "password",
        'psk="',
        r"psk=\"(?P<secret>[^\"\n]{8,63})\"",
        is_value,
    ),
    # What an expression of a workflow was evaluated to.
    ignoring_case(
        "secret",
        "evaluating: secrets.",
        r"evaluating: secrets\.\w{1,80}[^\n]{0,40}\n(?:[^\n]{0,80}\n){0,2}?[^\n]{0,40}=> ?'"
        r"(?P<secret>[^'\n]{4,4096})'",
        is_value,
    ),
    ignoring_case(
        "password",
        "auth",
        r"auth[\"']?\s{0,2}[:=]\s{0,2}[\[(]\s{0,4}[\w.@+-]{1,60}\s{0,2},\s{0,4}"
        r"(?P<secret>[^\s\"'`,;()\[\]]{6,100})\s{0,2}[\])]",
        lambda secret: _is_strong(secret) and is_told(secret),
        r"auth[\"']?\s*[:=]\s*[\[(]",
    ),
    # Calls without parentheses, and options of requests.
    ignoring_case(
        "password",
        "basic_auth |http_basic_authenticate_with |digest_auth ",
        r"[a-z_]{10,28} " + TWO_STRINGS,
    ),
    ignoring_case(
        "password",
        "userpwd",
        r"userpwd[\"']?\s{0,4}(?:,|=>|=|:)\s{0,4}[\"'][^\s:\"']{1,100}:"
        r"(?P<secret>[^\"'\n]{3,200})[\"']",
    ),
    Kind(
        "credential",
        ("AUTH PLAIN ", "AUTH LOGIN ", "AUTH XOAUTH2 ", "AUTHENTICATE PLAIN "),
        re.compile(
            r"AUTH(?:ENTICATE)? (?:PLAIN|LOGIN|XOAUTH2) "
            r"(?P<secret>[A-Za-z0-9+/]{8,400}={0,2})(?!\w)"
        ),
        lambda secret: len(secret) % 4 == 0 and is_mixed(secret),
    ),
    Kind(
        "password",
        ("AUTH ", "{PLAIN}", "{CLEAR}", "{CLEARTEXT}", "{plain}", " on >", " resetpass >")
        + (" LOGIN ", "::add-mask::"),
        re.compile(
            r"(?:AUTH (?:[a-z][\w-]{0,40} )?|\{(?:PLAIN|CLEAR|CLEARTEXT|plain)\}| (?:on"
            r"|resetpass) >| LOGIN [\w.@+-]{2,60} \"?|::add-mask::)"
            r"(?P<secret>[^\s\"'`|<>]{6,200})(?=\s|\Z|\"|')"
        ),
        lambda secret: _is_strong(secret) and is_told(secret),
    ),
    Kind(
        "signature",
        ("ignature",),
        re.compile(
            r"ignature(?:-[0-9]{1,3})?[\"']?[=:][ ]?[\"']?"
            r"(?:sha[0-9]{1,3}=|t=[0-9]{10},v1=|v[01]=)?"
            r"(?P<secret>[0-9a-f]{40,128}|[A-Za-z0-9%+/_-]{27,100}={0,2})"
        ),
        has_digit,
    ),
    ignoring_case(
        "password",
        "ssh-keygen ",
        r"ssh-keygen [^\n|;]{0,200}?-[np] ?" + ARGUMENT,
        is_argument,
    ),
    ignoring_case(
        "password",
        "openssl ",
        r"openssl [^\n|;]{0,200}? -(?:k|pass|passin|passout|password) (?:pass:)?" + ARGUMENT,
        lambda secret: is_argument(secret) and not secret.startswith(("env:", "file:", "stdin")),
    ),
    ignoring_case(
        "password",
        "useradd |usermod |htpasswd -|net user |xfreerdp |rdesktop |mstsc |schtasks "
        "|nickserv |/ns ",
        r"(?:user(?:add|mod) [^\n|;]{0,200}?-p |htpasswd -[a-z]{0,6}b[a-z]{0,6} [^\s]{1,200} "
        r"[^\s]{1,64} |net user [^\s]{1,64} |schtasks [^\n|;]{0,300}? /rp "
        r"|(?:/ns|nickserv) :?identify (?:[^\s]{1,32} )?"
        r"|(?:xfreerdp|rdesktop|mstsc) [^\n|;]{0,200}?[ ][/-]p[: ])" + ARGUMENT,
        is_argument,
    ),
    ignoring_case(
        "secret",
        "--from-literal",
        r"--from-literal[= ][\"']?(?!(?:db[-_]?)?(?:user(?:name)?|host|port|region)=)[\w.-]{1,100}="
        + ARGUMENT,
    ),
    ignoring_case(
        "password",
        "mc alias set|snmp",
        r"(?:mc alias set [^\s]{1,40} [^\s]{1,100} [^\s]{1,64} "
        r"|snmp[a-z]{3,9} [^\n|;]{0,200}?-[xc] )" + ARGUMENT,
        lambda secret: is_argument(secret) and len(secret) >= 6,
    ),
)
