"""Where an element of a page is, once the page has come to rest."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Locator

_PLACE: Final = """one => new Promise((resolve) => {
  let before;
  const look = () => {
    const now = one.getBoundingClientRect().bottom;
    if (now === before) resolve(now);
    else before = now, requestAnimationFrame(look);
  };
  look();
})"""


def settled_bottom(element: Locator) -> float:
    """Return its lower edge in CSS pixels below the window's top, once two frames agree.

    Sections of a long page get their own height only when they are shown, which moves others.
    """
    return float(element.evaluate(_PLACE))
