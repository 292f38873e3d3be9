"""The exact DNS records that a merchant sets, in the two ways registrars want names, and a text to send on."""

import dataclasses

from django.conf import settings

from tenants.domains import names
from tenants.models import Domain

LABEL = "_storefront"
CAA_ISSUERS = ("letsencrypt.org", "pki.goog; cansignhttpexchanges=yes", "ssl.com")
"""developers.cloudflare.com/ssl/edge-certificates/caa-records/"""


def proof_name(host: str) -> str:
    return f"{LABEL}.{host}"


def proof_value(token: str) -> str:
    return f"storefront-verification={token}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DnsRecord:
    """`name` is the whole name, `label` what is typed where the registrar adds the zone by itself ("@": the apex)."""

    kind: str
    name: str
    label: str
    value: str
    purpose: str
    is_set: bool | None = None


def records_for(domain: Domain) -> list[DnsRecord]:
    """What is to be set: the proof first, then where the name leads; CAA only where it stands in the way."""
    zone = names.registered_domain(domain.host) or domain.host
    seen = domain.seen
    proof = DnsRecord(
        kind="TXT", name=proof_name(domain.host), label=_label(proof_name(domain.host), zone),
        value=proof_value(domain.token), purpose="Proves that the name is yours. Keep it.",
        is_set=seen.get("has_token"),
    )  # fmt: skip
    records = [proof, *_leading(domain, zone)]
    if domain.reason == "caa":
        records += [
            DnsRecord(kind="CAA", name=zone, label="@", value=f'0 issue "{issuer}"', purpose="Allows the certificate.")
            for issuer in CAA_ISSUERS
        ]
    return records


def _leading(domain: Domain, zone: str) -> list[DnsRecord]:
    pointing = domain.seen.get("pointing", "unknown")
    is_set = None if pointing == "unknown" else pointing == "here"
    label = _label(domain.host, zone)
    purpose = "Leads visitors to your shop. Replaces any other A, AAAA or CNAME record of this name."
    if domain.host == zone and settings.CUSTOM_HOSTNAME_ADDRESSES:
        return [
            DnsRecord(kind="A", name=domain.host, label=label, value=address, purpose=purpose, is_set=is_set)
            for address in settings.CUSTOM_HOSTNAME_ADDRESSES
        ]
    if domain.host == zone:
        purpose += " Where your registrar allows no CNAME for the bare domain, choose ALIAS, ANAME or “flattening”."
    target = settings.CUSTOM_HOSTNAME_TARGET
    return [DnsRecord(kind="CNAME", name=domain.host, label=label, value=target, purpose=purpose, is_set=is_set)]


def _label(name: str, zone: str) -> str:
    return "@" if name == zone else name.removesuffix(f".{zone}")


def letter(domain: Domain) -> str:
    """Plain text for "the person who does our DNS": complete by itself, no account needed."""
    lines = [
        f"Please set these DNS records for {domain.host}, so that it leads to our shop:",
        "",
    ]
    for number, record in enumerate(records_for(domain), 1):
        lines += [
            f"{number}. Type:  {record.kind}",
            f"   Name:  {record.name}   (if the zone is added by itself: {record.label})",
            f"   Value: {record.value}",
            f"   {record.purpose}",
            "",
        ]
    lines += ["TTL: the default will do. Nothing else needs to change; mail for this domain is not affected."]
    return "\n".join(lines)
