"""Words compared however they are disguised: case, accents, invisible characters, look-alikes, digits for letters."""

import dataclasses
import re
import unicodedata
from collections.abc import Iterator

# Letters of other scripts that look like Latin ones (Unicode's confusables, the ones that are used for it).
_ALIKE = dict(
    zip(
        "абвгеёзіїјкмнопрстухѕԁԛԝһӏαβεικνορτυχηωγıɑɡ",
        "abbreeziijkmhonpctyxsdqwhlabeiknoptuxnwyiag",
        strict=True,
    )
)
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_INVISIBLE = "\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u0300-\u036f"
_TOKEN = re.compile(rf"[\w@$][\w@$!{_INVISIBLE}]*")
_JOINT = re.compile(r"[-.*·•_/+'’]|\s?")
MOST_WORDS = 6
"""Words of a phrase."""


@dataclasses.dataclass(frozen=True)
class Token:
    """A word as it may be meant, and where it stands in the text."""

    readings: tuple[str, ...]
    start: int
    end: int


def fold(word: str) -> str:
    """Levelled: "Größe" and "ＧＲＯＳＳＥ" are "grosse", and so is one with a Cyrillic "о" in it."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    bare = "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Cf") and c != "_")
    strange = sum(c in _ALIKE for c in bare)
    mixed = strange and any("a" <= c <= "z" for c in bare)
    if mixed or (strange >= 5 and strange == len(bare)):
        bare = "".join(_ALIKE.get(c, c) for c in bare)
    return bare


def readings(word: str) -> tuple[str, ...]:
    """A word, and what it says if its digits stand for letters; a number is only a number."""
    plain = fold(word)
    if not any(c.isalpha() for c in plain) or plain.isalpha():
        return (plain.strip("!@$"),)
    leet = plain.rstrip("!").translate(_LEET)
    return tuple(dict.fromkeys((plain.strip("!@$"), leet, leet.replace("i", "l"))))


def tokens(text: str) -> list[Token]:
    return [Token(readings(m[0]), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def phrase_of(pattern: str) -> str:
    """A rule's words as `candidates` spells them; "" where there are none, or too many."""
    words = [token.readings[0] for token in tokens(pattern)]
    return " ".join(words) if len(words) <= MOST_WORDS and all(words) else ""


def candidates(text: str, longest: int) -> Iterator[tuple[str, int, int]]:
    """Every run of up to `longest` words, and words that were pulled apart ("v i a g r a", "v.i.a.g.r.a")."""
    found = tokens(text)
    for first, token in enumerate(found):
        for phrase in token.readings:
            yield phrase, token.start, token.end
        for last in range(first + 1, min(first + longest, len(found))):
            some = found[first : last + 1]
            end = some[-1].end
            yield " ".join(one.readings[0] for one in some), token.start, end
            if any(len(one.readings) > 1 for one in some):
                yield " ".join(one.readings[-1] for one in some), token.start, end
    yield from _pulled_apart(text, found)


def _pulled_apart(text: str, found: list[Token]) -> Iterator[tuple[str, int, int]]:
    run: list[Token] = []
    for token in [*found, None]:
        if token and run and _belongs(text, run[-1], token):
            run.append(token)
            continue
        if len(run) > 1:
            for reading in (0, -1):
                yield "".join(one.readings[reading] for one in run), run[0].start, run[-1].end
        run = [token] if token else []


def _belongs(text: str, before: Token, after: Token) -> bool:
    """Whether two words are pieces of one: a single mark between them, or single letters with a space."""
    between = text[before.end : after.start]
    if len(between) > 1 or not _JOINT.fullmatch(between):
        return False
    return not between.isspace() or (before.end - before.start == 1 and after.end - after.start == 1)
