"""What stands against a shop's address on the platform, and what would be free instead."""

import secrets
from itertools import chain

from django.core.exceptions import ValidationError

from tenants.models import Tenant
from tenants.slugs import LONGEST, suggest

TAKEN = "This name is taken. Choose another one."


def problem_with(slug: str) -> str:
    """Why a new shop can't have this name, in one sentence; "" where it can. It may be taken a moment later."""
    tenant = Tenant(slug=slug, name="A shop")
    try:
        tenant.full_clean()
    except ValidationError as error:
        for found in error.error_dict.get("slug", []):
            return TAKEN if found.code == "unique" else " ".join(found.messages)
    return ""


def free_address(name: str) -> str:
    """A free name for a shop called `name`; "" where nothing of it can be written or nothing may be."""
    base = suggest(name)
    if not base:
        return ""
    short = base[: LONGEST - 7].strip("-")
    numbered = (f"{short}-{ending}" for ending in ("shop", "store", "2", "3", secrets.token_hex(3)))
    return next((slug for slug in chain([base], numbered) if not problem_with(slug)), "")
