"""The admin of shops: their settings, people, hosts, landing pages."""

from django.contrib import admin

from tenants.admin import audit, domains, endings, landings, moderation_lists, people, pictures, plans, shops, users

__all__ = [
    "audit", "domains", "endings", "landings", "moderation_lists", "people", "pictures", "plans", "shops", "users",
]  # fmt: skip

admin.site.index_template = "tenants/admin/home.html"
admin.site.login_template = "tenants/admin/login.html"
