"""Keys and tokens that are known by the prefix that their vendor gives them."""

from __future__ import annotations

import re
from typing import Final

from webapp.redaction.rules.kinds import (
    Kind,
    is_mixed,
    is_no_placeholder,
    is_random,
    split_words,
)

_ELISION: Final = r"(?:\*{2,4096}|\.{3}|…|•{2,4096}|\[\.{3}\])"

_WORD: Final = r"[A-Za-z0-9]"
_DASHED: Final = r"[A-Za-z0-9_-]"
_DOTTED: Final = r"[A-Za-z0-9_.-]"
_BASE64: Final = r"[A-Za-z0-9+/=_-]"

# The kind, the pattern after the prefix, and prefixes. Prefixes that are words of other texts too
# have a longer pattern.
_TOKENS: Final[tuple[tuple[str, str, str], ...]] = (
    # Models.
    ("api-key", _DASHED + "{16,}+", "sk-"),
    ("api-key", _WORD + "{30,}+", "sess- gsk_ xai- pplx- csk-"),
    (
        "api-key",
        _DASHED + "{30,}+",
        "nvapi- tvly- wandb_v1_ tgp_v1_ pcsk_ jina_ pylf_v1_ voyage- hcaik_ pa- nk- AQ.",
    ),
    ("api-key", _WORD + "{22,}+", "hf_ r8_ api_org_ fw_ fc- wandb_ KGAT_"),
    ("api-key", r"[0-9a-f-]{20,}+", "pk-lf- sk-lf-"),
    ("api-key", _DASHED + "{24,}+", "lsv2_pt_ lsv2_sk_ ls__ phx_ psk_ e2b_ bb_live_"),
    ("api-key", _DASHED + "{40,}+", "sk_ os_v2_app_ os_v2_org_ s-s4t2ud- s-s4t2af-"),
    ("api-key", r"[0-9a-f]{34}(?![A-Za-z0-9])", "pk_"),
    ("api-key", _WORD + "{22}(?![A-Za-z0-9])", "ak- as-"),
    ("api-key", _WORD + "{24,}+", "aio_ unkey_ rpa_ apify_api_ cmVmd esecret_"),
    ("api-key", _WORD + "{16,}+", "tr_prod_ tr_dev_ tr_stg_ eraser_ sm_aat_ sm_pat_ sm_sat_"),
    ("api-key", r"[0-9a-f]{40,}+", "slk_ rootly_ crsr_"),
    ("api-key", r"\+[A-Za-z0-9_-]{16,}+", "pdus endr"),
    ("api-key", r"[0-9a-fA-F]{32}_[A-Za-z0-9]{22}(?![A-Za-z0-9])", "KEY"),
    ("api-key", r"[A-Za-z0-9]{6,40}(?:\.[A-Za-z0-9]{4,20}|(?!))*+(?:==)?", "WPL_AP1."),
    ("api-key", _DASHED + "{20,}+", "vk1.a."),
    ("api-key", _WORD + "{28,}+", "BBFF- AKLT"),
    ("api-key", r"[0-9a-f]{32}(?![A-Za-z0-9_-])", "server_"),
    ("api-key", r"[0-9a-f]{8}-[0-9a-f-]{27}", "sec-c- xaat- xapt-"),
    ("api-key", _WORD + "{100,}+", "sk IGQV IGQW"),
    ("google-key", r"[A-Z0-9]{50,60}(?![A-Za-z0-9])", "GOOG1E"),
    ("api-key", r"[A-Za-z0-9+/=]{40,}+", "dG9rO"),
    ("api-key", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", "NF- p8e-"),
    ("api-key", r"[A-Za-z0-9]{38}(?![A-Za-z0-9_-])", "4b1d"),
    ("api-key", r"[A-Za-z0-9_-]{44}(?![A-Za-z0-9_-])", "b_"),
    ("api-key", r"\.[A-Za-z0-9_-]{11}\.[A-Za-z0-9_-]{32}", "api_live api_sandbox"),
    ("api-key", r"\.[A-Za-z0-9_-]{22}\.[0-9A-Za-z]{24}\.[A-Za-z0-9]{20}", "pat sat"),
    (
        "api-key",
        r"[a-z0-9]{5,30}\.[a-z0-9]{4,6}\.acc[_-][a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}",
        "sc_ ext_ scauth_ authress_",
    ),
    ("api-key", r"[A-Z0-9]{26}(?![A-Za-z0-9-])", "API-"),
    ("api-key", r"[A-Za-z0-9_-]{26}-[A-Za-z0-9_-]{52}", "dnkey-"),
    ("api-key", r"[a-z0-9]{10}(?![A-Za-z0-9])", "ggtt-v- ggtl-v-"),
    (
        "api-key",
        _DASHED + "{16,}+",
        "AIK_CI_ AIK_CLIENT_ pina_ polar_at_ polar_oat_ polar_pat_ ucat_ vtwn_ tss_ lip_ cog_ prf_"
        " persona_production_ persona_sandbox_ sk_car_ gcntfy- eyJtaXJv $aact_prod_ $aact_hmlg_",
    ),
    ("api-key", _DASHED + "{8,}+", "dvc_server_ dvc_client_ dvc_mobile_"),
    ("api-key", r"[0-9a-f-]{36}(?![A-Za-z0-9-])", "sk_ sk_test_ sk_sbox_"),
    ("api-key", r"[0-9a-f]{28,}+", "packagist_ort_ packagist_out_ packagist_acs_ packagist_ack_"),
    ("api-key", _BASE64 + "{60,}+", "apk_ apk_user_ ATAT"),
    ("api-key", r"[A-Za-z0-9_-]{8,60}\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{40,}+", "wrka- wrkasa-"),
    ("api-key", r"(?:_ca|_us|_eu)?\.[A-Za-z0-9_-]{20,}+", "api_live api_sandbox"),
    ("api-key", r"[A-Za-z0-9]{10,}+", "Mid-server- SB-Mid-server-"),
    ("swarm-token", r"[A-Za-z0-9+/-]{40,}+", "SWMTKN-1- SWMKEY-1-"),
    ("database-token", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{40}", "CCDB1_"),
    ("jenkins-secret", _BASE64 + "{30,}+", "AQAAABAAAA"),
    ("zoho-token", r"\.[0-9a-f]{32}\.[0-9a-f]{32}(?![A-Za-z0-9])", "1000"),
    ("linkedin-token", _DASHED + "{80,}+", "AQV AQX"),
    ("spotify-token", _DASHED + "{120,}+", "BQ"),
    ("nostr-key", r"[02-9ac-hj-np-z]{58}(?![A-Za-z0-9])", "nsec1"),
    ("api-key", r"[A-Za-z0-9_-]{27,29}(?![A-Za-z0-9_-])", "BSA"),
    ("sourcegraph-token", r"[A-Za-z0-9_]{40,}+", "sgp_ sgamp_"),
    ("amazon-secret", r"[0-9a-f-]{36,}+", "amzn1.oa2-cs.v1. amzn.mws."),
    ("discord-token", r"[A-Za-z0-9_-]{80,}+", "mfa."),
    ("infisical-token", r"[0-9a-f-]{24,36}\.[0-9a-f]{32}\.[0-9a-f]{32}", "st."),
    (
        "paseto",
        _DOTTED + "{30,}+",
        "v1.local. v2.local. v3.local. v4.local. v1.public. v2.public. v3.public. v4.public.",
    ),
    ("salesforce-token", r"[A-Za-z0-9]{12,15}![A-Za-z0-9._-]{60,}+", "00D"),
    ("twitter-token", r"[A-Za-z0-9]{4,60}%[A-Za-z0-9%]{30,}+", "AAAAAAAAAAAAAAAAAAAA"),
    ("1password-key", r"[A-Z0-9]{6}-(?:[A-Z0-9]{5,11}-){2,4}[A-Z0-9]{1,5}(?![A-Za-z0-9-])", "A3-"),
    ("organization", _WORD + "{16,}+", "org-"),
    ("project", _WORD + "{16,}+", "proj_"),
    # Code, packages and their builds.
    ("github-token", _WORD + "{20,}+", "ghp_ gho_ ghu_ ghs_ ghr_"),
    ("github-token", r"[A-Za-z0-9_]{20,}+", "github_pat_"),
    (
        "gitlab-token",
        _DOTTED + "{16,}+",
        "glpat- gldt- glrt- glrtr- glptt- glcbt- gloas- glsoat- glft- glimt- glagent- glffct-"
        " GR1348941",
    ),
    ("atlassian-token", _BASE64 + "{20,}+", "ATATT3 ATCTT3 ATBB ATTA ATOA"),
    ("npm-token", _WORD + "{30,}+", "npm_"),
    ("pypi-token", _DASHED + "{40,}+", "pypi-"),
    ("package-token", r"[0-9a-f]{40,}+", "rubygems_"),
    ("package-token", _WORD + "{28,}+", "cio CLOJARS_ oy2 AKCp"),
    ("docker-token", _DASHED + "{20,}+", "dckr_pat_ dckr_oat_"),
    ("vault-token", _DASHED + "{20,}+", "hvs. hvb. hvr."),
    ("vault-token", _WORD + "{24}(?![A-Za-z0-9_-]|[.][A-Za-z0-9])", "s. b."),
    ("vault-token", _DASHED + "{80,}+", "b.AAAAAQ"),
    (
        "ci-token",
        _DOTTED + "{20,}+",
        "snyk_uat. snyk_sat. bkua_ bkct_ bkpt_ bkar_ bkaj_"
        " CCIPAT_ CCIPRJ_ pul- squ_ sqp_ sqa_ snyk_ buildkite_",
    ),
    ("ci-token", _BASE64 + "{40,}+", "BBDC- ptr_"),
    ("sentry-token", _BASE64 + "{30,}+", "sntrys_ sntryu_ sntrya_"),
    ("doppler-token", _DOTTED + "{20,}+", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit."),
    ("1password-token", _BASE64 + "{40,}+", "ops_eyJ"),
    ("age-key", r"[0-9A-Z]{20,}+", "AGE-SECRET-KEY-1"),
    # Clouds and hosting.
    ("aws-key-id", r"[A-Z0-9]{16}(?![A-Za-z0-9])", "AKIA ASIA ABIA ACCA"),
    ("aws-key", _BASE64 + "{80,}+", "IQoJb3JpZ2lu FwoGZXIv FQoGZXIv"),
    ("aws-key", _BASE64 + "{30,}+", "ABSK bedrock-api-key-"),
    ("google-key", _DASHED + "{30,}+", "AIza"),
    ("google-token", _DOTTED + "{20,}+", "ya29."),
    ("google-token", _DASHED + "{20,}+", "1//0"),
    ("google-secret", _DASHED + "{20,}+", "GOCSPX-"),
    ("digitalocean-token", _WORD + "{30,}+", "dop_v1_ doo_v1_ dor_v1_"),
    ("alibaba-key", r"[A-Za-z0-9]{8,30}(?![A-Za-z0-9])", "LTAI"),
    ("tencent-key", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", "AKID"),
    ("yandex-token", _BASE64 + "{30,}+", "AQVN y0_"),
    ("yandex-token", r"[A-Za-z0-9_-]{30,200}\.[A-Za-z0-9_-]{80,}+", "t1."),
    ("scaleway-key", r"[0-9A-Z]{17}(?![A-Za-z0-9])(?<!SCW[A-Z]{17})", "SCW"),
    ("yandex-key", r"[A-Za-z0-9_-]{38}(?![A-Za-z0-9_-])", "YC"),
    (
        "hosting-token",
        _DASHED + "{20,}+",
        "nfp_ nfc_ nfo_ vcp_ vci_ vca_ vck_ rnd_ HRKU- render_ vercel_blob_rw_",
    ),
    ("hosting-token", _BASE64 + "{40,}+", "fo1_ fm1a_ fm1r_ fm2_"),
    ("cloudflare-token", _DASHED + "{30,}+", "v1.0- cfut_ cfat_ cfk_"),
    ("tailscale-key", _DASHED + "{16,}+", "tskey-"),
    ("openshift-token", _DASHED + "{40,}+", "sha256~"),
    # Data.
    (
        "database-token",
        _DASHED + "{20,}+",
        "sbp_ sb_secret_ pscale_tkn_ pscale_pw_ pscale_oauth_",
    ),
    ("database-token", _WORD + "{32,}+", "napi_"),
    ("database-token", _BASE64 + "{50,}+", "cflt"),
    ("database-token", _DASHED + "{18,}+", "AVNS_"),
    ("databricks-token", r"[0-9a-f]{32}(?:-[0-9])?", "dapi dose dkea"),
    ("airtable-token", r"[A-Za-z0-9]{14}\.[0-9a-f]{24,}+", "pat"),
    # Messages.
    ("slack-token", r"[a-eoprs]-[A-Za-z0-9%_-]{10,}+", "xox xoxe.xox"),
    ("slack-token", r"[A-Za-z0-9%+/=_-]{10,}+", "xoxd-"),
    ("slack-token", r"[A-Za-z0-9-]{20,}+", "xapp-"),
    ("sendgrid-key", r"[A-Za-z0-9_-]{60,}+", "SG."),
    ("sendgrid-key", r"[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}+", "SG."),
    ("sendgrid-key", r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{6,}+", "SG."),
    ("twilio-key", r"[0-9a-fA-F]{32}(?![A-Za-z0-9])", "SK AC"),
    ("mailgun-key", r"[0-9a-f]{32}(?![A-Za-z0-9])", "key- pubkey-"),
    ("mail-key", _DASHED + "{20,}+", "xkeysib- xsmtpsib- md- re_ mlsn."),
    # Payment and commerce.
    ("stripe-key", r"(?:live|test|prod)_[A-Za-z0-9]{10,}+", "sk_ rk_"),
    ("webhook-secret", _BASE64 + "{16,}+", "whsec_"),
    ("square-token", _DASHED + "{20,}+", "sq0atp- sq0csp- sq0idp- EAAAE EAAAl"),
    (
        "paypal-token",
        r"\$[0-9a-z]{10,}+\$[0-9a-f]{20,}+",
        "access_token$production access_token$sandbox",
    ),
    ("shopify-token", r"[0-9a-fA-F]{30,}+", "shpat_ shpss_ shpca_ shppa_"),
    (
        "payment-key",
        _DASHED + "{12,}+",
        "rzp_live_ rzp_test_ FLWSECK- FLWSECK_TEST- shippo_live_ EZAK EZTK",
    ),
    (
        "payment-key",
        _DASHED + "{20,}+",
        "access-production- access-sandbox- access-development- duffel_ APP_USR-",
    ),
    # Everything else.
    ("linear-key", _WORD + "{30,}+", "lin_api_ lin_oauth_"),
    ("api-key", r"[a-z0-9]{20}_[0-9a-f]{32}\.[A-Za-z0-9]{32}(?![A-Za-z0-9])", "secret_"),
    ("notion-token", _WORD + "{40,}+", "ntn_ secret_"),
    ("figma-token", _DASHED + "{30,}+", "figd_ figu_"),
    ("postman-key", r"[0-9a-fA-F]{20,}-[0-9a-fA-F]{30,}+", "PMAK-"),
    ("grafana-token", r"[A-Za-z0-9+/=_]{30,}+", "glsa_ glc_"),
    ("new-relic-key", _DASHED + "{20,}+", "NRAK- NRJS- NRII- NRIQ- NRRA- NRAL-"),
    ("dynatrace-token", r"\.[A-Za-z0-9]{20,}+\.[A-Za-z0-9]{12,}+", "dt0c01 dt0s01"),
    ("hubspot-token", r"[0-9a-f-]{30,}+", "pat-na1- pat-eu1- pat-na2- pat-ap1-"),
    ("dropbox-token", _DASHED + "{60,}+", "sl. sl.u."),
    ("mapbox-token", _DOTTED + "{40,}+", "sk.eyJ tk.eyJ"),
    ("launchdarkly-key", r"[0-9a-f]{8}-[0-9a-f-]{27}", "sdk- api- mob-"),
    (
        "content-token",
        _DASHED + "{30,}+",
        "CFPAT- tfp_ rdme_ pnu_ waka_ fio-u- zpka_ sm_pat_ dt0 fpat_",
    ),
    ("facebook-token", _WORD + "{60,}+", "EAA"),
    ("square-token", _DASHED + "{55,}+", "EAAA"),
    ("payment-key", r"[A-Za-z0-9+/=_-]{80,}+", "AQE"),
    ("payment-key", r"(?:_TEST)?-[0-9a-z]{32}-X", "FLWPUBK"),
    ("payment-key", r"[0-9a-f]{12}(?![A-Za-z0-9])", "FLWSECK_TEST"),
    ("new-relic-key", r"[0-9a-f]{19}(?![A-Za-z0-9])", "NRJS-"),
    ("postman-key", r"[A-Za-z0-9]{26,30}(?![A-Za-z0-9])", "PMAT-"),
    ("grafana-token", r"[A-Za-z0-9+/=_-]{40,}+", "eyJrIjoi"),
    ("clickup-token", r"[0-9]{6,9}_[A-Z0-9]{32}(?![A-Za-z0-9])", "pk_"),
)


_CUT: Final = (
    r"(?=[A-Za-z_-]{0,40}[0-9])[A-Za-z0-9_-]{10,}+(?=\s{0,4}\Z|[ ]?(?:\.{3}|…|[\[(<]?truncated))"
)
"""The rest of a token of which the text has only the beginning."""
_OTHER_PREFIXES: Final = split_words(
    """
    server_ render_ secret_ buildkite_ snyk_ wandb_ voyage- org- proj_ api- sdk- mob- API-
    key- pubkey- apk_ prf_ cog_ tss_ lip_ psk_ rnd_ aio_ ext_ dt0 md-
    """
)
"""Prefixes that other words have too."""


def is_known_by_itself(prefix: str) -> bool:
    """Return whether a few characters after a prefix are enough to know a token."""
    return len(prefix) >= 4 and prefix not in _OTHER_PREFIXES and prefix[-1] not in "0123456789"


def _token(name: str, rest: str, prefixes: tuple[str, ...]) -> Kind:
    """Build the kind of tokens that begin with a vendor's prefix."""
    any_of = "|".join(map(re.escape, sorted(prefixes, key=len, reverse=True)))
    cut = "|".join(map(re.escape, filter(is_known_by_itself, prefixes)))
    pattern = re.compile(f"(?:{any_of}){rest}" + (f"|(?:{cut}){_CUT}" if cut else ""))
    longest = max(map(len, prefixes))

    def accepts(secret: str) -> bool:
        rest = secret[longest:]
        return is_no_placeholder(secret) and (is_mixed(rest) or rest.isupper())

    # Of the rest the first characters alone: more would multiply the states of the automaton.
    head, count, _ = re.split(r"\{([0-9]+)[^{}]*\}", rest, maxsplit=1)
    loose = f"{head}{{{min(int(count), 6)}}}"
    return Kind(name, prefixes, pattern, accepts, needs=f"(?:{any_of}){loose}")


def _is_shortened(secret: str) -> bool:
    """Return whether a shortened key shows some of it, and is no example of documentation."""
    shown = re.sub(
        rf"sk-(?:proj-|svcacct-|admin-|or-v1-|lf-|ant-(?:[a-z]{{3,5}}[0-9]{{2}}-)?)?|org-|proj_|{_ELISION}",
        "",
        secret,
    )
    # The characters of an example, as in `sk-1234...abcd`, are in their order.
    if all(
        len(run) >= 4 and run.lower() in "01234567890 abcdefghijklmnopqrstuvwxyz"
        for run in re.findall("[0-9]+|[a-z]+|[A-Z]+", shown)
    ):
        return False
    return len(shown) >= 2 and not re.search("your|here|xxx|example", shown, re.IGNORECASE)


PREFIXED: Final[tuple[Kind, ...]] = (
    # Of letters alone, often all of them small.
    Kind(
        "api-key",
        ("hf_", "api_org_"),
        re.compile(r"(?:hf|api_org)_[A-Za-z]{34,40}(?![A-Za-z0-9_])"),
        lambda secret: len(set(secret)) >= 12 and is_no_placeholder(secret),
    ),
    Kind(
        "okta-token",
        ("00",),
        re.compile("00[A-Za-z0-9_-]{40}(?![A-Za-z0-9_-])|(?<=SSWS )00[A-Za-z0-9_-]{14,}"),
        is_random,
        needs="00[A-Za-z0-9_-]{12}",
    ),
    *(_token(name, rest, tuple(prefixes.split())) for name, rest, prefixes in _TOKENS),
    Kind(
        "jwt",
        ("eyJ",),
        re.compile(r"(?<!pk\.)eyJ[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+){1,4}"),
        is_no_placeholder,
    ),
    Kind(
        "wallet-key",
        ("xprv", "yprv", "zprv"),
        re.compile(r"[xyz]prv[1-9A-HJ-NP-Za-km-z]{40,}+"),
        is_no_placeholder,
    ),
    # Those that an error shows with the middle left out.
    Kind(
        "api-key",
        ("sk-", "org-", "proj_"),
        re.compile(rf"(?:sk-|org-|proj_)[A-Za-z0-9_-]{{0,64}}{_ELISION}[A-Za-z0-9_-]{{0,64}}"),
        _is_shortened,
        needs=r"(?:sk-|org-|proj_)[A-Za-z0-9_-]*(?:\*\*|\.\.\.|…|••|\[\.)",
    ),
)
"""Kinds that begin with a prefix."""
