"""The two forms of a sign-up: who you are, and what your shop is called."""

import functools
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import SignupForm
from allauth.core import context
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from tenants import validators
from tenants.signup.addresses import free_address, problem_with
from tenants.signup.bots import check_human
from tenants.signup.places import CURRENCIES, LANGUAGES, guess
from tenants.signup.starters import DEFAULT, Starter, starters


class SignUpForm(SignupForm):  # type: ignore[misc]
    """E-mail and password, and the bot check where there is one."""

    site_key = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.site_key = settings.TURNSTILE_SITE_KEY
        if context.request.method == "GET":  # from an invitation
            self.initial["email"] = context.request.GET.get("email", "")[:150]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        # A token is good for one question only, so it is asked last.
        if settings.TURNSTILE_SECRET and not self.errors:
            check_human(self.data.get("cf-turnstile-response", ""), get_adapter().get_client_ip(context.request))
        return cleaned


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey signs in alone unless its owner wants it as a second step only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["passwordless"].initial = True


class ShopForm(forms.Form):
    """Name, address and trade of a new shop. Without an address the first free one is taken."""

    name = forms.CharField(
        label="What is your shop called?", max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )  # fmt: skip
    slug = forms.CharField(
        label="Its address", required=False, max_length=63,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    starter = forms.ChoiceField(
        label="What do you sell?", initial=DEFAULT, widget=forms.RadioSelect,
        choices=[(one.key, one.title) for one in starters().values()],
    )  # fmt: skip

    locale = forms.ChoiceField(label="Language of your shop", choices=LANGUAGES, required=False)
    currency = forms.ChoiceField(label="Currency of your prices", choices=CURRENCIES, required=False)

    def __init__(self, *args: Any, accept_language: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["locale"], self.initial["currency"] = guess(accept_language)

    def clean_locale(self) -> str:
        return str(self.cleaned_data["locale"] or self.initial["locale"])

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"] or self.initial["currency"])

    def clean_slug(self) -> str:
        slug = self.cleaned_data["slug"].strip().lower() or free_address(self.cleaned_data.get("name", ""))
        if not slug:
            raise ValidationError("Type an address for your shop: 3 to 40 lower-case letters, digits and hyphens.")
        validators.validate_slug(slug)
        if problem := problem_with(slug):
            raise ValidationError(problem)
        return slug

    @property
    def chosen(self) -> Starter:
        return starters()[self.cleaned_data["starter"]]

    @functools.cached_property
    def suggestion(self) -> str:
        """A free address to offer where the typed one is refused."""
        if "slug" not in self.errors:
            return ""
        return free_address(self["slug"].value() or "") or free_address(self["name"].value() or "")
