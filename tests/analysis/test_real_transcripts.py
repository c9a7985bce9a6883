"""Results of the analysis for real transcripts, each of which a person has read."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.support.any_json import TRANSCRIPTS
from webapp.analysis import Run, analyze_run
from webapp.completions import Completion
from webapp.exact_json import Object, parse
from webapp.messages import Message
from webapp.transcript import arrange, build_output_entries


@pytest.mark.skipif(not TRANSCRIPTS, reason="the real transcripts are not beside this checkout")
def test_their_failures_and_findings_are_those_that_a_reader_would_share() -> None:
    """Failures are results that report an error, and answers refused, cut off or filtered."""
    failures, findings = Counter[str](), Counter[str]()
    for path in TRANSCRIPTS:
        for line in path.read_text(encoding="utf-8").splitlines():
            run = analyze(line)
            assert run.report is not None
            failures.update(one.failure.rule for one in run.failures if one.failure)
            findings.update(
                one.code
                for one in run.report.findings
                if one.severity != "remark" and one.code != "secret"
            )

    assert failures == {"cut off": 23, "refused": 4, "content filter": 1, "error message": 21}
    assert findings == {
        "args-cut": 5,
        "args-schema": 12,
        "call-id-mistral": 1,
        "choice-missed": 1,
        "cut-length": 18,
        "filtered": 1,
        "output-schema": 1,
        "reasoning-ate-budget": 5,
    }


def analyze(line: str) -> Run:
    document = parse(line)
    assert isinstance(document, Object)
    completion = Completion.from_json(document)
    messages = [Message.from_json(one) for one in document.items("messages") or ()]
    entries = (*arrange(messages, first=1), *build_output_entries(completion.choices))
    return analyze_run(entries, completion, is_whole=True, is_openai=True)
