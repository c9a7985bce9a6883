"""Masking secrets in texts: what goes, what stays, and that no text makes it slow."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from webapp.redaction import find, mask
from webapp.redaction.detecting import KINDS, detect

BODY = "Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb3dEf6hIj9kLm2n"
HEX = "0123456789abcdef0123456789abcdef"

SECRETS = [
    f"sk-{BODY}",
    f"sk-proj-{BODY}-{BODY}_x",
    f"sk-ant-api03-{BODY}",
    f"sk-or-v1-{HEX}",
    "sk-abcde********************wxyz",
    "sk-proj-****************Ab3d",
    "sk-...Ab3d",
    "sk-…Ab3d",
    "sk-abc...xyz",
    f"org-{BODY[:24]}",
    "org-Ab3d****************9kLm",
    f"proj_{BODY[:24]}",
    f"gsk_{BODY}",
    f"xai-{BODY}",
    f"hf_{BODY[:34]}",
    f"ghp_{BODY[:36]}",
    f"github_pat_{BODY}_{BODY}",
    f"glpat-{BODY[:20]}",
    f"xoxb-123456789012-{BODY[:24]}",
    "AKIAQWERTYUIOPASDFGH",
    f"AIzaSy{BODY[:33]}",
    f"sk_live_{BODY[:24]}",
    f"SG.{BODY[:22]}.{BODY[:43]}",
    f"npm_{BODY[:36]}",
    f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx{BODY[:9]}.{BODY[:43]}",
]
CONTEXTS = [
    "{}",
    "The key {} is wrong.",
    "key={}",
    "{{'Authorization': 'Bearer {}'}}",
    '{{"error": "with {}\\nand more"}}',
    '"\\n{}"',
    "\x1b[31m{}\x1b[0m",
    "?x=%20{}&y=1",
    "`{}`, ({}), <{}>",
]


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_piece_of_a_secret_is_left(secret: str, context: str) -> None:
    shown = mask(context.replace("{}", secret).replace("{{", "{").replace("}}", "}"))

    pieces = [piece for piece in re.split(r"[^A-Za-z0-9]+", secret) if len(piece) > 3]
    assert "[masked: " in shown
    assert [
        piece for piece in pieces if piece in shown and piece not in ("proj", "live", "github")
    ] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Wrong API key provided: mine. You", "Wrong API key provided: [masked: api-key]. You"),
        ("Bad API key provided: not-a-re****ized.", "Bad API key provided: [masked: api-key]."),
        ("Authorization: Bearer abc-def", "Authorization: Bearer [masked: authorization]"),
        ("authorization=Basic dXNlcjpwYXNz", "authorization=Basic [masked: authorization]"),
        ("'api-key': 'abcdef0123'", "'api-key': '[masked: api-key]'"),
        ("a bearer 0123abcd-x, no", "a bearer [masked: bearer-token], no"),
        ("Set-Cookie: session=abcdef; x=1\nnext", "Set-Cookie: [masked: cookie]\nnext"),
        ("host=db password=hunter user=x", "host=db password=[masked: password] user=x"),
        ('{"password": "hunter"}', '{"password": "[masked: password]"}'),
        ('{\\"password\\":\\"hunter\\"}', '{\\"password\\":\\"[masked: password]\\"}'),
        ("https://u:word@a.example/x", "https://u:[masked: password]@a.example/x"),
        ("pg://u:p@ss@h/db", "pg://u:[masked: password]@h/db"),
        (f"https://{HEX}@sentry.example/1", "https://[masked: user-info]@sentry.example/1"),
        ("/x?api_token=abcdef&y=1", "/x?api_token=[masked: parameter]&y=1"),
        ("AccountKey=ab12cd34ef56==;Next=1", "AccountKey=[masked: api-key];Next=1"),
        (
            f"//hooks.slack.com/services/{BODY}",
            "//hooks.slack.com/services/[masked: slack-webhook]",
        ),
    ],
)
def test_a_secret_is_known_by_the_words_around_it(text: str, shown: str) -> None:
    assert mask(text) == shown


KEY_LINES = [BODY, BODY, BODY[:10] + "=="]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\\n", "\\\\n", " "])
@pytest.mark.parametrize("kind", ["", "RSA ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_masked_whole_and_cut_off(kind: str, line_break: str) -> None:
    begin, end = f"-----BEGIN {kind}PRIVATE KEY-----", f"-----END {kind}PRIVATE KEY-----"
    whole = line_break.join([begin, *KEY_LINES, end])
    cut = line_break.join([begin, *KEY_LINES[:2], BODY[:7]])

    assert mask(f"before {whole} after") == "before [masked: private-key] after"
    assert mask(f"before {cut}") == "before [masked: private-key]"


@pytest.mark.parametrize(
    "text",
    [
        "sk-...your-key-here",
        "sk-1234...abcd",
        r"{\"api_key\": \"sk-1234...abcd\"}",
        "keys begin with sk-... or sk-xxxx",
        "sk-fading-circle sk-cube-grid-large sk-three-bounce",
        "task-Ab3dEf6hIj9kLm2nOp5q",
        "org-mode org-chart-of-the-department",
        "chatcmpl-CGSZLBwN3ersx3QOcC4LAC3d8B2UQ call_Ab3dEf6hIj9kLm2n req_35c852d7d417877c0fbb",
        'key = os.environ["OPENAI_API_KEY"]',
        "Bearer $OPENAI_API_KEY, Bearer authentication, Authorization: Bearer YOUR_KEY",
        "Authorization: {{ vault.token }}",
        "password: string, required",
        "max_tokens=4096 map_tokens=7",
        "secret = hmac.new(name)",
        "AKIAIOSFODNN7EXAMPLE",
        "git@github.com:somebody/project.git",
        "http://localhost:3000/@fs/home/x",
        "https://a.example/x?page=2&limit=100",
        "the basic question, a basic 12 point font",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0B\n-----END PUBLIC KEY-----",
        "Rate limit reached for gpt-4o in organization org-mode on tokens per min: 30000",
        "**bold** and ***both***, wait...for it…now",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert mask(text) == text


def test_a_long_chain_of_tokens_that_are_cut_off_is_not_read_many_times() -> None:
    found = list(detect("npm_aB1xyzQ." * 1_000))

    assert found
    assert sum(len(one.text) for one in found) < 12_000


OWN = "my/own+key-4f9a"


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        f"x{OWN}x",
        "my%2Fown%2Bkey-4f9a",
        "my\\/own+key-4f9a",
        "Bad key my/own+k*******4f9a.",
        "Bad key my/o…",
        "Bad key …4f9a",
        "Bad key '...4f9a'!",
    ],
)
def test_a_known_key_is_masked_in_each_form_of_it(text: str) -> None:
    shown = mask(text, known=["", OWN])

    assert "***" in shown
    assert not re.search("4f9a|my/o|own", shown)


def test_the_longest_of_the_known_keys_is_masked_first() -> None:
    assert mask("a key-1-long, a key-1", known=["key-1", "key-1-long"]) == "a ***, a ***"


@given(st.lists(st.sampled_from([*SECRETS, *CONTEXTS, "password=", "bearer ", '"', "\\", " "])))
@checked
def test_masking_twice_changes_nothing_and_findings_do_not_overlap(pieces: list[str]) -> None:
    text = "".join(pieces)
    found = find(text)

    assert mask(mask(text)) == mask(text)
    assert all(one.end <= other.start for one, other in zip(found, found[1:], strict=False))


@given(st.lists(st.sampled_from([*SECRETS, "password=", "token: ", "bearer 1", "\n", "\\", '"'])))
@checked
def test_json_stays_json(pieces: list[str]) -> None:
    text = json.dumps({"error": {"message": "".join(pieces)}})

    assert list(json.loads(mask(text))["error"]) == ["message"]


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=200))
@checked
def test_any_text_can_be_masked(text: str) -> None:
    mask(text, known=["İkey…12"])


def test_a_letter_with_a_longer_lower_case_moves_no_mask() -> None:
    assert mask("İİİ password=hunter x") == "İİİ password=[masked: password] x"


def test_every_kind_has_hints_in_the_case_that_is_searched() -> None:
    assert all(kind.hints and all(kind.hints) for kind in KINDS)
    caseless = [kind for kind in KINDS if kind.ignores_case]
    assert all(kind.hints == tuple(map(str.lower, kind.hints)) for kind in caseless)
