"""Settings fail at the start with the name of the variable; production settings pass Django's own checks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k3" + "xY9-qLw_7Zt" * 6,
    "ALLOWED_HOSTS": "admin.example.com",
    "DATABASE_URL": "postgres://u:p@127.0.0.1/db",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "PLATFORM_DOMAIN": "shops.example.com",
    "CLOUDFLARE_ACCOUNT_ID": "a",
    "CLOUDFLARE_API_TOKEN": "t",
    "CLOUDFLARE_KV_NAMESPACE_ID": "n",
    "CLOUDFLARE_ZONE_ID": "z",
    "CUSTOM_HOSTNAME_TARGET": "connect.example.com",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.com:587",
    "EMAIL_FROM": "Shops <no-reply@example.com>",
    "ADMIN_URL": "https://admin.example.com",
    "INSTANT_APP_ID": "i",
    "INSTANT_ADMIN_TOKEN": "t",
    "INSTANT_API_URI": "https://instant.example.com",
    "INSTANT_WEBSOCKET_URI": "wss://instant.example.com/runtime/session",
    "TURSO_DATABASE_URL": "libsql://db.example.com",
    "TURSO_AUTH_TOKEN": "t",
    "TELEMETRY_DATABASE_URL": "libsql://telemetry.example.com",
    "TELEMETRY_AUTH_TOKEN": "t",
    "MEDIA_URL": "https://media.example.com",
    "MEDIA_BUCKET": "pictures",
    "MEDIA_ENDPOINT_URL": "https://account.r2.cloudflarestorage.com",
    "MEDIA_ACCESS_KEY_ID": "k",
    "MEDIA_SECRET_ACCESS_KEY": "s",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, check=False)


def test_production_settings_pass_the_deployment_checks() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"ENVIRONMENT"}))
def test_a_missing_variable_stops_the_start_with_its_name(name: str) -> None:
    done = manage("check", **{key: value for key, value in PRODUCTION.items() if key != name})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "prod"),
        ("REDIS_URL", "localhost:6379"),
        ("INSTANT_WEBSOCKET_URI", "https://instant.example.com"),
        ("TURSO_DATABASE_URL", "sqlite.db"),
        ("DEBUG", "maybe"),
        ("DATABASE_URL", "nonsense"),
        ("LOG_LEVEL", "LOUD"),
        ("DNS_RESOLVER_URL", "1.1.1.1"),
        ("ADMIN_URL", "admin.example.com"),
        ("TRUSTED_PROXY_COUNT", "one"),
        ("REFUSE_DISPOSABLE_EMAIL", "perhaps"),
        ("TURNSTILE_SITE_KEY", "without its secret"),
        ("TURNSTILE_SECRET", "without its site key"),
    ],
)
def test_a_wrong_value_stops_the_start_with_the_variable_s_name(name: str, value: str) -> None:
    done = manage("check", **{**PRODUCTION, name: value})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]


def test_every_variable_is_explained() -> None:
    import re

    settings = (ROOT / "controlplane" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|required)\(f?"([A-Z_]+)', settings))
    explained = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read <= explained
