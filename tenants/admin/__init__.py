"""The admin of shops: their settings, people, hosts, landing pages and sections."""

from django.contrib import admin

from tenants.admin import domains, landings, people, sections, shops

__all__ = ["domains", "landings", "people", "sections", "shops"]

admin.site.index_template = "tenants/admin/home.html"
