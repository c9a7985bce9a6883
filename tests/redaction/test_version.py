"""The version of the rules, which older snapshots are warned of, is raised with them."""

from __future__ import annotations

from hashlib import sha256

from webapp.redaction import REDACTION_VERSION
from webapp.redaction.detecting import FILTERS, KINDS
from webapp.redaction.rules.spoken.nouns import NOUNS_NEEDS


def test_new_rules_have_a_new_version() -> None:
    needs = [rule.needs for rules, _ in FILTERS for rule in rules] + [NOUNS_NEEDS]
    patterns = [(kind.name, kind.pattern.pattern) for kind in KINDS]
    digest = sha256(repr((needs, patterns)).encode()).hexdigest()[:16]

    # If the expressions of rules have changed, raise REDACTION_VERSION unless they find the same
    # secrets, and write both down here. If only the code of a rule has changed, this test cannot
    # notice it.
    assert (REDACTION_VERSION, digest) == (20, "cbcd01c5c55a058d")
