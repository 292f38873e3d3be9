"""Money as integer minor units and its display; standard library only."""

from typing import Any

# ISO 4217 currencies whose minor unit is not a hundredth (list one, amendment 176).
ZERO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())

SYMBOLS = {
    "EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "CHF": "CHF", "SEK": "kr",
    "NOK": "kr", "DKK": "kr.", "PLN": "zł", "CZK": "Kč", "AUD": "A$", "CAD": "CA$", "NZD": "NZ$", "BRL": "R$",
}  # fmt: skip

# language: (group separator, decimal separator, symbol goes behind the number); CLDR's common forms
_FORMS = {
    "en": (",", ".", False), "ja": (",", ".", False), "zh": (",", ".", False), "ko": (",", ".", False),
    "de": (".", ",", True), "es": (".", ",", True), "it": (".", ",", True), "nl": (".", ",", False),
    "pt": (".", ",", True), "da": (".", ",", True), "fr": ("\u202f", ",", True), "sv": ("\xa0", ",", True),
    "nb": ("\xa0", ",", True), "fi": ("\xa0", ",", True), "pl": ("\xa0", ",", True), "cs": ("\xa0", ",", True),
}  # fmt: skip


def decimals(currency: str) -> int:
    """How many digits the currency's minor unit has: 0, 2 or 3."""
    if currency in ZERO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def decimal_string(amount: int, currency: str) -> str:
    """`amount` minor units as a plain decimal ("12.50"), as schema.org and CSV want it."""
    digits = decimals(currency)
    if not digits:
        return str(amount)
    whole, part = divmod(abs(amount), 10**digits)
    return f"{'-' if amount < 0 else ''}{whole}.{part:0{digits}d}"


def format_money(amount: int, currency: str, locale: str) -> str:
    """`amount` minor units of an ISO 4217 `currency` as a shopper of the BCP 47 `locale` reads it."""
    group, point, behind = _form(locale)
    whole, _, part = decimal_string(abs(amount), currency).partition(".")
    number = f"{int(whole):,}".replace(",", group) + (point + part if part else "")
    symbol = SYMBOLS.get(currency, currency)
    spaced = symbol if behind or not symbol[-1].isalpha() else symbol + "\xa0"
    sign = "-" if amount < 0 else ""
    return f"{sign}{number}\xa0{symbol}" if behind else f"{sign}{spaced}{number}"


def rules(locale: str) -> dict[str, Any]:
    """What browser/money.js needs to write any currency as format_money does for this locale."""
    group, point, behind = _form(locale)
    digits = dict.fromkeys(sorted(ZERO_DECIMALS), 0) | dict.fromkeys(sorted(THREE_DECIMALS), 3)
    return {"group": group, "point": point, "behind": behind, "digits": digits, "symbols": SYMBOLS}


def _form(locale: str) -> tuple[str, str, bool]:
    """Group separator, decimal separator, whether the symbol goes behind the number."""
    if locale in ("de-CH", "de-LI"):
        return "’", ".", False
    return _FORMS.get(locale.replace("_", "-").split("-")[0].lower(), _FORMS["en"])
