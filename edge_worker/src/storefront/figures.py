"""Numbers and sums of money in running text, in English and German notation."""

import dataclasses
import re
from decimal import Decimal

NUMBER = r"\d{1,3}(?:[.,'’\u202f\xa0]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
CURRENCY = (
    r"€|£|\$|¥|(?:(?:EUR|GBP|USD|CHF|JPY|SEK|NOK|DKK|PLN|CZK|AUD|CAD)\b)"
    r"|(?:(?:euros?|pounds?(?: sterling)?|quid|dollars?|bucks|franken|yen|pfund|dollar|kronor|kroner|złoty)\b)"
)
_CODES = {
    "€": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "pound": "GBP", "pounds": "GBP", "pounds sterling": "GBP",
    "pound sterling": "GBP", "quid": "GBP", "pfund": "GBP", "$": "USD", "dollar": "USD", "dollars": "USD",
    "bucks": "USD", "franken": "CHF", "¥": "JPY", "yen": "JPY", "kronor": "SEK", "kroner": "NOK", "złoty": "PLN",
}  # fmt: skip

_MONEY = re.compile(
    rf"(?P<before>{CURRENCY})\s?(?P<first>{NUMBER})|(?P<second>{NUMBER})(?:[.,][-–—]+)?\s?-?(?P<after>{CURRENCY})",
    re.IGNORECASE,
)
_CENTS = re.compile(rf"(?P<number>{NUMBER})\s?(?:cents?|pence|¢|p\b)", re.IGNORECASE)
_NUMBER = re.compile(rf"(?<![\w.,])(?:{NUMBER})")
_SPELLED = re.compile(
    r"\b(?:(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty(?:-\w+)?|hundred|thousand|"
    r"half a|a few|several|ein|eine|einen|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|\w+zehn|\w+zig|"
    r"\w*hundert\w*|\w*tausend\w*)[\s-]+)+(?:euros?|pounds?|quid|dollars?|bucks|cents?|pence|franken|pfund|yen)\b",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class Money:
    """An amount in whole units ("79.00" is 79) and its ISO 4217 code."""

    amount: Decimal
    currency: str


def parse_number(text: str) -> Decimal:
    """1,680 and 1.680 and 1 680 are 1680; 3.95 and 3,95 and 22.5 are fractions; 0.125 is one too."""
    bare = re.sub(r"['’\u202f\xa0 ]", "", text)
    head, mark, tail = bare, "", ""
    if m := re.search(r"[.,](?=\d+$)", bare):
        head, mark, tail = bare[: m.start()], m[0], bare[m.end() :]
    if mark and len(tail) == 3 and head != "0":
        head, tail = head + tail, ""
    return Decimal(re.sub(r"[.,]", "", head) + ("." + tail if tail else "")).normalize()


def currency_of(symbol: str) -> str:
    """The ISO code of a symbol, code or word; "" for none."""
    return _CODES.get(symbol.lower(), symbol.upper()) if symbol else ""


def sums(text: str) -> list[tuple[Money, int]]:
    """Every sum of money with where it starts."""
    return [
        (Money(parse_number(m["first"] or m["second"]), currency_of(m["before"] or m["after"])), m.start())
        for m in _MONEY.finditer(text)
    ]


def numbers(text: str) -> set[Decimal]:
    """Every number that stands alone, sums of money included."""
    alone = {parse_number(m[0]) for m in _NUMBER.finditer(text)}
    return alone | {money.amount for money, _ in sums(text)}


def has_small_change(text: str) -> bool:
    """Whether a sum is told in cents or pence."""
    return bool(_CENTS.search(text))


def spelled_sums(text: str) -> list[str]:
    """Sums of money in words ("fifty pounds"), lower case."""
    return [m[0].lower() for m in _SPELLED.finditer(text)]
