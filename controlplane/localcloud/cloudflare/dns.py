"""The world's DNS as far as it concerns us: answers set by the developer, asked over HTTPS (RFC 8484)."""

import base64
import binascii
import ipaddress
import re

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare.zone_store import Record, ZoneStore

KINDS = ("A", "AAAA", "CNAME", "TXT", "CAA", "SERVFAIL")
"""SERVFAIL is no record: a name that has it can't be asked, as when its name servers are away."""
TTL = 60
LONGEST_CHAIN = 8

_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_CAA = re.compile(r'\d{1,3} (?:issue|issuewild|iodef) "[^"]*"')


class Zones:
    """What any name resolves to."""

    def __init__(self, store: ZoneStore) -> None:
        self._store = store

    def at(self, name: str) -> list[Record]:
        """The records of the name, and the platform's own, which are always there."""
        if name == defaults.CUSTOM_HOSTNAME_TARGET:
            return [(name, "A", address) for address in defaults.CUSTOM_HOSTNAME_ADDRESSES]
        return self._store.records(name)

    def resolve(self, name: str, kind: str) -> tuple[dns.rcode.Rcode, list[Record]]:
        """The answer section: CNAMEs along the way, then the records of that kind."""
        answer: list[Record] = []
        for _ in range(LONGEST_CHAIN):
            here = self.at(name)
            if any(type_ == "SERVFAIL" for _, type_, _ in here):
                return dns.rcode.SERVFAIL, []
            if found := [record for record in here if record[1] == kind]:
                return dns.rcode.NOERROR, answer + found
            alias = next((record for record in here if record[1] == "CNAME"), None)
            if alias is None:
                return (dns.rcode.NOERROR if here or answer else dns.rcode.NXDOMAIN), answer
            answer.append(alias)
            name = alias[2]
        return dns.rcode.SERVFAIL, []

    def points_at_us(self, host: str) -> bool:
        """Whether the host leads to the platform: by CNAME, or by addresses that are all the platform's own."""
        _, answer = self.resolve(host, "A")
        addresses = {value for _, kind, value in answer if kind == "A"}
        names = {value for _, kind, value in answer if kind == "CNAME"}
        return defaults.CUSTOM_HOSTNAME_TARGET in names or (
            bool(addresses) and addresses <= set(defaults.CUSTOM_HOSTNAME_ADDRESSES)
        )

    def texts(self, name: str) -> set[str]:
        return {value for _, kind, value in self.resolve(name, "TXT")[1] if kind == "TXT"}

    def issuers(self, host: str) -> set[str] | None:
        """Who may issue certificates by CAA, climbing to the parent domain (RFC 8659); None: anybody."""
        labels = host.split(".")
        for start in range(len(labels)):
            _, answer = self.resolve(".".join(labels[start:]), "CAA")
            if named := [value for _, kind, value in answer if kind == "CAA" and " issue " in value]:
                return {value.split('"')[1].split(";")[0].strip() for value in named}
        return None


def check_record(name: str, kind: str, value: str) -> Record:
    """The record as it is stored. ValueError says what is wrong with it."""
    name, kind, value = name.strip().lower().rstrip("."), kind.strip().upper(), value.strip()
    if not _NAME.fullmatch(name):
        raise ValueError("The name must be a whole host name such as shop.example.net.")
    if kind not in KINDS:
        raise ValueError(f"The type must be one of {', '.join(KINDS)}.")
    if kind == "CNAME":
        value = value.lower().rstrip(".")
    if kind in ("A", "AAAA") and ipaddress.ip_address(value).version != (4 if kind == "A" else 6):
        raise ValueError(f"{kind} does not hold an address of that kind.")
    if kind == "CNAME" and not _NAME.fullmatch(value):
        raise ValueError("A CNAME holds a host name.")
    if kind == "CAA" and not _CAA.fullmatch(value):
        raise ValueError('A CAA value looks like: 0 issue "letsencrypt.org"')
    if kind == "TXT" and not 0 < len(value.encode()) <= 2000:
        raise ValueError("A TXT value has 1 to 2,000 bytes.")
    return name, kind, "" if kind == "SERVFAIL" else value


def _rdata(kind: str, value: str) -> str:
    if kind == "TXT":
        pieces = [value[start : start + 200] for start in range(0, len(value), 200)]
        return " ".join('"' + piece.replace("\\", r"\\").replace('"', r"\"") + '"' for piece in pieces)
    return f"{value}." if kind == "CNAME" else value


async def query(request: Request) -> Response:
    try:
        wire = await request.body()
        if request.method == "GET":
            text = request.query_params.get("dns", "")
            wire = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        asked = dns.message.from_wire(wire)
        question = asked.question[0]
    except (dns.exception.DNSException, binascii.Error, IndexError):
        return Response("not a DNS message", 400)
    zones: Zones = request.app.state.zones
    name = question.name.to_text(omit_final_dot=True).lower()
    rcode, records = zones.resolve(name, dns.rdatatype.to_text(question.rdtype))
    reply = dns.message.make_response(asked)
    reply.flags |= dns.flags.RA
    reply.set_rcode(rcode)
    for owner, kind, value in records:
        reply.answer.append(dns.rrset.from_text(f"{owner}.", TTL, "IN", kind, _rdata(kind, value)))
    return Response(reply.to_wire(), media_type="application/dns-message", headers={"cache-control": f"max-age={TTL}"})


routes = [Route("/dns-query", query, methods=["GET", "POST"])]
