"""`/accounts/…`: the pages of allauth that the platform uses, all others don't exist, and the shop's opening."""

from allauth.account import views as accounts
from django.urls import path, re_path
from django.views.generic import RedirectView

from tenants.signup import invitation, views
from tenants.signup.policy import strict

urlpatterns = [
    path("signup/", strict(accounts.signup), name="account_signup"),
    path("login/", strict(accounts.login), name="account_login"),
    path("logout/", strict(accounts.logout), name="account_logout"),
    # allauth sends signed-in people here; log-in knows where they belong.
    path("email/", RedirectView.as_view(pattern_name="account_login"), name="account_email"),
    path("inactive/", strict(accounts.account_inactive), name="account_inactive"),
    path("confirm-email/", strict(accounts.email_verification_sent), name="account_email_verification_sent"),
    path("password/reset/", strict(accounts.password_reset), name="account_reset_password"),
    path("password/reset/done/", strict(accounts.password_reset_done), name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        strict(accounts.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done/",
        strict(accounts.password_reset_from_key_done),
        name="account_reset_password_from_key_done",
    ),
    path("invitation/<str:token>/", strict(invitation.invitation), name="invitation"),
    path("shop/", strict(views.shop), name="signup_shop"),
    path("shop/address/", strict(views.address), name="signup_address"),
]
