"""Completions that continue each other, as values.

values   requests, who continues whom, where they part, and their source
"""

from webapp.conversations.values import (
    Conversation,
    ConversationSource,
    PromptDifference,
    StoredRequest,
    find_parting,
)

__all__ = [
    "Conversation",
    "ConversationSource",
    "PromptDifference",
    "StoredRequest",
    "find_parting",
]
