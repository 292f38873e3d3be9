"""What a question asks of price and stock, read by rule and applied to live products: never by a model.

"under 80 euros", "zwischen 20 und 40 €", "max. £50", "in stock", "auf Lager". A limit in another currency than the
shop's is no constraint: nothing here converts money.
"""

import dataclasses
import re
from collections.abc import Sequence
from decimal import Decimal

from storefront.documents import Product, decimals
from storefront.figures import CURRENCY, NUMBER, currency_of, parse_number
from storefront.mentions import mentions


def _money(which: str) -> str:
    return rf"(?:(?P<before{which}>{CURRENCY})\s?)?(?P<number{which}>{NUMBER})(?:\s?(?P<after{which}>{CURRENCY}))?"


_ONE, _TWO = _money(""), _money("2")

_BETWEEN = re.compile(rf"\b(?:between|from|zwischen|von|ab)\s+{_ONE}\s+(?:and|to|und|bis|-|–)\s+{_TWO}", re.IGNORECASE)
_RANGE = re.compile(rf"{_ONE}\s?(?:-|–|to|bis)\s?{_TWO}", re.IGNORECASE)
_MOST = re.compile(
    r"(?:\b(?:under|below|up to|less than|cheaper than|at most|no more than|not more than|within|maximum(?: of)?|"
    r"max\.?|"
    r"for less than|budget (?:of|is)|unter|bis(?: zu)?|höchstens|maximal|günstiger als|billiger als|weniger als|"
    rf"nicht mehr als|nicht über)|<=?)\s*{_ONE}",
    re.IGNORECASE,
)
_LEAST = re.compile(
    r"(?:\b(?:over|above|more than|at least|from|starting at|minimum(?: of)?|min\.?|über|mehr als|mindestens|ab)|>=?)"
    rf"\s*{_ONE}",
    re.IGNORECASE,
)
_STOCK = re.compile(
    r"\b(?:in stock|available(?: now)?|auf lager|lieferbar|verfügbar|vorrätig|sofort lieferbar)\b", re.IGNORECASE
)
_NOT_STOCK = re.compile(r"\b(?:out of stock|not in stock|nicht (?:auf lager|lieferbar|verfügbar|vorrätig))\b", re.I)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Constraints:
    """Prices in minor units of the shop's currency, both ends included; None for no limit."""

    least: int | None = None
    most: int | None = None
    in_stock: bool = False
    tag: str = ""

    @property
    def any(self) -> bool:
        return self != NO_LIMITS

    @property
    def limits_price(self) -> bool:
        return self.least is not None or self.most is not None

    def admits(self, product: Product) -> bool:
        fits = (self.least is None or product.price >= self.least) and (self.most is None or product.price <= self.most)
        return fits and (product.available or not self.in_stock) and (not self.tag or self.tag in product.tags)

    def about(self, question: str, products: Sequence[Product]) -> "Constraints":
        """The same, but "is the Stormline jacket in stock?" asks about that jacket and not for what is in stock."""
        return dataclasses.replace(self, in_stock=False) if mentions(question, products) else self

    def merged(self, other: "Constraints") -> "Constraints":
        """Both at once: the narrower of each."""
        floors = [x for x in (self.least, other.least) if x is not None]
        ceilings = [x for x in (self.most, other.most) if x is not None]
        return Constraints(
            least=max(floors, default=None), most=min(ceilings, default=None),
            in_stock=self.in_stock or other.in_stock, tag=self.tag or other.tag,
        )  # fmt: skip


NO_LIMITS = Constraints()


def constraints_of(question: str, currency: str) -> Constraints:
    """The limits in a question to a shop that sells in `currency`. A bare number is a price only if nothing but the
    question's end, a currency or a sentence mark follows: "under 80" is one, "under 2 hours" is not."""
    least, most = _price_limits(question, currency)
    stock = bool(_STOCK.search(question)) and not _NOT_STOCK.search(question)
    return Constraints(least=least, most=most, in_stock=stock)


def without_limits(question: str) -> str:
    """The question without its figures, for the search by meaning: "warm under 80 euros" is about "warm"."""
    for pattern in (_BETWEEN, _MOST, _LEAST):
        question = pattern.sub(lambda m: " " if _is_money(m, "") or _has_two(m) else m[0], question)
    return " ".join(question.split())


def _has_two(match: re.Match[str]) -> bool:
    return match.re is _BETWEEN and _is_price_range(match)


def _price_limits(question: str, currency: str) -> tuple[int | None, int | None]:
    for pattern in (_BETWEEN, _RANGE):
        if (m := pattern.search(question)) and _is_price_range(m):
            if {_named(m, ""), _named(m, "2")} - {"", currency}:
                return None, None
            low, high = sorted((_minor(m["number"], currency), _minor(m["number2"], currency)))
            return low, high
    most = _limit(_MOST, question, currency, bare=True)
    least = _limit(_LEAST, question, currency, bare=False)
    return (None if least is not None and most is not None and least > most else least), most


def _is_price_range(match: re.Match[str]) -> bool:
    """ "from 9 to 5" may be hours; "between 20 and 40" at the end of a question to a shop is money."""
    if _named(match, "") or _named(match, "2"):
        return True
    return match[0].lower().startswith(("between", "zwischen")) and _is_money(match, "2")


_EXCLUDED = (
    "under", "below", "less", "cheaper", "for less", "unter", "günstiger", "billiger", "weniger",
    "over", "above", "more", "über", "mehr",
)  # fmt: skip
""" "Under 80" leaves 80 out, "up to 80" does not."""


def _limit(pattern: re.Pattern[str], question: str, currency: str, *, bare: bool) -> int | None:
    for m in pattern.finditer(question):
        if _named(m, "") == currency or (bare and not _named(m, "") and _is_money(m, "")):
            excluded = m[0].lower().startswith(_EXCLUDED) or (m[0].rstrip().startswith(("<", ">")) and "=" not in m[0])
            return _minor(m["number"], currency) + (0 if not excluded else -1 if pattern is _MOST else 1)
    return None


def _is_money(match: re.Match[str], which: str) -> bool:
    if _named(match, which):
        return True
    rest = match.string[match.end() :].lstrip()
    return (
        not rest or rest[0] in ".,?!;:)" or rest.lower().startswith(("and ", "und ", "or ", "oder ", "please", "bitte"))
    )


def _named(match: re.Match[str], which: str) -> str:
    return currency_of(match["before" + which] or match["after" + which] or "")


def _minor(number: str, currency: str) -> int:
    return int(parse_number(number) * (Decimal(10) ** decimals(currency)))
