"""Emphasis beside the punctuation of Chinese, Japanese and Korean, and nowhere else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.any_json import checked
from webapp.rendering import render_markdown
from webapp.rendering.markdown.plugins.inline import cjk_emphasis


def inner(text: str) -> str:
    html = str(render_markdown(text).html).strip()
    return re.sub(r"^<p[^>]*>|</p>$", "", html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**注意：**正文", "<strong>注意：</strong>正文"),
        (
            "**真，**她。**粗体（说明）**后文",
            "<strong>真，</strong>她。<strong>粗体（说明）</strong>后文",
        ),
        ("日本語**(強調)**日本語", "日本語<strong>(強調)</strong>日本語"),
        ("한국어**[강조]**한국어", "한국어<strong>[강조]</strong>한국어"),
        ("~~删除。~~后文", "<s>删除。</s>后文"),
        ("これは**「強調」**です。", "これは<strong>「強調」</strong>です。"),
        ("他说：**“你好。”**然后", "他说：<strong>“你好。”</strong>然后"),
        ("*（注）*正文", "<em>（注）</em>正文"),
        ("**Note:**中文", "<strong>Note:</strong>中文"),
        ("**`code`**中文", "<strong><code>code</code></strong>中文"),
        ("ｶﾅ**(ｶﾅ)**ｶﾅ", "ｶﾅ<strong>(ｶﾅ)</strong>ｶﾅ"),
        ("**葛\U000e0100（城）**市", "<strong>葛\U000e0100（城）</strong>市"),
        ("***重要。***后", "<em><strong>重要。</strong></em>后"),
    ],
)
def test_emphasis_begins_and_ends_beside_cjk_punctuation(text: str, html: str) -> None:
    assert inner(text) == html


@pytest.mark.parametrize(
    "text",
    ["中文** 不是 **中文", "2 * 3 * 4 中文", "变量_名_称", "a**(x)**b", "**abc.**def", "**🙂.**x"],
)
def test_what_is_no_emphasis_stays_text(text: str) -> None:
    assert inner(text) == text


@given(st.text("ab *_~.()[]!“”é🙂\n", max_size=40))
@checked
def test_nothing_changes_without_cjk_characters(text: str) -> None:
    usual, amended = MarkdownIt("js-default"), MarkdownIt("js-default")
    cjk_emphasis.install(amended)
    assert amended.render(text) == usual.render(text)
