"""Write the documentation of the checks from their rules: `checks_table.py docs/checks.md`."""

from __future__ import annotations

import sys
from pathlib import Path

from webapp.analysis.checks import RULES, Need, Rule

_HEAD = """# Checks

`/completions/<id>/checks` and `readback check` look for the usual faults of a completion.
Each finding has a stable code. An **error** is an answer that is unusable, or a next request that
is refused; a **warning** is probably a fault; a **remark** is worth knowing.

OpenAI has accepted the completions that it stores: checks of a request's form explain the
consequences if the conversation goes on. If a server does not send the data that a check needs, the
check is not run, and the page lists it once as not checkable.

`make docs` writes this page from the rules in `webapp/analysis/checks`.

| Code | Severity | Fault | Consequence |
| --- | --- | --- | --- |
"""
_NEEDS = {
    Need.MESSAGES: "all messages",
    Need.CALLS: "the calls of earlier turns",
    Need.TOOLS: "the definitions of the tools",
    Need.COMPLETION: "the completion",
    Need.OPENAI: "OpenAI's own server",
}


def format_row(rule: Rule) -> str:
    needs = " and ".join(_NEEDS[need] for need in rule.needs)
    needed = f" Needs {needs}." if needs else ""
    return f"| `{rule.code}` | {rule.severity} | {rule.title}. | {rule.effect}{needed} |\n"


def main(page: Path) -> None:
    page.write_text(_HEAD + "".join(map(format_row, RULES.values())), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
