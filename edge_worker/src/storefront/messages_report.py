"""The words of the page on which a shopper reports something, by language."""

from typing import Final

REASONS: Final = ("illegal", "scam", "counterfeit", "privacy", "offensive", "other")
"""What a report may be about; each has a message `report_reason_…`."""

_EN: Final = {
    "report_link": "Report this page",
    "report_title": "Report this page",
    "report_intro": "Is something here illegal, false or harmful? Tell the people who run this platform. The shop does "
    "not learn who reported it.",
    "report_page": "What is it about?",
    "report_page_hint": "The address of the page; a single / is the start page.",
    "report_reason": "What is wrong?",
    "report_choose": "Please choose",
    "report_reason_illegal": "Illegal goods or services",
    "report_reason_scam": "Fraud or a scam",
    "report_reason_counterfeit": "Counterfeits, or somebody else’s rights",
    "report_reason_privacy": "Somebody’s personal data",
    "report_reason_offensive": "Hateful, violent or offensive content",
    "report_reason_other": "Something else",
    "report_text": "What should we know? (optional)",
    "report_text_hint": "At most 1,000 characters.",
    "report_email": "Your e-mail (optional)",
    "report_email_hint": "Only for questions about this report.",
    "report_trap": "Leave this field empty",
    "report_send": "Send the report",
    "report_thanks": "Thank you",
    "report_thanks_text": "Your report has arrived. People will look at it.",
    "report_no_reason": "Please choose what is wrong.",
    "report_too_long": "Please keep your text under 1,000 characters; it has {count}.",
    "report_bad_email": "This e-mail address can’t be right. Correct it, or leave it empty.",
    "report_down": "Your report could not be taken just now. Nothing you typed is lost: please send it again in a "
    "minute.",
    "report_too_many": "That was a lot at once. Please wait a minute and send it again.",
    "report_foreign": "This can’t be sent from here",
    "report_foreign_text": "A report can only be sent from the shop’s own page.",
    "report_too_large": "That is too much",
    "report_too_large_text": "What was sent is far longer than a report can be.",
}

_DE: Final = {
    "report_link": "Diese Seite melden",
    "report_title": "Diese Seite melden",
    "report_intro": "Ist hier etwas verboten, falsch oder schädlich? Sagen Sie es den Betreibern dieser Plattform. Der "
    "Shop erfährt nicht, wer gemeldet hat.",
    "report_page": "Worum geht es?",
    "report_page_hint": "Die Adresse der Seite; ein einzelnes / ist die Startseite.",
    "report_reason": "Was stimmt nicht?",
    "report_choose": "Bitte wählen",
    "report_reason_illegal": "Verbotene Waren oder Dienste",
    "report_reason_scam": "Betrug",
    "report_reason_counterfeit": "Fälschungen oder fremde Rechte",
    "report_reason_privacy": "Persönliche Daten von jemandem",
    "report_reason_offensive": "Hass, Gewalt oder Beleidigendes",
    "report_reason_other": "Etwas anderes",
    "report_text": "Was sollten wir wissen? (freiwillig)",
    "report_text_hint": "Höchstens 1.000 Zeichen.",
    "report_email": "Ihre E-Mail-Adresse (freiwillig)",
    "report_email_hint": "Nur für Rückfragen zu dieser Meldung.",
    "report_trap": "Dieses Feld bitte leer lassen",
    "report_send": "Meldung absenden",
    "report_thanks": "Danke",
    "report_thanks_text": "Ihre Meldung ist angekommen. Menschen sehen sie sich an.",
    "report_no_reason": "Bitte wählen Sie, was nicht stimmt.",
    "report_too_long": "Bitte bleiben Sie unter 1.000 Zeichen; Ihr Text hat {count}.",
    "report_bad_email": "Diese E-Mail-Adresse kann nicht stimmen. Berichtigen Sie sie, oder lassen Sie das Feld leer.",
    "report_down": "Ihre Meldung ließ sich gerade nicht annehmen. Nichts ist verloren: Bitte senden Sie sie in einer "
    "Minute noch einmal.",
    "report_too_many": "Das war viel auf einmal. Bitte warten Sie eine Minute und senden Sie es noch einmal.",
    "report_foreign": "Das lässt sich von hier nicht senden",
    "report_foreign_text": "Eine Meldung lässt sich nur von der Seite des Shops aus senden.",
    "report_too_large": "Das ist zu viel",
    "report_too_large_text": "Was gesendet wurde, ist weit länger, als eine Meldung sein kann.",
}

WORDS: Final[dict[str, dict[str, str]]] = {"en": _EN, "de": _DE}
