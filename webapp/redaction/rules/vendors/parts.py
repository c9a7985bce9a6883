"""Keys and tokens that are known by a part after their beginning, and links that are keys."""

from __future__ import annotations

import re
from typing import Final

from webapp.redaction.rules.kinds import Kind, is_mixed, is_no_placeholder, is_random, is_value

PARTS: Final[tuple[Kind, ...]] = (
    # A prefix of any vendor that names the kind.
    Kind(
        "api-key",
        tuple(
            f"_{middle}_"
            for middle in ("live", "test", "prod", "sandbox", "pat", "sk", "key", "secret")
            + ("token", "api", "apikey")
        ),
        re.compile(r"_[a-z]{2,8}_[A-Za-z0-9]{20,}+"),
        lambda secret: (
            is_no_placeholder(secret)
            and any(map(str.isdigit, secret))
            # Publishable, as its vendors say.
            and not re.match("(?:[0-9A-F]{2}|[a-z]{1,8}-)?(?:pk|pub)_", secret)
        ),
        reach=16,
        needs=r"_[a-z]{2,8}_[A-Za-z0-9]{20}",
    ),
    # Keys that end with the name of their vendor, or have it in the middle.
    Kind(
        "new-relic-key",
        ("NRAL",),
        re.compile("NRAL(?![A-Za-z0-9])"),
        lambda secret: len(secret) >= 40 and is_no_placeholder(secret),
        reach=36,
    ),
    Kind(
        "key",
        ("django-insecure-",),
        re.compile(r"django-insecure-[a-z0-9!@#$%^&*(_=+)-]{40,60}"),
        is_mixed,
    ),
    # The scheme of an address that names its kind.
    Kind(
        "api-key",
        ("secret-token:",),
        re.compile("secret-token:(?P<secret>[A-Za-z0-9_.~%-]{16,}+)"),
        is_no_placeholder,
    ),
    Kind(
        "database-token",
        ("prod:", "dev:", "preview:"),
        re.compile(r"[a-z]{3,7}:[a-z0-9-]{3,60}\|(?P<secret>[A-Za-z0-9+/_-]{30,}+={0,2})"),
        is_random,
        needs=r"(?:prod|dev|preview):[a-z0-9-]*\|",
    ),
    Kind(
        "api-key",
        (".",),
        re.compile(r"\.[A-Za-z0-9]{16}(?![A-Za-z0-9./-])"),
        lambda secret: (
            len(secret) == 49
            and re.match("[0-9a-f]{32}[.]", secret) is not None
            and is_mixed(secret[33:])
            and is_random(secret)
        ),
        reach=32,
        needs=r"[0-9a-f]{8}\.[A-Za-z0-9]{16}",
    ),
    Kind(
        "facebook-token",
        ("|", "%7C", "%7c"),
        re.compile(r"(?<=[0-9]{15})(?:\||%7[Cc])(?P<secret>[A-Za-z0-9_-]{27,40})(?![A-Za-z0-9_-])"),
        is_mixed,
        needs=r"[0-9](?:\||%7[Cc])[A-Za-z0-9_-]{8}",
    ),
    Kind(
        "api-key",
        ("-",),
        re.compile("(?<=[um][0-9]{7})-[0-9a-f]{24}(?![A-Za-z0-9-])"),
        lambda secret: len(secret) == 33 and is_no_placeholder(secret),
        reach=8,
        needs="[um][0-9]{7}-[0-9a-f]{8}",
    ),
    Kind(
        "maxmind-key",
        ("_mmk",),
        re.compile("_mmk(?![A-Za-z0-9_])"),
        lambda secret: len(secret) == 40 and is_no_placeholder(secret),
        reach=36,
    ),
    Kind(
        "mailgun-key",
        ("-",),
        re.compile("-[0-9a-f]{8}-[0-9a-f]{8}(?![A-Za-z0-9-])"),
        lambda secret: re.match("[0-9a-f]{32}-", secret) is not None and is_no_placeholder(secret),
        reach=32,
        needs="[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}",
    ),
    Kind(
        "ngrok-token",
        ("_",),
        re.compile("_[A-Za-z0-9]{21}(?![A-Za-z0-9_-])"),
        lambda secret: len(secret) == 49 and is_random(secret),
        reach=27,
        needs="[A-Za-z0-9]{8}_[A-Za-z0-9]{21}",
    ),
    # A signed cookie of Express.
    Kind(
        "session",
        ("s%3A",),
        re.compile(
            r"s%3A(?P<secret>[A-Za-z0-9_-]{20,64}\.(?:[A-Za-z0-9]|%2[BF]){40,50}(?:%3D){0,2})"
        ),
        is_random,
    ),
    Kind(
        "ably-key",
        (".",),
        re.compile(r"\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
        is_no_placeholder,
        reach=6,
        needs=r"\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{43}",
    ),
    Kind(
        "twitch-token",
        ("oauth:",),
        re.compile(r"oauth:(?P<secret>[a-z0-9]{30}(?![A-Za-z0-9_-])|[a-z0-9]{15,29}\Z)"),
        is_mixed,
    ),
    Kind(
        "database-token",
        ("AstraCS:",),
        re.compile("AstraCS:[A-Za-z0-9]{20,30}:[0-9a-f]{64}"),
        is_no_placeholder,
    ),
    Kind(
        "dropbox-token",
        ("AAAAAAAAAA",),
        re.compile("AAAAAAAAAA[A-Za-z0-9_-]{43}(?![A-Za-z0-9_+/=-])"),
        # Pictures in base64 have more of them together.
        lambda secret: (
            len(secret) == 64
            and "AAAA" not in secret.replace("A" * 10, "", 1)
            and is_no_placeholder(secret)
        ),
        reach=11,
    ),
    Kind(
        "azure-key",
        ("AZDO", "JQQJ99", "AzFu", "AzSe", "ACDb"),
        re.compile("(?:AZDO|JQQJ99|AzFu|AzSe|ACDb)[A-Za-z0-9]{4,100}={0,2}(?![A-Za-z0-9=])"),
        lambda secret: (
            len(secret.rstrip("=")) in (52, 54, 56, 84, 86) and is_no_placeholder(secret)
        ),
        reach=80,
    ),
    Kind(
        "mailchimp-key",
        ("-us",),
        re.compile("-us[0-9]{1,2}(?![A-Za-z0-9-])"),
        lambda secret: len(secret) >= 36 and is_no_placeholder(secret),
        reach=32,
        needs="[0-9a-f]-us[0-9]",
    ),
    Kind(
        "asana-token",
        ("1/", "2/"),
        re.compile("(?<![0-9])[12]/[0-9]{15,20}/[0-9]{15,20}:[0-9a-f]{32}(?![A-Za-z0-9])"),
        is_no_placeholder,
        needs="[12]/[0-9]{15}",
    ),
    Kind(
        "asana-token",
        (":",),
        re.compile(":[0-9a-f]{32}(?![A-Za-z0-9])"),
        lambda secret: secret.partition(":")[0].isdigit() and len(secret) >= 45,
        reach=20,
        needs="[0-9]:[0-9a-f]{32}",
    ),
    Kind(
        "wallet-key",
        ("5H", "5J", "5K", "K", "L"),
        re.compile(
            r"(?<![A-Za-z0-9+/=_-])(?:5[HJK][1-9A-HJ-NP-Za-km-z]{49}|[KL][1-5][1-9A-HJ-NP-Za-km-z]{50})"
            r"(?![A-Za-z0-9+/=_-])"
        ),
        is_no_placeholder,
        needs="(?:^|[^A-Za-z0-9+/=_-])(?:5[HJK]|[KL][1-5])[1-9A-HJ-NP-Za-km-z]{20}",
    ),
    Kind(
        "slack-webhook",
        ("hooks.slack.com/",),
        re.compile(r"hooks\.slack\.com/[a-z]{1,20}/(?P<secret>[A-Za-z0-9/+_-]{20,}+)"),
        is_no_placeholder,
    ),
    Kind(
        "webhook",
        (
            "/api/webhooks/",
            ".webhook.office.com/",
            ".office.com/webhook/",
            "hooks.zapier.com/hooks/catch/",
        ),
        re.compile(
            r"(?:/api/webhooks/(?=[0-9]{1,30}/)|(?:\.webhook)?\.office\.com/[a-z0-9]{1,20}/"
            r"|hooks\.zapier\.com/hooks/catch/)(?P<secret>[A-Za-z0-9@/_-]{12,}+)"
        ),
        is_no_placeholder,
    ),
    # Of any host: the last part of the path is the key.
    Kind(
        "webhook",
        ("hook",),
        re.compile(
            r"hooks?[0-9]?(?:\.[a-z0-9-]{1,40}){0,4}(?::[0-9]{2,5})?/(?:[A-Za-z0-9@._-]{1,40}/){0,6}"
            r"(?P<secret>[A-Za-z0-9_-]{20,}+)(?![A-Za-z0-9./])"
        ),
        lambda secret: len(secret) != 40 and any(map(str.isdigit, secret)) and is_random(secret),
        needs=r"hooks?[0-9]?[a-z0-9.:-]*/[A-Za-z0-9@._/-]{20}",
    ),
    Kind(
        "google-key",
        (":APA91b",),
        re.compile(r":APA91b[A-Za-z0-9_-]{40,}+"),
        is_no_placeholder,
        reach=40,
    ),
    Kind(
        "telegram-token",
        (":AA",),
        re.compile(r":AA(?:[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])|[A-Za-z0-9_-]{8,31}\Z)"),
        lambda secret: (
            re.match("[A-Za-z]{0,4}[0-9]{7,}:", secret) is not None and is_no_placeholder(secret)
        ),
        reach=12,
    ),
    Kind(
        "azure-secret",
        ("Q~",),
        re.compile(r"(?<=[0-9])Q~(?:[A-Za-z0-9_.~-]{31,36}|[A-Za-z0-9_.~-]{10,30}\Z)"),
        is_no_placeholder,
        reach=4,
        needs="[0-9]Q~",
    ),
    Kind(
        "terraform-token",
        (".atlasv1.",),
        re.compile(r"\.atlasv1\.(?:[A-Za-z0-9_=-]{40,}+|[A-Za-z0-9_=-]{16,}+\Z)"),
        is_value,
        reach=16,
    ),
    Kind(
        "discord-token",
        (".",),
        re.compile(
            r"\.[A-Za-z0-9_-]{6}\.(?:[A-Za-z0-9_-]{27,38}(?![A-Za-z0-9_-])|[A-Za-z0-9_-]{8,26}\Z)"
        ),
        lambda secret: (
            (
                # The digits of an id in base64.
                re.match("(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5}", secret) is not None
                or (secret[0] in "MNO" and secret.find(".") >= 23 and len(secret) >= 58)
            )
            and is_no_placeholder(secret)
        ),
        reach=30,
        needs=r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{8}",
    ),
)
"""Kinds with a part in the middle that no other text has."""
