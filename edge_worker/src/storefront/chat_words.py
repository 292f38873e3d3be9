"""What the chat itself says, by language; English where a language is missing. Everything else comes from the shop."""

from typing import Final

WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "unknown": "I don’t know that, and I would rather not guess.",
        "closest": "The closest I have: {titles}.",
        "contact": "You can reach us here: {contact}.",
        "refused": "That is a topic I can’t help with here.",
        "over_budget": "I have answered as much as I can for today, but the search still works. These fit best:",
        "over_budget_none": "I have answered as much as I can for today. The search still works.",
        "model_down": "I can’t put an answer together right now. Here is what the shop says:",
        "search_down": "I can’t look anything up right now. Please try again in a moment.",
        "none_fits": "Nothing in the shop fits these limits right now.",
        "looking": "Looking for a product, or is it about delivery and returns? Just ask.",
        "more_like": "Is there anything like the {title}?",
        "in_stock": "Is the {title} in stock?",
        "delivery": "How much is delivery?",
        "returns": "What is your returns policy?",
    },
    "de": {
        "unknown": "Das weiß ich nicht, und raten möchte ich nicht.",
        "closest": "Am nächsten kommt: {titles}.",
        "contact": "So erreichen Sie uns: {contact}.",
        "refused": "Bei diesem Thema kann ich hier nicht helfen.",
        "over_budget": "Für heute habe ich genug beantwortet, aber die Suche geht weiter. Das passt am besten:",
        "over_budget_none": "Für heute habe ich genug beantwortet. Die Suche geht weiter.",
        "model_down": "Ich kann gerade keine Antwort formulieren. Das sagt der Shop dazu:",
        "search_down": "Ich kann gerade nichts nachschlagen. Bitte versuchen Sie es gleich noch einmal.",
        "none_fits": "Zurzeit passt nichts im Shop zu diesen Grenzen.",
        "looking": "Suchen Sie ein Produkt, oder geht es um Versand und Rückgabe? Fragen Sie einfach.",
        "more_like": "Gibt es etwas Ähnliches wie {title}?",
        "in_stock": "Ist {title} lieferbar?",
        "delivery": "Was kostet der Versand?",
        "returns": "Wie kann ich etwas zurückgeben?",
    },
}


def say(language: str, key: str, **values: object) -> str:
    """The sentence; `language` is a tag or a language code. Raises KeyError for an unknown key."""
    table = WORDS.get(language.replace("_", "-").split("-")[0].lower(), WORDS["en"])
    return table[key].format(**values)
