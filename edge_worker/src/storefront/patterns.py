"""What a sentence says, by its form and its words in English and German; `guard` decides what follows."""

import re

from storefront.words import words

MARKUP = re.compile(r"<[^<>]*>|[<>`*#|~^_]{1,}|!\[[^\]]*\]\([^)]*\)")
MARKDOWN_LINK = re.compile(r"\[([^\]]*)\]\(\s*([^)\s]*)[^)]*\)")
URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?//[^\s)\]]+|\b(?:data|javascript|vbscript|mailto|tel|ftp|file|blob)\s*:\s*\S*"
    r"|\b(?:[\w-]{2,}\.)+[a-z]{2,}\b(?:[/:?#][^\s)\]]*)?",
    re.IGNORECASE,
)
EMAIL = re.compile(r"[\w.+-]+@[\w.-]+\w")
CITATION = re.compile(r"\[(\d{1,3})\]")
LIST_MARK = re.compile(r"^\s*(?:[-•–]|\d{1,2}[.)])\s+")
CODE = re.compile(r"\b(?:[A-Z]{4,}\b|[^\W\d_]+\d\w*|\d+[^\W\d_]{3,}\w*\d\w*)")

PRICE = re.compile(r"\b(?:costs?|prices?|priced|pay|only for|just|kost\w+|preis\w*|zahl\w+|nur)\b", re.IGNORECASE)
UNITLESS = re.compile(r"(?<![\w.,])(\d+(?:[.,]\d{1,3})*)(?!\s?(?:[^\W\d_]|[°%×/²³]|[.,]\d))")
OTHER_CHARGE = re.compile(
    r"\b(?:hire|hir(?:ing|ed)|rent\w*|deposit|repair\w*|mend\w*|resol\w+|restitch\w*|replac\w+|patch\w*|refill\w*|"
    r"spare\w*|"
    r"shipping|ship|deliver\w*|postage|return\w*|class\w*|course|lesson|fee|gift cards?|subscription|"
    r"versand\w*|liefer\w*|porto|miet\w*|leih\w*|pfand|kaution|reparatur\w*|ersatz\w*|rücksend\w*|rückgabe|retoure\w*|"
    r"kurs\w*|gebühr\w*|gutschein\w*|muster|schriftzug|bestellwert|orders?|bestell\w*)\b",
    re.IGNORECASE,
)
LIMIT = re.compile(
    r"\b(?:under|below|up to|less than|at most|over|above|at least|between|within|unter|bis|höchstens|über|mindestens|"
    r"zwischen|weniger als|mehr als|maximal)\b",
    re.IGNORECASE,
)
DISCOUNTS = {
    "off": re.compile(
        r"%|\b(?:percent|prozent|discount\w*|reduc\w+|reduziert\w*|rabatt\w*|nachlass|half[- ]price|"
        r"halbe[nr]? preis\w*|"
        r"on sale|sale|angebot\w*|cheaper|günstiger|save \w+|bargain|deal)\b", re.IGNORECASE,
    ),
    "code": re.compile(r"\b(?:coupon\w*|voucher\w*|promo\w*|\w*codes?|gutschein\w*)\b", re.IGNORECASE),
    "free": re.compile(r"\b(?:free|gratis|kostenlos\w*|kostenfrei\w*|umsonst|geschenkt|no charge)\b", re.IGNORECASE),
}  # fmt: skip
SOLD_OUT = re.compile(
    r"\b(?:sold out|out of stock|unavailable|(?:not|isn['’]t|aren['’]t|no longer)\s+(?:\w+\s+)?(?:available|in stock)|"
    r"ausverkauft|vergriffen|nicht\s+(?:\w+\s+)?(?:auf lager|lieferbar|verfügbar|vorrätig))\b",
    re.IGNORECASE,
)
IN_STOCK = re.compile(r"\b(?:in stock|available|auf lager|lieferbar|verfügbar|vorrätig)\b", re.IGNORECASE)
STOCK_COUNT = re.compile(
    r"\b(\d+|\w+)\s+(?:left|remaining|in stock|auf lager|stück auf lager|vorrätig|verfügbar|übrig)\b"
    r"|\b(?:only|just|nur noch|noch)\s+(\d+)\b(?!\s?[^\W\d_]*(?:mm|cm|g|kg|ml|l|h)\b)",
    re.IGNORECASE,
)
SECRETS = re.compile(
    r"system[- ]?(?:prompt|message|nachricht)|\b(?:my|these|meine|diese) (?:instructions|anweisungen|rules|regeln)\b"
    r"|\bshop data\b|(?-i:\b(?:FACTS|PRODUCT|KNOWLEDGE):)",
    re.IGNORECASE,
)
OFFER = re.compile(
    r"\b(?:we|shop)\s+(?:\w+\s+)?(?:sell|stock|carry|offer|make|have|hire out|rent out)\b|\bthere (?:is|are)\b"
    r"|\bwir\s+(?:\w+\s+)?(?:führen|verkaufen|bieten|haben|vermieten)\b|\b(?:gibt es|es gibt)\b"
    r"|\b(?:führen|verkaufen|bieten|haben|vermieten) wir\b",
    re.IGNORECASE,
)
DENIAL = re.compile(
    r"\b(?:no|not|never|none|neither|cannot|unfortunately|leider|kein\w*|nicht|nie)\b|n['’]t\b", re.IGNORECASE
)
NAME = re.compile(r"[^\W\d_][\w'’-]*")
QUOTED = re.compile(r"[»“„\"]([^»«“”„\"]{3,60})[«”“\"]")

ENGLISH = frozenset(
    "the is are and of to for with you your it in on a an we our this that can at be from has have".split()
)
GERMAN = frozenset(
    "der die das ist sind und von zu für mit sie ihr ihre es im auf ein eine wir unser den dem nicht".split()
)


def is_english(text: str) -> bool:
    each = words(text)
    return sum(word in ENGLISH for word in each) > sum(word in GERMAN for word in each)
