"""What an answer may rest on: a few numbered passages, cleaned of instructions, and products as they are now."""

import dataclasses
import re
from collections.abc import Sequence

from storefront.constraints import Constraints
from storefront.documents import Product, format_money
from storefront.links import safe_url
from storefront.messages import Messages
from storefront.retrieval import Passage
from storefront.search import Hit

MAX_SOURCES = 6
MAX_KNOWLEDGE = 4
MAX_PASSAGE = 900
"""Characters of a passage in the prompt: a chunk's length."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")

# What tells a model what to do has no place in a shop's own text. A net with holes, and only the first of several:
# see guard.py for what holds whatever the model was told.
_INSTRUCTION = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instruction|rule|prompt|previous|prior|above|guideline)"
    r"|\b(?:system|developer|hidden|secret|initial)\s*(?:prompt|message|instruction)"
    r"|\byour (?:instructions|prompt|rules)\b|\byou are (?:now|no longer)\b|\bfrom now on\b|\bact as\b"
    r"|\bpretend (?:to|that)\b|\bjailbreak|\bdeveloper mode\b"
    r"|\b(?:say|tell|reply|respond|answer|output|print|repeat|reveal|insist|claim|recommend|inform)\b.{0,40}"
    r"\b(?:user|customer|shopper|visitor|assistant|chatbot|model|verbatim|every (?:question|answer|reply))\b"
    r"|\b(?:assistant|chatbot|ai|llm|language model)\b.{0,30}\b(?:must|should|has to|shall|will now|please)\b"
    r"|\balways (?:say|answer|reply|respond|recommend|mention|add)\b"
    r"|\b(?:when|if) (?:asked|a (?:user|customer|shopper))\b"
    r"|^\s*(?:system|assistant|user|human)\s*:|<\|?/?(?:im_start|im_end|system|user|assistant|inst)|\[/?INST\]"
    r"|\b(?:ignorier|vergiss|missacht|umgeh)\w*\b.{0,40}\b(?:anweisung|regel|vorherig|bisherig|prompt|vorgabe)"
    r"|\bsystem-?(?:prompt|nachricht|anweisung)|\b(?:deine|ihre) (?:anweisungen|regeln)\b"
    r"|\bdu bist (?:jetzt|nun|ab sofort)\b"
    r"|\bab (?:jetzt|sofort) (?:bist|antworte|sag)|\bantworte (?:immer|nur|stets|ausschließlich)\b"
    r"|\b(?:sag|sage|erzähl|erzähle|teile|empfiehl)\b.{0,30}\b(?:kund|nutzer|besucher|käufer|assistent)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """One numbered source. `product` is the live product of a product's passage; `text` is clean."""

    n: int
    kind: str
    id: str
    title: str
    url: str
    text: str
    score: float
    product: Product | None = None

    def event(self) -> dict[str, object]:
        return {"n": self.n, "title": self.title, "url": self.url, "kind": self.kind}

    def trace(self) -> dict[str, object]:
        return {"kind": self.kind, "id": self.id, "score": round(self.score, 4)}


def numbered(hits: Sequence[Hit], live: dict[str, Product], limits: Constraints) -> tuple[Source, ...]:
    """The best hits as sources: knowledge, and live products that the limits admit."""
    kept: list[Source] = []
    for hit in hits:
        one, product = hit.passage, live.get(hit.passage.source_id) if hit.passage.source_kind == "product" else None
        if one.source_kind == "product" and (product is None or not limits.admits(product)):
            continue
        if any(other.product and product and other.id == one.source_id for other in kept):
            continue
        if product is None and sum(other.product is None for other in kept) >= MAX_KNOWLEDGE:
            continue
        kept.append(_source(len(kept) + 1, one, product, hit.relevance))
        if len(kept) == MAX_SOURCES:
            break
    return tuple(kept)


def _source(n: int, passage: Passage, product: Product | None, score: float) -> Source:
    title = product.title if product else passage.title
    url = f"/products/{product.slug}" if product else own_url(passage.url)
    text = clean(passage.body)[:MAX_PASSAGE]
    kind = passage.source_kind
    return Source(
        n=n, kind=kind, id=passage.source_id, title=one_line(title), url=url, text=text, score=score, product=product
    )


def own_url(url: str) -> str:
    """The address if it is within this site, else "": an answer leads nowhere else."""
    address = safe_url(url)
    return address if address.startswith("/") else ""


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """Text without mark-up, and without anything from the first instruction to a model in a paragraph to its end."""
    plain = _without_instructions(text)  # some are written as mark-up, and some only appear without it
    plain = re.sub(r"<[^<>]*>", " ", plain)
    plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", plain).replace("<", " ").replace(">", " ")
    return _without_instructions(plain)


def _without_instructions(text: str) -> str:
    paragraphs = [_before_instruction(one) for one in re.split(r"\n\s*\n", text)]
    return "\n\n".join(one for one in paragraphs if one)


def _before_instruction(paragraph: str) -> str:
    if not _INSTRUCTION.search(paragraph):
        return paragraph.strip()
    kept: list[str] = []
    for sentence in _SENTENCE_END.split(paragraph):
        if _INSTRUCTION.search(sentence):
            break
        kept.append(sentence)
    return " ".join(kept).strip()


def sentences(text: str) -> list[str]:
    return [one.strip() for one in _SENTENCE_END.split(text) if one.strip()]


def price_of(product: Product, locale: str) -> str:
    return format_money(product.price, product.currency, locale)


def fact_line(product: Product, locale: str, words: Messages) -> str:
    """What is true of a product now, in the shopper's words: the only way an answer tells price and stock."""
    price = price_of(product, locale)
    if product.compareAtPrice is not None and product.compareAtPrice > product.price:
        was = format_money(product.compareAtPrice, product.currency, locale)
        price = f"{price} ({words('regular_price')}: {was})"
    stock = words("in_stock") if product.available else words("sold_out")
    return f"{product.title}: {price}, {stock[:1].lower() + stock[1:]}."
