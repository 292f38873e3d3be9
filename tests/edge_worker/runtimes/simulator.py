"""Cloudflare's own simulator of KV's REST API (miniflare's "local explorer", as `wrangler dev` has it), for the SDK.

Its addresses lack the account: the transports here leave it out of what the SDK asks for, and change nothing else.
"""

import dataclasses
import re

import httpx

from controlplane.adapters.cloudflare_kv import KVNamespace

ACCOUNT = "5".join(["0"] * 16)
BASE = "http://simulator.test/client/v4"


def explored(request: httpx.Request, explorer: str) -> httpx.Request:
    """The same request to the explorer, path escapes and all."""
    asked = request.url.raw_path.decode("ascii")
    path = re.sub(r"^/client/v4/accounts/[^/]+(?=/storage/kv/)", "", asked)
    url = httpx.URL(explorer + path)
    headers = dict(request.headers) | {"host": url.netloc.decode("ascii")}
    return httpx.Request(request.method, url, headers=headers, stream=request.stream)


class WithoutAccount(httpx.HTTPTransport):
    def __init__(self, explorer: str) -> None:
        super().__init__()
        self._explorer = explorer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return super().handle_request(explored(request, self._explorer))


class AsyncWithoutAccount(httpx.AsyncHTTPTransport):
    def __init__(self, explorer: str) -> None:
        super().__init__()
        self._explorer = explorer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        outside = not request.url.path.startswith("/client/v4/accounts/") or request.url.host != "simulator.test"
        return await super().handle_async_request(request if outside else explored(request, self._explorer))


@dataclasses.dataclass(frozen=True)
class Simulator:
    """Where the explorer is and which of its namespaces is meant."""

    explorer: str
    namespace_id: str

    def kv(self) -> KVNamespace:
        return KVNamespace(
            base_url=BASE,
            api_token="the simulator asks for none",
            account_id=ACCOUNT,
            namespace_id=self.namespace_id,
            http_client=httpx.Client(transport=WithoutAccount(self.explorer)),
        )
