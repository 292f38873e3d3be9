"""`manage.py seed_demo`: the demo's shops and logins, as far as they are not there yet."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from controlplane.demo.seed import NotLocalError, credentials, seed


class Command(BaseCommand):
    help = "Creates the demo shops with one merchant each and a staff user; leaves what exists as it is."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        try:
            created = seed()
        except NotLocalError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        if verbosity:
            self.stdout.write(f"Created: {', '.join(tenant.name for tenant in created) or 'nothing new'}")
            for row in credentials():
                self.stdout.write("  ".join(filter(None, (row.role, row.email, row.password, row.shop_url))))
