"""Cloudflare Turnstile: asks whether a token was made by a visitor who passed the check."""

from typing import Any

import httpx

from controlplane.adapters.errors import AdapterError

ORIGIN = "https://challenges.cloudflare.com"
"""Where the widget's script and frame come from (Turnstile reference, Content Security Policy)."""
VERIFY_URL = f"{ORIGIN}/turnstile/v0/siteverify"
TIMEOUT = httpx.Timeout(5.0, connect=2.0)
LONGEST = 2048
"""Characters of a token at most (Turnstile, server-side validation); longer ones are not worth a request."""
OUR_FAULT = frozenset({"missing-input-secret", "invalid-input-secret", "bad-request"})


class Turnstile:
    """One widget, by its secret."""

    def __init__(self, secret: str, *, url: str = VERIFY_URL, transport: httpx.BaseTransport | None = None) -> None:
        self._secret, self._url, self._transport = secret, url, transport

    def vouches(self, token: str, *, action: str, ip: str = "") -> bool:
        """Whether the token is genuine, unused, not older than five minutes, and was made for `action`.

        A token can be asked about once only. Raises AdapterError where there is no usable answer, or where the
        secret is wrong: that is not the visitor's fault, and no reason to let anybody in.
        """
        if not token or len(token) > LONGEST:
            return False
        answer = self._ask({"secret": self._secret, "response": token, **({"remoteip": ip} if ip else {})})
        if OUR_FAULT.intersection(answer.get("error-codes") or ()):
            raise AdapterError("Turnstile refuses our secret.", permanent=True)
        # A test key's answer names no action.
        return answer.get("success") is True and answer.get("action") in (None, "", action)

    def _ask(self, question: dict[str, str]) -> dict[str, Any]:
        try:
            with httpx.Client(timeout=TIMEOUT, transport=self._transport) as client:
                answer = client.post(self._url, data=question).json()  # 4xx answers are JSON with error codes too
        except (httpx.HTTPError, ValueError):
            raise AdapterError("Turnstile does not answer.", permanent=False) from None
        if not isinstance(answer, dict) or "success" not in answer:
            raise AdapterError("Turnstile answers with something else.", permanent=False)
        return answer
