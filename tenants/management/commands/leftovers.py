"""`manage.py leftovers <tenant id>`: what every store still holds of a shop. Nothing is changed."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.erasing.shop import known, leftovers_of


class Command(BaseCommand):
    help = "Lists what the database and every store still hold of a shop; fails if that is not nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", metavar="TENANT_ID", help="the shop's id, which its tombstone keeps")

    def handle(self, *args: Any, tenant: str, **options: Any) -> None:
        try:
            tenant_id = uuid.UUID(tenant)
        except ValueError:
            raise CommandError(f"“{tenant}” is no shop's id: it is a UUID.") from None
        left = leftovers_of(tenant_id, known(tenant_id))
        for one in left:
            self.stdout.write(str(one))
        if left:
            raise CommandError(f"Not nothing: {len(left)} {'entry' if len(left) == 1 else 'entries'}.")
        self.stdout.write(f"Nothing is left of {tenant_id}.")
