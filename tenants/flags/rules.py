"""The rules as they are applied: read once, looked up by word, kept in this process for a few seconds."""

import dataclasses
import html
import re
import time
from collections.abc import Iterator

from tenants.flags import links
from tenants.flags.words import candidates, phrase_of
from tenants.models.rules import ContentRule

FRESH = 5.0
"""Seconds for which a process applies the rules it has read; a change in this very process counts at once."""

# What runs, wherever it stands in mark-up. The sanitiser strips it; that somebody tried is worth a look.
_EXECUTABLE = re.compile(
    r"(?i)<\s*(?:script|iframe|object|embed|applet|meta|base|link|svg|math|form)\b"
    r"|<[^<>]{0,200}[\s/\"']on[a-z]{3,24}\s*="
    r"|(?:href|src|action|formaction|xlink:href|srcdoc)\s*=\s*[\"']?[\s\x00-\x20]*(?:javascript|vbscript|data\s*:\s*text/html)"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hit:
    """Something found in a text. `what` is for people; `word` what stands there; `rule` says which one it broke."""

    kind: str
    what: str
    word: str
    excerpt: str
    rule: str
    refused: bool = False


@dataclasses.dataclass(frozen=True)
class Rules:
    """`words` and `hosts` by what they block, with the language they hold in ("" is every one) and if they refuse."""

    words: dict[str, list[tuple[str, bool]]]
    hosts: dict[str, list[tuple[str, bool]]]
    longest: int

    def hits(self, text: str, language: str | None, *, is_markup: bool = False) -> Iterator[Hit]:
        """What is wrong with a text, each thing once."""
        if is_markup and (match := _EXECUTABLE.search(text)):
            yield Hit(kind="script", what="executable content", word=match[0][:60], rule="script",
                      excerpt=excerpt(text, *match.span()))  # fmt: skip
        shown = _without_tags(text) if is_markup else text
        yield from self._words(shown, language)
        yield from self._hosts(text, language)

    def _words(self, text: str, language: str | None) -> Iterator[Hit]:
        seen: set[str] = set()
        if not self.words:
            return
        for phrase, start, end in candidates(text, self.longest):
            refused = _severity(self.words.get(phrase), language)
            if refused is not None and phrase not in seen:
                seen.add(phrase)
                word = text[start:end]
                yield Hit(kind="word", what=f"the word “{word[:60]}”", word=word, rule=f"word {phrase}",
                          excerpt=excerpt(text, start, end), refused=refused)  # fmt: skip

    def _hosts(self, text: str, language: str | None) -> Iterator[Hit]:
        seen: set[str] = set()
        for host, start, end in links.hosts_in(text):
            if host in seen:
                continue
            seen.add(host)
            if found := self._blocked(host, language):
                blocked, refused = found
                yield Hit(kind="link", what=f"a link to {host}", word=host, rule=f"host {blocked}",
                          excerpt=excerpt(text, start, end), refused=refused)  # fmt: skip
            elif why := links.suspicion(host):
                yield Hit(kind="link", what=f"{why} ({host})", word=host, rule=f"link {host}",
                          excerpt=excerpt(text, start, end))  # fmt: skip

    def _blocked(self, host: str, language: str | None) -> tuple[str, bool] | None:
        labels = host.split(".")
        for first in range(len(labels)):
            blocked = ".".join(labels[first:])
            refused = _severity(self.hosts.get(blocked), language)
            if refused is not None:
                return blocked, refused
        return None


def _severity(found: list[tuple[str, bool]] | None, language: str | None) -> bool | None:
    """Whether it is refused; None where no rule holds in this language."""
    holds = [refused for of, refused in found or () if language is None or of in ("", language)]
    return any(holds) if holds else None


def excerpt(text: str, start: int, end: int, around: int = 80) -> str:
    cut = text[max(0, start - around) : end + around]
    return " ".join(cut.split())[:400]


def _without_tags(markup: str) -> str:
    """The words as a reader sees them: tags inside a word don't part it, those of blocks do."""
    parted = re.sub(r"(?i)</?(?:p|li|ul|ol|h\d|br|blockquote|div)\b[^<>]*>", " ", markup)
    return html.unescape(re.sub(r"<[^<>]*>", "", parted))


_kept: tuple[float, Rules] | None = None


def forget() -> None:
    """The rules have changed."""
    global _kept  # noqa: PLW0603 - one set of rules a process
    _kept = None


def current() -> Rules:
    global _kept  # noqa: PLW0603
    now = time.monotonic()
    if _kept is None or now - _kept[0] > FRESH:
        _kept = (now, _read())
    return _kept[1]


def _read() -> Rules:
    words: dict[str, list[tuple[str, bool]]] = {}
    hosts: dict[str, list[tuple[str, bool]]] = {}
    for kind, pattern, language, severity in ContentRule.objects.values_list("kind", "pattern", "language", "severity"):
        key, table = (pattern, hosts) if kind == "host" else (phrase_of(pattern), words)
        if key:
            table.setdefault(key, []).append((language, severity == "refuse"))
    longest = max((phrase.count(" ") + 1 for phrase in words), default=1)
    return Rules(words, hosts, longest)
