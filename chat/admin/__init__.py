"""What the chat knows, how it speaks, what it was asked: the merchants' side."""

from chat.admin.conversations import ConversationAdmin
from chat.admin.inbox import QuestionGroupAdmin
from chat.admin.knowledge import KnowledgeSourceAdmin
from chat.admin.profile import ChatProfileAdmin

__all__ = ["ChatProfileAdmin", "ConversationAdmin", "KnowledgeSourceAdmin", "QuestionGroupAdmin"]
