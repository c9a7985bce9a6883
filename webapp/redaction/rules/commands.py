"""Secrets that commands take: in flags, behind users, in here-strings, on standard input."""

from __future__ import annotations

import re
from typing import Final

from webapp.redaction.rules.context import is_strong
from webapp.redaction.rules.forms import ARGUMENT, ignoring_case, is_argument
from webapp.redaction.rules.kinds import Kind, is_random, is_value

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
        "|winexe |smbmap |net "
        "|mount.cifs |crackmapexec |nxc ",
        r"[a-z0-9.]{2,12} (?:[^\n|;]{0,200}? )?(?:-a|--auth|-u"
        r"|--user)[ =][\"']?[\w.@\\+-]{1,80}[:%,]"
        r"(?P<secret>[^\s\"'|;]{3,200})",
        _is_strong,
        r"(?:-[au]|--auth|--user)[ =][\"']?[\w.@\\+-]+[:%,]",
    ),
    # A user and a password that belong together in one word, of `--user=`, `-d`, `user:`.
    ignoring_case(
        "password",
        "mysqladmin|add_user|change_password|wifi connect|wpa_passphrase|kinit|createuser"
        "|smbpasswd"
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
        r"(?=[\s;|)&]|\Z)",
        _is_here,
    ),
    ignoring_case(
        "secret",
        "echo |printf ",
        r"(?:echo|printf) (?:-n |-e |-ne |'%s' |\"%s\" |%s )?[\"']?"
        r"(?P<secret>[^\s\"'|]{3,200})[\"']?"
        r"\s{0,4}\|[^\n|]{0,200}(?:secrets? (?:create|set|put|add|versions)|secret put"
        r"|--with-token"
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
        "stdin.write(|sendline(|sudo -s",
        r"(?:sudo -s[^\n]{0,100}\n[^\n\"']{0,60}stdin\.write|sendline)\([bru]{0,1}[\"']"
        r"(?P<secret>[^\"'\\\n]{5,200})",
        lambda secret: _is_strong(secret) and is_value(secret) and " " not in secret,
    ),
    ignoring_case(
        "token",
        "login ",
        r"login (?:--token |-t )?(?P<secret>[a-z0-9_.-]{20,200})(?![^\s])",
        is_random,
        r"login ",
    ),
)
