"""What gateways log, and the rows of training data, become completions; nothing of them is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from flask.testing import FlaskClient

from tests.support.imported import Imported
from tools.store_rows import ANSWER, jsonl
from webapp.embedded import Store, import_files

pytestmark = pytest.mark.one_database

ASKED = {"role": "user", "content": "q"}
SAID = {"role": "assistant", "content": "a"}
RESPONSE = {
    "id": "c1",
    "object": "chat.completion",
    "created": 5,
    "model": "m",
    "choices": [ANSWER],
}
LOG = {"id": "c1", "call_type": "acompletion", "messages": [ASKED], "response": RESPONSE}


LOGS: dict[str, dict[str, Any]] = {
    "an object": LOG,
    "texts of JSON": LOG | {"messages": json.dumps([ASKED]), "response": json.dumps(RESPONSE)},
    "a text": LOG | {"response": "Yes.", "created": 5},
    "a message": LOG | {"response": ANSWER["message"], "startTime": 5.5},
    "the payload of a callback": {"kwargs": {}, "standard_logging_object": LOG},
    "no time of its own": LOG
    | {"response": {"id": "c1", "choices": [ANSWER]}, "startTime": "1970-01-01T00:00:05Z"},
}


@pytest.mark.parametrize("name", LOGS)
def test_a_logged_request_has_its_response(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    imported = Imported(store, client, tmp_path, LOGS[name])

    assert imported.forms == ["LOGGED"]
    assert (imported.id, imported.created) == ("c1", 5)
    assert imported.answers == ["Yes."]
    assert imported.asked == [("user", "q")]
    assert imported.json["call_type"] == "acompletion"


@pytest.mark.parametrize("is_text", [False, True])
def test_a_row_of_the_spend_logs_has_its_request(
    store: Store, client: FlaskClient, tmp_path: Path, is_text: bool
) -> None:
    request = {"model": "m", "messages": [ASKED], "temperature": 0.5}
    sent: Any = json.dumps(request) if is_text else {"body": request}
    row = {"request_id": "r1", "call_type": "acompletion", "messages": {}, "response": RESPONSE}

    imported = Imported(store, client, tmp_path, row | {"proxy_server_request": sent, "spend": 0.1})

    assert imported.forms == ["LOGGED"]
    assert (imported.id, imported.answers, imported.asked) == ("c1", ["Yes."], [("user", "q")])
    assert (imported.json["temperature"], imported.json["spend"]) == (0.5, 0.1)


def test_settings_and_another_id_of_a_logged_request_are_kept(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    log = LOG | {"id": "log 7", "model_parameters": {"temperature": 0.5}, "response_cost": 0.25}

    imported = Imported(store, client, tmp_path, log)

    assert imported.id == "c1"
    assert imported.json["temperature"] == 0.5
    assert (imported.json["logged_id"], imported.json["response_cost"]) == ("log 7", 0.25)


@pytest.mark.parametrize("response", [None, {}])
def test_a_logged_request_that_failed_has_no_answer_but_the_reason(
    store: Store, client: FlaskClient, tmp_path: Path, response: object
) -> None:
    log = LOG | {"messages": [ASKED, SAID], "response": response, "error_str": "Too long."}

    imported = Imported(store, client, tmp_path, log)

    assert imported.answers == []
    assert imported.json["incomplete"] == {"reason": "Too long."}
    assert imported.asked == [("user", "q"), ("assistant", "a")]


def test_a_logged_response_of_another_kind_is_reported(store: Store, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [LOG | {"response": {"output": []}}])

    [problem] = import_files(store, [path]).problems

    assert problem.reason == "its response is neither a completion nor an error"


HUMAN, GPT = {"from": "human", "value": "q"}, {"from": "gpt", "value": "Yes."}
CALLED = {"from": "function_call", "value": '{"name": "f", "arguments": {"a": 1.0}}'}
SHAREGPT: dict[str, tuple[dict[str, Any], list[tuple[str, str | None]], list[str]]] = {
    "human and gpt": ({"conversations": [HUMAN, GPT]}, [("user", "q")], ["Yes."]),
    "an id that is a number": ({"id": 7, "conversations": [HUMAN, GPT]}, [("user", "q")], ["Yes."]),
    "roles": (
        {"conversations": [{"role": "user", "content": "q"}, {"role": "assistant", "value": "Y"}]},
        [("user", "q")],
        ["Y"],
    ),
    "a system prompt": (
        {"system": "s", "conversations": [HUMAN, GPT, HUMAN]},
        [("system", "s"), ("user", "q"), ("assistant", "Yes."), ("user", "q")],
        [],
    ),
    "other names": (
        {"items": [{"from": "system", "text": "s"}, HUMAN, {"from": "bard", "text": "B"}]},
        [("system", "s"), ("user", "q")],
        ["B"],
    ),
    "calls": (
        {"conversations": [HUMAN, CALLED, {"from": "observation", "value": "r"}, GPT]},
        [("user", "q"), ("assistant", None), ("tool", "r")],
        ["Yes."],
    ),
    "within messages": ({"messages": [HUMAN, GPT]}, [("user", "q")], ["Yes."]),
}


@pytest.mark.parametrize("name", SHAREGPT)
def test_a_sharegpt_conversation_has_its_last_turn_as_the_answer(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    row, asked, answers = SHAREGPT[name]

    imported = Imported(store, client, tmp_path, row | {"note": "kept"})

    assert imported.forms == ["SHAREGPT"]
    assert (imported.asked, imported.answers) == (asked, answers)
    assert imported.json["note"] == "kept"
    assert imported.json.get("original_id") == row.get("id")


def test_calls_of_sharegpt_belong_to_their_results(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    row = SHAREGPT["calls"][0] | {"tools": '[{"name": "f"}]'}

    imported = Imported(store, client, tmp_path, row)

    [call] = imported.messages[1]["tool_calls"]
    assert call["function"] == {"name": "f", "arguments": '{"a": 1.0}'}
    assert imported.messages[2]["tool_call_id"] == call["id"]
    assert imported.messages[2]["from"] == "observation"
    assert imported.json["tools"] == [{"name": "f"}]


GOOD, BAD = {"role": "assistant", "content": "good"}, {"role": "assistant", "content": "bad"}
SPOKEN = "\n\nHuman: q\n\nAssistant: "
PAIRS: dict[str, dict[str, Any]] = {
    "texts": {"prompt": "q", "chosen": "good", "rejected": "bad"},
    "messages": {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
    "conversations": {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
    "conversations beside their prompt": {
        "prompt": "q",
        "chosen": [ASKED, GOOD],
        "rejected": [ASKED, BAD],
        "messages": [ASKED, GOOD],
    },
    "fine-tuning by preference": {
        "input": {"messages": [ASKED], "tools": []},
        "preferred_output": [GOOD],
        "non_preferred_output": [BAD],
    },
    "turns": {
        "conversations": [HUMAN],
        "chosen": {"from": "gpt", "value": "good"},
        "rejected": {"from": "gpt", "value": "bad"},
    },
    "dialogues": {"chosen": f"{SPOKEN}good", "rejected": f"{SPOKEN}bad"},
    "a list for the prompt": {
        "prompt": [{"role": "user", "content": "q"}],
        "chosen": [GOOD],
        "rejected": [BAD],
    },
    **{
        f"{better} and {worse}": {"prompt": "q", better: "good", worse: "bad"}
        for better, worse in (
            ("chosen_response", "rejected_response"),
            ("accepted", "rejected"),
            ("preferred", "dispreferred"),
            ("better_response", "worse_response"),
            ("response_j", "response_k"),
        )
    },
    "a question": {"question": "q", "chosen": "good", "rejected": "bad"},
    "lists of texts": {"prompt": "q", "chosen": ["good"], "rejected": ["bad"]},
    "an instruction": {"instruction": "q", "chosen": "good", "rejected": "bad"},
    "an empty input": {"instruction": "q", "input": "", "chosen": "good", "rejected": "bad"},
    "an empty prompt": {"prompt": "", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
}


@pytest.mark.parametrize("name", PAIRS)
def test_both_answers_of_a_preference_pair_are_choices(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    imported = Imported(store, client, tmp_path, PAIRS[name] | {"score_chosen": 8.5})

    assert imported.forms == ["PREFERENCE"]
    assert imported.asked == [("user", "q")]
    assert imported.answers == ["good", "bad"]
    assert [one["preference"] for one in imported.json["choices"]] == ["chosen", "rejected"]
    assert imported.json["score_chosen"] == 8.5


def test_an_instruction_with_its_input_and_several_rejected_answers_are_a_pair(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    row = {"instruction": "q", "input": "more", "chosen": "good", "rejected": ["bad", "worse"]}

    imported = Imported(store, client, tmp_path, row)

    assert [one["text"] for one in imported.messages[0]["content"]] == ["q", "more"]
    assert imported.answers == ["good", "bad", "worse"]
    marks = [one["preference"] for one in imported.json["choices"]]
    assert marks == ["chosen", "rejected", "rejected"]
    assert not {"instruction", "input"} & imported.json.keys()


def test_messages_beside_an_instruction_are_the_question_of_a_pair(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    row = {"instruction": "do", "input": [ASKED], "chosen": "good", "rejected": "bad"}

    imported = Imported(store, client, tmp_path, row)

    assert imported.asked == [("user", "q")]
    assert imported.json["instruction"] == "do"


def rated(text: str, **more: Any) -> dict[str, Any]:
    return {"response": text, "model": "m", "overall_score": 8.5} | more


SEVERAL: dict[str, dict[str, Any]] = {
    "UltraFeedback": {"instruction": "q", "completions": [rated("good"), rated("bad")]},
    "texts": {"prompt": "q", "responses": ["good", "bad"]},
    "objects with a text": {"question": "q", "answers": [{"text": "good"}, {"text": "bad"}]},
    "an index in each": {"prompt": "q", "outputs": [rated("good", index=0), rated("bad", index=1)]},
    "an arena": {"conversation_a": [ASKED, GOOD], "conversation_b": [ASKED, BAD]},
    "a and b": {"prompt": "q", "response_a": "good", "response_b": "bad"},
    "0 and 1": {"prompt": "q", "response_0": "good", "response_1": "bad"},
    "a context": {"context": [ASKED], "response1": "good", "response2": "bad"},
    "references": {"history": "q", "human_ref_A": "good", "human_ref_B": "bad"},
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_answers_to_one_prompt_are_choices(
    store: Store, client: FlaskClient, tmp_path: Path, name: str
) -> None:
    imported = Imported(store, client, tmp_path, SEVERAL[name] | {"winner": "model_a"})

    assert imported.forms == ["COMPARED"]
    assert imported.asked == [("user", "q")]
    assert imported.answers == ["good", "bad"]
    assert [one["index"] for one in imported.json["choices"]] == [0, 1]
    assert not any("preference" in one for one in imported.json["choices"])
    assert imported.json["winner"] == "model_a"


def test_what_a_row_has_of_an_answer_is_kept_with_it(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    imported = Imported(store, client, tmp_path, SEVERAL["UltraFeedback"] | {"source": "flan"})

    assert [one["overall_score"] for one in imported.json["choices"]] == [8.5, 8.5]
    assert [one["model"] for one in imported.json["choices"]] == ["m", "m"]
    assert imported.json["source"] == "flan"


def test_pairs_keep_their_system_prompt_and_the_steps_before_an_answer(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    step = {"role": "assistant", "content": "step"}
    pair = {"system": "s", "prompt": "q", "chosen": [step, GOOD], "rejected": [BAD]}

    imported = Imported(store, client, tmp_path, pair)

    assert imported.asked == [("system", "s"), ("user", "q")]
    assert imported.answers == ["good", "bad"]
    assert imported.json["choices"][0]["before"] == [step]


def test_a_pair_without_an_answer_is_reported(store: Store, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [{"prompt": "q", "chosen": [], "rejected": [BAD]}])

    [problem] = import_files(store, [path]).problems

    assert problem.reason == "its chosen answer is empty"


@pytest.mark.parametrize(
    ("asks", "answers"),
    [("human", "ai"), ("User", "Chatbot"), ("user", "model"), ("human", "gpt")],
)
def test_roles_in_other_words_are_those_of_the_api(
    store: Store, client: FlaskClient, tmp_path: Path, asks: str, answers: str
) -> None:
    turns = [{"role": asks, "content": "q"}, {"role": answers, "content": "a"}]

    imported = Imported(store, client, tmp_path, {"messages": turns})

    assert (imported.asked, imported.answers) == ([("user", "q")], ["a"])
    [choice] = imported.json["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"].get("original_role") in (None, answers)


def test_messages_that_are_written_as_a_text_are_read(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    messages = [ASKED, ANSWER["message"]]

    imported = Imported(store, client, tmp_path, {"messages": json.dumps(messages), "split": "x"})

    assert (imported.forms, imported.answers) == (["FINE_TUNING"], ["Yes."])
    assert imported.json["split"] == "x"


COHERE: Final[dict[str, Any]] = {
    **{"id": "co-1", "finish_reason": "MAX_TOKENS", "usage": {"tokens": {"input_tokens": 5}}},
    "message": {"role": "assistant", "content": [{"type": "text", "text": "a"}], "tool_plan": "p"},
}


def test_a_response_of_cohere_keeps_its_id_reason_and_usage(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    row = {"request": {"model": "m", "messages": [ASKED]}, "response": COHERE}

    imported = Imported(store, client, tmp_path, row)

    assert (imported.id, imported.asked) == ("co-1", [("user", "q")])
    [choice] = imported.json["choices"]
    assert (choice["finish_reason"], choice["message"]) == ("length", COHERE["message"])
    assert (imported.json["usage"], imported.json["model"]) == (COHERE["usage"], "m")


def test_a_response_of_cohere_alone_is_an_answer(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    imported = Imported(store, client, tmp_path, COHERE)

    assert (imported.forms, imported.id) == (["COHERE"], "co-1")


def test_the_first_version_of_cohere_has_its_history(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    history = [{"role": "USER", "message": "q0"}, {"role": "CHATBOT", "message": "a0"}]
    request = {"message": "q", "chat_history": history, "preamble": "s", "connectors": []}
    response = {"text": "a", "generation_id": "g", "finish_reason": "COMPLETE", "meta": {"x": 1}}

    imported = Imported(store, client, tmp_path, {"request": request, "response": response})

    asked = [("system", "s"), ("user", "q0"), ("assistant", "a0"), ("user", "q")]
    assert (imported.asked, imported.answers) == (asked, ["a"])
    assert (imported.json["meta"], imported.json["generation_id"]) == ({"x": 1}, "g")


def test_what_surrounds_a_logged_message_is_kept(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    said = {"message": ANSWER["message"], "text": "Yes.", "generation_info": {"seed": 7}}
    outputs = {"generations": [[said]], "llm_output": {"model_name": "m"}}

    imported = Imported(
        store, client, tmp_path, {"inputs": {"messages": [ASKED]}, "outputs": outputs}
    )

    assert imported.answers == ["Yes."]
    assert imported.json["llm_output"] == {"model_name": "m"}
    assert imported.json["generation_info"] == {"seed": 7}
