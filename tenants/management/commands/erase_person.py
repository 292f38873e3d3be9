"""`manage.py erase_person --email …`: erases a person, or a shopper by what we know of them, and proves it."""

import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from tenants.erasing import machine, person
from tenants.models import Erasure


class Command(BaseCommand):
    help = "Erases one person (--email) or shopper (--conversation, --cart) from every store, and looks what is left."

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group(required=True)
        whom.add_argument("--email", help="of somebody with an account")
        whom.add_argument("--conversation", metavar="ID", help="a shopper's conversation, as their browser names it")
        whom.add_argument("--cart", metavar="ID", help="a shopper's cart, as their browser names it")

    def handle(self, *args: Any, email: str, conversation: str, cart: str, **options: Any) -> None:
        try:
            if email:
                erasure = person.begin(email)
            else:
                begin = import_string("chat.erasing.begin")  # upward, so by its path
                erasure = begin(conversation=conversation or "", cart=cart or "")
        except ValidationError as error:
            raise CommandError(error.messages[0]) from None
        finished = finish(erasure)
        if finished.finished_at is None:
            raise CommandError(f"Not finished; the workers go on with it. {finished.error}")
        removed = ", ".join(f"{name} {count}" for name, count in finished.report.items())
        self.stdout.write(f"Erased, and nothing is left ({removed}).")


def finish(erasure: Erasure) -> Erasure:
    """Takes the steps here and now, without waiting for what only time brings."""
    machine.advance(erasure, time.monotonic() + machine.LONGEST_RUN)
    erasure.refresh_from_db()
    return erasure
