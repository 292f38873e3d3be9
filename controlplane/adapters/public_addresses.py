"""Which network addresses a merchant may make this platform connect to: those of the public internet.

Sources: the IANA special-purpose registries (iana.org/assignments/iana-ipv4-special-registry and its IPv6 twin), which
`ipaddress` knows; what carries an IPv4 address inside an IPv6 one is refused here whole.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → addresses as text. OSError where the name has none."""

_UNICAST = ipaddress.IPv6Network("2000::/3")
# Protocol assignments with Teredo, documentation twice, 6to4: each may name another network's address.
_REFUSED_V6 = [ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
# Protocol assignments, former 6to4 relays: `ipaddress` takes some of them for global.
_REFUSED_V4 = [ipaddress.IPv4Network(net) for net in ("192.0.0.0/24", "192.88.99.0/24")]


def is_public(address: Address) -> bool:
    """False for private, shared, loopback, link-local (cloud metadata), multicast, reserved and documentation
    addresses, and for every IPv6 form that an IPv4 address may hide in: mapped, compatible, NAT64, 6to4, Teredo."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in _REFUSED_V4)
    return address in _UNICAST and not any(address in net for net in _REFUSED_V6)


async def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]
