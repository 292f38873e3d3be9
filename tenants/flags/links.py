"""Links that lead astray: hosts that look like others, bare IP addresses, shorteners that hide where they lead."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator

from tenants.flags.words import fold

SHORTENERS = frozenset(
    """bit.ly tinyurl.com t.co goo.gl ow.ly is.gd v.gd buff.ly rebrand.ly cutt.ly rb.gy shorturl.at t.ly tiny.cc bl.ink
    s.id soo.gd lnkd.in adf.ly shorte.st bc.vc ouo.io linktr.ee t.me""".split()
) - {"linktr.ee", "t.me"}  # those show where they lead

_ADDRESS = re.compile(r"(?i)(?:\bhttps?:|[\"'])//([^\s/?#\"'<>\\]+)")
_BARE = re.compile(r"(?i)(?<![\w@./-])((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]+))(?![\w-])")


def hosts_in(text: str) -> Iterator[tuple[str, int, int]]:
    """Every host that a text links to or names, in ASCII, with where it stands."""
    for pattern in (_ADDRESS, _BARE):
        for match in pattern.finditer(text):
            authority = match[1].rpartition("@")[2]
            host = authority if authority.startswith("[") else authority.partition(":")[0]
            yield ascii_host(host), match.start(), match.end()


def ascii_host(host: str) -> str:
    plain = unicodedata.normalize("NFKC", host).lower().rstrip(".,;:)")
    try:
        return plain if plain.isascii() else plain.encode("idna").decode()
    except UnicodeError:
        return plain


def suspicion(host: str) -> str:
    """Why a link to this host is suspicious, "" if it is not."""
    if _is_address(host):
        return "a link to a bare IP address"
    if host.removeprefix("www.") in SHORTENERS:
        return "a shortened link that hides where it leads"
    return "a host whose letters imitate another one" if any(map(_imitates, host.split("."))) else ""


def _is_address(host: str) -> bool:
    """Also as browsers read them: 2130706433 and 0x7f.1 are addresses."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return bool(re.fullmatch(r"(?:0x[0-9a-f]+|[0-9]+)(?:\.(?:0x[0-9a-f]+|[0-9]+)){0,3}", host))
    return True


def _imitates(label: str) -> bool:
    """Whether a punycode label mixes scripts, or consists of foreign letters that all look like Latin ones."""
    if not label.startswith("xn--"):
        return False
    try:
        shown = label.removeprefix("xn--").encode().decode("punycode")
    except UnicodeError:
        return True
    scripts = {unicodedata.name(c, "?").split()[0] for c in shown if c.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}) > 1 or (
        "LATIN" not in scripts and fold(shown).isascii()
    )
