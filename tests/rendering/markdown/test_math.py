"""Formulas: which texts are formulas, which only look like one, and that none does harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.any_json import checked
from tests.support.html import all_text, assert_harmless, parsed
from webapp.rendering import Budgets, MarkdownBudget, render_markdown
from webapp.rendering.markdown.math.mathml import MAX_LENGTH, render_formula


def formulas(text: str) -> list[tuple[str, bool]]:
    """Return the LaTeX of all formulas in `text`, and whether each has lines of its own."""
    view = render_markdown(text)
    assert view.note is None
    assert_harmless(str(view.html))
    found = parsed(str(view.html)).css("math")
    return [
        (one.attributes["alttext"] or "", one.attributes.get("display") == "block") for one in found
    ]


def _inline(*sources: str) -> list[tuple[str, bool]]:
    return [(latex, False) for latex in sources]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$x$", [("x", False)]),
        ("so $x^2$, then $y$.", [("x^2", False), ("y", False)]),
        (r"\(x + y\)", [("x + y", False)]),
        (r"\[ x = y \]", [("x = y", True)]),
        ("$$x$$", [("x", True)]),
        ("words $$x$$ words", [("x", True)]),
        ("$$\nx\n\n- y\n= z\n$$", [("x\n\n- y\n= z", True)]),
        ("\\[\nx\n= y\n\\]", [("x\n= y", True)]),
        ("words:\n\\[\nx = y\n\\]\nwords", [("x = y", True)]),
        ("1. a\n   \\[\n   x = y\n   \\]", [("x = y", True)]),
        ("> $$\n> x\n> $$", [("x", True)]),
        ("\\[\ny\n\\]", [("y", True)]),
        ("1. a\n\n   \\[\n   ABC\n   \\]", [("ABC", True)]),
        ("> \\[\n> y\n> \\]", [("y", True)]),
        ("设$a=1$，则$b$。若$n>1$则$x$个", [(x, False) for x in ("a=1", "b", "n>1", "x")]),
        ("함수$f(x)$는", [("f(x)", False)]),
        ("値は$\\text{速度}$です", [(r"\text{速度}", False)]),
        ("GitHub's $`a_1`$, ($`x`$)", [("a_1", False), ("x", False)]),
        ("```math\nx\n```", [("x", True)]),
        (r"$a_1 * b_2 * c$", [("a_1 * b_2 * c", False)]),
        (r"$\$ 9$", [(r"\$ 9", False)]),
        (r"\[ a \\[2pt] b \]", [(r"a \\[2pt] b", True)]),
        ("| $x$ |\n|-|\n| $y$ |", [("x", False), ("y", False)]),
        ("**$x$** and *$y$*", [("x", False), ("y", False)]),
        ("The answer is $42$.", [("42", False)]),
        ("($x$)", [("x", False)]),
        (r"\(x\) \(n\) \(ABC\) \(5\)", [(x, False) for x in ("x", "n", "ABC", "5")]),
        (r"\(\|x\| + 1\)", [(r"\|x\| + 1", False)]),
        ("$$ABC$$ and $$ x + y $$", [("ABC", True), ("x + y", True)]),
        ("$$\nABC\n$$", [("ABC", True)]),
        ("$$x² + y³ ≥ √2 · π$$", [("x² + y³ ≥ √2 · π", True)]),
        ("$$force = mass * speed$$", [("force = mass * speed", True)]),
        (r"\(distance = speed * time\)", [("distance = speed * time", False)]),
        (
            "$42$, $1, 2, 3$, $5 + 6 = 11$, $2x$ and $3:2$",
            _inline("42", "1, 2, 3", "5 + 6 = 11", "2x", "3:2"),
        ),
        ("For €5, $2x = 6$\n$2, 3$ and $4, 5$", _inline("2x = 6", "2, 3", "4, 5")),
        ("$10^{-3}; x$", [("10^{-3}; x", False)]),
        (
            "So\n\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\nholds.",
            [("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}", True)],
        ),
        (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", [(r"\begin{pmatrix} 1 & 2 \end{pmatrix}", True)]),
    ],
)
def test_formulas_are_set(text: str, found: list[tuple[str, bool]]) -> None:
    assert formulas(text) == found


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("the $n$th term", "n"),
        ("the $(n+1)$st", "(n+1)"),
        ("$x_2$nd.", "x_2"),
        ("$3$rd", "3"),
        ("all $m$s", "m"),
        ("$k$th-largest", "k"),
        (r"$\alpha$s", r"\alpha"),
        (r"H\(n\).It follows", "n"),
    ],
)
def test_a_formula_may_have_the_ending_of_a_word(text: str, latex: str) -> None:
    assert formulas(text) == [(latex, False)]


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        "US$ 20 or 20 US$",
        "from $5-$10 or $5/$10",
        "It costs $1,000.50 (or 900$).",
        "between $20 million and 30$",
        "€5 and $6, x$",
        "EUR 5 or $6, x$",
        "20 dollars, or $25 x$",
        "US$5, $6, x$",
        "**$5** and **$10**",
        "$HOME/$USER and $PATH:$HOME",
        "${A}${B} $(A)$(B) $A$B",
        "a$b$c",
        "x$y$",
        "$x$y",
        "$ x $",
        "$x $",
        r"\$5 and \$6",
        "echo $$ and $! and $?",
        "$$",
        "$$$$",
        "$$$x$$$",
        "$5 `code`$",
        "$$`x`$ x$`y`$ $`y`$z $`y$ `$`x`$`",
        "\\[\nplease see the note\n\\]",
        "价格是$5，比$6便宜，共$20元",
        "花了5$到10$左右，单价$3.5元，总价$7元",
        "It costs $2, 3$，",
        "变量$HOME和$PATH在$a和$中",
        "`$x$`",
        "    $x$",
        "```\n$x$\n```",
        r"\[1\] \[x\] \[ \] \[citation needed\]",
        r"\[text\](https://a.example/?a=b)",
        r"\\(x\\)",
        "[a $x$ b](https://a.example)",
        "$x",
        r"\(x",
        r"\[x = y",
        "Try Luigi's ($$) or Marco's ($$).",
        "Cost: $$ (moderate)\nOther: $$ (moderate)",
        "$$ (moderate)\nOther: $$",
        "kill $$; echo $$",
        "kill $$\necho $$",
        "ps -p $$ | grep $$",
        "pid=$$; other=$$",
        "$$ - $$$ or $$ - $$ or $$-$$",
        "$${VAR} $${OTHER} $$HOME/$$USER",
        r"\(see the appendix for more\)",
        r"In sed, \(foo bar\) is a group",
        r"regex \(a\|b\) or \(a\|b\|c\) or \(foo\|bar\)",
        r"s/\(.*\)\.txt/\1/ and \([^/]*\) \([0-9]*\)",
        r"\[see docs/readme\]",
        r"\[1/3\] Building wheel",
        r"\[y/N\] \[-v|--verbose\] \[key=value\] \[<file>\]",
        "$PATH:$s and $HOME/$s and %1$s and %2$s and $key=$s and ${x}$s and $a.$s",
        "$n$things $n$th1",
        "$100-$200; 5$ or 6$.",
        "cost=$5; tax=1$.",
        "$5 = 4€, 6$ = 5€.",
        "It is $5. 6$ was before.",
        "from $10 (was 20$) to $30 (was 40$)",
        "a=$5, b=6$ and x=$7,y=8$",
        "5$ = 4€, 6$ = 5€; 7$: cheap, 8$ less",
        "$5 (10%), 6$ (12%)",
        "$5 £4 6$",
        "It costs $2, 3$ or $4-5$ each.",
        "Prices: $10-20$, $1,000 – 2,000$",
        "$5/month, $50/year; $5-10$",
        "We sell them for $2,5$",
    ],
)
def test_prices_variables_and_code_are_no_formulas(text: str) -> None:
    assert formulas(text) == []


BODIES = {"a": r"\b" * 9, "b": r"\c" * 9, "c": r"\d" * 9, "d": "x" * 9}
CHAIN = "".join(rf"\def\{name}{{{body}}}" for name, body in BODIES.items())
"""Definitions of commands that each are nine of the next one."""


@pytest.mark.parametrize(
    "text",
    [
        r"$\unknowncommand{x}$",
        r"\(\frac{1}\)",
        r"\[ \begin{matrix} x \]",
        "$" + "x+" * (MAX_LENGTH // 2 - 10) + r"\bad$",
        r"$\newcommand{\a}{\a\a}\a$",
        r"$\newcommand{\unused}{x} y$",
        r"$\newcommand{\a}[2][{x}]{#1#2} \a{y}$",
        f"${CHAIN}\\a$",
        r"$\SI{5}{\foo}$",
        r"$\let\a=[ \a$",
        r"$\global\def\a{{\ldots}}\a$",
        r"$\gdef\ldots{x}$",
        r"$x = 50% of y$",
        r"$x \\% y$",
    ],
)
def test_latex_that_cannot_be_converted_is_shown_as_written(text: str) -> None:
    found = str(render_markdown(text).html)

    assert parsed(found).css_first("math") is None
    assert [node.text() for node in parsed(found).css("code.formula-source")] == [text]
    assert_harmless(found)


@pytest.mark.parametrize(
    "text",
    [
        r"$x_1, \ldots, x_n$",
        r"$a \implies b \iff c \impliedby d$",
        r"$a \equiv b \pmod{n}, c \bmod d \mod e$",
        r"$" + r"\ldots" * 300 + "$",
    ],
)
def test_commands_that_expand_to_others_are_converted(text: str) -> None:
    assert formulas(text) == [(text.strip("$"), False)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (r"$\overline{AB} = c$", "math-line-over"),
        (r"$\underline{AB} = c$", "math-line-under"),
    ],
)
def test_a_line_is_as_long_as_the_formula_below_it(text: str, line: str) -> None:
    (row,) = parsed(str(render_markdown(text).html)).css(f"math > mrow.{line}")

    assert row.text() == "AB"
    assert parsed(str(render_markdown(text).html)).text().strip() == "AB=c"


@pytest.mark.parametrize(
    ("text", "scrolls"),
    [
        ("$1, 2, 3, 4, 5, 6, 7$", False),
        ("$121, 144, 150, 160, 180, 126, 128$", True),
        ("$10.0000198\\cdot 5.9999985401$", False),
        (r"$\frac{\alpha_1+\alpha_2}{\beta_1+\beta_2}$", False),
        ("$$121, 144, 150, 160, 180$$", False),
        ("$$121,144,150,160,180,126,128$$", True),
    ],
)
def test_a_formula_that_may_be_wider_than_a_phone_scrolls_by_keyboard(
    text: str, scrolls: bool
) -> None:
    (box,) = parsed(str(render_markdown(text).html)).css("[class^='formula-']")

    assert ("tabindex" in box.attributes) is scrolls
    assert (box.attributes["class"] == "formula-long") is (scrolls and "$$" not in text)


def test_an_accent_is_a_character() -> None:
    found = parsed(str(render_markdown(r"$\bar{x}$").html))

    assert [one.text() for one in found.css("mover")] == ["x\u00af"]


def test_a_block_of_mathematics_that_cannot_be_set_shows_its_source() -> None:
    assert "\\bad{x}" in all_text(str(render_markdown("```math\n\\bad{x}\n```").html))


def test_a_formula_has_its_source_as_alternative_text() -> None:
    (math,) = parsed(str(render_markdown(r"$\frac{1}{2} < \text{\"a\"}$").html)).css("math")

    assert math.attributes["alttext"] == r"\frac{1}{2} < \text{\"a\"}"


@pytest.mark.parametrize(
    "latex",
    [
        *(
            "\\text{abc\u202edef}",
            "\u2067x\u2069",
            "\\text{a\U000e0041}",
            "x\u200b\u200b\u200b\u200b\u200b",
        ),
        *("\\text{a\ufe01\ufe02\ufe03}", "x" * 300 + "\u202d"),
    ],
)
@pytest.mark.parametrize("signs", ["$", "$$"])
def test_hidden_characters_keep_a_formula_as_written_and_marked(latex: str, signs: str) -> None:
    found = parsed(str(render_markdown(f"so {signs}{latex}{signs} is").html))

    assert found.css_first("math") is None
    (source,) = found.css("code.formula-source")
    assert source.text() == signs + latex + signs
    assert source.css(".control[data-mark]")


def test_hidden_characters_between_brackets_prevent_a_formula() -> None:
    assert formulas("$a" + "{\u200b}" * 5 + "b$") == []


def test_joiners_of_a_script_and_an_emoji_are_set() -> None:
    latex = "\\text{\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645} + \\text{\u2764\ufe0f}"
    assert formulas(f"${latex}$") == [(latex, False)]


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{</math><script>alert(1)</script>}",
        r"\text{<style><a title=\"</style><img src onerror=alert(1)>\">}",
        r"\mathrm{<b>} < > & ' \" x",
        r"\operatorname{<svg>}",
        r"x <!-- y --> z",
        r"\begin{array}{l|r} a & b \\ \hline c & d \end{array}",
        r"\begin{align} a &= b \\ c &= d \end{align}",
        r"\boxed{x} \cancel{y} \xcancel{z}",
    ],
)
def test_a_formula_holds_nothing_but_mathematics(latex: str) -> None:
    found = str(render_markdown(f"before $${latex}$$ after").html)
    math = parsed(found).css_first("math")

    assert_harmless(found)
    assert all_text(found).startswith("before ") and all_text(found).rstrip().endswith(" after")
    assert math is None or {node.tag for node in math.css("*")} <= {
        *("math", "mrow", "mi", "mo", "mn", "mtext", "mtable", "mtr", "mtd", "mspace"),
    }


def test_formulas_beyond_the_budget_of_the_page_are_shown_as_written() -> None:
    view = render_markdown("$a$ $b$ $c$", budget=MarkdownBudget(Budgets(formulas=2)))

    assert len(parsed(str(view.html)).css("math")) == 2
    assert "$c$" in all_text(str(view.html))
    assert view.note == (
        "Some formulas stand as written: the page has set as many as one page may."
    )


def test_a_very_long_formula_counts_as_several() -> None:
    long = "$" + "x+" * 500 + "x$"
    view = render_markdown(f"{long} $a$", budget=MarkdownBudget(Budgets(formulas=4)))

    assert len(parsed(str(view.html)).css("math")) == 1
    assert "$a$" in all_text(str(view.html))


DEEP = r"""
import threading

from webapp.rendering.markdown.math.mathml import render_formula

FORMS = [
    ("{", "}"), (r"\frac{", "}{y}"), ("x^{", "}"), ("x_{", "}"), (r"\left(", r"\right)"),
    (r"\begin{pmatrix}", r"\end{pmatrix}"), (r"\hat ", ""), (r"\sqrt[", "]{x}"), ("(", ")"),
    (r"\frac x ", ""), (r"\overset x ", ""), (r"\binom", ""), ("!", ""), ("'", ""),
    ("\u2211", ""), ("\u00b7", ""), ("\u2308", "\u2309"), ("\u222b x", ""),
    (r"\text{", "}"), (r"\displaystyle ", ""), (r"\not", ""), (r"\mathbf", ""),
]


def run():
    for opening, closing in FORMS:
        for depth in (10, 20, 40, 41, 100, 300, 1000, 2000, 20000):
            render_formula(opening * depth + "x" + closing * depth, display=True)


threading.stack_size(256 * 1024)
thread = threading.Thread(target=run)
thread.start()
thread.join()
print("alive")
"""


def test_nesting_ends_no_process_however_deep_and_however_small_its_stack() -> None:
    done = subprocess.run([sys.executable, "-c", DEEP], capture_output=True, text=True, check=False)

    assert done.stdout == "alive\n", done.stderr


PIECES = [
    *("x", "1", "+", "{", "}", "^", "_", "\\frac", "\\sqrt", "\\text{a}", "\\left(", "\\right)"),
    *("\\\\", "&", "\\begin{matrix}", "\\end{matrix}", "<", ">", "'", '"', "&lt;", "\\boxed{"),
    *(
        "\\mathbb{R}",
        "\\alpha",
        " ",
        "\n",
        "\x00",
        "\u202e",
        "\U0001f600",
        "\\color{red}",
        "%",
        "#",
    ),
]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.booleans())
@checked
def test_no_latex_raises_or_makes_more_than_mathematics(latex: str, display: bool) -> None:
    made = render_formula(latex, display=display)

    assert made is None or parsed(str(made)).css_first("math") is not None
    assert_harmless(str(made or ""))


SNIPPETS = [
    line
    for line in (Path(__file__).parent / "formulas.txt").read_text(encoding="utf-8").split("\n")
    if line
]


def test_nearly_all_that_katex_supports_is_set_and_the_rest_stays_whole() -> None:
    left = [latex for latex in SNIPPETS if render_formula(latex, display=True) is None]
    assert len(SNIPPETS) > 300
    assert len(left) < 0.05 * len(SNIPPETS), left
    for latex in left:
        shown = parsed(str(render_markdown(f"```math\n{latex}\n```").html)).text()
        assert latex in shown


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"E = mc^2 \tag{1}", "E=mc2(1)"),
        (r"\dv{f}{x} + \pdv[2]{f}{t} + \pdv{f}{x}{y}", "dfdx+∂2f∂t2+∂2f∂x∂y"),
        (r"\SI{9.8}{\kilo\meter\per\second\squared} \qty{5}{m/s} \num{1e5}", "9.8kms−25m/s1×105"),
        (r"\ang{30;20;10} \ang{;5;} \dv{f}{x}{y}", "30∘20′10″5′dfdxy"),
        (r"\qty(x) \qty{y} \ang{45} \nicefrac{1}{2}", "(x){y}45∘1/2"),
        (r"\verb|a_b| \href{https://a.example/x_1}{y} \url{b}", "a_by (https://a.example/x_1)b"),
        (r"\newcommand{\R}{\mathbb{R}} \newcommand\f[2]{#1^{#2}} \f{x}{y} \in \R", "xy∈ℝ"),
        (r"\def\a{b}\a \DeclareMathOperator{\tr}{tr} \tr A", "btrA"),
        (r"\gdef\R{\mathbb{R}} \let\a\alpha \def\f#1{#1^2} \f{\a} \in \R", "α2∈ℝ"),
        (r"\newcommand{\pd}[2][g]{#1_{#2}} \pd[f]{x} \pd{y}", "fxgy"),
        (r"\begin{array}{@{}l@{\quad}*{2}{c|}p{2cm}} a & b & c & d \end{array}", "abcd"),
        (r"\begin{array}[t]{l} a \end{array} \begin{aligned}[b] c &= d \end{aligned}", "ac=d"),
        (r"\pmatrix{a & b \cr c & d} \eqalign{a &= b \cr c &= d}", "(abcd)a=bc=d"),
        (r"\begin{array}{cc} \multicolumn{2}{c}{x} \\ a & b \end{array}", "xab"),
        (r"{a \above{2pt} b} \cfrac[l]{1}{x} \cancelto{0}{y}", "ab1xy0"),
        (r"\raise{2pt}{x} \lower2pt\hbox{y} \vspace{1em} z", "xyz"),
        (r"\begin{aligned} x &= 1 \\ \intertext{so} y &= 2 \end{aligned}", "x=1soy=2"),
        (r"\root 3 \of x \buildrel\rm def\over= \overunderset{a}{b}{=}", "x3=def=ba"),
        (r"\textcolor[RGB]{255,0,0}{x} \definecolor{m}{RGB}{1,2,3} \mathcolor{red}{y}", "xy"),
        (r"\textcircled{1} \textsuperscript{a} \bbox[yellow]{x}", "①ax"),
        (
            r"\expval{A} \ip{a}{b} \mel{a}{H}{b} \dyad{a} \comm{A}{\va{v}}",
            "⟨A⟩⟨a|b⟩⟨a|H|b⟩|a⟩⟨a|[A,𝐯⃗]",
        ),
        (r"\SIrange{1}{5}{\volt} \numrange{1}{9} \numlist{1;2;3}", "1V to 5V1 to 91, 2 and 3"),
        (
            r"\ce{A\bond{~}B} \ce{NaCl_{(s)}} \ce{SO4_{(aq)}} \ce{H2O\,(l)}",
            "A∼BNaCl(s)SO4(aq)H2O(l)",
        ),
        (r"\pu{mol//L} \pu{1.0 x 10^3 m}", "mol/L1.0⋅103m"),
        (r"\ceil{x} \floor*{y} \sgn(z)", "⌈x⌉⌊y⌋sgn\u2061(z)"),
        (r"x \tag*{hi}", "xhi"),
        (r"\sum_{\substack{0<i\\j<n}} P", "∑0<ij<nP"),
        (r"\begin{split} a &= b \\ &= c \end{split}", "a=b=c"),
        (r"\text{if $x>0$ or \(y\)}", "if x>0 or y"),
        (r"\mbox{for my_var}", "for my_var"),
        (r"\textbf{bold} \textit{slanted}", "boldslanted"),
        (r"\textrm{if} \textsf{x} \texttt{a_b} \emph{so}", "ifxa_bso"),
        (r"\mathop{\rm Res}\limits_{z=0} f", "Resz=0\u2061f"),
        (r"a\raisebox{0.25em}{$b$}c", "abc"),
        (r"x \bullet y", "x∙y"),
        (r"\colorbox{aqua}{$F$} \textcolor{#228B22}{G}", "FG"),
        (r"\large x \smash[b]{y} \hspace*{1em} z", "xyz"),
        (r"\dotsb x", "⋯x"),
        (r"\eqref{eq:1} \label{a}", "(eq:1)"),
        (r"\left< x \middle| y \right>", "⟨x|y⟩"),
        (r"\norm{\abs{x} + \frac{a}{b}}", "‖|x|+ab‖"),
        (r"\require{cancel} \dd x \curl \vb{A}", "dx∇×𝐀"),
        (r"90\textdegree", "90°"),
        (r"\begin{CD} A @>f>> B \\ @VVgV @VV{h}V \\ C @>>k> D \end{CD}", "A→fB↓g↓hC→kD"),
        (r"\begin{CD} A @= B @<a<< C \\ @| @. @AAbA \\ D @. E @. F \end{CD}", "A=B←aC‖↑bDEF"),
        (r"\begin{CD} A \\ @VVV \\ B \end{CD}", "A↓B"),
        (
            r"\begin{tabular}{|c|p{2cm}|} \hline Name & $x_1$ \\ \hline a_b & c \& d \end{tabular}",
            "Namex1a_bc\xa0&\xa0d",
        ),
        (r"\begin{tabularx}{\textwidth}{lX} a & b \end{tabularx}", "ab"),
        (r"\begin{array}{cc} 1 & 2 \\ \cline{2-2} 3 & 4 \end{array}", "1234"),
        (r"\ce{A <=>[450^\circ C][200 atm] B}", "A⇌200atm450∘CB"),
        (r"\vv{AB} \arcsinh x \textdollar 5 \Hat{x}\/ \htmlClass{a}{y}", "AB→arcsinh\u2061x$5xˆy"),
        (r"\sqrt[\leftroot{-2}\uproot{2}3]{k} \eval{f}_{0} \ding{51}", "k3\u2063f|0✓"),
        (r"√2 \pm ∛{x+1} + √(y) + 2√n", "2±x+13+|(y)+2n"),
        (r"\text{√2 of \mbox{√}} \textbf{√}", "√2 of √√"),
        (r"\longdiv{12} \stackunder{a}{b} \stackon{a}{b}", ")12abab"),
    ],
)
def test_what_the_library_does_not_know_is_rewritten(latex: str, text: str) -> None:
    math = parsed(str(render_formula(latex, display=True)))
    assert "".join(math.text().split()) == "".join(text.split())
    assert math.css("math")[0].attributes["alttext"] == latex


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (r"a\\[2ex]b", "ab"),
        (r"a\\ [1em] b", "ab"),
        (r"a\\[-3pt]b", "ab"),
        (r"a\\*[.5em]b", "ab"),
        (r"a\cr[2 mm]b", "ab"),
        (r"a\\[x]b", "a[x]b"),
        (r"a\\ [1, 2]", "a[1,2]"),
        (r"a\\[2]", "a[2]"),
        (r"a\\C", "aC"),
        (r"a\\small", "asmall"),
        (r"a\\color{r}", "acolorr"),
        (r"a\\\C", "aℂ"),
        (r"a\\\alpha", "aα"),
        (r"\{a\\b\}", "{ab}"),
    ],
)
@pytest.mark.parametrize("environment", ["matrix", "aligned", "cases"])
def test_a_row_ends_with_its_spacing_and_before_the_letters_that_follow(
    environment: str, rows: str, text: str
) -> None:
    latex = rf"\begin{{{environment}}}{rows}\end{{{environment}}}"
    html = render_formula(latex, display=True)
    assert html is not None
    root = parsed(str(html))
    assert len(root.css("mtr")) == 2
    assert "".join(root.css("mtable")[0].text().split()) == text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\ce{CO2 + C -> 2 CO}", "CO2+C→2CO"),
        (r"\ce{SO4^2-}", "SO42−"),
        (r"\ce{[AgCl2]-} \ce{Y^99+} \ce{Fe^{3+}}", "[AgCl2]−Y99+Fe3+"),
        (r"\ce{^{227}_{90}Th+} \ce{^227_90Th}", "90227Th+90227Th"),
        (r"\ce{Zn^2+ <=>[+ 2OH-][+ 2H+] Zn(OH)2 v}", "Zn2+⇌+2H++2OH−Zn(OH)2↓"),
        (r"\ce{2H+ + 2e- -> H2 ^}", "2H++2e−→H2↑"),
        (r"\ce{CuSO4.5H2O} \ce{KCr(SO4)2*12H2O}", "CuSO4⋅5H2OKCr(SO4)2⋅12H2O"),
        (r"\ce{CH3-CH=CH2} \ce{HC#CH}", "CH3−CH=CH2HC≡CH"),
        (r"\ce{A ->[{a catalyst}][\Delta] B}", "A→Δa\u00a0catalystB"),
        (r"\ce{NaCl(aq)} \ce{NO_x} \ce{1/2 O2}", "NaCl(aq)NOx12O2"),
        (r"\pu{123 kJ/mol} \pu{1.2e3 m s^-1}", "123kJ/mol1.2⋅103ms−1"),
    ],
)
def test_chemistry_is_set_as_formulas(latex: str, text: str) -> None:
    html = render_formula(latex, display=True)
    assert html is not None
    assert "".join(parsed(str(html)).text().split()) == "".join(text.split())
    assert 'alttext="' in html


@pytest.mark.parametrize("latex", [r"\ce{A & B}", r"\ce{A | B}", r"\pu{much of it?}", r"\ce{"])
def test_chemistry_with_an_unknown_sign_keeps_its_source(latex: str) -> None:
    assert render_formula(latex, display=True) is None


def test_the_faces_of_texts_are_classes() -> None:
    math = str(render_formula(r"\textbf{\textit{x}}", display=True))
    assert '<mtext class="math-bold math-italic">x</mtext>' in math
