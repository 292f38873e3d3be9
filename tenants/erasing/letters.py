"""Mail to a shop's owners about its end: that it closed, how long it can be restored, that nothing is left of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.formats import date_format

from tenants.mail import sent
from tenants.models import ClosedShop, Tenant, owners_addresses


def closed(shop: Tenant, row: ClosedShop) -> None:
    day = date_format(row.erase_at, "j F Y")
    how = (
        "It was closed by the platform; if you think that this is a mistake, write to our support."
        if row.by_staff
        else f"You can restore it until then, exactly as it was:\n\n{_link(shop)}"
    )
    _to_owners(
        shop,
        f"{shop.name} is closed",
        f"{shop.name} is closed: shoppers no longer see it. On {day} everything of it will be erased for good. {how}",
    )


def restored(shop: Tenant) -> None:
    _to_owners(shop, f"{shop.name} is restored", f"{shop.name} is as it was before it closed:\n\n{_link(shop)}")


def reminder(shop: Tenant, row: ClosedShop, days: int) -> None:
    when = "tomorrow" if days == 1 else f"in {days} days"
    way = (
        f"You can take a copy of your data with you until then:\n\n{_link(shop)}"
        if row.by_staff
        else f"Until then you can restore it, or take a copy of your data with you:\n\n{_link(shop)}"
    )
    day = date_format(row.erase_at, "j F Y")
    _to_owners(
        shop,
        f"{shop.name} will be erased {when}",
        f"{shop.name} closed on {date_format(row.closed_at, 'j F Y')}. On {day} everything of it will be erased for "
        f"good: pages, products, knowledge, conversations, domains. {way}",
    )


def export_ready(shop: Tenant, address: str, expires: Any) -> None:
    if address:
        _send(
            f"Your copy of {shop.name} is ready",
            f"The copy of everything of {shop.name} is ready. You can download it until "
            f"{date_format(expires, 'j F Y')}:\n\n{_link(shop, 'export')}",
            [address],
        )


def erased(inventory: Mapping[str, Any]) -> None:
    """To addresses that were noted: the shop is gone, and these go with this mail."""
    name = inventory.get("name", "Your shop")
    _send(
        f"{name} has been erased",
        f"Everything of {name} has been erased from all our stores, and we have looked that nothing is left. Your own "
        "account is still there. You can have it erased too: write to our support.",
        inventory.get("mail_to", []),
    )


def person_erased(address: str) -> None:
    text = "As you asked, your account and what names you have been erased. This is the last mail you get from us."
    _send("Your account has been erased", text, [address])


def _link(shop: Tenant, page: str = "close") -> str:
    return settings.ADMIN_URL + reverse(f"admin:tenants_tenant_{page}", args=[shop.pk])


def _to_owners(shop: Tenant, subject: str, text: str) -> None:
    _send(subject, text, owners_addresses(shop.pk))


def _send(subject: str, text: str, addresses: Sequence[str]) -> None:
    """One mail each, once the change is committed."""

    def send() -> None:
        for address in addresses:
            sent(subject, f"{text}\n", address)

    transaction.on_commit(send)
