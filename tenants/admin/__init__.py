"""The admin of shops: their settings, people, hosts, landing pages."""

from django.contrib import admin

from tenants.admin import domains, endings, landings, people, plans, shops

__all__ = ["domains", "endings", "landings", "people", "plans", "shops"]

admin.site.index_template = "tenants/admin/home.html"
admin.site.login_template = "tenants/admin/login.html"
