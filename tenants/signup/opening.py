"""From a signed-in person to a merchant with a live shop: both or neither."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tenants.models import Tenant, let_in
from tenants.onboarding import open_shop
from tenants.signup.addresses import TAKEN, problem_with
from tenants.signup.starters import Starter


def open_shop_for(
    user: User, *, name: str, slug: str, starter: Starter, currency: str = "EUR", locale: str = "en"
) -> Tenant:
    """A live shop with the starter's page, owned by `user`, who may use the admin from now on.

    Raises ValidationError, by field, where something does not fit or somebody else was faster; then nothing is written.
    """
    try:
        with transaction.atomic():
            let_in(user)
            return open_shop(
                slug=slug, name=name, owner=user, currency=currency, locale=locale,
                landing=starter.landing_for(name), sections=starter.sections_for(name),
            )  # fmt: skip
    except (IntegrityError, ValidationError) as error:
        user.refresh_from_db(fields=["is_staff"])
        problem = problem_with(slug) or (TAKEN if isinstance(error, IntegrityError) else "")
        raise ValidationError({"slug": problem}) if problem else error from None
