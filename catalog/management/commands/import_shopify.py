"""`manage.py import_shopify products.csv --tenant my-shop`: takes a Shopify product CSV into a shop."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.product_import import Outcome, store
from catalog.shopify import Reading, Remark, ShopifyFileError, read_products
from tenants.models import Tenant

SHOWN = 20
"""Lines named for each reason; `--verbosity 2` names them all."""


class Command(BaseCommand):
    help = "Creates and updates a shop's products from a Shopify product CSV. Importing again changes nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="the product CSV that Shopify exported")
        parser.add_argument("--tenant", required=True, metavar="SLUG", help="the shop to import into")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, write nothing")

    def handle(self, *args: Any, file: Path, tenant: str, dry_run: bool, verbosity: int, **options: Any) -> None:
        shop = Tenant.objects.filter(slug=tenant).first()
        if shop is None:
            raise CommandError(f"There is no shop with the slug “{tenant}”.")
        reading = read(file, shop.currency)
        outcome = store(shop, reading, dry_run=dry_run)
        self.stdout.write(f"{file.name} → {shop.name} ({shop.currency}){', dry run: nothing was written' * dry_run}")
        self.stdout.writelines(
            f"{line}\n" for line in summary(reading, outcome, shown=SHOWN if verbosity < 2 else None)
        )


def read(path: Path, currency: str) -> Reading:
    try:
        with path.open("rb") as file:
            return read_products(file, currency)
    except OSError as error:
        raise CommandError(f"Can't read {path}: {error.strerror}.") from None
    except ShopifyFileError as error:
        raise CommandError(f"{path.name}: {error}") from None


def summary(reading: Reading, outcome: Outcome, *, shown: int | None = SHOWN) -> Iterator[str]:
    """What was taken, what was skipped and why, in lines of text; at most `shown` places for each reason."""
    skipped = [*reading.skipped, *outcome.skipped]
    yield (
        f"  {outcome.created} created, {outcome.updated} updated, {outcome.unchanged} unchanged, {len(skipped)} skipped"
    )
    if skipped:
        yield "  Skipped:"
        yield from _grouped(skipped, shown)
    if reading.notes:
        yield "  Taken with a change:"
        yield from _grouped(reading.notes, shown)
    if reading.extra_variants:
        yield f"  Variants not taken: {reading.extra_variants} (the first one's price and stock are the product's)"
    if reading.extra_images:
        yield f"  Pictures not taken: {reading.extra_images} (a product has one)"
    if outcome.use and outcome.use.warning:
        yield f"  {outcome.use.warning}"
    if reading.columns_not_taken:
        yield f"  Columns not taken: {', '.join(reading.columns_not_taken)}"


def _grouped(remarks: Iterable[Remark], shown: int | None) -> Iterator[str]:
    reasons: dict[str, list[Remark]] = {}
    for remark in remarks:
        reasons.setdefault(remark.reason, []).append(remark)
    for reason, places in reasons.items():
        yield f"    {len(places)} × {reason}: {_places(places[:shown])}{_rest(len(places), shown)}"


def _places(remarks: Sequence[Remark]) -> str:
    return ", ".join(f"line {remark.line}{f' “{remark.value}”' if remark.value else ''}" for remark in remarks)


def _rest(count: int, shown: int | None) -> str:
    return f" and {count - shown} more" if shown and count > shown else ""
