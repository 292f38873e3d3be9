"""Settings from the environment; with no variable set: SQLite, embedded Valkey, the local cloud.

Every variable is explained in `.env.example`. A wrong or missing value stops the start with its name.
"""

import re
import sys
from pathlib import Path
from typing import Any

import dj_database_url
import dj_email_url
import django_stubs_ext
import environs
from django.conf import global_settings
from django.core.exceptions import ImproperlyConfigured

from controlplane.account_settings import *  # noqa: F403 - all of them are settings
from controlplane.adapters import turnstile
from controlplane.admin_settings import *  # noqa: F403
from controlplane.audit_settings import *  # noqa: F403
from controlplane.celery_settings import *  # noqa: F403
from controlplane.localcloud import defaults

django_stubs_ext.monkeypatch()  # ModelForm[Any] and its like also exist at run time

BASE_DIR = Path(__file__).resolve().parent.parent
sys.path[:0] = [p for p in [str(BASE_DIR / "edge_worker" / "src")] if p not in sys.path]

env = environs.Env()
env.read_env(BASE_DIR / ".env", recurse=False)

ENVIRONMENT = env.str("ENVIRONMENT", "local", validate=environs.validate.OneOf(["local", "production"]))
LOCAL = ENVIRONMENT == "local"


def required(name: str, local: str) -> str:
    """The variable's value; on a developer's machine `local` will do, in production it must be set."""
    value: str = env.str(name, local if LOCAL else "")
    if not value:
        raise ImproperlyConfigured(f"Set the environment variable {name} (see .env.example).")
    return value


def url(name: str, value: str, *schemes: str) -> str:
    if not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return value if value.endswith("://") else value.rstrip("/")  # memory:// is a whole address


DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / ".local")))
DEBUG = env.bool("DEBUG", LOCAL)
SECRET_KEY = required("SECRET_KEY", "local-development-only-" + "0" * 40)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"] if LOCAL else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set the environment variable ALLOWED_HOSTS (see .env.example).")
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])

PLATFORM_DOMAIN = required("PLATFORM_DOMAIN", "localhost")
STOREFRONT_SCHEME = env.str("STOREFRONT_SCHEME", "http" if LOCAL else "https")
STOREFRONT_PORT = env.str("STOREFRONT_PORT", str(defaults.EDGE_PORT) if LOCAL else "")
# Where the edge answers for every host; empty: by DNS, as shoppers find it.
EDGE_ADDRESS = env.str("EDGE_ADDRESS", f"http://127.0.0.1:{defaults.EDGE_PORT}" if LOCAL else "")

REDIS_URL = url("REDIS_URL", required("REDIS_URL", defaults.REDIS_URL), "redis", "rediss", "unix", "memory")

CLOUDFLARE_API_URL = url(
    "CLOUDFLARE_API_URL",
    env.str("CLOUDFLARE_API_URL", defaults.CLOUDFLARE_API_URL if LOCAL else "https://api.cloudflare.com/client/v4"),
    "http",
    "https",
)
CLOUDFLARE_ACCOUNT_ID = required("CLOUDFLARE_ACCOUNT_ID", defaults.CLOUDFLARE_ACCOUNT_ID)
CLOUDFLARE_API_TOKEN = required("CLOUDFLARE_API_TOKEN", defaults.CLOUDFLARE_API_TOKEN)
CLOUDFLARE_KV_NAMESPACE_ID = required("CLOUDFLARE_KV_NAMESPACE_ID", defaults.CLOUDFLARE_KV_NAMESPACE_ID)
CLOUDFLARE_ZONE_ID = required("CLOUDFLARE_ZONE_ID", defaults.CLOUDFLARE_ZONE_ID)
CUSTOM_HOSTNAME_TARGET = required("CUSTOM_HOSTNAME_TARGET", defaults.CUSTOM_HOSTNAME_TARGET).lower().rstrip(".")
CUSTOM_HOSTNAME_ADDRESSES = env.list(
    "CUSTOM_HOSTNAME_ADDRESSES", list(defaults.CUSTOM_HOSTNAME_ADDRESSES) if LOCAL else []
)
DNS_RESOLVER_URL = url(
    "DNS_RESOLVER_URL",
    env.str("DNS_RESOLVER_URL", defaults.DNS_RESOLVER_URL if LOCAL else "https://cloudflare-dns.com/dns-query"),
    "http", "https",
)  # fmt: skip
# Where a developer plays DNS provider; there is no such page in production.
DNS_PAGE_URL = defaults.DNS_PAGE_URL if LOCAL else ""
EMBEDDING_MODEL = env.str("EMBEDDING_MODEL", defaults.EMBEDDING_MODEL if LOCAL else "@cf/baai/bge-m3")
# Text models that a merchant may choose from; without any the Worker's own answers everywhere.
CHAT_MODELS: list[str] = env.list("CHAT_MODELS", [])


# A cell is one Instant app or one Turso database; tenants name the cell they live in. More cells come by name:
# INSTANT_CELLS=default,eu with INSTANT_APP_ID_EU, INSTANT_ADMIN_TOKEN_EU, … beside the default's variables.
def cell_suffix(cell: str) -> str:
    """`_EU_2` for the cell "eu-2": the Worker's variables are named alike (storefront.bindings.cell_variable)."""
    return "" if cell == "default" else "_" + re.sub(r"[^A-Z0-9]+", "_", cell.upper())


REALTIME_CELLS: dict[str, dict[str, str]] = {}
for cell in env.list("INSTANT_CELLS", ["default"]):
    suffix = cell_suffix(cell)
    REALTIME_CELLS[cell] = {
        "app_id": required(f"INSTANT_APP_ID{suffix}", defaults.INSTANT_APP_ID),
        "admin_token": required(f"INSTANT_ADMIN_TOKEN{suffix}", defaults.INSTANT_ADMIN_TOKEN),
        "api_uri": url(
            "INSTANT_API_URI", required(f"INSTANT_API_URI{suffix}", defaults.INSTANT_API_URI), "http", "https"
        ),
        "websocket_uri": url(
            "INSTANT_WEBSOCKET_URI",
            required(f"INSTANT_WEBSOCKET_URI{suffix}", defaults.INSTANT_WEBSOCKET_URI),
            "ws",
            "wss",
        ),
    }


def local_turso_token(folder: str = "sqld") -> str:
    from controlplane.localcloud import sqld

    return sqld.tokens(DATA_DIR / folder).read_write


VECTOR_CELLS: dict[str, dict[str, str]] = {}
for cell in env.list("TURSO_CELLS", ["default"]):
    suffix = cell_suffix(cell)
    VECTOR_CELLS[cell] = {
        "url": url(
            "TURSO_DATABASE_URL",
            required(f"TURSO_DATABASE_URL{suffix}", defaults.TURSO_DATABASE_URL),
            "http", "https", "libsql", "ws", "wss",
        ),
        "auth_token": env.str(f"TURSO_AUTH_TOKEN{suffix}", "") or (local_turso_token() if LOCAL else ""),
    }  # fmt: skip
    if not VECTOR_CELLS[cell]["auth_token"]:
        raise ImproperlyConfigured(f"Set the environment variable TURSO_AUTH_TOKEN{suffix} (see .env.example).")

# What the edge says of its conversations: a database of its own, whose token opens nothing else.
TELEMETRY_DATABASE_URL = url(
    "TELEMETRY_DATABASE_URL",
    required("TELEMETRY_DATABASE_URL", defaults.TELEMETRY_DATABASE_URL),
    "http", "https", "libsql", "ws", "wss",
)  # fmt: skip
TELEMETRY_AUTH_TOKEN = env.str("TELEMETRY_AUTH_TOKEN", "") or (local_turso_token("sqld-telemetry") if LOCAL else "")
if not TELEMETRY_AUTH_TOKEN:
    raise ImproperlyConfigured("Set the environment variable TELEMETRY_AUTH_TOKEN (see .env.example).")

# Upward references: publishing calls up into the apps only through these dotted paths.
PUBLISHING_BUILDERS = {
    "kv": {
        "domain": "tenants.documents.domain_records",
        "draft": "tenants.documents.draft_records",
        "redirect": "catalog.documents.redirects",
    },
    "instant": {"tenants": "tenants.documents.tenant_entities", "products": "catalog.documents.product_entities"},
    "turso": {"product": "catalog.documents.product_chunks", "knowledge": "chat.documents.knowledge_chunks"},
}
CELERY_BEAT_SCHEDULE |= {  # noqa: F405 - from celery_settings
    f"deliver-{destination}": {
        "task": "controlplane.publishing.tasks.deliver_due",
        "schedule": 5.0,
        "args": [destination],
        "options": {"expires": 5},
    }
    for destination in PUBLISHING_BUILDERS
}
PUBLISHING_DESTINATIONS = {name: f"controlplane.publishing.destinations.{name}" for name in PUBLISHING_BUILDERS}
TENANT_DOCUMENTS = ["catalog.documents.documents_of_tenant", "chat.documents.documents_of_tenant"]
# Every document of every tenant, for `republish`.
ALL_DOCUMENTS = "tenants.documents.all_documents"
PRODUCT_CARDS = "catalog.documents.cards"
CATALOG_STATE = "catalog.documents.state_of"
CHAT_CONFIG = "chat.documents.chat_config"
EMBEDDING_MODELS = "chat.models.embedding.models_of"
# What leaves every store step by step.
ERASURES = {"shop": "tenants.erasing.shop", "person": "tenants.erasing.person", "shopper": "chat.erasing"}
# What a shop's copy is made of: each yields paths inside the ZIP with their bytes.
EXPORT_PARTS = ["tenants.exports.parts", "catalog.exports.parts", "chat.exports.parts"]
# What a plan limits, by the name of its field.
COUNTED = {"domains": "tenants.Domain", "products": "catalog.Product", "knowledge": "chat.KnowledgeSource"}

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "auditlog",  # before tenants, which has the model and the pages of its log
    "controlplane.publishing",
    "tenants",
    "catalog",
    "chat",
    "controlplane.demo",
    "allauth",  # after tenants, whose templates dress its pages
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

MIDDLEWARE = [
    "tenants.audit.request.middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tenants.access.SeenSessions",
    "tenants.access.StaffTwoFactor",
    "tenants.moderation.acting.ActingMiddleware",
]

ROOT_URLCONF = "controlplane.urls"
ASGI_APPLICATION = "controlplane.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "tenants" / "overrides"],  # before Unfold's own: what stands on every page of the admin
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

try:
    DATABASES: dict[str, Any] = {
        "default": dj_database_url.parse(
            env.str("DATABASE_URL", "") or (f"sqlite:///{DATA_DIR / 'db.sqlite3'}" if LOCAL else ""),
            conn_max_age=env.int("DATABASE_CONN_MAX_AGE", 60),
            conn_health_checks=True,
        )
    }
except Exception as error:
    raise ImproperlyConfigured("DATABASE_URL is missing or is no database URL (see .env.example).") from error
if DATABASES["default"].get("ENGINE") == "django.db.backends.sqlite3":
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    # WAL and immediate transactions: web, worker and beat write the same file without "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif not DATABASES["default"].get("ENGINE"):
    raise ImproperlyConfigured("Set the environment variable DATABASE_URL (see .env.example).")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if REDIS_URL.startswith("memory")
    else {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}

CELERY_BROKER_URL = REDIS_URL

# EMAIL_URL such as smtp+tls://user:password@host:587; locally each mail is a file.
_email = dj_email_url.parse(required("EMAIL_URL", f"file:///{DATA_DIR / 'mail'}"))
EMAIL_BACKEND = _email.get("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"] or None
EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"] or "", _email["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"] or "", _email["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL, EMAIL_TIMEOUT = _email["EMAIL_USE_TLS"], _email["EMAIL_USE_SSL"], 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = required("EMAIL_FROM", "Storefront <no-reply@localhost.localdomain>")
ADMIN_URL = url("ADMIN_URL", required("ADMIN_URL", f"http://127.0.0.1:{defaults.CONTROL_PLANE_PORT}"), "http", "https")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]  # fmt: skip

ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if LOCAL else "https"
# Whose address the limits count: the proxies in front of us, or the header in which ours says it.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 1 if env.bool("BEHIND_TLS_PROXY", False) else 0)
ALLAUTH_TRUSTED_CLIENT_IP_HEADER = env.str("TRUSTED_CLIENT_IP_HEADER", "") or None
REFUSE_DISPOSABLE_EMAIL = env.bool("REFUSE_DISPOSABLE_EMAIL", False)
TURNSTILE_SITE_KEY = env.str("TURNSTILE_SITE_KEY", "")
TURNSTILE_SECRET = env.str("TURNSTILE_SECRET", "")
if bool(TURNSTILE_SITE_KEY) != bool(TURNSTILE_SECRET):
    raise ImproperlyConfigured("Set both TURNSTILE_SITE_KEY and TURNSTILE_SECRET, or neither (see .env.example).")
TURNSTILE_VERIFY_URL = turnstile.VERIFY_URL

# Platform staff need a second factor; the demo's public passwords would be of no use with it.
STAFF_TWO_FACTOR = env.bool("STAFF_TWO_FACTOR", not LOCAL)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Merchants' pictures: files in DATA_DIR on a developer's machine, else an S3-compatible bucket such as Cloudflare R2.
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = url("MEDIA_URL", required("MEDIA_URL", f"{ADMIN_URL}/media"), "http", "https") + "/"
FILE_UPLOAD_HANDLERS = ["controlplane.uploads.BoundedUploadHandler", *global_settings.FILE_UPLOAD_HANDLERS]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    if LOCAL and not env.str("MEDIA_BUCKET", "")
    else {
        "BACKEND": "controlplane.media.BucketStorage",
        "OPTIONS": {
            "bucket_name": required("MEDIA_BUCKET", ""),
            "endpoint_url": url("MEDIA_ENDPOINT_URL", required("MEDIA_ENDPOINT_URL", ""), "http", "https"),
            "access_key": required("MEDIA_ACCESS_KEY_ID", ""),
            "secret_key": required("MEDIA_SECRET_ACCESS_KEY", ""),
            "custom_domain": MEDIA_URL.partition("://")[2].rstrip("/"),
            "url_protocol": MEDIA_URL.partition("//")[0],
        },
    },
    # Copies that merchants ask for: a folder that the web processes and the workers share.
    "exports": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.str("EXPORTS_DIR", "") or str(DATA_DIR / "exports"), "base_url": None},
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOCAL
SESSION_COOKIE_NAME = "__Host-session" if not LOCAL else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if not LOCAL else "csrf"
SECURE_SSL_REDIRECT = not LOCAL
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", False) else None
SECURE_HSTS_SECONDS = 0 if LOCAL else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not LOCAL
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Unfold's Alpine.js evaluates expressions ('unsafe-eval') and sets styles in place; no script stands in a page. The
# editor's preview inherits this policy: it needs the shops' style sheet and pictures, and runs no script at all.
SHOPS = f"{STOREFRONT_SCHEME}://*.{PLATFORM_DOMAIN}" + (f":{STOREFRONT_PORT}" if STOREFRONT_PORT else "")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'", SHOPS],
        "img-src": ["'self'", "data:", "https:", SHOPS, *(["http:"] if LOCAL else [])],
        "font-src": ["'self'", SHOPS],
        "connect-src": ["'self'"],
        "frame-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'", SHOPS],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=environs.validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} [{request_id}] {message}", "style": "{"}},
    "filters": {"request": {"()": "tenants.audit.request.RequestIdFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # httpx logs every request's URL at INFO: noise, and URLs name keys.
    "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
}
