"""On paper: every column and every character of a line, and nothing that only a screen can use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser.chromium import Open
from tests.support.long_transcripts import write_completion
from tools.paths import SHARED

COLUMNS = 20
ROW = "|".join(f" Column {at} heading " for at in range(COLUMNS))
TABLE = f"|{ROW}|\n|{'---|' * COLUMNS}\n|{ROW.replace('heading', 'value')}|"
LINE = "x = [" + "1234567890, " * 60 + "]" + "y" * 400
TEXT = (
    f"{TABLE}\n\n```python title=x\n{LINE}\n```\n\n- {'z' * 400}\n\n"
    f"<details><summary>More</summary>\n\n{TABLE}\n\nfolded words\n\n</details>"
)
CALL = {"name": "read", "arguments": json.dumps({"path": "p" * 400, "lines": [1, 2, 3]})}
LINES = [
    {
        "id": "chatcmpl-1",
        "messages": [
            {"role": "user", "content": TABLE},
            {
                "role": "assistant",
                "content": TEXT,
                "tool_calls": [{"id": "call_1", "type": "function", "function": CALL}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": f"{LINE}\n" * 40},
        ],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}}],
    }
]
PAPER = 718
"""The pixels of a line on A4 between margins of a centimetre."""

CUT = """width => [...document.querySelectorAll('main *')].filter(node => {
    const { right, width: own } = node.getBoundingClientRect();
    const clips = getComputedStyle(node).overflowX !== 'visible';
    return own && (right > width + 1 || (clips && node.scrollWidth > node.clientWidth + 1));
}).map(node => `${node.tagName}.${node.className} ${node.scrollWidth}`)"""


@pytest.fixture
def wide(load: Callable[[Path], None], tmp_path: Path) -> str:
    file = tmp_path / "wide.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    load(file)
    return "/completions/chatcmpl-1"


def test_nothing_is_cut_off_on_paper(address: str, open_page: Open, wide: str) -> None:
    page = open_page(address, wide, width=PAPER)
    page.emulate_media(media="print")

    assert page.evaluate(CUT, PAPER) == []
    for words in page.locator(".rendered p", has_text="folded words").all():
        expect(words).to_be_visible()
    for button in page.locator("main button, main .menu").all():
        expect(button).to_be_hidden()
    user = page.locator('.bubble[data-role="user"]')
    assert user.evaluate("node => getComputedStyle(node).borderTopWidth") == "1px"
    sizes = "nodes => nodes.map(node => parseFloat(getComputedStyle(node).fontSize))"
    assert min(page.locator("td, th, pre").evaluate_all(sizes)) >= 12
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize(("columns", "word"), [(3, "Parameter"), (8, "Option"), (12, "Key")])
def test_a_column_of_short_words_keeps_them_whole_beside_sentences(
    address: str,
    open_page: Open,
    load: Callable[[Path], None],
    tmp_path: Path,
    columns: int,
    word: str,
) -> None:
    row = f"|{f'{word}|' * (columns - 1)}{'a sentence of many words ' * 40}|"
    table = f"{row}\n|{'-|' * columns}\n{row}"
    file = tmp_path / "table.jsonl"
    file.write_text(json.dumps(LINES[0] | {"messages": [{"role": "user", "content": table}]}))
    load(file)
    page = open_page(address, "/completions/chatcmpl-1", width=PAPER)
    page.emulate_media(media="print")

    lines = """cells => cells.map(cell => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getClientRects().length;
    })"""
    cells = page.locator("#m-1 td").filter(has_not_text="sentence")
    assert set(cells.evaluate_all(lines)) == {1}
    assert page.evaluate(CUT, PAPER) == []


@pytest.mark.parametrize("columns", [13, 24, 40, 90])
def test_every_column_of_a_table_of_any_kind_is_on_paper(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path, columns: int
) -> None:
    names = [f"name_of_{at}" for at in range(columns)]
    numbers = [f"{at}12345.678" for at in range(columns)]
    table = "\n".join(f"|{'|'.join(row)}|" for row in (names, ["-"] * columns, numbers))
    commas = "\n".join(",".join(row) for row in (names, numbers, numbers))
    values = json.dumps([dict(zip(names, numbers, strict=True))] * 3)
    messages = [{"role": "user", "content": table}, LINES[0]["messages"][1]]
    messages += [
        {"role": "tool", "tool_call_id": "call_1", "content": one} for one in (commas, values)
    ]
    file = tmp_path / "table.jsonl"
    file.write_text(json.dumps(LINES[0] | {"messages": messages, "choices": []}))
    load(file)
    page = open_page(address, "/completions/chatcmpl-1", width=PAPER)
    page.emulate_media(media="print")

    assert page.evaluate(CUT, PAPER) == []
    cells = page.locator("#m-1 :is(th, td)")
    assert cells.count() == 2 * columns
    assert min(cells.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")) > 10


def test_the_table_of_a_bug_report_is_whole_on_paper(
    address: str, open_page: Open, load: Callable[[Path], None]
) -> None:
    case = SHARED / "cases" / "2" / "30_print_wide_table.jsonl"
    if not case.exists():
        pytest.skip(f"{case.name} is not in the shared folder beside the project")
    load(case)
    page = open_page(address, "/completions/f30", width=PAPER)
    page.emulate_media(media="print")
    assert page.locator(".output th").count() == 14
    assert page.evaluate(CUT, PAPER) == []


def test_a_formula_that_is_wider_than_paper_is_broken_into_lines(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    terms = "+".join(f"x_{{{at}}}" for at in range(80))
    cells = "&".join(f"a_{{{at}}}" for at in range(60))
    formulas = [
        f"$${terms}=W$$",
        f"Here ${terms}=W$ it is",
        f"$$\\begin{{align}} y &= {terms} \\\\ z &= 1 \\end{{align}}$$",
        f"$$A=\\begin{{pmatrix}} {cells} \\\\ {cells} \\end{{pmatrix}}$$",
        f"$$f=\\left({terms}\\right)^2$$",
        f"$$x \\text{{{'for words ' * 40}}}$$",
        "$$\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix} = a+b$$",
    ]
    messages = [{"role": "user", "content": one} for one in formulas]
    file = tmp_path / "wide.jsonl"
    file.write_text(json.dumps(LINES[0] | {"messages": messages, "choices": []}))
    load(file)
    page = open_page(address, "/completions/chatcmpl-1", width=PAPER)
    height = "all => all.map(one => one.getBoundingClientRect().height)"
    on_screen = page.locator("math").evaluate_all(height)
    page.emulate_media(media="print")

    assert page.evaluate(CUT, PAPER) == []
    on_paper = page.locator("math").evaluate_all(height)
    assert [high > low for high, low in zip(on_paper, on_screen, strict=True)] == [True] * 6 + [
        False
    ]


def test_a_compact_run_is_on_paper_with_the_ends_of_its_lines(
    address: str, open_page: Open, wide: str
) -> None:
    page = open_page(address, f"{wide}?view=compact", width=PAPER)
    row = page.locator(".call-row")
    expect(row).to_have_count(1)
    page.emulate_media(media="print")
    assert page.evaluate(CUT, PAPER) == []
    assert row.evaluate("node => getComputedStyle(node).breakInside") == "avoid"


def test_paper_says_how_long_a_run_is_and_not_where_its_reader_was(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 60))
    page = open_page(address, "/completions/chatcmpl-long", width=PAPER)
    facts = page.locator(".bar-facts")
    expect(facts).to_contain_text("message 1 of 60")
    page.emulate_media(media="print")
    shown = facts.inner_text()
    assert "60 messages" in shown
    assert "message 1" not in shown


def test_a_list_on_paper_has_rows_and_no_controls(address: str, open_page: Open, wide: str) -> None:
    page = open_page(address, "/completions", width=PAPER)
    page.emulate_media(media="print")
    expect(page.locator(".row-link")).to_be_visible()
    for control in page.locator(":is(main, header) :is(input, button, summary)").all():
        expect(control).to_be_hidden()
    for words in ("Search", "CSV", "As numbers"):
        expect(page.get_by_role("link", name=words, exact=True)).to_have_count(0)


def test_paper_says_which_messages_are_missing(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / "long.jsonl"
    messages = [{"role": "user", "content": f"question {number}"} for number in range(90)]
    file.write_text(json.dumps(LINES[0] | {"messages": messages}) + "\n")
    load(file)
    page = open_page(address, "/completions/chatcmpl-1", width=PAPER)
    page.emulate_media(media="print")

    gap = page.locator("#gap")
    expect(gap).to_be_visible()
    expect(gap.get_by_role("link", include_hidden=False)).to_have_count(0)
    expect(gap.locator(".progress")).to_contain_text("between")


def test_print_loads_the_rest_first(
    address: str, open_page: Open, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(write_completion(tmp_path / "long.jsonl", 60))
    page = open_page(address, "/completions/chatcmpl-long")
    page.add_init_script("window.printed = 0; window.print = () => { window.printed += 1; };")
    page.reload()
    printing = page.get_by_role("link", name="Print", exact=True)
    printing.click()
    page.wait_for_url("**/chatcmpl-long?all=1")
    page.wait_for_load_state("load")
    expect(page.locator("#gap, #more a")).to_have_count(0)
    assert page.evaluate("window.printed") == 1

    printing.click()
    assert page.evaluate("window.printed") == 2
