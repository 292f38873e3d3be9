"""Mail to a shop's owners: it is suspended, their appeal is answered, it is back."""

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse

from tenants.mail import sent
from tenants.models import Appeal, Suspension, owners_addresses

LETTERS = {
    "suspended": (
        "Your shop {shop} is suspended",
        "We have taken your shop {shop} off the web.\n\nReason: {category}\n\n{text}\n\n"
        "You can still edit everything; shoppers see nothing of it. If you think that we are wrong, or have put it "
        "right, tell us here:",
    ),
    "answered": (
        "Our answer about your shop {shop}",
        "You wrote to us because your shop {shop} is suspended. Our answer:\n\n{answer}\n\nYour shop's page:",
    ),
    "restored": (
        "Your shop {shop} is back",
        "Your shop {shop} is on the web again, exactly as it was. Changes that you made since then wait for you to "
        "publish them:",
    ),
}


def write(news: str, pk: str, only: Sequence[str] = ()) -> list[str]:
    """Writes to the owners, or to `only` these addresses. Returns those that could not be reached just now."""
    suspension, answer = _about(news, pk)
    if suspension is None:
        return []
    shop = suspension.tenant
    words = {"shop": shop.name, "category": suspension.get_category_display(), "text": suspension.text,
             "answer": answer}  # fmt: skip
    subject, text = (part.format(**words) for part in LETTERS[news])
    page = "admin:tenants_tenant_change" if news == "restored" else "admin:tenants_tenant_suspension"
    text = f"{text}\n\n{settings.ADMIN_URL}{reverse(page, args=[shop.pk])}\n"
    return [address for address in only or owners_addresses(shop.pk) if not sent(subject, text, address)]


def _about(news: str, pk: str) -> tuple[Suspension | None, str]:
    if news != "answered":
        return Suspension.objects.select_related("tenant").filter(pk=pk).first(), ""
    appeal = Appeal.objects.select_related("suspension__tenant").filter(pk=pk).first()
    return (appeal.suspension, appeal.answer) if appeal else (None, "")
