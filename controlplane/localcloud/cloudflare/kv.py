"""Workers KV's REST routes, with the limits of developers.cloudflare.com/kv/platform/limits/."""

import base64
import json
import secrets
import time
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controlplane.localcloud.cloudflare.envelope import Refusal, success
from controlplane.localcloud.cloudflare.store import Pair, Store

KEY_BYTES = 512
VALUE_BYTES = 25 * 1024 * 1024
METADATA_BYTES = 1024
BULK_PAIRS = 10_000
BULK_BYTES = 100_000_000
BULK_GET_KEYS = 100
SOONEST = 60
"""Seconds until a value may end at the earliest."""


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _namespace(request: Request) -> str:
    found = str(request.path_params["namespace"])
    if found not in dict(_store(request).namespaces()):
        raise Refusal(404, 10013, f"list keys: 'namespace not found: {found}'")
    return found


def _check_key(key: object) -> str:
    if not isinstance(key, str) or key in ("", ".", ".."):
        raise Refusal(400, 10014, "a key must be a non-empty string other than '.' and '..'")
    if len(key.encode()) > KEY_BYTES:
        raise Refusal(
            414, 10030, f"UTF-8 encoded length of {len(key.encode())} exceeds key length limit of {KEY_BYTES}."
        )
    return key


def _bulk_key(key: object) -> str:
    """In a bulk request the schema counts characters before anything counts bytes, as Cloudflare's simulator does."""
    if isinstance(key, str) and len(key) > KEY_BYTES:
        raise Refusal(400, 10001, f"a key is too long: at most {KEY_BYTES} characters")
    return _check_key(key)


def _check_value(value: bytes) -> bytes:
    if len(value) > VALUE_BYTES:
        raise Refusal(413, 10031, f"value length of {len(value)} exceeds limit of {VALUE_BYTES}.")
    return value


def _check_metadata(metadata: Any) -> str | None:
    if metadata is None:
        return None
    text = json.dumps(metadata, ensure_ascii=False)
    if len(text.encode()) > METADATA_BYTES:
        raise Refusal(413, 10033, f"metadata is longer than {METADATA_BYTES} bytes.")
    return text


def _expiration(ttl: float | None, expiration: float | None) -> int | None:
    now = int(time.time())
    if ttl is not None:
        if ttl < SOONEST:
            raise Refusal(400, 10032, f"Invalid expiration_ttl of {ttl}. Expiration TTL must be at least {SOONEST}.")
        return now + int(ttl)
    if expiration is not None and expiration < now + SOONEST:
        raise Refusal(
            400, 10032, f"Invalid expiration of {expiration}. It must be at least {SOONEST} seconds in the future."
        )
    return None if expiration is None else int(expiration)


def _seconds(pair: dict[str, Any], name: str) -> float | None:
    value = pair.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Refusal(400, 10001, f"{name}: expected a number")
    return value


def _asked_seconds(request: Request, name: str) -> float | None:
    """The SDK types these as float, so 60.0 may come."""
    return float(request.query_params[name]) if name in request.query_params else None


def _decoded(value: str) -> bytes:
    """Base64, with or without its padding."""
    return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)


async def _json(request: Request, expected: type) -> Any:
    body = await request.body()
    if len(body) > BULK_BYTES:
        raise Refusal(413, 10042, "the request is longer than 100 megabytes")
    try:
        value = json.loads(body)
    except ValueError:
        raise Refusal(400, 10012, "could not unmarshal the request body") from None
    if not isinstance(value, expected):
        raise Refusal(400, 10012, f"the body must be a JSON {'array' if expected is list else 'object'}")
    return value


def _number(request: Request, name: str, default: int) -> int:
    """The SDK types these as float, so 100.0 may come."""
    return int(float(request.query_params.get(name, default)))


async def list_namespaces(request: Request) -> Response:
    found = [{"id": id_, "title": title, "supports_url_encoding": True} for id_, title in _store(request).namespaces()]
    page, size = _number(request, "page", 1), _number(request, "per_page", 20)
    shown = found[(page - 1) * size : page * size]
    return success(shown, page=page, per_page=size, count=len(shown), total_count=len(found))


async def create_namespace(request: Request) -> Response:
    title = (await _json(request, dict)).get("title")
    id_ = secrets.token_hex(16)
    if not title or not _store(request).create_namespace(id_, str(title)):
        raise Refusal(400, 10014, "a namespace with this account ID and title already exists")
    return success({"id": id_, "title": title, "supports_url_encoding": True})


async def get_namespace(request: Request) -> Response:
    id_ = _namespace(request)
    return success({"id": id_, "title": dict(_store(request).namespaces())[id_], "supports_url_encoding": True})


async def delete_namespace(request: Request) -> Response:
    _store(request).delete_namespace(_namespace(request))
    return success(None)


async def get_value(request: Request) -> Response:
    found = _store(request).get(_namespace(request), _check_key(request.path_params["key"]))
    if found is None:
        raise Refusal(404, 10009, "get: 'key not found'")
    return Response(found[0], media_type="application/octet-stream")


async def get_metadata(request: Request) -> Response:
    found = _store(request).get(_namespace(request), _check_key(request.path_params["key"]))
    if found is None:
        raise Refusal(404, 10009, "get: 'key not found'")
    return success(json.loads(found[1]) if found[1] else None)


async def put_value(request: Request) -> Response:
    namespace, key = _namespace(request), _check_key(request.path_params["key"])
    metadata = None
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form(max_part_size=VALUE_BYTES + 1024) as form:
            part = form.get("value")
            value = part.encode() if isinstance(part, str) else await part.read() if part else b""
            text = form.get("metadata")
            metadata = _check_metadata(json.loads(text)) if isinstance(text, str) and text else None
    else:
        value = await request.body()
    expiration = _expiration(_asked_seconds(request, "expiration_ttl"), _asked_seconds(request, "expiration"))
    pair = (key, _check_value(value), metadata, expiration)
    _pace(request, [key])
    _store(request).put(namespace, [pair])
    return success({})


async def delete_value(request: Request) -> Response:
    key = _check_key(request.path_params["key"])
    namespace = _namespace(request)
    _pace(request, [key])
    _store(request).delete(namespace, [key])
    return success({})


async def list_keys(request: Request) -> Response:
    namespace = _namespace(request)
    limit = _number(request, "limit", 1000)
    if not 10 <= limit <= 1000:
        raise Refusal(400, 10011, f"invalid limit of {limit}: it must be between 10 and 1000")
    after = base64.urlsafe_b64decode(request.query_params.get("cursor", "")).decode()
    rows = _store(request).list(namespace, request.query_params.get("prefix", ""), after, limit + 1)
    keys: list[dict[str, Any]] = []
    for name, _, metadata, expiration in rows[:limit]:
        entry: dict[str, Any] = {"name": name}
        if expiration:
            entry["expiration"] = expiration
        if metadata:
            entry["metadata"] = json.loads(metadata)
        keys.append(entry)
    cursor = base64.urlsafe_b64encode(keys[-1]["name"].encode()).decode() if len(rows) > limit else ""
    return success(keys, count=len(keys), cursor=cursor)


async def bulk_put(request: Request) -> Response:
    namespace = _namespace(request)
    body = await _json(request, list)
    if len(body) > BULK_PAIRS:
        raise Refusal(400, 10028, f"at most {BULK_PAIRS} pairs a request")
    pairs = _once_each(_pair(one) for one in body)
    failed = _unsuccessful(request, [pair[0] for pair in pairs])
    _store(request).put(namespace, [pair for pair in pairs if pair[0] not in failed])
    return success({"successful_key_count": len(pairs) - len(failed), "unsuccessful_keys": sorted(failed)})


def _pair(one: Any) -> Pair:
    if not isinstance(one, dict) or not isinstance(one.get("value"), str):
        raise Refusal(400, 10012, "every pair needs a key and a value")
    raw = _decoded(one["value"]) if one.get("base64") else one["value"].encode()
    expiration = _expiration(_seconds(one, "expiration_ttl"), _seconds(one, "expiration"))
    return _bulk_key(one.get("key")), _check_value(raw), _check_metadata(one.get("metadata")), expiration


def _once_each(pairs: Iterable[Pair]) -> list[Pair]:
    """A pair that comes twice counts once; two values for one key refuse the request."""
    found: dict[str, Pair] = {}
    for pair in pairs:
        if found.setdefault(pair[0], pair) != pair:
            raise Refusal(400, 10001, f'received duplicate key with different values: "{pair[0]}"')
    return [*found.values()]


async def bulk_delete(request: Request) -> Response:
    namespace = _namespace(request)
    body = await _json(request, list)
    keys = [*dict.fromkeys(_bulk_key(key) for key in body)]
    if len(body) > BULK_PAIRS:
        raise Refusal(400, 10028, f"at most {BULK_PAIRS} keys a request")
    failed = _unsuccessful(request, keys)
    _store(request).delete(namespace, [key for key in keys if key not in failed])
    return success({"successful_key_count": len(keys) - len(failed), "unsuccessful_keys": sorted(failed)})


async def bulk_get(request: Request) -> Response:
    namespace = _namespace(request)
    body = await _json(request, dict)
    keys = body.get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= BULK_GET_KEYS:
        raise Refusal(400, 10029, f"between 1 and {BULK_GET_KEYS} keys a request")
    read = json.loads if body.get("type") == "json" else str
    values: dict[str, Any] = {}
    for key in keys:
        found = _store(request).get(namespace, _bulk_key(key))
        values[key] = None if found is None else read(found[0].decode())
        if found and body.get("withMetadata"):
            values[key] = {"value": values[key], "metadata": found[1] and json.loads(found[1])}
    return success({"values": values})


def _unsuccessful(request: Request, keys: list[str]) -> set[str]:
    """Keys that a `partial` fault names; a key written within the last second refuses the whole request."""
    fault = request.app.state.faults.take(request.url.path, "partial")
    failed = {key for key in keys if fault.match in key} if fault else set()
    _pace(request, [key for key in keys if key not in failed])
    return failed


def _pace(request: Request, keys: list[str]) -> None:
    pace = request.app.state.pace
    namespace = request.path_params["namespace"]
    if pace is not None and not pace.may_write([f"{namespace}/{key}" for key in keys]):
        raise Refusal(429, 10048, "KV write rate limit exceeded: one write a second per key", retry_after=1)


_BASE = "/accounts/{account}/storage/kv/namespaces"
routes = [
    Route(_BASE, list_namespaces, methods=["GET"]),
    Route(_BASE, create_namespace, methods=["POST"]),
    Route(f"{_BASE}/{{namespace}}", get_namespace, methods=["GET"]),
    Route(f"{_BASE}/{{namespace}}", delete_namespace, methods=["DELETE"]),
    Route(f"{_BASE}/{{namespace}}/keys", list_keys, methods=["GET"]),
    Route(f"{_BASE}/{{namespace}}/bulk", bulk_put, methods=["PUT"]),
    Route(f"{_BASE}/{{namespace}}/bulk/delete", bulk_delete, methods=["POST"]),
    Route(f"{_BASE}/{{namespace}}/bulk/get", bulk_get, methods=["POST"]),
    Route(f"{_BASE}/{{namespace}}/values/{{key:path}}", get_value, methods=["GET"]),
    Route(f"{_BASE}/{{namespace}}/values/{{key:path}}", put_value, methods=["PUT"]),
    Route(f"{_BASE}/{{namespace}}/values/{{key:path}}", delete_value, methods=["DELETE"]),
    Route(f"{_BASE}/{{namespace}}/metadata/{{key:path}}", get_metadata, methods=["GET"]),
]
