"""Asks the edge itself what it serves, as any shopper could."""

import httpx

from controlplane.adapters.errors import AdapterError

TIMEOUT = 5.0


class Edge:
    """The storefront by HTTP. `address` is where every host is reached (a developer's machine); "" asks DNS."""

    def __init__(
        self, *, scheme: str, port: str = "", address: str = "", http_client: httpx.Client | None = None
    ) -> None:
        self._scheme = scheme
        self._port = f":{port}" if port else ""
        self._address = address.rstrip("/")
        self._client = http_client or httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    def close(self) -> None:
        self._client.close()

    def revision(self, host: str) -> str:
        """The X-Storefront-Revision of the host's landing page, "" where it sends none. Raises AdapterError."""
        return str(self._ask(host, "/", "HEAD").headers.get("x-storefront-revision", ""))

    def status(self, host: str, path: str, method: str = "HEAD") -> int:
        """The HTTP status of the host's answer to an empty request. Raises AdapterError."""
        return self._ask(host, path, method).status_code

    def _ask(self, host: str, path: str, method: str) -> httpx.Response:
        name = f"{host}{self._port}"
        base = self._address or f"{self._scheme}://{name}"
        try:
            return self._client.request(method, base + path, headers={"Host": name, "Cache-Control": "no-cache"})
        except httpx.HTTPError as error:
            raise AdapterError(f"The edge did not answer ({type(error).__name__}).", permanent=False) from error
