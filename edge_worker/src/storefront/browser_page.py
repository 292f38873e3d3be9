"""What a page tells its scripts, as JSON in the page: which tenant and Instant app, how money reads, which words."""

import re
from typing import Any

from storefront import money
from storefront.documents import DomainRecord, RealtimeCell
from storefront.links import safe_url
from storefront.messages import Messages
from storefront.messages_live import SHARED, WORDS
from storefront.sections import Contact

_ORIGIN = re.compile(r"(?:https?|wss?)://(?:[\w.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?(?=[/?#]|$)", re.IGNORECASE | re.ASCII)


def config(record: DomainRecord) -> dict[str, Any]:
    """The object that edge_worker/browser/page.js reads. Public facts only: the page shows them to everyone."""
    words = Messages(record.config.locale)
    cell = record.config.realtime
    chat = _chat(record)
    said = (key for key in WORDS["en"] if chat or not key.startswith("chat_"))
    return {
        "tenant": record.tenant.id,
        "shop": record.tenant.name,
        "locale": record.config.locale.replace("_", "-"),
        "realtime": {"appId": cell.app_id, "apiURI": cell.api_uri, "websocketURI": cell.websocket_uri},
        "money": money.rules(record.config.locale),
        "words": {key: words.raw(key) for key in (*said, *SHARED)},
        "chat": chat,
    }


def _chat(record: DomainRecord) -> dict[str, Any] | None:
    """What the chat's panel shows before the first question; None where the shop has no chat.

    Where the chat names no contact, it is the landing page's.
    """
    chat = record.config.chat
    if not chat.enabled:
        return None
    page = next((one for one in record.sections if isinstance(one, Contact)), Contact())
    contact = {
        "email": chat.contact_email or page.email,
        "phone": chat.contact_phone or page.phone,
        "url": safe_url(chat.contact_url),
    }
    return {"greeting": chat.greeting, "suggested": list(chat.suggested_questions), "contact": contact}


def connect_sources(cell: RealtimeCell) -> list[str]:
    """The origins that a page of this cell's shops may talk to; "" and oddities are left out."""
    found = (_ORIGIN.match(address) for address in (cell.api_uri, cell.websocket_uri))
    return sorted({match.group() for match in found if match})
