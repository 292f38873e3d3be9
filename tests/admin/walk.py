"""Every address of the admin and the API, filled in for a shop; what the database holds of a shop.

A new address is walked by itself. What it may need: an object of its model, in `complete` (both shops have one of
everything), a value in `VALUES` for a part of its path that is new, a field in `form_body` that
its own form would post.
"""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.urls import get_resolver
from django.urls.resolvers import URLPattern
from django.utils import timezone

from tenants.audit.entries import AuditEntry
from tenants.models import ClosedShop, Erasure, Export, Invitation, Plan, ShareLink, Tenant
from tenants.models.acting import ActingSession
from tenants.models.flags import Flag, FlagNote, Report
from tenants.models.moderation import Appeal, ClosingRequest, Suspension
from tenants.models.rules import ContentRule
from tests.admin.pictures import encoded, file

WALKED = ("admin/", "api/", "media/")
NOT_WALKED = {
    "": "leads to the admin",
    "healthz": "says ok to everybody",
    "accounts/": "belongs to nobody's shop: tests/signup",
}
"""Top levels of the address space that are not walked, and why."""

EXEMPT = {"admin:logout": "ends the session of the walk"}

VALUES: dict[str, Any] = {
    "number": lambda shop: 1,
    "slug": lambda shop: shop.tenant.slug,
    "tenant": lambda shop: shop.tenant.pk,
    "picture": lambda shop: shop.picture.pk,
    "width": lambda shop: shop.picture.width,
    "id": lambda shop: shop.owner.pk,
    "app_label": lambda shop: "tenants",
    "url": lambda shop: "no-such-page/",
    "content_type_id": lambda shop: ContentType.objects.get_for_model(Tenant).pk,
    "invitation_id": lambda shop: object_of(Invitation, shop).pk,
    "export_id": lambda shop: object_of(Export, shop).pk,
}
"""What stands in a path beside an object's id, by the parameter's name."""

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclasses.dataclass(frozen=True)
class Address:
    name: str
    route: str

    def __str__(self) -> str:
        return self.name or self.route

    @property
    def parameters(self) -> list[str]:
        return [one or other for one, other in _PARAMETER.findall(self.route)]

    @property
    def model(self) -> type[models.Model] | None:
        """Whose admin it belongs to."""
        for model in admin.site._registry:
            if self.route.startswith(f"admin/{model._meta.app_label}/{model._meta.model_name}/"):
                return model
        return None

    @property
    def own(self) -> str:
        """The last part of the name: `change`, `draft`, …"""
        if self.model is None:
            return self.name
        options = self.model._meta
        return self.name.removeprefix(f"admin:{options.app_label}_{options.model_name}_")

    def path(self, shop: Any) -> str:
        """For one shop's object. Fails where nobody has said what stands in the path."""

        def fill(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name == "object_id":
                return str(object_of(self.model or Tenant, shop).pk)
            assert name in VALUES, f"{self.route}: say in tests/admin/walk.py VALUES what {name} is"
            return str(VALUES[name](shop))

        return "/" + _PARAMETER.sub(fill, self.route).replace("^", "").replace("$", "")


def addresses() -> list[Address]:
    return [one for one in everything() if one.route.startswith(WALKED) and one.name not in EXEMPT]


def everything(patterns: Any = None, prefix: str = "", namespace: str = "") -> Iterator[Address]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield Address(f"{namespace}{pattern.name}" if pattern.name else "", route)
        else:
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from everything(pattern.url_patterns, route, inner)


def paths_to(model: type[models.Model], target: type[models.Model], depth: int = 3) -> list[str]:
    """Lookups that lead from a model to a shop (or to a user), shortest first."""
    if model is target:
        return ["pk"]
    found = []
    for field in model._meta.concrete_fields:
        if field.is_relation and depth and isinstance(field.related_model, type) and field.related_model is not model:
            further = paths_to(field.related_model, target, depth - 1)
            found += [field.name if path == "pk" else f"{field.name}__{path}" for path in further]
    return sorted(found, key=lambda path: path.count("__"))


WITHOUT_SHOP: dict[type[models.Model], Any] = {
    Group: lambda shop: {},
    Plan: lambda shop: {},
    ContentRule: lambda shop: {},
    ClosedShop: lambda shop: {"pk": shop.tenant.pk},
    Erasure: lambda shop: {"subject": str(shop.tenant.pk)},
}
"""What leads to no shop by a key of its own: which rows are a shop's all the same."""


def complete(shop: Any) -> Any:
    """Gives the shop one of whatever else there is an address for."""
    tenant, owner = shop.tenant, shop.owner
    owner.emailaddress_set.create(email=f"{owner.username}@example.com", verified=True)
    ShareLink.objects.create(tenant=tenant)
    Invitation.objects.create(
        tenant=tenant, email=f"{tenant.slug}@example.com", invited_by=owner, token_hash=tenant.slug
    )
    Export.objects.create(tenant=tenant, by=owner)
    ClosedShop.objects.create(pk=tenant.pk, slug_hash=tenant.slug, status_before="active", erase_at=timezone.now())
    Erasure.objects.create(kind="shop", subject=str(tenant.pk), asked_by=owner)
    Group.objects.get_or_create(name="Support")
    _moderated(shop)
    apps.get_model("mfa", "Authenticator").objects.create(user=owner, type="totp", data={})
    apps.get_model("usersessions", "UserSession").objects.create(
        user=owner, ip="127.0.0.1", session_key=f"{tenant.slug}-session", user_agent=f"{tenant.slug} browser"
    )
    AuditEntry.objects.create(
        tenant=tenant, tenant_name=tenant.name, actor=owner, actor_name=owner.username, object_pk=str(tenant.pk),
        action=1, object_repr=tenant.name, content_type=ContentType.objects.get_for_model(Tenant),
        changes={"name": ["a", tenant.name]},
    )  # fmt: skip
    return shop


def _moderated(shop: Any) -> None:
    """What moderation has written of the shop; over by now, so that the shop works."""
    tenant, owner, now, words = shop.tenant, shop.owner, timezone.now(), f"About {shop.tenant.slug}"
    past = Suspension.objects.create(tenant=tenant, category="spam", text=words, note=words, lifted_at=now)
    Appeal.objects.create(suspension=past, by=owner, text=words, answer=words, answered_at=now)
    ClosingRequest.objects.create(tenant=tenant, shop=tenant.name, reason=words, decision="withdrawn")
    ActingSession.objects.create(
        tenant=tenant, shop=tenant.name, staff_name=f"{tenant.slug} helper", mode="read", reason=words, ends_at=now,
        ended_at=now, ended_how="stopped",
    )  # fmt: skip
    flag = Flag.objects.create(tenant=tenant, excerpt=words, merge_key=tenant.slug, path=f"/products/{tenant.slug}")
    FlagNote.objects.create(flag=flag, text=words)
    Report.objects.create(pk=flag.pk, flag=flag, reporter="r", text=words, at=now)
    ContentRule.objects.get_or_create(pattern="viagra")


def rows_of(model: type[models.Model], shop: Any) -> models.QuerySet[Any]:
    """What belongs to a shop, or to its owner where it belongs to no shop."""
    if model in WITHOUT_SHOP:
        return model._default_manager.filter(**WITHOUT_SHOP[model](shop)).order_by("pk")
    for target, key in ((Tenant, shop.tenant.pk), (User, shop.owner.pk)):
        for path in paths_to(model, target):
            if "author" in path or path.endswith("_by"):
                continue  # who did something is not whose it is
            return model._default_manager.filter(**{path: key}).order_by("pk")
    return model._default_manager.none()


def object_of(model: type[models.Model], shop: Any) -> models.Model:
    row: models.Model | None = rows_of(model, shop).first()
    assert row is not None, f"let tests/admin/walk.py complete() give each shop a {model._meta.label}"
    return row


class Writes:
    """Notices statements that write (`connection.execute_wrapper`): rows need comparing only after one."""

    seen = False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        session = "django_session" in sql or "usersessions_usersession" in sql
        self.seen |= sql.startswith(("INSERT", "UPDATE", "DELETE")) and not session
        return execute(sql, params, many, context)


UNWATCHED = {"sessions.Session", "usersessions.UserSession", "contenttypes.ContentType", "auth.Permission"}


def fingerprint(shop: Any = None) -> dict[str, list[Any]]:
    """All rows of the database, or those of one shop."""
    found = {}
    for model in apps.get_models():
        if model._meta.label not in UNWATCHED and not model._meta.proxy:
            rows = model._default_manager.order_by("pk") if shop is None else rows_of(model, shop)
            found[model._meta.label] = list(rows.values_list())
    return found


def difference(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> dict[str, Any]:
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def form_body(shop: Any) -> dict[str, Any]:
    """What forms of this platform post, forged for a shop."""
    tenant = str(shop.tenant.pk)
    return {
        "post": "yes", "tenant": tenant, "shop": tenant, "name": "Forged", "title": "Forged", "answer": "Forged",
        "state": "answered", "reason": "Forged", "note": "Forged", "text": "Forged", "email": "forged@example.com",
        "role": "owner", "person": shop.owner.username, "user": str(shop.owner.pk), "urls": "https://forged.example/",
        "refresh": "never", "host": "forged.example.org", "slug": "forged", "confirm": "yes", "body": "Forged",
        "file": file(data=encoded(size=(20, 20), colour=(1, 2, 3))), "documents": file("forged.md", b"Forged"),
    }  # fmt: skip


JSON_BODY = {
    "days": 7, "publish": "2999-01-01T10:00", "version": 0, "id": "0198b0c0-0000-7000-8000-000000000000",
    "page": {"sections": [{"kind": "hero", "heading": "Forged"}]},
}  # fmt: skip


def bodies(address: Address, path: str, shop: Any, client: Any = None) -> Iterator[tuple[Any, dict[str, Any]]]:
    """What is posted to an address: forged forms, forged JSON, and the form itself as `client` would send it."""
    yield form_body(shop), {}
    yield JSON_BODY, {"content_type": "application/json"}
    if client is not None and address.own in ("change", "add"):
        page = client.get(path)
        if page.status_code == 200 and page.context and "adminform" in page.context:
            yield forged(posted_by(page)), {}


def posted_by(page: Any) -> dict[str, Any]:
    """The values that a browser would post from an admin form, inlines included."""
    forms = [page.context["adminform"].form]
    for inline in page.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    posted: dict[str, Any] = {}
    for form in forms:
        for bound in form:
            value = bound.value() if bound.is_hidden else bound.field.prepare_value(bound.value())
            if value is not None and value is not False:
                posted[bound.html_name] = value
    return posted


def forged(posted: dict[str, Any]) -> dict[str, Any]:
    """The same with other words: it would go through."""
    words = ("title", "name", "greeting", "text", "reason", "note", "alt")
    return {key: "Forged" if key in words else value for key, value in posted.items()}
