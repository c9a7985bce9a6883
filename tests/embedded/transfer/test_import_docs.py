"""Every example in the document about import is imported, as the form that it is under."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from flask.testing import FlaskClient

from tests.support.api_answers import ids
from tools.paths import ROOT
from webapp.embedded import Store, import_files
from webapp.embedded.transfer.pieces import FORMATS, ImportFormat

TEXT: Final = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
EXAMPLES: Final = dict(re.findall(r"^## (.+?)\n[^#]*?```json\n(.*?)```", TEXT, re.DOTALL | re.M))
FORMS: Final = {
    "Completions with messages": {"COMPLETION"},
    "Fine-tuning examples": {"FINE_TUNING"},
    "Conversations without an answer": {"UNANSWERED"},
    "Requests with their responses": {"EXCHANGE"},
    "Requests of the Responses API": {"RESPONSES"},
    "Requests of Anthropic's API": {"ANTHROPIC"},
    "Requests of Gemini": {"GEMINI"},
    "Requests of Bedrock Converse": {"BEDROCK"},
    "Requests of Cohere": {"EXCHANGE"},
    "Conversations of Mistral": {"MISTRAL"},
    "Text completions": {"COMPLETIONS"},
    "Requests of Ollama": {"OLLAMA"},
    "Requests logged by LiteLLM": {"LOGGED"},
    "HAR files": {"HAR"},
    "Logs of Inspect": {"INSPECT"},
    "Results of promptfoo": {"PROMPTFOO"},
    "Traces": {"TRACED"},
    "Spans of OpenTelemetry": {"SPAN"},
    "OpenAssistant trees": {"OASST"},
    "ShareGPT conversations": {"SHAREGPT"},
    "Alpaca rows": {"ALPACA"},
    "Prompts with completions": {"PROMPT"},
    "Preference pairs": {"PREFERENCE"},
    "Prompts with several answers": {"COMPARED"},
    "ChatGPT's `conversations.json`": {"CHATGPT"},
    "Chats of Open WebUI": {"OPEN_WEBUI"},
    "Conversations of LibreChat": {"LIBRECHAT"},
    "claude.ai's `conversations.json`": {"CLAUDE"},
    "Sessions of Claude Code": {"CLAUDE_CODE"},
    "Sessions of Codex": {"CODEX"},
    "Prompts of Google AI Studio": {"AI_STUDIO"},
    "Conversations of LM Studio": {"LM_STUDIO"},
    "Messages of LangChain": {"LANGCHAIN"},
    "Messages of the Vercel AI SDK": {"AI_SDK"},
    "Batch API": {"BATCH_REQUEST", "BATCH_RESPONSE"},
    "Saved answers of the stored completions API": {"SAVED_COMPLETION", "SAVED_MESSAGES"},
}
OTHERWISE: Final = {
    "COMPLETION": "lines with `messages` and `choices`",
    "TRACED": "traces",
    "PROMPTFOO": "results of promptfoo",
    "BEDROCK": "Bedrock",
    "BATCH_REQUEST": "input and output files of the Batch API",
    "BATCH_RESPONSE": "input and output files of the Batch API",
    "SAVED_COMPLETION": "saved answers of the stored completions API",
    "SAVED_MESSAGES": "saved answers of the stored completions API",
    "SAVED_BOTH": "saved answers of the stored completions API",
}
"""The words of `FORMATS` for formats, if they are not its proper name or else its plural."""


def test_every_form_has_its_example() -> None:
    assert EXAMPLES.keys() == FORMS.keys()
    # Forms of a section that has an example of another: one value, a response, one message a line.
    others = {"SAVED_BOTH", "COHERE", "OASST_MESSAGE"}
    assert {form.name for form in ImportFormat} - others == set().union(*FORMS.values())


@pytest.mark.parametrize("form", ImportFormat, ids=lambda form: form.name)
def test_the_sentence_of_the_command_and_the_page_names_every_format(form: ImportFormat) -> None:
    _, plural = form.value
    name = " ".join(re.findall(r"\b\w*[A-Z]\w*|\bclaude\.ai", plural))

    assert OTHERWISE.get(form.name, name or plural) in FORMATS


@pytest.mark.one_database
@pytest.mark.parametrize("name", FORMS)
def test_an_example_is_imported_as_its_form(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "example.json"
    path.write_text(EXAMPLES[name], encoding="utf-8")

    report = import_files(store, [path])

    assert (report.added, report.problems) == (1, [])
    assert {form.name for form in report.formats[path]} == FORMS[name]
    [stored] = ids(client.get("/chat/completions").get_json()["data"])
    [asked] = client.get(f"/chat/completions/{stored}/messages").get_json()["data"]
    assert asked["content"] == "q"
