"""Words of a question and of a text, compared loosely: no case, no accents, no endings.

The control plane indexes by `indexed` what the edge asks for by `search_terms`, so both see the same words. Standard
library only.
"""

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:[-.'’/][^\W_]+)*")
_PLAIN = re.compile(r"[^\W_]+")

# Words that carry no meaning to search for, in the languages that shops speak here.
STOPWORDS = frozenset(
    """a about all also am an and any are as at be been but by can could did do does doing for from get give go had has
    have how i if in into is it its just like make me may might more most my need no not of off on one or our out please
    shall should show so some tell than that the their them then there these they this those to too up us use want was
    we were what when where which who why will with would you your looking something anything got sell selling buy good
    aber alle allem allen als also am an auch auf aus bei bin bis bitte da damit dann das dass dein dem den der des die
    dies diese diesem diesen dieser doch dort du durch ein eine einem einen einer eines er es etwas euch euer eure für
    gibt habe haben habt hat hier ich ihr ihre ihren ihrer im in ins ist ja kann kannst können könnt man mein meine mit
    möchte nach nicht noch nur oder sehr seid sein seine sich sie sind so soll suche über um und uns unser unsere unter
    viel vom von vor war was welche welchen welcher welches wenn wer werden wie wieviel wir wird wo zu zum zur
    eigentlich denn mal gern brauche suchen zeig zeige mir verkaufen verkauft kaufen""".split()
)


def fold(text: str) -> str:
    """Case, accents and ligatures levelled: "Größe" and "GROSSE" are "grosse"."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """Every word, folded."""
    return _PLAIN.findall(fold(text))


def content_words(text: str) -> list[str]:
    """The words that carry meaning, folded, each once, in order."""
    stop = _FOLDED_STOPWORDS
    return [word for word in dict.fromkeys(words(text)) if word not in stop and (len(word) > 1 or word.isdigit())]


_FOLDED_STOPWORDS = frozenset(fold(word) for word in STOPWORDS)


def stem(word: str) -> str:
    """What two forms of a word share: its beginning, without the last letters of a long one."""
    return word if len(word) < 5 or any(c.isdigit() for c in word) else word[: max(4, len(word) - 2)]


def coverage(question: Iterable[str], text: str) -> float:
    """Which part of the question's content words, 0 to 1, the text has in some form, weighted by their length.

    A German compound counts where it begins with the word that was asked for, or the other way round.
    """
    wanted = list(question)
    if not wanted:
        return 0.0
    found = set(words(text))
    stems = {stem(word) for word in found}
    weight = sum(len(word) for word in wanted)
    return sum(len(word) for word in wanted if _is_in(word, found, stems)) / weight


def _is_in(word: str, found: set[str], stems: set[str]) -> bool:
    if word in found or stem(word) in stems:
        return True
    start = stem(word)
    return len(start) >= 4 and any(other.startswith(start) for other in found)


# FTS5 reads a word's rows of all tenants to rank one tenant's. So each word is indexed with the tenant's number in
# front, "t12zword": a word then has the rows of one tenant. No number has a z in it, so no two tenants share a word.
MARKED = "replace({}, ' ', ' t' || number || 'z')"
"""SQL: `indexed` words, or a search term without its star, as those of the tenant whose `number` is in scope."""


def indexed(text: str) -> str:
    """The words to index, folded, each with a space before it. FTS5's ascii tokenizer splits this at spaces only."""
    return "".join(f" {word}" for word in words(text))


def search_terms(question: str) -> list[str]:
    """What to look for in the index, a space before each word: content words, by their beginning (" deliv*") where
    they are long, and "AB-12" as the phrase " ab 12". At most 24; [] where nothing is asked for."""
    terms: list[str] = []
    for token in _WORD.findall(fold(question)):
        parts = _PLAIN.findall(token)
        if len(parts) > 1 and any(c.isdigit() for c in token):
            terms.append("".join(f" {part}" for part in parts))
            continue
        terms += [_term(part) for part in parts if part not in _FOLDED_STOPWORDS and len(part) > 1]
    return list(dict.fromkeys(terms))[:24]


def _term(word: str) -> str:
    start = stem(word)
    return f" {word}" if start == word else f" {start}*"
