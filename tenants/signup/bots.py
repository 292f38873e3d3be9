"""The bot check of the sign-up: Cloudflare Turnstile where its keys are set, none otherwise."""

from django.conf import settings
from django.core.exceptions import ValidationError

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turnstile import Turnstile

ACTION = "signup"


def check_human(token: str, ip: str) -> None:
    """Raises ValidationError unless Turnstile vouches for the visitor; also where it can't be asked (fails closed)."""
    turnstile = Turnstile(settings.TURNSTILE_SECRET, url=settings.TURNSTILE_VERIFY_URL)
    try:
        vouched = turnstile.vouches(token, action=ACTION, ip=ip)
    except AdapterError:
        raise ValidationError("We could not check that you are not a robot. Try again in a minute.") from None
    if not vouched:
        raise ValidationError("Please confirm that you are not a robot, then try again.")
