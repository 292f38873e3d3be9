"""DNS look-ups over HTTPS (RFC 8484), at any resolver that speaks it."""

import asyncio
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Literal

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import httpx

from controlplane.adapters.errors import AdapterError

Kind = Literal["A", "AAAA", "TXT"]
TIMEOUT = httpx.Timeout(4.0, connect=2.0)
"""Seconds for one look-up: others wait beside it, not behind it."""
AT_ONCE = 60
DEADLINE = 8.0
"""Seconds for all questions of one call. What is asked first is answered first, so that a few names whose servers
never answer cost the rest nothing but this."""

WHAT = "DNS"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What the name resolves to: the chain of names that CNAMEs lead to, and the values at its end.

    Both are empty where there is no such record, which is an answer too.
    """

    chain: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class Resolver:
    """One DNS-over-HTTPS resolver, e.g. https://cloudflare-dns.com/dns-query."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._transport = transport

    def ask(self, questions: Iterable[tuple[str, Kind]]) -> Mapping[tuple[str, Kind], Answer | AdapterError]:
        """All questions side by side, at most AT_ONCE at a time; one that can't be answered has its error.

        Takes at most about DEADLINE seconds.
        """
        return asyncio.run(self._ask(list(dict.fromkeys(questions))))

    async def _ask(self, questions: list[tuple[str, Kind]]) -> dict[tuple[str, Kind], Answer | AdapterError]:
        gate = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(timeout=TIMEOUT, transport=self._transport) as client:

            async def one(question: tuple[str, Kind]) -> Answer | AdapterError:
                async with gate:
                    try:
                        return await self._look_up(client, *question)
                    except AdapterError as error:
                        return error

            tasks = {question: asyncio.ensure_future(one(question)) for question in questions}
            if tasks:
                _, late = await asyncio.wait(tasks.values(), timeout=DEADLINE)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
            return {question: _result(task, question[0]) for question, task in tasks.items()}

    async def _look_up(self, client: httpx.AsyncClient, name: str, kind: Kind) -> Answer:
        try:
            query = dns.message.make_query(name, kind)
            query.id = 0  # RFC 8484, 4.1: so that caches see equal questions as equal
            reply = await client.post(
                self._url,
                content=query.to_wire(),
                headers={"content-type": "application/dns-message", "accept": "application/dns-message"},
            )
            reply.raise_for_status()
            answer = dns.message.from_wire(reply.content)
        except (httpx.HTTPError, dns.exception.DNSException) as error:
            raise AdapterError(f"{WHAT} can't be asked for {name}.", permanent=False) from error
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise AdapterError(f"{WHAT} gives no answer for {name} ({answer.rcode().name}).", permanent=False)
        return _answer(answer, kind)


def _result(task: "asyncio.Future[Answer | AdapterError]", name: str) -> Answer | AdapterError:
    if task.cancelled():
        return AdapterError(f"{WHAT} did not answer for {name} in time.", permanent=False)
    return task.result()


def _answer(message: dns.message.Message, kind: Kind) -> Answer:
    chain: list[str] = []
    values: list[str] = []
    for rrset in message.answer:
        if rrset.rdtype == dns.rdatatype.CNAME:
            chain += [one.target.to_text(omit_final_dot=True).lower() for one in rrset]
        elif rrset.rdtype == dns.rdatatype.TXT and kind == "TXT":
            # A long text is stored in pieces of 255 bytes that belong together.
            values += [b"".join(one.strings).decode("utf-8", "replace") for one in rrset]
        elif rrset.rdtype == dns.rdatatype.from_text(kind):
            values += [one.to_text() for one in rrset]
    return Answer(chain=tuple(chain), values=tuple(sorted(values)))
