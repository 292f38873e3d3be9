"""The top level of a query, page by page (server: db/datalog.clj add-page-info)."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from controlplane.localcloud.instant.conditions import Compiler, Driver, best
from controlplane.localcloud.instant.forms import Condition, Form
from controlplane.localcloud.instant.levels import Level, PageInfo, Row
from controlplane.localcloud.instant.paging import Order
from controlplane.localcloud.instant.sql import Sql

if TYPE_CHECKING:
    from controlplane.localcloud.instant.instaql import Query

MANY = 10_000
EVERYTHING = 2**31


class Listing:
    """The rows of a top-level form, walked along the triples that hold the order: with a limit the walk stops early."""

    def __init__(self, query: "Query", form: Form, etype: str, order: Order) -> None:
        self.query = query
        self.form = form
        self.etype = etype
        self.order = order

    def fill(self, level: Level) -> None:
        """Raises Unknown for a condition on what does not exist, or a Refusal."""
        page, bounds = self.form.page, []
        if page.after:
            bounds.append(self.order.beyond(page.after, "after", inclusive=page.after_inclusive))
        if page.before:
            bounds.append(self.order.beyond(page.before, "before", inclusive=page.before_inclusive))
        start, limit = page.offset or 0, page.limit or EVERYTHING
        walk = self._walk(bounds, backwards=page.last, batch=start + limit + 1)
        rows = list(islice(walk, start, start + limit + 1))
        more, level.rows = len(rows) > limit, rows[:limit]
        if page.last:
            level.rows.reverse()
        if self.form.paged:
            level.page_info = self._page_info(level.rows, more)

    def _page_info(self, rows: Sequence[Row], more: bool) -> PageInfo:
        """`more` says whether the walk, from whichever end, went on after the page."""
        page = self.form.page
        start, end = (rows[0].order, rows[-1].order) if rows else (None, None)
        if page.before or (page.limit and page.last):
            has_next = end is not None and self._any(self.order.beyond(end, "after"))
        else:
            has_next = more
        if page.last and page.limit and not page.after:
            has_previous = more
        elif not (page.after or page.offset or page.last):
            has_previous = False
        else:
            has_previous = start is None or self._any(self.order.beyond(start, "before"))
        return PageInfo(start=start, end=end, has_next=has_next, has_previous=has_previous)

    def _any(self, bound: Sql) -> bool:
        return next(self._walk([bound], backwards=False, batch=1), None) is not None

    def _walk(self, bounds: Sequence[Sql], *, backwards: bool, batch: int) -> Iterator[Row]:
        """The rows that the caller may view, in order, read `batch` at a time."""
        sql = self.sql(bounds, backwards=backwards)
        if self.query.view(self.etype) is False:
            return
        with closing(self.query.store.cursor(*sql)) as cursor:
            while found := cursor.fetchmany(min(batch, MANY)):
                yield from self.query.rows(self.form, self.etype, [row[0] for row in found], self.order.attr)

    def sql(self, bounds: Sequence[Sql] = (), *, backwards: bool = False) -> Sql:
        """The candidates in order, before anything is asked of rules that are no conditions."""
        query = self.query
        compiler = query.compiler()
        # A rule's conditions only drive what has none of its own: "active" may be true of nearly everything.
        driver = best([compiler.driver(condition, self.etype) for condition in self.form.where])
        driver = driver or compiler.rule_driver(self.etype)
        parts = [Sql("SELECT e.entity FROM triple e WHERE e.attr = ?", (query.store.no[self.order.attr.id],))]
        if driver:
            parts.append(Sql(f"e.entity IN ({driver.sql.text})", driver.sql.parameters))
        else:
            parts.append(Sql("e.is_id" if self.order.attr.label == "id" else "e.is_indexed"))
        parts += [*self._filters(compiler, self.form.where, driver), *query.seen(compiler, self.etype), *bounds]
        text = " AND ".join(part.text for part in parts)
        order = self.order.sql(backwards=backwards)
        return Sql(f"{text} ORDER BY {order}", tuple(p for part in parts for p in part.parameters))

    def _filters(self, compiler: Compiler, where: Sequence[Condition], driver: Driver | None) -> list[Sql]:
        """The conditions that the driver leaves open. Compiled all the same, so that a bad value is always refused."""
        compiled = [(condition, compiler.matches(condition, self.etype, "e.entity")) for condition in where]
        return [sql for condition, sql in compiled if driver is None or not driver.decides(condition)]
