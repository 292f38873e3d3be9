"""`manage.py republish`: makes every document stale again, so that a wiped or damaged store is rebuilt."""

import itertools
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.module_loading import import_string

from controlplane.adapters.errors import AdapterError
from controlplane.publishing import delivery
from controlplane.publishing.documents import Document
from controlplane.publishing.models import StaleDocument


class Command(BaseCommand):
    help = "Rebuilds a store from the database, and removes from it what the database does not know."

    def add_arguments(self, parser: CommandParser) -> None:
        names = list(settings.PUBLISHING_BUILDERS)
        parser.add_argument("--destination", choices=names, action="append", help="Default: all.")
        parser.add_argument("--no-wait", action="store_true", help="Only mark; the workers deliver.")

    def handle(self, *args: Any, **options: Any) -> None:
        for name in options["destination"] or settings.PUBLISHING_BUILDERS:
            total = self.mark(name)
            self.stdout.write(f"{name}: {total} documents to publish")
            if not options["no_wait"]:
                self.deliver(name, total)

    def mark(self, name: str) -> int:
        """Everything that the database has or the store holds; a key that only the store knows is thereby removed."""
        try:
            stored = delivery.destination_of(name).stored_keys()
        except AdapterError as error:
            raise CommandError(f"{name} can't be read: {error.message}") from error
        known = set()
        ours = (owned for owned in import_string(settings.ALL_DOCUMENTS)() if owned[1].destination == name)
        while some := list(itertools.islice(ours, 1000)):
            known |= {document.key for _, document in some}
            with transaction.atomic():
                StaleDocument.mark(some)
        with transaction.atomic():
            StaleDocument.mark([(None, Document(name, key)) for key in stored - known])
        return len(known | stored)

    def deliver(self, name: str, total: int) -> None:
        """Delivers here, beside the workers, and shows how far it is."""
        rows = StaleDocument.objects.filter(destination=name, parked_at=None)
        while delivery.deliver_batch(name):
            done = max(0, total - rows.count())
            width = 30 * done // max(total, 1)
            self.stdout.write(f"\r[{'█' * width}{'·' * (30 - width)}] {done}/{total}", ending="")
            self.stdout.flush()
        left = StaleDocument.objects.filter(destination=name)
        self.stdout.write("")
        if count := left.count():
            reason = left.exclude(error="").values_list("error", flat=True).first() or "delivered by the workers soon"
            self.stdout.write(self.style.WARNING(f"{name}: {count} documents wait: {reason}"))
