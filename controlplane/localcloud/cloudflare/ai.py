"""Workers AI's `ai/run` for text embeddings. It answers for its own model only: it never pretends to be another."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controlplane.localcloud.cloudflare import embeddings
from controlplane.localcloud.cloudflare.envelope import Refusal, success

MAX_TEXTS = 100


async def run(request: Request) -> Response:
    model = str(request.path_params["model"])
    if model != embeddings.MODEL:
        # Codes: developers.cloudflare.com/workers-ai/platform/errors/
        raise Refusal(400, 5007, f"No such model {model} or task")
    try:
        text = (await request.json())["text"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, 3003, "Request is missing headers or body: text") from None
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        raise Refusal(400, 5006, "Error: must have required property 'text', a string or an array of strings")
    if len(texts) > MAX_TEXTS:
        raise Refusal(413, 3006, f"Request is too large: {len(texts)} texts, at most {MAX_TEXTS}")
    vectors = await run_in_threadpool(embeddings.embed, texts)
    return success({"shape": [len(vectors), embeddings.DIMENSIONS], "data": vectors, "pooling": "mean"})


async def models(request: Request) -> Response:
    found = [{"id": embeddings.MODEL, "name": embeddings.MODEL, "task": {"name": "Text Embeddings"}}]
    return success(found, count=1, page=1, per_page=50, total_count=1)


routes = [
    Route("/accounts/{account}/ai/run/{model:path}", run, methods=["POST"]),
    Route("/accounts/{account}/ai/models/search", models, methods=["GET"]),
]
