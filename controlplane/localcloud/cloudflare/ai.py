"""Workers AI's `ai/run` for the local models. It answers for its own only: it never pretends to be another.

A text model streams as Workers AI does where `stream` is true: `data: {"response": "…"}` a piece, the usage with the
last one, `data: [DONE]`. Tests put models of their own into `app.state.text_models`.
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from controlplane.localcloud.cloudflare import embeddings, text
from controlplane.localcloud.cloudflare.envelope import Refusal, success

MAX_TEXTS = 100
PIECE = 4
"""Characters of a piece: about a token."""

TextModel = Callable[[Sequence[dict[str, str]]], str]
TEXT_MODELS: dict[str, TextModel] = {text.MODEL: text.compose}


async def run(request: Request) -> Response:
    model = str(request.path_params["model"])
    text_models: dict[str, TextModel] = request.app.state.text_models
    if model in text_models:
        return await generate(text_models[model], await _json_of(request))
    if model != embeddings.MODEL:
        # Codes: developers.cloudflare.com/workers-ai/platform/errors/
        raise Refusal(400, 5007, f"No such model {model} or task")
    texts = (await _json_of(request)).get("text")
    if texts is None:
        raise Refusal(400, 3003, "Request is missing headers or body: text")
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        raise Refusal(400, 5006, "Error: must have required property 'text', a string or an array of strings")
    if len(texts) > MAX_TEXTS:
        raise Refusal(413, 3006, f"Request is too large: {len(texts)} texts, at most {MAX_TEXTS}")
    vectors = await run_in_threadpool(embeddings.embed, texts)
    return success({"shape": [len(vectors), embeddings.DIMENSIONS], "data": vectors, "pooling": "mean"})


async def generate(model: TextModel, inputs: dict[str, Any]) -> Response:
    messages = inputs.get("messages")
    if isinstance(prompt := inputs.get("prompt"), str):
        messages = [{"role": "user", "content": prompt}]
    if not isinstance(messages, list) or not messages or not all(_is_message(one) for one in messages):
        raise Refusal(400, 5006, "Error: must have required property 'prompt' or 'messages'")
    answer = await run_in_threadpool(model, messages)
    usage = {
        "prompt_tokens": sum(text.tokens(one["content"]) for one in messages),
        "completion_tokens": text.tokens(answer),
    }
    if not inputs.get("stream"):
        return success({"response": answer, "usage": usage})
    return StreamingResponse(_events(answer, usage), media_type="text/event-stream")


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str) and isinstance(value.get("content"), str)


async def _events(answer: str, usage: dict[str, int]) -> AsyncIterator[bytes]:
    for start in range(0, len(answer), PIECE):
        yield _event({"response": answer[start : start + PIECE]})
    yield _event({"response": "", "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


async def _json_of(request: Request) -> dict[str, Any]:
    try:
        data = await request.json()
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise Refusal(400, 3003, "Request is missing headers or body: text")
    return data


async def models(request: Request) -> Response:
    found = [{"id": embeddings.MODEL, "name": embeddings.MODEL, "task": {"name": "Text Embeddings"}}]
    found += [{"id": one, "name": one, "task": {"name": "Text Generation"}} for one in request.app.state.text_models]
    return success(found, count=len(found), page=1, per_page=50, total_count=len(found))


routes = [
    Route("/accounts/{account}/ai/run/{model:path}", run, methods=["POST"]),
    Route("/accounts/{account}/ai/models/search", models, methods=["GET"]),
]
