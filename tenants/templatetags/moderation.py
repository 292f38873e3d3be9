from typing import Any

from django import template

register = template.Library()


@register.inclusion_tag("tenants/admin/moderation/banners.html", takes_context=True)
def banners(context: Any) -> dict[str, Any]:
    from tenants.moderation.banners import banners_of  # tag libraries are loaded while unfold.admin still is

    return banners_of(context)
