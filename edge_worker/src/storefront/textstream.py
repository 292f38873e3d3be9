"""A text model's server-sent events → pieces of text and, at the end, how many tokens it took.

Workers AI writes `data: {"response": "…"}` for its older models and OpenAI's `data: {"choices": [{"delta": …}]}` for
newer ones, `data: [DONE]` at the end, and cuts its frames anywhere, within a character too (seen on the wire).
"""

import codecs
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

from storefront.bindings import BindingError

MAX_EVENT = 65_536
"""Characters of one event; a stream that exceeds it is no text model's."""


@dataclasses.dataclass
class Usage:
    """Tokens as the model counted them; 0 where it did not say."""

    tokens_in: int = 0
    tokens_out: int = 0


async def pieces(stream: AsyncIterator[bytes], usage: Usage) -> AsyncIterator[str]:
    """The text as it comes; fills in `usage`. Raises BindingError where the model reports an error, or nonsense."""
    async for event in _events(stream):
        if event == "[DONE]":
            return
        try:
            data = json.loads(event)
        except (ValueError, RecursionError):
            raise BindingError("the text model's stream can't be read") from None
        if not isinstance(data, dict):
            raise BindingError("the text model's stream can't be read")
        if data.get("error") or data.get("errors"):
            raise BindingError("the text model broke off with an error")
        _count(data.get("usage"), usage)
        if text := _text(data):
            yield text


async def _events(stream: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """The `data` of each event. Lines end in LF or CRLF; an event without its blank line at the end counts too."""
    decode, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
    async for chunk in stream:
        rest += decode.decode(chunk)
        *lines, rest = rest.split("\n")
        for line in lines:
            if line.startswith("data:"):
                yield line.removeprefix("data:").strip()
        if len(rest) > MAX_EVENT:
            raise BindingError("the text model's stream can't be read")
    if rest.startswith("data:"):
        yield rest.removeprefix("data:").strip()


def _text(data: dict[str, Any]) -> str:
    """The answer's next piece; what a reasoning model thinks aloud stands elsewhere and is left out."""
    if isinstance(response := data.get("response"), str):
        return response
    try:
        choice = data["choices"][0]
        content = (choice.get("delta") or choice.get("message") or {}).get("content")
    except (LookupError, TypeError, AttributeError):
        return ""
    return content if isinstance(content, str) else ""


def _count(counts: Any, usage: Usage) -> None:
    if isinstance(counts, dict):
        usage.tokens_in = _whole(counts.get("prompt_tokens")) or usage.tokens_in
        usage.tokens_out = _whole(counts.get("completion_tokens")) or usage.tokens_out


def _whole(number: Any) -> int:
    return number if isinstance(number, int) and number > 0 else 0
