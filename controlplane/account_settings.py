"""Accounts by django-allauth: an e-mail address, proven by a code in a mail, and a password. The same everywhere."""

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_ADAPTER = "tenants.signup.accounts.AccountAdapter"
ACCOUNT_FORMS = {"signup": "tenants.signup.forms.SignUpForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_MAX_LENGTH = 150  # it is the user name too
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_CHANGE_EMAIL = True  # one address each; the new one counts once it is proven
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Second factors and passkeys; whom they are forced on says STAFF_TWO_FACTOR.
MFA_ADAPTER = "tenants.access.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = MFA_PASSKEY_SIGNUP_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # phones' clocks go wrong by some seconds
USERSESSIONS_TRACK_ACTIVITY = True
# Beside allauth's own limits; kept in the cache. `key` is the e-mail address.
ACCOUNT_RATE_LIMITS = {
    "signup": "10/m/ip,40/h/ip",
    "confirm_email": "1/10s/key,6/h/key",
    "reset_password": "10/m/ip,4/h/key",
    "check_address": "60/m/user",
    "open_shop": "5/h/user",
    "invite": "30/h/user,6/h/key",
}
