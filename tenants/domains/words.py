"""What a merchant reads about a domain: three kinds of state in plain words, by the reason on its row."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Words:
    """`kind`: works, soon (we wait, nothing to do) or you (the merchant must act)."""

    kind: Literal["works", "soon", "you"]
    title: str
    text: str


def _works(text: str) -> Words:
    return Words("works", "Working", text)


def _soon(text: str, title: str = "Serving soon") -> Words:
    return Words("soon", title, text)


def _you(title: str, text: str) -> Words:
    return Words("you", title, text)


WORDS: dict[str, Words] = {
    "live": _works("Visitors reach your shop under this name, with a valid certificate."),
    "renewing": _works("The certificate is being renewed. Nothing to do: this takes minutes, rarely hours."),
    "former": _works("A former address of your shop. Visitors are sent on for 90 days; nobody else can take it."),
    "add_txt": _you("Add the TXT record", "It proves that the name is yours. We look for it every few minutes."),
    "queued": _soon("The name is yours. Its certificate is next in line: usually minutes."),
    "no_room": _soon("The name is yours. We are making room for more domains and have been told; nothing to do."),
    "validating": _soon("The name is yours. We are waiting until the new records are visible everywhere."),
    "certificate": _soon("Everything is set. The certificate is on its way: usually minutes."),
    "restarted": _soon("Your records are right now, so we have started the check again."),
    "cant_ask": _soon(
        "We could not ask just now. This says nothing about your domain: we try again by ourselves.", "Checking"
    ),
    "add_cname": _you(
        "Point the name at your shop", "The name is yours, but it leads nowhere yet. Set the second record."
    ),
    "wrong_cname": _you(
        "Point the name at your shop",
        "The name is yours, but it leads somewhere else. Replace its present A, AAAA or CNAME records by the second "
        "record.",
    ),
    "caa": _you(
        "Allow the certificate",
        "A CAA record of your domain forbids our certificate authorities. Remove it, or add the CAA records shown "
        "here.",
    ),
    "blocked": _you(
        "Release the name",
        "Cloudflare holds this name: its owner has put a hold on the domain, or it was reported for abuse. Ask whoever "
        "runs the domain at Cloudflare to release the hold; then it goes on by itself.",
    ),
    "refused": _you(
        "Choose another name", "No certificate can be had for this name. Remove it here and add another one."
    ),
    "taken": _you(
        "Another shop has this name",
        "It is proven by another shop on this platform. If it is yours, remove it there first, or write to our "
        "support.",
    ),
    "quarantined": _soon(
        "Another shop has given this name up a short time ago. We connect it once that has settled: two days at most."
    ),
    "away": _you(
        "Point the name back",
        "This name no longer leads to your shop. We keep it for seven days; set the records again.",
    ),
    "stopped": _you(
        "Connect it again, or remove it",
        "The name led elsewhere for a week, so we stopped serving it. Start again to connect it anew.",
    ),
    "expired": _you(
        "Start again, or remove it",
        "It was not connected within 30 days, so we gave up. Start again whenever you like.",
    ),
    "removing": _soon("The certificate and the address are being taken down.", "Being removed"),
}
"""By `Domain.reason`."""


def words_for(reason: str) -> Words:
    return WORDS[reason]
