"""An honest text model without any weights: it answers with sentences of the prompt's own sources, and says so.

It reads what `storefront.prompt` writes (SHOP DATA fences, numbered entries, FACTS lines), chooses the sentences
nearest to the question by the packaged embedding model and by shared words, and quotes them. It invents nothing, it
understands nothing, and it speaks the language of the sources.
"""

import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence

from controlplane.localcloud.cloudflare import embeddings

MODEL = "@local/extractive"

GERMAN, ENGLISH = (
    "(Wörtlich aus dem Shop, zusammengestellt ohne Sprachmodell.)",
    ("(Quoted from the shop, put together without a language model.)"),
)
NOTHING = "The sources say nothing about that."
MAX_QUOTES = 3
MAX_PRODUCTS = 3

_FENCE = re.compile(r"SHOP DATA (\w+)\n(.*)\nEND OF SHOP DATA \1", re.DOTALL)
_ENTRY = re.compile(r"^\[(\d+)\] ([A-Z]+): (.*)$", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_TAGS = re.compile(r"[^\W\d_A-Z][\w-]*(?:, [\w-]+)*")
_WORD = re.compile(r"[^\W_]+")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One numbered source of the prompt; `facts` is the line about price and stock, "" for what is no product."""

    number: int
    kind: str
    title: str
    facts: str
    sentences: tuple[str, ...]


def compose(messages: Sequence[dict[str, str]]) -> str:
    """The answer to the last message, of the sources in the first."""
    question = next((m["content"] for m in reversed(messages) if m["role"] == "user"), "")
    entries = entries_of("\n".join(m["content"] for m in messages if m["role"] == "system"))
    if not entries:
        return NOTHING
    return " ".join(_parts(question, entries))


def _parts(question: str, entries: list[Entry]) -> Iterator[str]:
    quotes = best_sentences(question, entries)
    for number in dict.fromkeys(number for number, _ in quotes):
        yield f"{' '.join(text for n, text in quotes if n == number)} [{number}]"
    products = [entry for entry in entries if entry.facts]
    if entries[0].facts or not quotes:
        for entry in products[:MAX_PRODUCTS]:
            yield f"{entry.facts} [{entry.number}]"
    text = " ".join(sentence for entry in entries for sentence in entry.sentences)
    yield GERMAN if re.search(r"\b(?:und|der|die|das|ist)\b", text) else ENGLISH


def entries_of(system: str) -> list[Entry]:
    """The sources of a prompt; none where it has no fence."""
    if not (fence := _FENCE.search(system)):
        return []
    marks = list(_ENTRY.finditer(fence[2]))
    ends = [mark.start() for mark in marks[1:]] + [len(fence[2])]
    return [_entry(mark, fence[2][mark.end() : end]) for mark, end in zip(marks, ends, strict=True)]


def _entry(mark: re.Match[str], body: str) -> Entry:
    lines = [line.strip() for line in body.strip().split("\n") if line.strip()]
    facts = lines.pop(0).removeprefix("FACTS: ") if lines and lines[0].startswith("FACTS: ") else ""
    parts = [part.strip() for part in _SENTENCE.split("\n".join(lines))]
    texts = tuple(part for part in parts if len(part) > 2 and not _TAGS.fullmatch(part))
    return Entry(int(mark[1]), mark[2], mark[3], facts, texts)


def best_sentences(question: str, entries: list[Entry]) -> list[tuple[int, str]]:
    """The sentences to quote with their source's number, in the sources' order: of knowledge the nearest and what
    stands beside it, of the first product one."""
    offered = [(entry, text) for entry in entries for text in entry.sentences]
    if not offered:
        return []
    asked = _vector(question)
    vectors = [_vector(f"{entry.title} {text}") for entry, text in offered]
    wanted = {word[:5] for word in _WORD.findall(question.casefold()) if len(word) > 3}
    scores = [
        sum(a * b for a, b in zip(asked, vector, strict=True)) + 0.1 * _shared(wanted, text) - 0.02 * entry.number
        for (entry, text), vector in zip(offered, vectors, strict=True)
    ]
    order = sorted(range(len(offered)), key=lambda place: -scores[place])
    kept = sorted(place for place in order[:MAX_QUOTES] if scores[place] >= 0.75 * scores[order[0]])
    return [(offered[place][0].number, _ended(offered[place][1])) for place in kept]


def _ended(text: str) -> str:
    """A line of a list has no full stop of its own."""
    return text if text[-1] in ".!?…:" else f"{text}."


@functools.lru_cache(4096)
def _vector(text: str) -> tuple[float, ...]:
    """The same sentences are offered again and again."""
    return tuple(embeddings.embed([text])[0])


def _shared(wanted: set[str], text: str) -> int:
    return len(wanted & {word[:5] for word in _WORD.findall(text.casefold())})


def tokens(text: str) -> int:
    return max(1, len(text) // 4)
