r"""Backslashes: `\*` escapes Markdown, `C:\Users\_me` and `\d+\.\d+` are shown as written."""

from __future__ import annotations

import re

import pytest

from tests.support.html import parsed
from webapp.rendering import render_markdown


def shown(text: str) -> str:
    return parsed(str(render_markdown(text).html)).text().strip()


@pytest.mark.parametrize(
    "text",
    [
        r"Open C:\Users\me\.ssh\_old\*.txt",
        r"regex \d+\.\d+ and ¯\_(ツ)_/¯",
        r"\\server\share",
        r"\\server\share\_new\*",
        r"C:\\Users\\me\\_old",
        r"C:\#tmp and D:\_a",
        r"..\_old\*.py and ~\.ssh and %TEMP%\_x and $HOME\_x",
        r"src\*.c and dir \*.txt",
        r"^\s*\#\s*\[x\]$",
        r"^\[.*\]$ and \w+@\w+\.com",
        r"\[.*?\]\(.*?\) and \[(.*?)\]\((.*?)\) and \(.*\)",
        r"grep -E '^\[[a-z]+\]$' f and sed 's/\[x\]//g'",
        r"^\(x\)$ and sed 's/\(a\)/\1/' and ^\(\d{3}\) \d{3}$",
        r"example\.com and 192\.168\.0\.1",
        r"(\_/) and \o/ and \(^o^)/",
        r"grep 'a\|b'",
        'He said \\"hi\\" and it\\\'s',
        r"Hello\! A\, b\; 50\% a\=b",
        r"a \\ b and \\",
        r"f\{x\} and x\^2",
        "路径是C:\\Users\\_me，完",
        r"C:\Program Files (x86)\_x and C:\Users\John Doe\_y, (D:\My Documents\#z)",
        r"My\ File\ \(1\).txt and a\(1\).txt, a\(1\).TXT and ~/Library/Application\ Support/\*",
        r"${env:TEMP}\_x, $env:TEMP\_x, $(OutDir)\_x, %~dp0\_x",
        r"src\__tests__\*.ts and __pycache__\*.pyc and C:\\_x_\\y",
        r'new RegExp("\\*\\*") and "\\(a\\|b\\)" and "C:\\_x\\*" or "D:\\*"',
        r"\*{2} or \*? or \*+",
        r"grep '\(abc\)' and \(ab\)\+ and \(ab\)\{2\} and \(ab\)\1",
        r'"\[" and "\(" and "\)" and “\#” and (\<)',
        r"\\\\ and \\\\\\ and \\\x",
    ],
)
def test_backslashes_that_escape_no_markdown_stay(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"\*not bold\*", "*not bold*"),
        (r"\*\*Note:\*\* text", "**Note:** text"),
        (r"2 \* 3", "2 * 3"),
        (r"snake\_case and \_\_init\_\_", "snake_case and __init__"),
        (r"Name: \_\_\_\_", "Name: ____"),
        (r"\_(ツ)\_ and \_phrase!\_", "_(ツ)_ and _phrase!_"),
        (r"¯\\\_(ツ)\_/¯", r"¯\_(ツ)_/¯"),
        (r"¯\\_(ツ)_/¯", r"¯\_(ツ)_/¯"),
        (r"\!\[a](b)", "![a](b)"),
        (r"\# no heading, \#tag, C\#", "# no heading, #tag, C#"),
        (r"\- no item", "- no item"),
        (r"1\. no item", "1. no item"),
        (r"2\) no item, 3\. neither", "2) no item, 3. neither"),
        (r"\> no quote", "> no quote"),
        (r"\[a](b) and \![a](b) and [a]\(b)", "[a](b) and ![a](b) and [a](b)"),
        (r"\`no code\`", "`no code`"),
        (r"\~\~kept\~\~", "~~kept~~"),
        (r"\$5 and \$6", "$5 and $6"),
        (r"\<b> and \&amp;", "<b> and &amp;"),
        (r"C:\a and snake\_case", r"C:\a and snake_case"),
        (r"C:\a. Name\_x and \\ \*x\*", r"C:\a. Name_x and \\ *x*"),
        ("路径是C:\\a\\_me，\\*不是\\*", "路径是C:\\a\\_me，*不是*"),
    ],
)
def test_an_escape_of_markdown_is_dropped_and_what_it_escapes_stays_text(
    text: str, words: str
) -> None:
    assert shown(text) == words
    assert not re.search(r"<(?:em|strong|h3|ol|ul|a|code)\b", str(render_markdown(text).html))


@pytest.mark.parametrize("path", ["C:\\Windows\\", "C:\\Program Files\\", "\\\\server\\share\\"])
def test_a_path_in_bold_may_end_in_a_backslash(path: str) -> None:
    found = parsed(str(render_markdown(f"In **{path}**, or `x`").html))
    assert [node.text() for node in found.css("strong")] == [path]
    found = parsed(str(render_markdown(f"In **{path}** or `x`").html))
    assert [node.text() for node in found.css("strong")] == [path]
    assert shown(f"{path}** and src\\**\\*.ts").endswith("src\\**\\*.ts")


def test_a_bar_of_a_table_is_escaped() -> None:
    html = parsed(str(render_markdown("| a \\| b | c |\n|---|---|\n| 1 \\| 2 | `x \\| y` |").html))
    cells = re.split(r"\s*\n\s*", html.text().strip())
    assert cells == ["a | b", "c", "1 | 2", "x | y"]


@pytest.mark.parametrize("text", [r"- \[x\] a", r"1. \[ \] a", r"* \[x] a"])
def test_escaped_brackets_begin_no_task(text: str) -> None:
    html = str(render_markdown(text).html)
    assert parsed(html).text().strip().startswith("[") and "task" not in html


def test_an_escaped_backslash_before_emphasis_is_one() -> None:
    html = str(render_markdown(r"a \\*b* c").html)
    assert r"a \<em>b</em> c" in html


@pytest.mark.parametrize("end", [r"\\", r"a"])
def test_a_path_at_the_beginning_is_emphasized_whatever_ends_the_text(end: str) -> None:
    html = str(render_markdown(rf"*C:\x* and {end}").html)
    assert rf"<em>C:\x</em> and {end}" in html


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\\\ntwo", "one\ntwo"),
        ("cd C:\\Users\\\nnext", "cd C:\\Users\\\nnext"),
        ("curl \\\n-x", "curl \\\n-x"),
    ],
)
def test_a_backslash_at_the_end_of_a_line_breaks_it_unless_it_belongs_to_a_command(
    text: str, words: str
) -> None:
    html = str(render_markdown(text).html)
    assert parsed(html).text().strip() == words and "<br" in html
