"""Terminal output: colours from a closed set, every character kept, contrast by computation."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.html import parsed
from tools.paths import ROOT
from webapp.rendering.structured.ansi import (
    CLASSES,
    MAX_RUNS,
    NAMES,
    has_sequences,
    render_ansi,
    render_excerpt,
)

CSS = ROOT / "static" / "css"
SEQUENCES = st.sampled_from(
    [
        *("\x1b[m", "\x1b[0m", "\x1b[1;31m", "\x1b[38;5;208m", "\x1b[48;2;1;2;3m", "\x9b4m"),
        *("\x1b[38:2::9:8:7m", "\x1b[7m", "\x1b[8m", "\x1b[4:0m", "\x1b[999;;m", "\x1b[?25l"),
        *("\x1b[2K", "\x1b[1A", "\x1b]0;title\x07", "\x1b]8;;https://a.example\x1b\\", "\x1b(B"),
        *("\x1bPq\x1b\\", "\x1b=", "\x1b[" + "9" * 5000 + "m", "\x1b[38;5m", "\x1b[>4;2m"),
        *("\x1b[58;5;1m", "\x1b[58;2;1;2;3m", "\x1b[58:2::1:2:3m"),
    ]
)
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\x1b\x9b\r\0"), max_size=8)
ANYTHING = st.text(st.sampled_from("\x1b\x9b[]0123;:m\r\nK<&é\x07\\P?"), max_size=60)


def read_text(written: str) -> str:
    pre = parsed(f"<pre>{render_ansi(written).html}</pre>").css_first("pre")
    assert pre is not None
    return pre.text()


def find_classes(written: str) -> list[str]:
    spans = parsed(str(render_ansi(written).html)).css("span:not(.control, .joined)")
    return [span.attributes["class"] or "" for span in spans]


@given(st.lists(st.one_of(PLAIN, SEQUENCES), max_size=12))
@checked
def test_the_text_is_all_there_without_its_sequences(pieces: list[str]) -> None:
    plain = "".join(piece for piece in pieces if piece[:1] not in ("\x1b", "\x9b"))
    assert read_text("".join(pieces)) == plain


@given(ANYTHING)
@checked
def test_any_text_makes_known_classes_and_no_elements_of_its_own(text: str) -> None:
    html = str(render_ansi(text).html)
    found = parsed(html).css("main *")
    assert {node.tag for node in found} <= {"span"}
    for names in find_classes(text):
        assert set(names.split()) <= CLASSES


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        ("\x1b[31mx", ["ansi-red"]),
        ("\x1b[91;44mx", ["ansi-bright-red ansi-on-blue"]),
        ("\x1b[1;3;4;9mx", ["ansi-bold ansi-italic ansi-underline ansi-strike"]),
        ("\x1b[1;2mx\x1b[22my", ["ansi-bold ansi-dim"]),
        ("\x1b[31mx\x1b[39my", ["ansi-red"]),
        ("\x1b[31;42mx\x1b[0my", ["ansi-red ansi-on-green"]),
        ("\x1b[7mx\x1b[27my", ["ansi-inverse"]),
        ("\x1b[7;31mx", ["ansi-on-red"]),
        ("\x1b[7;31;42mx", ["ansi-green ansi-on-red"]),
        ("\x1b[38;5;196mx", ["ansi-bright-red"]),
        ("\x1b[38;5;244mx", ["ansi-bright-black"]),
        ("\x1b[48;2;200;0;0mx", ["ansi-on-red"]),
        ("\x1b[38:2::0:0:238mx", ["ansi-blue"]),
        ("\x1b[38;5;1;4mx", ["ansi-red ansi-underline"]),
        ("\x1b[38;5;999mx", []),
        ("\x1b[4mx\x1b[4:0my", ["ansi-underline"]),
        ("\x9b32mx", ["ansi-green"]),
        ("\x1b[31m\x1b[32mx", ["ansi-green"]),
        ("\x1b[>4;1mx\x1b[?1mx", []),
        ("\x1b[58;5;1mx", []),
        ("\x1b[4;58;5;1;3mx", ["ansi-italic ansi-underline"]),
        ("\x1b[58;2;1;3;4;31mx", ["ansi-red"]),
        ("\x1b[58:5:1mx\x1b[58:2::1:3:4;1my", ["ansi-bold"]),
        ("\x1b[1;58;5mx\x1b[58;2;4my", ["ansi-bold", "ansi-bold"]),
        ("\x1b[1;59mx", ["ansi-bold"]),
    ],
)
def test_colours_and_weights_become_classes(written: str, classes: list[str]) -> None:
    assert find_classes(written) == classes


def test_concealed_text_can_be_read() -> None:
    assert read_text("\x1b[8msecret\x1b[0m") == "secret"
    assert find_classes("\x1b[8msecret") == ["ansi-conceal"]
    hiding = re.compile(r"display: *none|visibility|opacity|font-size: *0|transparent")
    rules = re.findall(r"\.ansi-[^{]*\{([^}]*)\}", (CSS / "structure.css").read_text())
    assert rules and not any(hiding.search(rule) for rule in rules)


def test_states_of_a_progress_bar_are_lines() -> None:
    assert read_text("10%\r50%\r100%\r\nend\r\r\n\r\n") == "10%\n50%\n100%\nend\n\n"


def test_other_sequences_are_counted_not_shown() -> None:
    shown = render_ansi("\x1b]8;;https://a.example\x07here\x1b]8;;\x07 \x1b[2K\x1b[31mred")
    assert shown.left_out == 3
    assert "a.example" not in shown.html


def test_an_excerpt_has_the_words_without_the_sequences() -> None:
    coloured = "\x1b[1m\x1b[31mE   <NameError>\x1b[0m: name\x1b[2K"
    assert render_excerpt(coloured) == "E   &lt;NameError&gt;: name"
    (mark,) = parsed(render_excerpt("a lone \x1b")).css(".control")
    assert mark.attributes["data-mark"] == "ESC"


@pytest.mark.parametrize(
    "text", ["\x1b", "\x1b[", "\x1b[31", "\x1b]0;no end", "\x1bPno end", "\x9b"]
)
def test_a_sequence_without_an_end_is_text(text: str) -> None:
    assert not has_sequences(text)
    assert read_text(text) == text


def test_beyond_a_number_of_changes_there_are_no_colours_but_all_text() -> None:
    text = "".join(f"\x1b[{31 + at % 2}mx" for at in range(2 * MAX_RUNS))
    shown = render_ansi(text)
    assert not shown.has_all_colours
    assert parsed(str(shown.html)).text().strip() == "x" * 2 * MAX_RUNS


@pytest.mark.parametrize(
    "text",
    [
        *("\x1b[31mx\x1b[32my" * 20_000, "\x1b[" * 125_000, "\x1b]" * 125_000, "\x9b" * 250_000),
        *("\x1b[" + "1;" * 125_000 + "m", "\x1b]" + "a" * 250_000, "\x1bP" * 125_000),
        *("\x1b[38;2;1;2;3mx" * 15_000, "\r" * 250_000),
    ],
    ids=lambda text: repr(text[:9]),
)
def test_nasty_output_loses_no_letters(text: str) -> None:
    shown = parsed(str(render_ansi(text).html)).text()
    assert re.sub("[^axy]+", "", shown) == re.sub("[^axy]+", "", text)


def parse_tokens() -> dict[str, tuple[str, str]]:
    """Return the colours of the style sheet by name, light and dark."""
    found = re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)",
        (CSS / "tokens.css").read_text(encoding="utf-8"),
    )
    return {name: (light, dark) for name, light, dark in found}


def compute_luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def compute_contrast(one: str, other: str) -> float:
    low, high = sorted((compute_luminance(one), compute_luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_can_be_read_on_every_ground(scheme: int) -> None:
    known = parse_tokens()
    inks = ["text", "ansi-dim", *(f"ansi-{name}" for name in NAMES)]
    inks += [f"ansi-bright-{name}" for name in NAMES]
    grounds = ["ground", "inset", "error-ground", *(f"ansi-on-{name}" for name in NAMES)]
    for ink, ground in itertools.product(inks, grounds):
        assert compute_contrast(known[ink][scheme], known[ground][scheme]) >= 4.5, (ink, ground)


def test_every_class_has_its_rule() -> None:
    sheet = (CSS / "structure.css").read_text(encoding="utf-8")
    assert set(re.findall(r"\.(ansi-[\w-]+)", sheet)) == set(CLASSES)
