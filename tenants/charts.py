"""Small charts for a merchant's front page: questions to the chat and publishes by day, drawn as bars in SVG."""

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import Count
from django.db.models.functions import TruncHour
from django.utils import timezone

from tenants.models import Revision, Tenant

DAYS = 14
WIDTH, HEIGHT = 14, 56
"""Of a day's column, with its gap, and of the highest bar, in the drawing's units."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bar:
    x: int
    y: float
    height: float
    series: int
    words: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chart:
    """`series` are the names with their totals; `summary` says in words what the bars show."""

    title: str
    series: tuple[tuple[str, int], ...]
    bars: tuple[Bar, ...]
    first: date
    last: date

    @property
    def totals(self) -> list[str]:
        return [in_words(total, name) for name, total in self.series]

    @property
    def summary(self) -> str:
        return f"{self.title} in the last {DAYS} days: {', '.join(self.totals)}"

    @property
    def width(self) -> int:
        return WIDTH * DAYS


def in_words(count: int, name: str) -> str:
    return f"{count} {name.removesuffix('s') if count == 1 else name}"


def charts_of(shops: Sequence[Tenant], now: datetime | None = None) -> dict[uuid.UUID, list[Chart]]:
    """The charts of each shop that has something to show, by days of its own time zone: two queries in all."""
    now = now or timezone.now()
    since = now - timedelta(days=DAYS + 1)
    ids = [shop.pk for shop in shops]
    turns = apps.get_model("chat", "Turn")._default_manager.filter(tenant__in=ids, at__gt=since)
    asked = _by_hour(turns, "at", "answered")
    published = _by_hour(Revision.objects.filter(tenant__in=ids, published_at__gt=since), "published_at")
    return {
        shop.pk: [
            chart
            for chart in (
                _chart("Questions to the chat", ("answered", "not answered"), asked.get(shop.pk, []), shop, now),
                _chart("Published", ("new versions",), published.get(shop.pk, []), shop, now),
            )
            if any(total for _, total in chart.series)
        ]
        for shop in shops
    }


def _by_hour(rows: Any, moment: str, *more: str) -> dict[uuid.UUID, list[tuple[Any, ...]]]:
    """(hour, …, count) by shop. By hours, since each shop has days of its own."""
    counted = rows.order_by().annotate(hour=TruncHour(moment, tzinfo=ZoneInfo("UTC")))
    found: dict[uuid.UUID, list[tuple[Any, ...]]] = defaultdict(list)
    for tenant, *row in (
        counted.values("tenant", "hour", *more).annotate(n=Count("pk")).values_list("tenant", "hour", *more, "n")
    ):
        found[tenant].append(tuple(row))
    return found


def _chart(title: str, names: tuple[str, ...], rows: Collection[Any], shop: Tenant, now: datetime) -> Chart:
    zone = ZoneInfo(shop.timezone)
    last = now.astimezone(zone).date()
    days = [last - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    counts: dict[tuple[date, int], int] = defaultdict(int)
    for hour, *rest in rows:
        series = 0 if len(rest) == 1 or rest[0] else 1
        counts[hour.astimezone(zone).date(), series] += rest[-1]
    highest = max([sum(counts[day, series] for series in range(len(names))) for day in days] + [1])
    bars = tuple(bar for number, day in enumerate(days) for bar in _column(number, day, names, counts, highest))
    totals = tuple((name, sum(counts[day, series] for day in days)) for series, name in enumerate(names))
    return Chart(title=title, series=totals, bars=bars, first=days[0], last=last)


def _column(
    number: int, day: date, names: tuple[str, ...], counts: dict[tuple[date, int], int], highest: int
) -> list[Bar]:
    """One day's bars, the later series on top."""
    bars, top = [], float(HEIGHT)
    for series, name in enumerate(names):
        count = counts[day, series]
        height = round(count / highest * HEIGHT, 1)
        top -= height
        if count:
            words = f"{day:%d %b}: {in_words(count, name)}"
            bars.append(Bar(x=number * WIDTH, y=round(top, 1), height=height, series=series, words=words))
    return bars
