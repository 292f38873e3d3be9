"""A shopper leaves. Shoppers have no account: a conversation's id, or a cart's, is all that we know them by."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from chat.models import Conversation, QuestionGroup, Turn
from chat.retention import delete_conversations
from controlplane.adapters.turso import Statement
from controlplane.publishing import cells
from tenants.erasing import machine, stores
from tenants.erasing.machine import Left, Step, asked
from tenants.models import Erasure


def begin(*, conversation: str = "", cart: str = "", by: Any = None) -> Erasure:
    """Raises ValidationError for what no conversation or cart can be called."""
    if cart:
        try:
            cart = str(uuid.UUID(cart.strip()))
        except ValueError:
            raise ValidationError("A cart's id is a UUID, such as 0198b0c0-0000-7000-8000-000000000000.") from None
        return machine.begin("shopper", f"cart {cart}", {"cart": cart}, by)
    key = conversation.strip()
    if not key or len(key) > 64:
        raise ValidationError("A conversation's id has 1 to 64 characters.")
    return machine.begin("shopper", f"conversation {key}", {"conversation": key}, by)


# --- steps ---


def telemetry(erasure: Erasure) -> int:
    """What the edge wrote and nobody has collected yet; first, or it would come back by the next collection."""
    key = erasure.inventory.get("conversation")
    if not key:
        return 0
    ids = json.dumps([str(pk) for pk in _turns(key).values_list("pk", flat=True)])
    count = sum(one.count or 0 for one in _left_in_telemetry(erasure.inventory))
    cells.telemetry().batch(
        [
            Statement(
                "DELETE FROM rating WHERE turn_id IN (SELECT id FROM turn WHERE conversation_id = ?)"
                " OR turn_id IN (SELECT value FROM json_each(?))",
                [key, ids],
            ),
            Statement("DELETE FROM turn WHERE conversation_id = ?", [key]),
        ]
    )
    return count


def conversations(erasure: Erasure) -> int:
    key = erasure.inventory.get("conversation")
    if not key:
        return 0
    with transaction.atomic():
        _give_groups_other_words(key)
        return delete_conversations(Conversation.objects.filter(key=key))


def _give_groups_other_words(key: str) -> None:
    """A group in the inbox shows how it was asked first: another's words take the place of this shopper's."""
    mine = set(_turns(key).values_list("question", flat=True))
    for group in QuestionGroup.objects.filter(turns__in=_turns(key)).distinct():
        if group.text in mine and (other := group.turns.exclude(conversation__key=key).order_by("at").first()):
            group.text = other.question
            group.save(update_fields=["text"])


def cart(erasure: Erasure) -> int:
    id_ = erasure.inventory.get("cart")
    return stores.erase_instant(id_, OWNED) if id_ else 0


OWNED = {"cartItems": "cart.id", "carts": "id"}
STEPS: Mapping[str, Step] = {step.__name__: step for step in (telemetry, conversations, cart)}


def leftovers(erasure: Erasure) -> Sequence[Left]:
    known = erasure.inventory
    left: list[Left] = []
    if key := known.get("conversation"):
        counts = {"conversations": Conversation.objects.filter(key=key).count(), "questions": _turns(key).count()}
        left += [Left(store="Database", what=what, count=count) for what, count in counts.items() if count]
        left += asked("Telemetry", lambda: _left_in_telemetry(known))
    if known.get("cart"):
        left += asked("Instant", lambda: stores.left_in_instant(known["cart"], OWNED))
    return left


def finished(erasure: Erasure) -> None:
    """There is nobody to tell: we never knew who it was."""


def _turns(key: str) -> Any:
    return Turn.objects.filter(conversation__key=key)


def _left_in_telemetry(known: Mapping[str, Any]) -> Sequence[Left]:
    turns = "SELECT count(*) FROM turn WHERE conversation_id = ?"
    count = stores.count_of(cells.telemetry(), turns, [known["conversation"]])
    return [Left(store="Telemetry", what="rows of turn", count=count)]
