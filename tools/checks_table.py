"""Write the documentation of the checks from their rules: `checks_table.py docs/checks.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from webapp.analysis.checks import RULES, Need, Rule

_HEAD = """# Checks

`/completions/<id>/checks` and `readback check` look at a completion for what usually breaks one.
Each finding has a stable code. An **error** is an answer that is unusable, or a next request that
is refused; a **warning** is probably a fault; **information** is worth knowing.

A completion that OpenAI stored was accepted by OpenAI: checks of the form of a request say what
happens if the conversation goes on. A check that needs what a server does not send finds nothing,
and the page says once that it is not checkable there.

`make docs` writes this page from the rules in `webapp/analysis/checks`.

| Code | Severity | What it finds | What follows |
| --- | --- | --- | --- |
"""
_NEEDS = {
    Need.MESSAGES: "all messages",
    Need.CALLS: "the calls of earlier turns",
    Need.TOOLS: "the definitions of the tools",
    Need.COMPLETION: "the completion",
}


def format_row(rule: Rule) -> str:
    needs = " and ".join(_NEEDS[need] for need in rule.needs)
    needed = f" Needs {needs}." if needs else ""
    return f"| `{rule.code}` | {rule.severity} | {rule.title}. | {rule.effect}{needed} |\n"


def main(page: Path) -> None:
    page.write_text(_HEAD + "".join(map(format_row, RULES.values())), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
