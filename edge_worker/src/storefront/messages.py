"""The storefront's own words, by language; English where a language is missing."""

from typing import Final

from storefront import messages_report
from storefront.messages_live import WORDS

_EN: Final = {
    "skip": "Skip to content",
    "main_navigation": "Main navigation",
    "footer_navigation": "Footer navigation",
    "breadcrumbs": "Breadcrumbs",
    "home": "Home",
    "all_products": "All products",
    "view_all": "View all",
    "search": "Search",
    "search_label": "Search this shop",
    "search_placeholder": "What are you looking for?",
    "search_title": "Search",
    "search_intro": "Ask in your own words: a product, a material, a question about delivery.",
    "results_for": "Results for “{question}”",
    "products_found": "Products",
    "answers_found": "Answers",
    "read_more": "Read more",
    "no_results": "Nothing found for “{question}”",
    "no_results_hint": "Try another word or a shorter question, or look around:",
    "search_down": "The full search is taking a break. These products match by name:",
    "search_down_none": "The full search is taking a break, and no product on our front page matches by name.",
    "price": "Price",
    "sale_price": "Sale price",
    "regular_price": "Regular price",
    "sale": "Sale",
    "save_percent": "Save {percent} %",
    "sold_out": "Sold out",
    "in_stock": "In stock",
    "low_stock": "Only {count} left",
    "one_left": "Only one left",
    "out_of_stock": "Currently sold out",
    "in_stock_only": "In stock only",
    "sort_by": "Sort by",
    "sort_position": "Featured",
    "sort_price-ascending": "Price, low to high",
    "sort_price-descending": "Price, high to low",
    "sort_title": "Name, A to Z",
    "sort_newest": "Newest",
    "apply": "Apply",
    "filters": "Filter and sort",
    "tags": "Tags",
    "tagged": "Tag: {tag}",
    "remove_filter": "Remove filter {tag}",
    "no_products": "No products here yet.",
    "no_products_filtered": "No product fits this filter.",
    "show_all": "Show all products",
    "pages": "Pages",
    "page": "Page {number}",
    "previous": "Previous",
    "next": "Next",
    "description": "Description",
    "related": "You may also like",
    "similar": "Similar products",
    "max_price": "Price up to ({currency})",
    "no_products_within": "Nothing fits these filters. These come close:",
    "ask": "Questions about this product?",
    "ask_link": "Write to us",
    "contact": "Contact",
    "opening_hours": "Opening hours",
    "address": "Address",
    "map": "Show on map",
    "shop": "Shop",
    "catalog_down": "Our full catalogue can’t be reached right now. Here is a selection; please try again in a moment.",
    "product_down": "Details can’t be loaded right now. Price and availability are as last published.",
    "coming_soon": "Something good is on its way",
    "coming_soon_text": "We are still setting up. Have a look at our products in the meantime.",
    "not_found": "We can’t find that page",
    "not_found_text": "The address may be mistyped, or what was here has moved on.",
    "product_unavailable": "This product can’t be shown right now",
    "product_unavailable_text": "Our catalogue is taking a moment. Please try again shortly.",
    "catalog_unavailable": "Our catalogue is taking a moment",
    "catalog_unavailable_text": "The products can’t be loaded right now. Please try again shortly.",
    "method_not_allowed": "That doesn’t work here",
    "method_not_allowed_text": "This address can only be viewed.",
    "malformed_host": "This address isn’t valid",
    "malformed_host_text": "The host name in the request can’t be read. Please check the address.",
    "unknown_host": "There is no shop at this address",
    "unknown_host_text": "Please check the spelling. If this is your shop, its address may not be connected yet.",
    "unconnected": "This address is not connected yet",
    "unconnected_text": "If it is yours, your admin says under Domains what is left to do.",
    "suspended": "This shop is not available",
    "suspended_text": "It has been taken offline. If it is yours, please contact the platform’s support.",
    "closed": "This shop has closed",
    "closed_text": "It is no longer in business at this address.",
    "updating": "This shop is being updated",
    "updating_text": "Please try again in a minute.",
    "unavailable": "This shop can’t be reached right now",
    "unavailable_text": "We are working on it. Please try again in a minute.",
    "too_many": "That was a lot at once",
    "too_many_text": "Please wait a minute and try again.",
    "failed": "Something went wrong on our side",
    "failed_text": "Please try again. If it keeps happening, quote this reference: {request_id}",
    "back_home": "Back to the start page",
}

_DE: Final = {
    "skip": "Zum Inhalt springen",
    "main_navigation": "Hauptnavigation",
    "footer_navigation": "Navigation in der Fußzeile",
    "breadcrumbs": "Brotkrumenpfad",
    "home": "Startseite",
    "all_products": "Alle Produkte",
    "view_all": "Alle ansehen",
    "search": "Suchen",
    "search_label": "Diesen Shop durchsuchen",
    "search_placeholder": "Wonach suchen Sie?",
    "search_title": "Suche",
    "search_intro": "Fragen Sie in eigenen Worten: nach einem Produkt, einem Material oder dem Versand.",
    "results_for": "Ergebnisse für „{question}“",
    "products_found": "Produkte",
    "answers_found": "Antworten",
    "read_more": "Weiterlesen",
    "no_results": "Nichts gefunden für „{question}“",
    "no_results_hint": "Versuchen Sie ein anderes Wort oder eine kürzere Frage – oder sehen Sie sich um:",
    "search_down": "Die Volltextsuche macht gerade Pause. Diese Produkte passen dem Namen nach:",
    "search_down_none": "Die Volltextsuche macht gerade Pause, und kein Produkt der Startseite passt dem Namen nach.",
    "price": "Preis",
    "sale_price": "Angebotspreis",
    "regular_price": "Regulärer Preis",
    "sale": "Angebot",
    "save_percent": "{percent} % gespart",
    "sold_out": "Ausverkauft",
    "in_stock": "Auf Lager",
    "low_stock": "Nur noch {count} Stück",
    "one_left": "Nur noch ein Stück",
    "out_of_stock": "Derzeit ausverkauft",
    "in_stock_only": "Nur lieferbare Produkte",
    "sort_by": "Sortieren nach",
    "sort_position": "Empfehlung",
    "sort_price-ascending": "Preis, aufsteigend",
    "sort_price-descending": "Preis, absteigend",
    "sort_title": "Name, A bis Z",
    "sort_newest": "Neueste zuerst",
    "apply": "Anwenden",
    "filters": "Filtern und sortieren",
    "tags": "Schlagwörter",
    "tagged": "Schlagwort: {tag}",
    "remove_filter": "Filter {tag} entfernen",
    "no_products": "Hier gibt es noch keine Produkte.",
    "no_products_filtered": "Kein Produkt passt zu diesem Filter.",
    "show_all": "Alle Produkte zeigen",
    "pages": "Seiten",
    "page": "Seite {number}",
    "previous": "Zurück",
    "next": "Weiter",
    "description": "Beschreibung",
    "related": "Das könnte Ihnen auch gefallen",
    "similar": "Ähnliche Produkte",
    "max_price": "Preis bis ({currency})",
    "no_products_within": "Nichts passt zu diesen Filtern. Das kommt nahe heran:",
    "ask": "Fragen zu diesem Produkt?",
    "ask_link": "Schreiben Sie uns",
    "contact": "Kontakt",
    "opening_hours": "Öffnungszeiten",
    "address": "Adresse",
    "map": "Auf der Karte zeigen",
    "shop": "Shop",
    "catalog_down": "Unser Sortiment ist gerade nicht erreichbar. Hier ist eine Auswahl; bitte versuchen Sie es gleich "
    "noch einmal.",
    "product_down": "Die Einzelheiten lassen sich gerade nicht laden. Preis und Verfügbarkeit entsprechen dem zuletzt "
    "veröffentlichten Stand.",
    "coming_soon": "Hier entsteht etwas Schönes",
    "coming_soon_text": "Wir richten uns noch ein. Sehen Sie sich in der Zwischenzeit unsere Produkte an.",
    "not_found": "Diese Seite gibt es nicht",
    "not_found_text": "Vielleicht ist die Adresse vertippt, oder was hier war, ist umgezogen.",
    "product_unavailable": "Dieses Produkt lässt sich gerade nicht anzeigen",
    "product_unavailable_text": "Unser Sortiment braucht einen Moment. Bitte versuchen Sie es gleich noch einmal.",
    "catalog_unavailable": "Unser Sortiment braucht einen Moment",
    "catalog_unavailable_text": "Die Produkte lassen sich gerade nicht laden. Bitte versuchen Sie es gleich noch "
    "einmal.",
    "method_not_allowed": "Das geht hier nicht",
    "method_not_allowed_text": "Diese Adresse lässt sich nur ansehen.",
    "malformed_host": "Diese Adresse ist ungültig",
    "malformed_host_text": "Der Hostname der Anfrage ist nicht lesbar. Bitte prüfen Sie die Adresse.",
    "unknown_host": "Unter dieser Adresse gibt es keinen Shop",
    "unknown_host_text": "Bitte prüfen Sie die Schreibweise. Falls dies Ihr Shop ist, ist die Adresse vielleicht noch "
    "nicht verbunden.",
    "unconnected": "Diese Adresse ist noch nicht verbunden",
    "unconnected_text": "Falls es Ihre ist: In der Verwaltung steht unter „Domains“, was noch zu tun ist.",
    "suspended": "Dieser Shop ist nicht verfügbar",
    "suspended_text": "Er wurde vom Netz genommen. Falls es Ihrer ist, wenden Sie sich bitte an den Support der "
    "Plattform.",
    "closed": "Dieser Shop ist geschlossen",
    "closed_text": "Unter dieser Adresse wird nichts mehr verkauft.",
    "updating": "Dieser Shop wird gerade aktualisiert",
    "updating_text": "Bitte versuchen Sie es in einer Minute noch einmal.",
    "unavailable": "Dieser Shop ist gerade nicht erreichbar",
    "unavailable_text": "Wir arbeiten daran. Bitte versuchen Sie es in einer Minute noch einmal.",
    "too_many": "Das war viel auf einmal",
    "too_many_text": "Bitte warten Sie eine Minute und versuchen Sie es noch einmal.",
    "failed": "Bei uns ist etwas schiefgegangen",
    "failed_text": "Bitte versuchen Sie es noch einmal. Falls es wieder passiert, nennen Sie uns diese Kennung: "
    "{request_id}",
    "back_home": "Zur Startseite",
}

LANGUAGES: Final[dict[str, dict[str, str]]] = {
    "en": _EN | WORDS["en"] | messages_report.WORDS["en"],
    "de": _DE | WORDS["de"] | messages_report.WORDS["de"],
}

_RIGHT_TO_LEFT = frozenset(("ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"))


class Messages:
    """Looks words up: `Messages("de-AT")("home")` is "Startseite"."""

    def __init__(self, locale: str) -> None:
        language = locale.replace("_", "-").split("-")[0].lower()
        self.language = language if language in LANGUAGES else "en"
        self._table = LANGUAGES[self.language]

    def __call__(self, key: str, **values: object) -> str:
        """The text with its placeholders filled in; the caller escapes it. Raises KeyError for an unknown key."""
        return self._table[key].format(**values)

    def raw(self, key: str) -> str:
        """The text with its placeholders as they are. Raises KeyError for an unknown key."""
        return self._table[key]


def direction(locale: str) -> str:
    """The value of `<html dir>` for texts in this locale."""
    return "rtl" if locale.replace("_", "-").split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr"


def preferred_language(accept_language: str) -> str:
    """The first language of an Accept-Language header that there are messages in, "en" for none."""
    for part in accept_language.lower().split(","):
        language = part.split(";")[0].strip().split("-")[0]
        if language in LANGUAGES:
            return language
    return "en"
