"""What a model wrote, sentence by sentence, held against what the shop knows.

A prompt asks; this decides. Whatever the model was told or made up, a sentence reaches the shopper only where
 - each sum of money is the live price of the product it speaks of, or the merchant's own words about another charge,
 - what it says of stock is so in the live record, and no discount is named that the merchant does not name,
 - every other number stands in a source, and neither a name nor an offer ("we sell …") does that stands in none,
 - it leads nowhere but to this shop, holds no mark-up and repeats nothing of the instructions.
A sentence about price or stock that fails gives way to the live facts of its product; any other is left out.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from storefront import patterns
from storefront.constraints import Constraints
from storefront.documents import Product, decimals
from storefront.figures import Money, has_small_change, numbers, spelled_sums, sums
from storefront.links import is_path
from storefront.mentions import Mention, mentions
from storefront.messages import Messages
from storefront.sources import Source, fact_line, sentences
from storefront.words import content_words, coverage, fold, stem, words

MAX_SENTENCE = 600
LIKE_A_QUOTE = 0.6
"""Share of a sentence's content words that one sentence of a source must have, to count as that source's words."""

_END = re.compile(r"[.!?…][\"”“»«')]*(?:\s*\[\d{1,2}\])*\s+(?=[^\s\[])|\n+")
_NO_END = re.compile(r"(?:\b\d{1,2}|(?:^|[\s.(])[^\W\d_]|\b(?:ca|bzw|inkl|approx|etc|vs|Nr|No|Dr|St|Mr|Mrs))\.$")

_SPACES = "\n \xa0\u202f"  # those inside of "29 €" too, which Python does not call printable


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything an answer may rest on. `instructions` is what must not be repeated; `contact` holds the shop's own
    addresses: mail of another domain is not named."""

    sources: tuple[Source, ...]
    question: str
    constraints: Constraints
    currency: str
    locale: str
    words: Messages
    shop_name: str = ""
    contact: str = ""
    instructions: str = ""
    host: str = ""

    @property
    def products(self) -> list[Product]:
        return [source.product for source in self.sources if source.product]


def sentences_of(text: str) -> tuple[list[str], str]:
    """Whole sentences with their citations, and what has begun after them: a stream is cut into what can be checked."""
    done: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if end[0].startswith("\n") or not _NO_END.search(text[start : end.start() + 1]):
            done.append(text[start : end.end()])
            start = end.end()
    rest = text[start:]
    while len(rest) > MAX_SENTENCE:
        cut = rest.rfind(" ", 0, MAX_SENTENCE) + 1 or MAX_SENTENCE
        done.append(rest[:cut])
        rest = rest[cut:]
    return done, rest


class Guard:
    """Checks the sentences of one answer in order: "it" is the product that was named last."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._prices = {product.id: _sums_of(product) for product in facts.products}
        known = [source.text for source in facts.sources] + [source.title for source in facts.sources]
        self._merchant = [one for source in facts.sources if not source.product for one in sentences(source.text)]
        own = [fact_line(product, facts.locale, facts.words) for product in facts.products]
        text = "\n".join([*known, *own, facts.shop_name, facts.contact])
        self._vocabulary = set(words(text))
        # A name may be the shopper's: "we have no kayaks". A number or code may not.
        self._names = self._vocabulary | set(words(facts.question))
        self._stems = {stem(word) for word in self._names}
        self._mail_domains = {mail.split("@")[1].casefold() for mail in patterns.EMAIL.findall(facts.contact)}
        self._numbers = numbers("\n".join([*known, *own, facts.contact])) | _parts(text)
        self._secret = _shingles(facts.instructions)
        asked = mentions(facts.question, facts.products)
        self._subject: Product | None = asked[-1].product if asked else None
        self._told: set[str] = set()
        self._said: set[str] = set()
        self.changed = 0

    def check(self, sentence: str) -> str:
        """What may be shown in place of a sentence: itself, live facts, or "". White space at its end is kept."""
        text = self._without_markup(sentence)
        body = text.strip()
        if not body:
            return ""
        tail = text[len(text.rstrip()) :] or " "
        allowed = self._allowed(body)
        if allowed != body:
            self.changed += 1
        bare = patterns.CITATION.sub("", allowed).strip()
        if bare in self._said:
            return ""
        self._said.add(bare)
        return allowed + tail if allowed else ""

    def _allowed(self, body: str) -> str:
        bare = patterns.CITATION.sub("", patterns.LIST_MARK.sub("", body)).strip()
        if self._is_foreign(bare) or self._repeats_instructions(bare):
            return ""
        found = mentions(bare, self._facts.products)
        if found:
            self._subject = found[-1].product
        if not (
            self._prices_hold(bare, found) and self._stock_holds(bare, found) and self._discounts_hold(bare, found)
        ):
            return self._instead(bare, found)
        if not self._numbers_hold(bare) or self._invents_a_name(bare) or self._invents_an_offer(bare):
            return ""
        self._told |= {one.product.id for one in found if sums(bare)}
        return self._with_own_citations(body)

    # --- shape ---

    def _without_markup(self, sentence: str) -> str:
        plain = patterns.MARKDOWN_LINK.sub(lambda m: f"{m[1]} {m[2]}" if not self._is_own(m[2]) else m[1], sentence)
        plain = patterns.MARKUP.sub("", plain)
        return "".join(c if c.isprintable() or c in _SPACES else "" for c in plain)

    def _is_own(self, address: str) -> bool:
        host = self._facts.host
        return is_path(address) or bool(
            host and re.match(rf"https?://{re.escape(host)}(?:[/?#]|$)", address, re.IGNORECASE)
        )

    def _is_foreign(self, text: str) -> bool:
        """Whether it holds an address that is not this shop's, or a run of characters that no language has."""
        if any(mail.split("@")[1].casefold() not in self._mail_domains for mail in patterns.EMAIL.findall(text)):
            return True
        rest = patterns.EMAIL.sub(" ", text)
        return any(not self._is_own(m[0]) for m in patterns.URL.finditer(rest)) or any(
            len(w) > 45 for w in rest.split()
        )

    def _repeats_instructions(self, text: str) -> bool:
        return bool(patterns.SECRETS.search(text)) or bool(self._secret & _shingles(text))

    def _with_own_citations(self, body: str) -> str:
        count = len(self._facts.sources)
        kept = patterns.CITATION.sub(lambda m: m[0] if 1 <= int(m[1]) <= count else "", body)
        return re.sub(r"[ \t]{2,}", " ", kept).strip()

    # --- money ---

    def _prices_hold(self, text: str, found: list[Mention]) -> bool:
        if spelled_sums(text) or has_small_change(text):
            return any(_is_like(text, one) and fold(text) in fold(one) for one in self._merchant)
        told = sums(text)
        if not told and patterns.PRICE.search(text):
            told = [(Money(_decimal(m[1]), self._facts.currency), m.start()) for m in patterns.UNITLESS.finditer(text)]
            told = [pair for pair in told if not (pair[0].amount in self._numbers and self._is_quote(text))]
        return all(self._price_holds(money, at, text, found) for money, at in told)

    def _price_holds(self, money: Money, at: int, text: str, found: list[Mention]) -> bool:
        product = _spoken_of(at, found)
        if product and money in self._prices[product.id]:
            return True
        if product:  # another charge than its price, and only in the merchant's own words
            return bool(patterns.OTHER_CHARGE.search(text)) and self._is_quote(text, money)
        if patterns.LIMIT.search(text) and money in self._limits():
            return True
        if self._subject and money in self._prices[self._subject.id]:
            return True
        if self._is_quote(text, money):
            return True
        return self._subject is None and bool(patterns.OTHER_CHARGE.search(text)) and money in self._charges()

    def _limits(self) -> set[Money]:
        scale = Decimal(10) ** decimals(self._facts.currency)
        limits = (self._facts.constraints.least, self._facts.constraints.most)
        return {Money((Decimal(x) / scale).normalize(), self._facts.currency) for x in limits if x is not None}

    def _charges(self) -> set[Money]:
        return {money for one in self._merchant if not self._is_stale(one) for money, _ in sums(one)}

    def _is_quote(self, text: str, money: Money | None = None) -> bool:
        return any(
            _is_like(text, one) and (money is None or any(money == other for other, _ in sums(one)))
            for one in self._merchant
            if not self._is_stale(one)
        )

    def _is_stale(self, sentence: str) -> bool:
        """Whether the merchant's own text tells a product's price, and not the present one: prices come from live
        records only. A figure beside a product's name is its price unless the sentence speaks of another charge."""
        found = mentions(sentence, self._facts.products)
        if not found or patterns.OTHER_CHARGE.search(sentence):
            return False
        return any((p := _spoken_of(at, found)) and money not in self._prices[p.id] for money, at in sums(sentence))

    def _discounts_hold(self, text: str, found: list[Mention]) -> bool:
        for pattern in patterns.DISCOUNTS.values():
            if not pattern.search(text):
                continue
            said = [one for one in self._merchant if pattern.search(one)]
            if any(_is_like(text, one) for one in said):
                continue
            general = not found and self._subject is None and patterns.OTHER_CHARGE.search(text)
            if not (general and any(patterns.OTHER_CHARGE.search(one) for one in said)):
                return self._is_in_descriptions(text)
        return True

    def _is_in_descriptions(self, text: str) -> bool:
        """ "97% of the caffeine removed", "free of lead": said of a product, and no sum of money in it."""
        if sums(text) or re.search(r"\b(?:off|discount|rabatt|code|coupon|voucher)\b", text, re.IGNORECASE):
            return False
        described = [one for source in self._facts.sources if source.product for one in sentences(source.text)]
        return any(_is_like(text, one) for one in described)

    # --- stock ---

    def _stock_holds(self, text: str, found: list[Mention]) -> bool:
        sold_out, in_stock = patterns.SOLD_OUT.search(text), patterns.IN_STOCK.search(text)
        counts = [m[1] or m[2] for m in patterns.STOCK_COUNT.finditer(text)]
        counts = [one for one in counts if one.isdigit()]
        if not (sold_out or in_stock or counts):
            return True
        about = [one.product for one in found] or ([self._subject] if self._subject else [])
        if not about or not (sold_out or in_stock):
            return self._is_quote(text) or self._is_in_descriptions(text) or not (sold_out or in_stock or about)
        if any(product.available == bool(sold_out) for product in about):
            return False
        return all(any(product.stock == int(one) for product in about) for one in counts)

    # --- everything else ---

    def _numbers_hold(self, text: str) -> bool:
        allowed = self._numbers | {money.amount for money in self._limits()}
        if not numbers(text) <= allowed:
            return False
        return all(fold(code) in self._vocabulary or _is_unit(code, allowed) for code in patterns.CODE.findall(text))

    def _invents_a_name(self, text: str) -> bool:
        """A name that stands in no source. English capitalises names only; German every noun, so there only what is
        in quotation marks, or two capitals in a row, is taken for one."""
        if any(not set(words(name)) <= self._names for name in patterns.QUOTED.findall(text)):
            return True
        tokens = [m[0] for m in patterns.NAME.finditer(text)][1:]
        strange = [
            token[:1].isupper() and token not in ("I", "I'm", "I’m") and not self._knows(token) for token in tokens
        ]
        if patterns.is_english(text):
            return any(strange)
        capital = [token[:1].isupper() for token in tokens]
        return any(strange[i] and any(capital[max(0, i - 1) : i] + capital[i + 1 : i + 2]) for i in range(len(tokens)))

    def _invents_an_offer(self, text: str) -> bool:
        """ "Yes, we sell kayaks", of which no source has a word; that the shopper asked for kayaks makes none."""
        if not patterns.OFFER.search(text) or patterns.DENIAL.search(text):
            return False
        offered = content_words(patterns.OFFER.sub(" ", text))
        return bool(offered) and coverage(offered, " ".join(self._vocabulary)) == 0

    def _knows(self, token: str) -> bool:
        return all(word in self._names or stem(word) in self._stems for word in words(token))

    def _instead(self, text: str, found: Iterable[Mention]) -> str:
        """The live facts of the products that a false sentence spoke of, each once in an answer."""
        about = {one.product.id: one.product for one in found}
        if not about and self._subject:
            about = {self._subject.id: self._subject}
        if not about:
            amounts = {money for money, _ in sums(text)}
            fit = [product for product in self._facts.products if amounts & self._prices[product.id]]
            about = {product.id: product for product in fit} if len(fit) == 1 else {}
        new = [product for id_, product in about.items() if id_ not in self._told]
        self._told |= set(about)
        return " ".join(self._fact(product) for product in new)

    def _fact(self, product: Product) -> str:
        number = next(source.n for source in self._facts.sources if source.product and source.id == product.id)
        return f"{fact_line(product, self._facts.locale, self._facts.words)} [{number}]"


def _spoken_of(at: int, found: list[Mention]) -> Product | None:
    """The product that a sum at this place belongs to: the last one named before it, else the first one after."""
    before = [one for one in found if one.at <= at]
    return before[-1].product if before else (found[0].product if found else None)


def _sums_of(product: Product) -> set[Money]:
    scale = Decimal(10) ** decimals(product.currency)
    amounts = [product.price]
    if product.compareAtPrice is not None and product.compareAtPrice > product.price:
        amounts.append(product.compareAtPrice)
    return {Money((Decimal(amount) / scale).normalize(), product.currency) for amount in amounts}


def _is_like(text: str, sentence: str) -> bool:
    said = {stem(word) for word in content_words(text)}
    known = {stem(word) for word in words(sentence)}
    return bool(said) and len(said & known) >= LIKE_A_QUOTE * len(said)


def _shingles(text: str, size: int = 6) -> set[tuple[str, ...]]:
    each = words(text)
    return {tuple(each[i : i + size]) for i in range(len(each) - size + 1)}


def _parts(text: str) -> set[Decimal]:
    """Numbers that stand inside other tokens of the sources ("IPX4", "46 × 15", "3-5")."""
    return {Decimal(digits).normalize() for digits in re.findall(r"\d{1,9}", text)}


def _decimal(text: str) -> Decimal:
    return next(iter(numbers(text)), Decimal(-1))


def _is_unit(code: str, allowed: set[Decimal]) -> bool:
    """ "750ml": a number of the sources with a unit behind it."""
    m = re.fullmatch(r"(\d+)[^\W\d_]{1,3}", code)
    return m is not None and Decimal(m[1]).normalize() in allowed


def fallback(facts: Facts) -> Iterator[str]:
    """An answer without any model: the best source in the merchant's words, or the products' live facts."""
    best = max(facts.sources, key=lambda source: source.score)
    if not best.product:
        yield f"{' '.join(sentences(best.text)[:2])} [{best.n}] "
    for source in facts.sources[:4]:
        if source.product:
            yield f"{fact_line(source.product, facts.locale, facts.words)} [{source.n}] "
