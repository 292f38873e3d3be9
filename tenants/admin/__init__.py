"""The admin of shops: their settings, people, hosts, landing pages."""

from django.contrib import admin

from tenants.admin import domains, landings, moderation_lists, people, shops

__all__ = ["domains", "landings", "moderation_lists", "people", "shops"]

admin.site.index_template = "tenants/admin/home.html"
admin.site.login_template = "tenants/admin/login.html"
