"""Run axe-core in a page, and return a sentence for each fault."""

from __future__ import annotations

import os
from functools import cache
from typing import Final, Literal, TypeAlias

import pytest
from playwright.sync_api import Page

from tools.paths import ROOT

Scheme: TypeAlias = Literal["light", "dark"]

SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
AXE: Final = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@cache
def axe_source() -> str:
    """The script, as npm installed it; the test is skipped without it, and fails under CI."""
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    missing = "axe-core is not installed: run the tests by `make test`, which installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


WHOLE: Final = (
    *("accesskeys", "aria-valid-attr-value", "bypass", "duplicate-id-aria", "frame-title-unique"),
    *("heading-order", "landmark-main-is-top-level", "landmark-no-duplicate-banner"),
    *("landmark-no-duplicate-contentinfo", "landmark-no-duplicate-main", "landmark-one-main"),
    *("landmark-unique", "page-has-heading-one", "region", "skip-link", "table-duplicate-name"),
)
"""The rules whose result for an element depends on other elements."""

CONTRAST: Final = "color-contrast"
"""By far the most expensive rule; `tests.support.browser.contrast` looks at more texts for less."""

LINKS: Final = "link-in-text-block"
"""The other rule that looks at colours: a link within a text does not differ by its hue alone."""

WITHOUT_COLOURS: Final = """axe.configure({
    rules: [{ id: "link-in-text-block", any: ["link-in-text-block-style"] }]
})"""
"""Makes `LINKS` ask for an underline, a border or another font. Most links have one, and computing
the colours of all of them would take a third of the time, and as much again in dark."""

ECONOMY: Final = {
    "resultTypes": ["violations"],
    "selectors": False,
    "preload": {"assets": ["media"]},
}
"""What spares a third of the time: no paths of elements, and no parsing of style sheets, which only
rules that are off by themselves ask for."""


def violations(page: Page, *, without: tuple[str, ...] = ()) -> list[str]:
    """Return the findings of axe-core, by all rules but `CONTRAST` and those in `without`.

    Links that only their colour marks are checked in light and dark.
    """
    page.evaluate(axe_source())
    page.evaluate(WITHOUT_COLOURS)
    found = _found(page, {"rules": {rule: {"enabled": False} for rule in (CONTRAST, *without)}})
    others = [one for one in found if not one.startswith(f"{LINKS}: ")]
    if others == found:
        return found
    page.evaluate("axe.reset()")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        others += _found(page, {"runOnly": [LINKS]})
    return others


def violations_of_whole(page: Page) -> list[str]:
    """What axe-core finds by the rules that compare elements of a whole page."""
    page.evaluate(axe_source())
    return _found(page, {"runOnly": list(WHOLE)})


def _found(page: Page, options: dict[str, object]) -> list[str]:
    """A sentence for each finding. The script comes through the debugger, so the page's policy
    stays as it is."""
    options = {**ECONOMY, **options}
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
        if not _is_formula(violation["id"], node["html"])
    ]


def _is_formula(rule: str, html: str) -> bool:
    """The head of a column that is a formula is not empty: screen readers read MathML, axe does
    not."""
    return rule == "empty-table-header" and "<math" in html
