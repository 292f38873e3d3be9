"""`/accounts/…`: the pages of allauth that the platform uses, all others don't exist, and the shop's opening."""

from allauth.account import views as accounts
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from django.contrib.auth.decorators import login_required
from django.urls import path, re_path
from django.views.generic import RedirectView

from tenants.access import end_session
from tenants.signup import invitation, views
from tenants.signup.policy import strict

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="account_login")),  # who is signed in is led home from there
    path("signup/", strict(accounts.signup), name="account_signup"),
    path("login/", strict(accounts.login), name="account_login"),
    path("logout/", strict(accounts.logout), name="account_logout"),
    path("reauthenticate/", strict(accounts.reauthenticate), name="account_reauthenticate"),
    path("email/", strict(login_required(accounts.email)), name="account_email"),
    path("password/change/", strict(login_required(accounts.password_change)), name="account_change_password"),
    path("password/set/", strict(login_required(accounts.password_set)), name="account_set_password"),
    path("signup/passkey/", strict(accounts.signup_by_passkey), name="account_signup_by_passkey"),
    path("sessions/", strict(sessions.list_usersessions), name="usersessions_list"),
    path("sessions/<int:pk>/end/", strict(end_session), name="end_session"),
    path("2fa/", strict(mfa.index), name="mfa_index"),
    path("2fa/authenticate/", strict(mfa.authenticate), name="mfa_authenticate"),
    path("2fa/reauthenticate/", strict(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("2fa/app/activate/", strict(totp.activate_totp), name="mfa_activate_totp"),
    path("2fa/app/deactivate/", strict(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", strict(recovery.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", strict(recovery.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", strict(recovery.download_recovery_codes), name="mfa_download_recovery_codes"),
    path("passkeys/", strict(passkeys.list_webauthn), name="mfa_list_webauthn"),
    path("passkeys/add/", strict(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("passkeys/reauthenticate/", strict(passkeys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("passkeys/login/", strict(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("passkeys/signup/", strict(passkeys.signup_webauthn), name="mfa_signup_webauthn"),
    path("passkeys/<int:pk>/remove/", strict(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("passkeys/<int:pk>/edit/", strict(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
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
