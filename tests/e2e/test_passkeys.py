"""A merchant adds a passkey and signs in with it, in a real Chromium with a virtual authenticator."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Browser, expect

from tenants.models import Membership
from tests.e2e.accessibility import check, needs_axe
from tests.plugins.browser import needs_chromium
from tests.plugins.shops import make_shop

EMAIL, PASSWORD = "ida@tea.example", "seven copper kettles"
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    needs_chromium,
    needs_axe,
    pytest.mark.xdist_group("browser"),
]


def test_a_passkey_is_added_and_signs_in(chromium: Browser, live_server: Any) -> None:
    cache.clear()
    user = Membership.objects.get(tenant=make_shop("idas-tea")).user
    user.username = user.email = EMAIL
    user.set_password(PASSWORD)
    user.save()
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True, primary=True)
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})

    page.goto(live_server.url + reverse("admin:index"))
    check(page)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(live_server.url + reverse("admin:index"))

    page.goto(live_server.url + reverse("mfa_list_webauthn"))
    check(page)
    page.get_by_role("link", name="Add a passkey").click()
    check(page)
    page.get_by_label("Name").fill("Ida's phone")
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    check(page)
    page.goto(live_server.url + reverse("mfa_list_webauthn"))
    expect(page.get_by_text("Signs in alone")).to_be_visible()
    for name in ("mfa_index", "usersessions_list", "account_email", "account_change_password", "mfa_activate_totp"):
        page.goto(live_server.url + reverse(name))
        check(page)

    page.goto(live_server.url + reverse("account_logout"))
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(live_server.url + reverse("admin:index"))

    # After the password the passkey is the second step.
    page.goto(live_server.url + reverse("account_logout"))
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(live_server.url + reverse("admin:index"))
    assert complaints == []
    assert Authenticator.objects.get(user=user, type="webauthn").last_used_at is not None
    context.close()
