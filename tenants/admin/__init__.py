"""The admin of shops: their settings, people, hosts, landing pages."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tenants.access import admin_login
from tenants.admin import (
    audit,
    domains,
    endings,
    flags,
    landings,
    moderation_lists,
    people,
    pictures,
    plans,
    shops,
    users,
)

__all__ = [
    "audit", "domains", "endings", "flags", "landings", "moderation_lists", "people", "pictures", "plans", "shops",
    "users",
]  # fmt: skip


def change_password(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    return redirect("account_change_password")


admin.site.index_template = "tenants/admin/home.html"
admin.site.login = admin_login  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[method-assign]
