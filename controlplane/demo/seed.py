"""The demo's shops and logins, from `shops/*.toml`; for a developer's machine only."""

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from uuid_utils.compat import uuid7

from catalog.models import Product
from chat.models import ChatProfile, KnowledgeSource
from controlplane.localcloud import defaults
from tenants.checks import check_size
from tenants.models import Membership, Tenant
from tenants.onboarding import open_shop
from tenants.validators import sanitise

SHOPS = Path(__file__).parent / "shops"
STAFF_EMAIL = "staff@platform.example"
PASSWORD = "demo-password"  # noqa: S105 - printed on the terminal; seed() refuses to run anywhere but locally
IMAGE_BASE = f"http://127.0.0.1:{defaults.CONTROL_PLANE_PORT}{settings.STATIC_URL}"
"""Where the demo's pictures are served; the setting DEMO_IMAGE_BASE may name another place."""

Values = dict[str, Any]


class NotLocalError(RuntimeError):
    """The demo's passwords are public, so it must not exist on a reachable platform."""


@dataclasses.dataclass(frozen=True)
class Credential:
    """A login of the demo. `shop_url` is the merchant's storefront; empty for staff and for a shop that is not live."""

    role: str
    email: str
    password: str
    shop_url: str = ""


def seed(folder: Path = SHOPS) -> list[Tenant]:
    """Creates the staff user, and every shop with its merchant that is not there yet. Returns the new shops.

    What exists is left as it is: a developer's edits survive the next start of the demo. A merchant who renamed the
    shop keeps that one. Raises NotLocalError outside a developer's machine, ValidationError where a file is wrong.
    """
    if not settings.LOCAL:
        raise NotLocalError("Demo shops have public passwords: they are for a developer's machine only.")
    if not User.objects.filter(username=STAFF_EMAIL).exists():
        User.objects.create_superuser(STAFF_EMAIL, STAFF_EMAIL, PASSWORD, first_name="Platform", last_name="Staff")
    opened = [open_demo_shop(shop) for shop in read_shops(folder) if not _exists(shop)]
    _prove_addresses([row.email for row in credentials(folder)])
    return opened


def credentials(folder: Path = SHOPS) -> list[Credential]:
    """Who may log in to the demo, staff first, with the shops' addresses as they are now."""
    rows = [Credential("Platform staff", STAFF_EMAIL, PASSWORD)]
    for shop in read_shops(folder):
        email = shop["merchant"]["email"]
        tenant = Tenant.objects.filter(memberships__user__username=email).order_by("created_at").first()
        live = tenant is not None and tenant.status == Tenant.Status.ACTIVE
        name = tenant.name if tenant else shop["tenant"]["name"]
        rows.append(Credential(f"Merchant, {name}", email, PASSWORD, shop_url(tenant.slug) if tenant and live else ""))
    return rows


def shop_url(slug: str) -> str:
    port = f":{settings.STOREFRONT_PORT}" if settings.STOREFRONT_PORT else ""
    return f"{settings.STOREFRONT_SCHEME}://{slug}.{settings.PLATFORM_DOMAIN}{port}/"


def read_shops(folder: Path = SHOPS) -> list[Values]:
    """The shops' files in order of their names, pictures with their full addresses."""
    base = getattr(settings, "DEMO_IMAGE_BASE", IMAGE_BASE)
    return [_with_pictures(tomllib.loads(path.read_text("utf-8")), base) for path in sorted(folder.glob("*.toml"))]


def _with_pictures(value: Any, base: str) -> Any:
    """`value` with every `demo/….svg` in it, however deep, as the address it is served at."""
    if isinstance(value, dict):
        return {key: _with_pictures(one, base) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_pictures(one, base) for one in value]
    is_picture = isinstance(value, str) and value.startswith("demo/") and not set(value) & set(" \n")
    return f"{base.rstrip('/')}/{value}" if is_picture else value


def _exists(shop: Values) -> bool:
    email, slug = shop["merchant"]["email"], shop["tenant"]["slug"]
    return Tenant.objects.filter(slug=slug).exists() or Membership.objects.filter(user__username=email).exists()


@transaction.atomic
def open_demo_shop(shop: Values) -> Tenant:
    """One shop with its merchant, landing page, products, knowledge and chat; all or nothing.

    Raises ValidationError, naming the product or entry, where something in the file does not fit.
    """
    # The landing page names products by id, so the ids come first.
    ids = {product["slug"]: str(uuid7()) for product in shop["products"]}
    tenant = open_shop(
        **shop["tenant"],
        owner=_merchant(**shop["merchant"]),
        landing=_landing(shop["landing"]),
        sections=[_section(section, ids) for section in shop["sections"]],
    )
    products = [
        Product(id=ids[values["slug"]], tenant=tenant, position=position, **_product(values))
        for position, values in enumerate(shop["products"])
    ]
    knowledge = [KnowledgeSource(tenant=tenant, **_entry(values)) for values in shop["knowledge"]]
    chat = ChatProfile(tenant=tenant, enabled=True, **shop.get("chat", {}))
    rows: list[Product | KnowledgeSource | ChatProfile] = [*products, *knowledge, chat]
    for row in rows:
        _check(row)
    chat.save()
    Product.objects.bulk_create(products)
    KnowledgeSource.objects.bulk_create(knowledge)
    check_size(tenant, tenant.landing.page)
    return tenant


def _prove_addresses(emails: list[str]) -> None:
    """The demo's people log in without a code from a mail."""
    proven = EmailAddress.objects.filter(verified=True).values("user")
    for user in User.objects.filter(username__in=emails).exclude(pk__in=proven):
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )  # fmt: skip


def _merchant(email: str, name: str) -> User:
    first, _, last = name.partition(" ")
    user = User.objects.filter(username=email).first()
    return user or User.objects.create_user(email, email, PASSWORD, first_name=first, last_name=last, is_staff=True)


def _landing(values: Mapping[str, Any]) -> Values:
    """The landing page's fields; the theme's tokens may stand in a table of their own."""
    landing = {**values, **values.get("theme", {})}
    landing.pop("theme", None)
    if "seo_image" in landing:
        landing["seo_image_url"] = landing.pop("seo_image")
    return landing


def _section(values: Mapping[str, Any], ids: Mapping[str, str]) -> tuple[str, Values]:
    content = dict(values)
    kind = content.pop("kind")
    if slugs := content.pop("product_slugs", None):
        if unknown := [slug for slug in slugs if slug not in ids]:
            raise ValidationError(f"Section {kind} names products that the shop lacks: {', '.join(unknown)}.")
        content["product_ids"] = [ids[slug] for slug in slugs]
    return kind, content


def _product(values: Mapping[str, Any]) -> Values:
    return {**values, "description_html": sanitise(values.get("description_html", ""))}


def _entry(values: Mapping[str, Any]) -> Values:
    return {**values, "body": values["body"].strip()}


def _check(row: Product | KnowledgeSource | ChatProfile) -> None:
    """bulk_create() checks nothing by itself."""
    try:
        row.clean_fields(exclude=["tenant"])
        row.clean()
    except ValidationError as error:
        raise ValidationError([f"{row}: {message}" for message in error.messages]) from None
