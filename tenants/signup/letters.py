"""Mail about accounts that isn't allauth's own."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from tenants.models import Invitation

logger = logging.getLogger(__name__)


def send_invitation(row: Invitation, token: str) -> bool:
    """Whether the mail went out; the link in it is the only place that knows the secret."""
    inviter = row.invited_by.get_full_name() or row.invited_by.email if row.invited_by else ""
    context = {"invitation": row, "inviter": inviter, "link": settings.ADMIN_URL + path_of(token)}
    subject = " ".join(f"Your invitation to {row.tenant.name}".split())
    try:
        send_mail(subject, render_to_string("account/email/invitation.txt", context), None, [row.email])
    except (OSError, SMTPException) as error:
        logger.warning("The invitation %s was not sent: %s", row.pk, error)
        return False
    return True


def path_of(token: str) -> str:
    return reverse("invitation", args=[token])
