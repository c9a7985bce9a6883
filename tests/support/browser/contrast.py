"""The contrast of every text on a page, computed from the colours that the browser renders.

Ground is what lies behind the text: the backgrounds of all elements around it, laid over each
other. WCAG asks for 4.5 to 1, and for 3 to 1 where the text is large.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Page

LOOK: Final = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")

# Behind a fold the colours are the same, but only what can be seen has any. The animation of a
# message just found would be caught at some moment of it.
UNFOLD: Final = """() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    for (const animation of document.getAnimations()) animation.finish();
}"""


def faint_texts(page: Page, within: str = "body") -> list[str]:
    """A sentence for every kind of text whose contrast is too low, everything unfolded.

    Looks at the elements that the selector `within` finds, and at all inside them.
    """
    page.evaluate(UNFOLD)
    looked = page.evaluate(LOOK, within)
    assert looked["texts"] > 0, "the page has no text"
    faint: list[str] = looked["faint"]
    return faint
