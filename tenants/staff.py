"""Who works for the platform: Django groups, whose permissions say what each may do in everybody's shops.

Merchants hold no Django permissions at all: whoever holds one is a colleague (see `works_here`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

SUPPORT = frozenset({"tenants.support_tenant", "publishing.view_staledocument"})
MODERATOR = SUPPORT | {"tenants.moderate_tenant", "tenants.view_closedshop"}
ADMINISTRATOR = MODERATOR | {
    "tenants.close_tenant",
    "tenants.view_erasure",
    *(f"tenants.{action}_plan" for action in ("add", "change", "delete", "view")),
    "publishing.change_staledocument",
    *(f"tenants.{action}_tenant" for action in ("add", "change", "delete", "view")),
    *(f"auth.{action}_{model}" for action in ("add", "change", "delete", "view") for model in ("user", "group")),
}
GROUPS: Mapping[str, frozenset[str]] = {"Support": SUPPORT, "Moderator": MODERATOR, "Administrator": ADMINISTRATOR}


def works_here(user: Any) -> bool:
    """Whether the user holds any permission of the platform's own; one reading of their groups a request."""
    if not getattr(user, "is_active", False) or not hasattr(user, "get_all_permissions"):
        return False
    return bool(user.is_superuser or user.get_all_permissions())


def grant(apps: Any, group: str, permissions: Iterable[str]) -> None:
    """Gives a group these permissions as `app.action_model`; may run twice, and in a migration (`apps` is its own).

    Django writes permissions only after all migrations, so those that are not there yet are written here.
    """
    held, _ = apps.get_model("auth", "Group").objects.get_or_create(name=group)
    held.permissions.add(*(_permission(apps, name) for name in sorted(permissions)))


def _permission(apps: Any, name: str) -> Any:
    app_label, _, codename = name.partition(".")
    action, _, model_name = codename.rpartition("_")
    options = apps.get_model(app_label, model_name)._meta
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label=app_label, model=model_name)
    title = dict(options.permissions).get(codename, f"Can {action} {options.verbose_name}")
    found, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": title}
    )
    return found
