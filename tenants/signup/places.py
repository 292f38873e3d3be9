"""The language and currency that a new shop begins with: by what the visitor's browser says, theirs to change."""

import re

LANGUAGES = (
    ("en-GB", "English (United Kingdom)"), ("en-US", "English (United States)"), ("en", "English"),
    ("de", "Deutsch"), ("de-AT", "Deutsch (Österreich)"), ("de-CH", "Deutsch (Schweiz)"), ("fr", "Français"),
    ("it", "Italiano"), ("es", "Español"), ("pt", "Português"), ("nl", "Nederlands"), ("da", "Dansk"),
    ("sv", "Svenska"), ("nb", "Norsk"), ("fi", "Suomi"), ("pl", "Polski"), ("cs", "Čeština"), ("ja", "日本語"),
)  # fmt: skip
CURRENCIES = (
    ("EUR", "Euro (EUR)"), ("USD", "US dollar (USD)"), ("GBP", "Pound sterling (GBP)"), ("CHF", "Swiss franc (CHF)"),
    ("AUD", "Australian dollar (AUD)"), ("CAD", "Canadian dollar (CAD)"), ("CZK", "Czech koruna (CZK)"),
    ("DKK", "Danish krone (DKK)"), ("INR", "Indian rupee (INR)"), ("JPY", "Japanese yen (JPY)"),
    ("KWD", "Kuwaiti dinar (KWD)"), ("NOK", "Norwegian krone (NOK)"), ("NZD", "New Zealand dollar (NZD)"),
    ("PLN", "Polish złoty (PLN)"), ("SEK", "Swedish krona (SEK)"),
)  # fmt: skip
BY_COUNTRY = {
    "US": "USD", "GB": "GBP", "CH": "CHF", "AU": "AUD", "CA": "CAD", "CZ": "CZK", "DK": "DKK", "IN": "INR",
    "JP": "JPY", "KW": "KWD", "NO": "NOK", "NZ": "NZD", "PL": "PLN", "SE": "SEK",
}  # fmt: skip
BY_LANGUAGE = {"ja": "JPY", "da": "DKK", "sv": "SEK", "nb": "NOK", "pl": "PLN", "cs": "CZK"}


def guess(accept_language: str) -> tuple[str, str]:
    """Locale and currency for an `Accept-Language` header; English and euro where it says nothing that we know."""
    known = dict(LANGUAGES)
    for spoken, country in re.findall(r"\b([a-z]{2,3})(?:-([A-Z]{2}))?\b(?!=)", accept_language[:200]):
        language = {"no": "nb", "nn": "nb"}.get(spoken, spoken)
        exact = f"{language}-{country}"
        if exact in known or language in known:
            locale = exact if exact in known else language
            return locale, BY_COUNTRY.get(country) or BY_LANGUAGE.get(language, "EUR")
    return "en", "EUR"
