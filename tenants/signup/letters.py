"""Mail about accounts that isn't allauth's own."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from tenants.mail import sent
from tenants.models import Invitation


def send_invitation(row: Invitation, token: str) -> bool:
    """Whether the mail went out; the link in it is the only place that knows the secret."""
    context = {"invitation": row, "inviter": row.inviter, "link": settings.ADMIN_URL + path_of(token)}
    text = render_to_string("account/email/invitation.txt", context)
    return sent(f"Your invitation to {row.tenant.name}", text, row.email)


def path_of(token: str) -> str:
    return reverse("invitation", args=[token])
