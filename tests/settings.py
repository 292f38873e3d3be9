"""The product's own settings, with a broker in memory and nothing written beside the checkout."""

import os
import tempfile

os.environ.update(
    ENVIRONMENT="local",
    REDIS_URL="memory://",
    DATA_DIR=tempfile.mkdtemp(prefix="storefront-tests-"),
    TURSO_AUTH_TOKEN="each test brings its own",
    TELEMETRY_AUTH_TOKEN="each test brings its own",
)

from controlplane.settings import *

DEBUG = False
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
