"""Measure the highest cost of colouring code by language, for the table in `markdown/code.py`.

`python -m bench.lexers` colours nasty patterns with every lexer that is asked for, by default
those of the table and some that were left out of it, and prints the worst: the time of the
slowest single token, which nothing can interrupt, and of the whole text, which is stopped at
`--patience` as a page stops it at its own. It begins with the largest size and goes down until
the slowest token takes less than `--token` seconds: the size that the table allows.
`--noise` adds that many made-up patterns.
"""

from __future__ import annotations

import argparse
import html
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import FrameType
from typing import Final

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name

from webapp.rendering.markdown.code import LANGUAGES

LEFT_OUT: Final = ("ini", "markdown", "perl", "php", "ruby", "scala")
SIZES: Final = (50_000, 20_000, 10_000, 5_000, 2_000)

# Openings whose end a lexer may search for, and repetitions that it may meet on the way.
_PIECES: Final = (
    *(
        "a",
        "A",
        "_",
        "0",
        "1.",
        "0x",
        "1e",
        " ",
        "\t",
        "\n",
        "\\",
        "\\\n",
    ),
    *('"', "'", "`", '"""', "'''", '"\\', "'\\", "r'", "f'{", 'f"{', "$'", '@"', '$"', 'R"('),
    *("(", ")", "[", "]", "{", "}", "<", ">", "((", "[[", "{{", "${", "$(", "$((", "#{", "%{"),
    *(
        "/",
        "/*",
        "*/",
        "//",
        "///",
        "/**",
        "#",
        "##",
        "#!",
        "--",
        "--[",
        "<!--",
        "-->",
        "<![CDATA[",
    ),
    *("<?", "?>", "<a", "<a ", "</", "&", "&a", "<script>", "<style>", "=", "=>", "==", ":", "::"),
    *(";", ",", ".", "..", "|", "||", "!", "?", "@", "@a", "$", "$a", "%", "^", "~", "+", "-", "*"),
    *("a ", "a\n", "a(", "a.", "a:", "a=", "a<", "a::", "a[", "a b", "\na:", "\n ", "\n\n", " \n"),
    *("<<a\n", "<<-'A'\n", "<<<", "def ", "class ", "import ", "from ", "if ", "fn ", "func "),
    *(
        "@@ ",
        "+a\n",
        "- a\n",
        "%s",
        "{%",
        "{#",
        "\u00e9",
        "\U0001f600",
        "\0",
        "select ",
        "E'",
        "$$",
    ),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """The highest cost of many texts of one size: seconds for the whole text and for one token."""

    whole: float = 0.0
    whole_text: str = ""
    token: float = 0.0
    token_text: str = ""
    ratio: float = 0.0


class TooLong(Exception):
    """A lexer outlasted the reader's patience."""


def iter_texts(size: int, noise: int) -> Iterator[tuple[str, str]]:
    """Yield nasty texts of `size` characters, each after its name."""
    for piece in _PIECES:
        yield repr(piece), piece * (size // len(piece))
    chance = random.Random(7)
    for _ in range(noise):
        first, *rest = chance.choices(_PIECES, k=chance.choice((2, 2, 3, 4)))
        joined = "".join(rest)
        yield repr((first, joined)), first + joined * (size // len(joined))


def measure(lexer: Lexer, text: str, *, patience: float) -> tuple[float, float]:
    """Return the CPU time of reading `text` and of its slowest token; stop when out of patience."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise TooLong

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, patience)
    begin = before = time.thread_time()
    slowest = 0.0
    try:
        for _ in lexer.get_tokens_unprocessed(text):
            now = time.thread_time()
            slowest = max(slowest, now - before)
            before = now
    except TooLong:
        slowest = max(slowest, time.thread_time() - before)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.thread_time() - begin, slowest


def find_worst(lexer: Lexer, size: int, *, noise: int, patience: float) -> Cost:
    """Return the highest cost of a nasty text of `size` characters."""
    found = Cost()
    for name, text in iter_texts(size, noise):
        whole, token = measure(lexer, text, patience=patience)
        if whole > found.whole:
            found = replace(found, whole=whole, whole_text=name, ratio=whole / _plain(text))
        if token > found.token:
            found = replace(found, token=token, token_text=name)
    return found


def _plain(text: str) -> float:
    begin = time.thread_time()
    for _ in range(20):
        html.escape(text)
    return max((time.thread_time() - begin) / 20, 1e-6)


def main() -> None:
    parser = argparse.ArgumentParser(description="The worst cost of colouring code.")
    parser.add_argument("languages", nargs="*", help="lexers by their Pygments names")
    parser.add_argument("--noise", type=int, default=200, help="made-up patterns beside the list")
    parser.add_argument("--patience", type=float, default=0.1, help="seconds for one text")
    parser.add_argument("--token", type=float, default=0.05, help="seconds for one token")
    asked = parser.parse_args()
    names = asked.languages or sorted({one.lexer for one in LANGUAGES.values()} | set(LEFT_OUT))
    print(
        f"{'lexer':12} {'characters':>10} {'token ms':>8} {'whole ms':>8} {'× plain':>7}"
        "  slowest token and whole"
    )
    for name in names:
        lexer = get_lexer_by_name(name)
        for size in SIZES:
            cost = find_worst(lexer, size, noise=asked.noise, patience=asked.patience)
            print(
                f"{name:12} {size:10,} {cost.token * 1e3:8.1f} {cost.whole * 1e3:8.1f}"
                f" {cost.ratio:7.0f}  {cost.token_text[:30]} {cost.whole_text[:30]}",
                flush=True,
            )
            if cost.token < asked.token:
                break


if __name__ == "__main__":
    main()
