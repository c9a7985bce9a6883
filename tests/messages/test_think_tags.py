"""Reasoning between tags, with either tag missing, and texts that only mention a tag."""

from __future__ import annotations

import pytest

from webapp.messages import Thought, split_reasoning


@pytest.mark.parametrize(
    ("text", "tag", "reasoning", "answer"),
    [
        ("<think>A</think>B", "<think>", "A", "B"),
        ("<THINK>A</THINK>B", "<THINK>", "A", "B"),
        ("[THINK]A[/THINK]B", "[THINK]", "A", "B"),
        ("\n<seed:think>A</seed:think>B", "<seed:think>", "A", "B"),
        ("◁think▷A◁/think▷B", "◁think▷", "A", "B"),
        (
            "I add.\nI check.\n</think>\n\nIt is 4.",
            "</think>",
            "I add.\nI check.\n",
            "\n\nIt is 4.",
        ),
        ("I add.</think>It is 4.", "</think>", "I add.", "It is 4."),
        ("I add. </think>\nIt is 4.", "</think>", "I add. ", "\nIt is 4."),
        ("I add.\n[/THINK]\nIt is 4.", "[/THINK]", "I add.\n", "\nIt is 4."),
        ("Use `</think>`.\n</think>\n4", "</think>", "Use `</think>`.\n", "\n4"),
        ("I add.\n</think>", "</think>", "I add.\n", ""),
        ("<think>A<think>B</think>C</think>D", "<think>", "A<think>B</think>C", "D"),
        ("<think>A\n```\n</think>\n```\n</think>B", "<think>", "A\n```\n</think>\n```\n", "B"),
        ("<think>Write `</think>`.</think>B", "<think>", "Write `</think>`.", "B"),
        ("<think>A\n```\nx\n</think>B", "<think>", "A\n```\nx\n", "B"),
        ("<think>A</thinking>\nB", "<think>", "A", "\nB"),
        ('<think duration="3">A</think>B', '<think duration="3">', "A", "B"),
        ('<Thinking a="1">A</thinking>B', '<Thinking a="1">', "A", "B"),
        ("<longcat_think>A</longcat_think>B", "<longcat_think>", "A", "B"),
        ("<|START_THINKING|>A<|END_THINKING|>B", "<|START_THINKING|>", "A", "B"),
        ("<unused94>thought\nA<unused95>B", "<unused94>thought", "\nA", "B"),
        ("<|channel>thought\nA<channel|>B", "<|channel>thought", "\nA", "B"),
        (
            "<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>final<|message|>B",
            "<|channel|>analysis<|message|>",
            "A",
            "B",
        ),
        (
            "<|start|>assistant<|channel|>analysis<|message|>A<|channel|>final<|message|>B<|return|>",
            "<|channel|>analysis<|message|>",
            "A",
            "B<|return|>",
        ),
        (
            "A<|end|><|start|>assistant<|channel|>final<|message|>B",
            "<|end|><|start|>assistant<|channel|>final<|message|>",
            "A",
            "B",
        ),
        ("analysisWe add.assistantfinalIt is 4.", "analysis", "We add.", "It is 4."),
        (
            "Here is my thought process:\nA\nHere's my response: B",
            "Here is my thought process:",
            "\nA\n",
            " B",
        ),
    ],
)
def test_reasoning_is_split_off(text: str, tag: str, reasoning: str, answer: str) -> None:
    thought = split_reasoning(text)
    assert thought is not None and not thought.is_cut_off
    assert (thought.tag, thought.text, thought.answer) == (tag, reasoning, answer)


def test_reasoning_between_answers_is_split_off_each_time() -> None:
    thought = split_reasoning("<think>A</think>B\n<think>C</think>\nD")
    assert thought == Thought("<think>", "A", "B\n", further=Thought("<think>", "C", "\nD"))


@pytest.mark.parametrize(
    "text",
    [
        "<think>I add",
        "[THINK]\nI add\n\nand add",
        "<thinking>",
        "<|channel|>analysis<|message|>A<|end|>",
    ],
)
def test_reasoning_that_nothing_closes_was_cut_off(text: str) -> None:
    thought = split_reasoning(text)
    assert thought is not None and thought.is_cut_off and thought.answer == ""


@pytest.mark.parametrize(
    "text",
    [
        "No tags.",
        "Here is my thought process: I add.",
        "analysis of the data",
        "analysisWe add.",
        "<\u017fcratchpad>A",
        "The tag </think> closes it.",
        "Write `</think>` at the end.",
        "```\nreasoning\n</think>\n```\nSo it ends.",
        "First <think>A</think> then B",
        "<think>A</think>B</think>C",
        "<think>A<think>B</think>C",
        "A</think>B</think>C",
        "Write [THINK] first.",
        "<think>A</think>Write <think>B</think> C",
        "<think>" * 200 + "</think>" * 200,
    ],
)
def test_a_text_about_tags_stays_one_text(text: str) -> None:
    assert split_reasoning(text) is None


@pytest.mark.parametrize("filler", ["x", "<", "<a", "["])
def test_a_tag_is_found_wherever_it_is_in_a_large_text(filler: str) -> None:
    for size in range(128 * 1024 - 20, 128 * 1024 + 2):
        reasoning = filler * (size // len(filler))
        thought = split_reasoning(f"<think>{reasoning}</think>Answer")
        assert thought is not None and (thought.text, thought.answer) == (reasoning, "Answer")
