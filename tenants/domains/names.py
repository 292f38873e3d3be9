"""What a merchant may type as a host of their shop, and what becomes of it."""

import dataclasses
import functools
import ipaddress
import re
import unicodedata

import idna
from django.conf import settings
from django.core.exceptions import ValidationError
from publicsuffixlist import PublicSuffixList

from storefront.documents import normalise_host

LONGEST_HOST = 253
RESERVED_TLDS = frozenset("test example invalid localhost local internal onion arpa home lan".split())
"""Names that no public certificate authority issues for (RFC 6761, RFC 6762, RFC 7686, RFC 9476)."""

DOCUMENTATION = frozenset(("example.com", "example.net", "example.org"))


@dataclasses.dataclass(frozen=True)
class Name:
    """A host in its stored form, with the registered domain it belongs to: the "zone" at most registrars."""

    host: str
    zone: str

    @property
    def is_apex(self) -> bool:
        return self.host == self.zone

    @property
    def twin(self) -> str:
        """The other of apex and www; "" for any other host."""
        if self.is_apex:
            return f"www.{self.host}"
        return self.zone if self.host == f"www.{self.zone}" else ""


def parse(typed: str) -> Name:
    """The host that was meant. Raises ValidationError with a sentence that says what to type instead.

    Unicode becomes punycode by IDNA 2008 with UTS 46 mapping, as browsers do: a look-alike in another script is
    another name and never meets the original's claim.
    """
    text = _without_wrapping(unicodedata.normalize("NFC", typed).strip().lower())
    if re.search(r"[/?#@\\]", text):
        raise ValidationError("Type only the host name, without a path or a user: shop.example.com.")
    if "*" in text:
        raise ValidationError("A domain with * can't be connected. Add each host name by itself.")
    if _is_address(text):
        raise ValidationError("This is an IP address. Type a host name such as shop.example.com.")
    host = _to_ascii(text)
    if "." not in host:
        raise ValidationError("Type a whole host name such as shop.example.com.")
    _refuse_reserved(host)
    zone = registered_domain(host)
    if zone in DOCUMENTATION:
        raise ValidationError(f"{zone} belongs to nobody: it is kept for examples. Type a name of your own.")
    if not zone:
        raise ValidationError(
            f"{host} is a public suffix, under which anyone can register names. Type a name of your own."
        )
    return Name(host, zone)


def _without_wrapping(text: str) -> str:
    """What is left of an address copied from a browser: no scheme, no slash or dot at the end, no port."""
    text = re.sub(r"^https?://", "", text).removesuffix("/")
    return re.sub(r"(?<=[^:]):\d{1,5}$", "", text).removesuffix(".")


def _to_ascii(text: str) -> str:
    if len(text) > LONGEST_HOST:
        raise ValidationError(f"A host name has at most {LONGEST_HOST} characters.")
    try:
        host = idna.encode(text, uts46=True, std3_rules=True).decode("ascii")
        return normalise_host(host)
    except (idna.IDNAError, ValueError):
        raise ValidationError("This is not a valid host name. Type it as in shop.example.com.") from None


def _refuse_reserved(host: str) -> None:
    platform = {settings.PLATFORM_DOMAIN, settings.CUSTOM_HOSTNAME_TARGET}
    if any(host == one or host.endswith(f".{one}") for one in platform):
        raise ValidationError(f"Hosts on {settings.PLATFORM_DOMAIN} belong to the platform.")
    if host.rpartition(".")[2] in RESERVED_TLDS:
        raise ValidationError(f"No certificate can be issued for a name that ends in .{host.rpartition('.')[2]}.")


def registered_domain(host: str) -> str:
    """The domain that was registered: example.co.uk for shop.example.co.uk; "" for a public suffix itself."""
    return _suffixes().privatesuffix(host, accept_unknown=True) or ""


@functools.cache
def _suffixes() -> PublicSuffixList:
    """The list as the package carries it: no look-up over the network."""
    return PublicSuffixList(only_icann=False)


def unicode_of(host: str) -> str:
    """The host as people read it; as it is stored where that can't be said."""
    try:
        return idna.decode(host)
    except idna.IDNAError:
        return host


def _is_address(text: str) -> bool:
    """Also 127.1 and 0x7f.0.0.1: what ends in a number is an address to browsers (url.spec.whatwg.org)."""
    if re.search(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", text):
        return True
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
