"""Secrets that a program printed: the line below a command that names or makes one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from webapp.redaction.rules.context import SecretPlace, is_told
from webapp.redaction.rules.kinds import is_random
from webapp.redaction.rules.names import Shape, classify, has_shape

_MAKERS: Final = (
    r"pwgen|pwqgen|mkpasswd|makepasswd|apg|xkcdpass|openssl[ ]rand|openssl[ ]passwd"
    r"|secrets\.token_|wg[ ](?:genkey|genpsk)|generate[-_ ](?:key|secret|password|token)"
    r"|print-(?:access|identity|refresh)-token|get-session-token|auth[ ]token|create[ ]token"
    r"|get-login-password|initial-password|reset-password"
)
_COMMAND: Final = re.compile(
    r"(?:[$#>%❯»][ \t]{1,3}|^(?=(?:cat|kubectl|vault|op|pass|aws|gcloud|az|terraform|printenv) ))"
    r"(?P<command>[^\n]{3,400})\r?\n"
    r"[ \t>+|]{0,8}(?P<secret>[^\s\"'`]{6,4096})[ \t]*\r?$",
    re.MULTILINE,
)
_MAKER: Final = re.compile(rf"(?<![\w-])(?:{_MAKERS})")
_NAME: Final = re.compile(r"[A-Za-z][\w-]{2,60}")
_NO_SECRET: Final = re.compile(
    r"[^\s]*[/\\][^\s]*[/\\.]|[^\s:]{1,80}:[0-9]{1,6}(?::|\Z)|[^\s]*[(){};]"
)

PRINTED_NEEDS: Final = (
    r"(?:[$#>%❯»][ \t]+(?:sudo )?|(?m:^))(?:cat|echo|printenv|op|pass|vault|bao|kubectl|oc|aws"
    r"|gcloud|az|security"
    r"|bw|terraform|tofu|pulumi|heroku|gh|glab|fly|doppler|infisical|consul|etcdctl|jq|yq|grep|gpg"
    r"|age|sops|docker|podman|python3?|node|ruby|php|openssl|pwgen|pwqgen|mkpasswd|makepasswd|apg"
    r"|xkcdpass|wg|head|tail|cut|awk|sed|env|argocd|helm|flask|rails|secret-tool"
    r"|keyring|get|show)[ \t]"
)
"""An expression of RE2 that matches every text with a command whose output can be a secret."""


def find_printed(text: str) -> Iterator[SecretPlace]:
    """Yield the words that are alone in the line below a command about a secret."""
    for match in _COMMAND.finditer(text):
        secret = match["secret"]
        if _NO_SECRET.match(secret) and not is_random(secret):
            continue
        if _MAKER.search(match["command"]):
            if is_told(secret) or is_random(secret):
                yield SecretPlace("secret", *match.span("secret"))
            continue
        for name in reversed(_NAME.findall(match["command"])):
            kind, shape = classify(name) or ("", Shape.COOKIE)
            if shape is not Shape.COOKIE:
                if is_told(secret) and has_shape(secret, shape, is_quoted=True):
                    yield SecretPlace(kind, *match.span("secret"))
                break
