"""Names on the platform's domain: which may be chosen, what is suggested, and what happens to one that is given up."""

import re
import unicodedata

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.text import slugify

LONGEST = 40

SYSTEM = frozenset(
    """
    abuse about account accounts admin administrator api app apps assets auth backup beta billing blog cart cdn chat
    checkout cloud connect console contact cp dashboard data db demo dev developer developers dns docs domain domains
    download downloads edge email error errors faq feed files forum ftp git graphql healthz help home host hostmaster
    http https id image images imap img info internal intranet ip jobs js kb lb ldap legal live local localhost log
    login logout logs m mail mailer mail-server media metrics mobile mta mx my mysql net new news no-reply noreply ns
    ns0 ns1 ns2 ns3 ns4 null oauth office ops origin owner panel partner partners pay payment payments pop pop3
    portal postgres postmaster preview prod production profile proxy public redirect redis register root rss s3 sales
    search secure security server service services shop shops signin signup sitemap smtp sql ssh ssl ssladmin
    ssladministrator sslwebmaster sso staff staging static stats status storage store storefront support sync sys
    sysadmin system team telemetry temp test testing tls tmp token traefik trust undefined update upload uploads user
    users vpn web webadmin webhook webhooks webmail webmaster wildcard wpad www www1 www2 wiki
    """.split()
)
"""The machinery's own names, and those that mail and certificates trust (RFC 2142; CA/Browser Forum, 3.2.2.4.4)."""

BRANDS = frozenset(
    """
    adobe adyen alibaba amazon amex apple binance chase cloudflare coinbase dhl dropbox ebay etsy facebook fedex
    github gmail google icloud instagram klarna linkedin mastercard meta metamask microsoft netflix outlook paypal
    revolut shopify stripe telegram tiktok twitter ups usps visa wellsfargo whatsapp wise yahoo youtube
    """.split()
)
"""Names that phishing pages bear: refused alone and as one part of a name (`paypal-login`)."""

RUDE = frozenset(
    """
    arschloch asshole bitch bitches bullshit cock cocksucker cunt cunts dick dickhead faggot fotze fuck fucked fucker
    fucking fucks hitler hure motherfucker nazi nazis nigga nigger paki pussy putain schlampe scheisse shit shitty slut
    sluts twat wank wanker whore wichser
    """.split()
)
"""Compared with whole parts of a name only, so that Scunthorpe and Essex open shops. A library's list of thousands
refuses too many real names; what slips through is moderated."""

_LOOKS_LIKE = str.maketrans("013457", "oleast"), str.maketrans("013457", "oieast")


def validate_choice(slug: str) -> None:
    """Raises ValidationError for a name that is not for merchants. Its form is the field's other validator's matter."""
    if slug[2:4] == "--":
        raise ValidationError("A name can't have two hyphens there: that is how encoded names begin.")
    spellings = readings(slug)
    joined = {spelling.replace("-", "") for spelling in spellings}
    if spellings & SYSTEM or joined & BRANDS:
        raise ValidationError("This name is reserved. Choose another one.")
    parts = {part for spelling in spellings for part in spelling.split("-")}
    if parts & BRANDS:
        raise ValidationError("This name contains a well-known brand. Choose another one, or write to our support.")
    if (parts | joined) & RUDE:
        raise ValidationError("Choose another name, please.")


def readings(slug: str) -> set[str]:
    """The name, and as a hurried reader sees it: `paypa1` as `paypal`, `adm1n` as `admin`, `arnazon` as `amazon`."""
    joined = slug.replace("rn", "m").replace("vv", "w")
    return {slug, *(text.translate(digits) for text in (slug, joined) for digits in _LOOKS_LIKE)}


def suggest(name: str) -> str:
    """A name for a shop called `name`, not yet looked at for being free; "" where nothing of it can be written."""
    text = name.lower()
    for letter, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ø", "oe"), ("æ", "ae"), ("å", "aa")):
        text = text.replace(letter, letters)
    text = unicodedata.normalize("NFKD", text).replace("&", " and ")
    slug = re.sub(r"-{2,}", "-", slugify(text))[:LONGEST].strip("-")
    return slug if len(slug) >= 3 else (f"{slug}-shop" if slug else "")


def host_of(slug: str) -> str:
    """A shop's own host on the platform."""
    return f"{slug}.{settings.PLATFORM_DOMAIN}"
