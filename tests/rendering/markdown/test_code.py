"""Blocks of code: exact text in colours that everyone can read."""

from __future__ import annotations

import re
import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from tests.support.any_json import checked
from tests.support.html import assert_harmless, parsed
from tools.paths import ROOT
from webapp.rendering import Budgets, MarkdownBudget, render_markdown
from webapp.rendering.markdown.code import LANGUAGES, find_language, highlight
from webapp.rendering.markdown.lexing import iter_tokens

_PIECES = re.findall(
    r"[^ ]+|  ",
    r"""a B _x if def class import from return select function let fn int r s é 日 0x1f 1e9
    1.5 'a' "b" f'{x}' \ " ' ` # // /* */ -- <!-- --> < > </ /> & { } ( ) [ ] ${ $( @ % + - = == ; :
    , . ! ? | """
    + "\u017f \u212a \n \n \n \t \x1c \r\n",
)

CSS = ROOT / "static" / "css"


def kinds(text: str) -> dict[str, str]:
    """Return the highlighted pieces of the code in `text`, with their classes."""
    found = str(render_markdown(text).html)
    assert_harmless(found)
    spans = parsed(found).css("pre code span")
    return {node.text().strip(): node.attributes["class"] or "" for node in spans}


def code_of(html: str) -> str:
    (code,) = parsed(html).css(".code > pre > code")
    return code.text()


def test_code_is_coloured_by_its_language() -> None:
    found = kinds("```python\ndef f(x): return 'a'  # why\n```")

    assert found["def"] == "code-keyword"
    assert found["f"] == "code-function"
    assert found["'a'"] == "code-string"
    assert found["# why"] == "code-comment"


@pytest.mark.parametrize(
    "info",
    [
        *("python", "Python", "py", "python3", "python title=x", "{.python}", "python,norun"),
        *("python:src/app.py", "language-python", "lang-py", "py:1-4"),
        *("12:15:src/app.py", "src/app.py", "python {1,3}", "python:a.js"),
        *("python{1,3}", "py{2-4}", "lang=python", "class=python", "python[a.py]", "language:py"),
    ],
)
def test_a_language_is_known_by_its_names(info: str) -> None:
    assert kinds(f"```{info}\nreturn 1\n```")["return"] == "code-keyword"


@pytest.mark.parametrize("info", ["", "mermaid", "no-such-language", '" onclick="x', "<b>"])
def test_code_in_no_language_we_know_is_plain(info: str) -> None:
    found = str(render_markdown(f"```{info}\nreturn 1 < 2\n```").html)

    assert code_of(found) == "return 1 < 2\n"
    assert parsed(found).css_first("pre span") is None
    assert_harmless(found)


def test_a_block_names_its_language_and_offers_a_copy() -> None:
    found = parsed(str(render_markdown("```js\nlet x\n```").html))

    assert [node.text() for node in found.css(".code-language")] == ["js"]
    assert [node.text() for node in found.css("button[data-copy-code]")] == ["copy"]
    assert found.css_first("pre[tabindex='0']") is not None


@pytest.mark.parametrize(
    "info",
    [
        "python:src/app.py",
        'python title="x" {1,3}',
        "{.python .numberLines}",
        "language-python",
        "objective-c",
        "f#",
        "no such <b>language</b>",
    ],
)
def test_all_that_follows_a_fence_is_shown(info: str) -> None:
    (words,) = parsed(str(render_markdown(f"```{info}\na\n```").html)).css(".code-language")

    assert words.text() == info


def test_a_long_text_after_a_fence_is_cut_with_a_sign() -> None:
    (words,) = parsed(str(render_markdown(f"```{'x' * 300}\na\n```").html)).css(".code-language")

    assert words.text() == "x" * 200 + "…"


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("C#", "csharp"),
        ("f#", "fsharp"),
        ("objective-c", "objective-c"),
        ("ObjC", "objective-c"),
        ("main.tf", "hcl"),
        ("c++", "cpp"),
        ("jsonc", "json"),
        ("console", "console"),
        ("Bash-Session", "console"),
        ("JS:src/a.js", "javascript"),
        ("lang-ts", "typescript"),
        ("Dockerfile", "docker"),
        ("python=12", "python"),
        ("Vue", "html"),
        ("a.mts", "typescript"),
        ("v1.2", None),
        (".py", "python"),
    ],
)
def test_names_of_languages_as_people_write_them(info: str, language: str | None) -> None:
    assert find_language(info) == language


def test_code_beyond_its_budget_is_plain_and_says_so() -> None:
    view = render_markdown("```python\nreturn 1\n```", budget=MarkdownBudget(Budgets(code_bytes=8)))

    assert code_of(str(view.html)) == "return 1\n"
    assert parsed(str(view.html)).css_first("pre span") is None
    assert view.note == "Code of more than 8 bytes is shown without colours."


def test_colouring_that_takes_too_long_stops() -> None:
    assert highlight("x = 1\n", "python", until=0) is None


# To compile Python's lexer takes twice as long, and a collection of all its objects a part of it.
FIRST_USES = """
import gc, time
from webapp.rendering.markdown.code import LANGUAGES, highlight

gc.disable()
for language in LANGUAGES:
    if highlight("x\\n", language, until=time.thread_time() + 0.03) is None:
        print(language)
"""


def test_the_first_use_of_a_lexer_does_not_count_as_the_time_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_USES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not done.stdout


SIGNS = [
    *(
        "a",
        "def ",
        "class ",
        " ",
        "\n",
        "\t",
        "\r",
        "\x00",
        '"',
        "'",
        '"""',
        "`",
        "{",
        "}",
        "(",
        ")",
    ),
    *("<", ">", "</", "<!--", "-->", "/*", "*/", "//", "#", "--", "$", "@", "\\", "0x1", "1.5e3"),
    *("$ ", ">>> ", "@@ ", "+", "-", "=", ":", ";", "<?", "&amp;", "\u202e", "\U0001f600", "\x0c"),
]
source = st.lists(st.sampled_from(SIGNS), max_size=30).map("".join) | st.text(max_size=20)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_colours_change_no_character(language: str) -> None:
    @given(source)
    @checked
    def check(code: str) -> None:
        made = highlight(code, language, until=float("inf"))
        if made is not None:
            html = f"<pre><code>{made}</code></pre>"
            assert_harmless(html)
            # A parser of HTML reads no NUL and no carriage return: those are looked at before.
            text = re.sub("<[^>]*>", "", str(made))
            for name, sign in (("lt", "<"), ("gt", ">"), ("#34", '"'), ("#39", "'"), ("amp", "&")):
                text = text.replace(f"&{name};", sign)
            assert text == code

    check()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tokens_are_those_that_pygments_finds(language: str) -> None:
    lexer = get_lexer_by_name(LANGUAGES[language].lexer, stripnl=False, ensurenl=False)
    for seed in range(5):
        code = "".join(Random(seed).choices(_PIECES, k=200))
        expected = [(token, text) for _, token, text in lexer.get_tokens_unprocessed(code)]
        assert list(iter_tokens(code, lexer)) == expected


def test_the_whole_block_is_the_source_whatever_it_contains() -> None:
    code = "  <b>&amp;</b>\n\n\tif x < 1:\n\u05e9\u05dc \u202e \U0001f469\u200d\U0001f467\n"

    for language in sorted(LANGUAGES):
        assert code_of(str(render_markdown(f"```{language}\n{code}```").html)) == code


# Contrast, computed from the sheets.


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def tokens() -> dict[str, tuple[str, str]]:
    sheet = (CSS / "tokens.css").read_text(encoding="utf-8")
    found = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", sheet)
    return {name: (light, dark) for name, light, dark in found}


def coloured_rules() -> list[tuple[str, str, str | None]]:
    """Return class, colour and background of each rule for code."""
    sheet = (CSS / "code.css").read_text(encoding="utf-8")
    rules = []
    for selector, body in re.findall(r"(\.code-[^{]*)\{([^}]*)\}", sheet):
        colour = re.search(r"(?<!-)color: var\(--([a-z-]+)\)", body)
        ground = re.search(r"background: var\(--([a-z-]+)\)", body)
        if colour:
            rules.append((selector.strip(), colour[1], ground[1] if ground else None))
    return rules


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_of_code_can_be_read_on_its_ground(scheme: int) -> None:
    known = tokens()
    for selector, colour, ground in coloured_rules():
        for name in (ground,) if ground else ("inset", "ground"):
            found = contrast(known[colour][scheme], known[name][scheme])
            assert found >= 4.5, f"{selector} on {name}: {found:.2f}"


def test_every_class_of_code_has_a_colour() -> None:
    named = set(re.findall(r"\.code-([a-z]+)", " ".join(rule[0] for rule in coloured_rules())))
    made: set[str] = set()
    samples = {
        "python": "@a\nclass B(C):\n  def f(x: int = 1): return f'{x}\\n', None  # c\n",
        "diff": "@@ -1 +1 @@\n-a\n+b\n",
        "html": "<a b='c'>&amp;</a><!-- d -->",
        "bash": "$a\n",
    }
    for language, text in samples.items():
        made |= set(re.findall(r'class="code-([a-z]+)"', str(highlight(text, language, until=1e9))))

    assert len(made) > 8
    assert made <= named
