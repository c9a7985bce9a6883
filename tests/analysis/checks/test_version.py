"""The version of the checks, by which stored completions are checked again, is raised with them."""

from __future__ import annotations

from hashlib import sha256

from webapp.analysis.checks import CHECKS_VERSION, RULES


def test_new_rules_have_a_new_version() -> None:
    rules = sorted((one.code, one.severity) for one in RULES.values())
    digest = sha256(repr(rules).encode()).hexdigest()[:16]

    # If rules or their severities have changed, raise CHECKS_VERSION and write both down here. If
    # only the code of a rule has changed, this test cannot notice it.
    assert (CHECKS_VERSION, digest) == (8, "cba4a21a577c46e2")
