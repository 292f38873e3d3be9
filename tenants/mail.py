"""One mail to one person."""

import logging
from smtplib import SMTPException

from django.core.mail import send_mail

logger = logging.getLogger(__name__)


def sent(subject: str, text: str, address: str) -> bool:
    """Whether it went out: a mail server that is away holds up nothing. To one address, as owners need not know each
    other's; the subject on one line, whatever name of a shop is in it."""
    try:
        send_mail(" ".join(subject.split()), text, None, [address])
    except (OSError, SMTPException) as error:
        logger.warning("A mail was not sent: %s", error)
        return False
    return True
