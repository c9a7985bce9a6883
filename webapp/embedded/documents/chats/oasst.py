"""Build completions from the message trees of OpenAssistant, whole or with a message a line.

Each path from the prompt to a last reply becomes a completion. The path of the best ranked replies
gets the id of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from webapp.embedded.documents.chats.writing import (
    Message,
    limit_branches,
    list_branch,
    write_completion,
    write_id,
    write_message,
    write_rest,
)
from webapp.embedded.documents.other_apis.writing import copy, copy_rest
from webapp.embedded.documents.records import NotACompletion
from webapp.exact_json import Number, Object, Value

_ROLES: Final = {"prompter": "user", "assistant": "assistant"}
_OF_MESSAGE: Final = frozenset({"message_id", "text", "role", "replies"})
_UNRANKED: Final = float("inf")


def is_oasst_tree(value: Object) -> bool:
    """Return whether `value` is a tree, with its prompt and the replies within each other."""
    prompt = value.object("prompt")
    return prompt is not None and is_oasst_message(prompt)


def is_oasst_message(value: Object) -> bool:
    """Return whether `value` is one message of a tree, with an id."""
    is_said = bool(value.text("message_id")) and value.text("text") is not None
    return is_said and value.text("role") in _ROLES


def from_oasst_tree(tree: Object) -> Iterator[str]:
    """Yield the path of the best ranked replies, then the others, each as a completion.

    Raise `NotACompletion` if a reply is no message, or when the paths are too large together.
    """
    members = copy_rest(tree, {"prompt", "message_tree_id", "id"})
    nodes: dict[str, Object] = {}
    parents: dict[str, str] = {}
    waiting: list[tuple[Value | None, str]] = [(tree.get("prompt"), "")]
    while waiting:
        message, above = waiting.pop()
        if not isinstance(message, Object) or not is_oasst_message(message):
            raise NotACompletion("one of its replies is not a message with an id")
        name = message.text("message_id") or ""
        if name not in nodes:
            nodes[name], parents[name] = message, above
            waiting += [(one, name) for one in reversed(message.items("replies") or ())]
    yield from limit_branches(_write_paths(nodes, parents, tree.text("message_tree_id"), members))


def from_oasst_messages(messages: Sequence[Object]) -> Iterator[str]:
    """Yield the completions of trees whose messages came one by one, as `from_oasst_tree` does.

    Raise `NotACompletion` if the first message of one is missing.
    """
    nodes = {one.text("message_id") or "": one for one in messages}
    parents = {name: one.text("parent_id") or "" for name, one in nodes.items()}
    trees: dict[str, dict[str, Object]] = {}
    roots: dict[str, str] = {}
    for name, message in nodes.items():
        path: dict[str, None] = {}
        at = name
        while at not in roots and at not in path and parents[at] in nodes:
            path[at] = None
            at = parents[at]
        roots |= dict.fromkeys([*path, at], roots.get(at, at))
        trees.setdefault(roots[name], {})[name] = message
    for root, members in trees.items():
        if parents[root]:
            raise NotACompletion(f"it replies to {parents[root]!r}, which is not in the files")
        own_id = nodes[root].text("message_tree_id") or root
        yield from limit_branches(_write_paths(members, parents, own_id, []))


def _write_paths(
    nodes: Mapping[str, Object],
    parents: Mapping[str, str],
    own_id: str | None,
    members: Sequence[str],
) -> Iterator[str]:
    replies: dict[str, list[str]] = {}
    for name in nodes:
        replies.setdefault(parents[name], []).append(name)
    [shown] = replies[""]
    root = own_id or shown
    while shown in replies:
        shown = min(replies[shown], key=lambda name: _read_rank(nodes[name]))
    leaves = [name for name in nodes if name not in replies]
    for leaf in dict.fromkeys([shown, *leaves]):
        path = list_branch(nodes, leaf, parents.get)
        created = copy(path[-1].get("created_date"))
        own = [*members, *write_id(root, "" if leaf == shown else leaf)]
        own += [f'"created":{created}'] if created else []
        yield write_completion(own, [_write_message(one) for one in path])


def _read_rank(message: Object) -> float:
    """Read the rank of a reply among its siblings, 0 for the best; those without come last."""
    rank = message.get("rank")
    return float(rank.source) if isinstance(rank, Number) else _UNRANKED


def _write_message(message: Object) -> Message:
    members = [
        f'"id":{copy(message.get("message_id")) or "null"}',
        f'"content":{copy(message.get("text")) or "null"}',
    ]
    role = _ROLES[message.text("role") or "assistant"]
    return write_message(role, members, "oasst", write_rest(message, _OF_MESSAGE))
