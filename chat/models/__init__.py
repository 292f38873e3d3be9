"""What a shop's chat knows, how it speaks, what it was asked."""

from chat.models.conversation import Conversation, Turn, Usage
from chat.models.embedding import EmbeddingState
from chat.models.inbox import QuestionGroup
from chat.models.knowledge import KnowledgeSource, Upload
from chat.models.profile import ChatProfile

__all__ = [
    "ChatProfile",
    "Conversation",
    "EmbeddingState",
    "KnowledgeSource",
    "QuestionGroup",
    "Turn",
    "Upload",
    "Usage",
]
