"""The bindings over HTTP, for running outside Cloudflare: KV and AI by Cloudflare's REST API, fetch by httpx."""

import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from storefront.bindings import AI, FETCH_TIMEOUT, KV, BindingError, Fetch, Reply


class HttpFetch:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = FETCH_TIMEOUT,  # noqa: ASYNC109 - the platform itself keeps it
    ) -> Reply:
        try:
            answer = await self._client.request(method, url, headers=headers, content=body, timeout=timeout)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BindingError(f"{method} {url}: {type(error).__name__}") from error
        return Reply(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CloudflareAccount:
    """Where the REST API is and who asks. `api_url` ends in /client/v4."""

    api_url: str
    account_id: str
    api_token: str = dataclasses.field(repr=False)

    def url(self, path: str) -> str:
        return f"{self.api_url.rstrip('/')}/accounts/{self.account_id}/{path}"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.api_token}"}


class HttpKV:
    """`GET /accounts/{account}/storage/kv/namespaces/{namespace}/values/{key}`: the bare value, 404 for none."""

    def __init__(self, fetch: Fetch, account: CloudflareAccount, namespace_id: str) -> None:
        self._fetch = fetch
        self._account = account
        self._path = f"storage/kv/namespaces/{namespace_id}/values/"

    async def get(self, key: str) -> str | None:
        url = self._account.url(self._path + quote(key, safe=""))
        reply = await self._fetch("GET", url, headers=self._account.headers)
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise BindingError(f"KV answered {reply.status}")
        return reply.body.decode("utf-8", "replace")


class HttpAI:
    """`POST /accounts/{account}/ai/run/{model}`: the result inside Cloudflare's envelope."""

    def __init__(self, fetch: Fetch, account: CloudflareAccount) -> None:
        self._fetch = fetch
        self._account = account

    async def run(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        url = self._account.url(f"ai/run/{quote(model, safe='@/')}")
        headers = self._account.headers | {"content-type": "application/json"}
        reply = await self._fetch("POST", url, headers=headers, body=httpx.Request("POST", url, json=inputs).content)
        if reply.status != 200:
            raise BindingError(f"Workers AI answered {reply.status}")
        envelope = reply.json()
        result = envelope.get("result") if isinstance(envelope, dict) else None
        if not isinstance(result, dict):
            raise BindingError("Workers AI answered without a result")
        return result


class LocalEnv:
    """`scope["env"]` outside Cloudflare: three bindings, and variables by attribute."""

    def __init__(self, *, kv: KV, ai: AI, fetch: Fetch, variables: Mapping[str, str]) -> None:
        self.KV = kv
        self.AI = ai
        self.FETCH = fetch
        self._variables = dict(variables)

    def __getattr__(self, name: str) -> str:
        try:
            return self.__dict__["_variables"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(name) from None
