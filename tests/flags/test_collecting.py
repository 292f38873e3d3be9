"""Shoppers' reports come home once and become flags, whatever was typed."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.adapters.turso import Statement, TursoDatabase
from tenants.flags import collecting
from tenants.models import Flag, Report, Tenant
from tenants.tasks import collect_reports
from tests.chat.turns import ms

pytestmark = pytest.mark.django_db


def write(database: TursoDatabase, shop: Tenant | str, reporter: str = "ada", **more: Any) -> str:
    row: dict[str, Any] = {
        "id": str(uuid7()), "tenant_id": str(getattr(shop, "pk", shop)), "at": ms(timezone.now()),
        "page": "/products/x",
        "reason": "scam", "text": "It never came.", "email": "", "lang": "en", "reporter": reporter, **more,
    }  # fmt: skip
    columns, values = ", ".join(row), ", ".join("?" * len(row))
    database.execute(Statement(f"INSERT INTO report ({columns}) VALUES ({values})", list(row.values())))
    return str(row["id"])


def left(database: TursoDatabase) -> int:
    return int(database.execute("SELECT count(*) FROM report")[0][0] or 0)


def test_a_report_becomes_a_flag_and_leaves_the_edge(telemetry_database: TursoDatabase, shop: Tenant) -> None:
    id_ = write(telemetry_database, shop, email="ada@example.com", text="<script>alert(1)</script>")
    collect_reports()
    flag = Flag.objects.get(tenant=shop)
    assert (flag.source, flag.kind, flag.path, flag.status, flag.count) == ("shopper", "scam", "/products/x", "open", 1)
    report = flag.reports.get()
    assert (str(report.pk), report.text, report.email) == (id_, "<script>alert(1)</script>", "ada@example.com")
    assert left(telemetry_database) == 0
    assert list(Tenant.objects.flagged()) == [shop]


def test_equal_reports_of_several_people_are_one_flag_that_weighs_more(
    telemetry_database: TursoDatabase, shop: Tenant, other_shop: Tenant
) -> None:
    for reporter in ("ada", "bob", "cyd"):
        write(telemetry_database, shop, reporter)
    write(telemetry_database, shop, reason="illegal")
    write(telemetry_database, shop, page="/")
    write(telemetry_database, other_shop)
    collecting.collect()
    found = {(f.kind, f.path): f.count for f in Flag.objects.filter(tenant=shop)}
    assert found == {("scam", "/products/x"): 3, ("illegal", "/products/x"): 1, ("scam", "/"): 1}
    heavy, light = Flag.objects.filter(kind="scam").order_by("-weight")[:2]
    assert heavy.count == 3
    assert heavy.weight > light.weight


def test_one_person_counts_once_and_their_last_words_are_kept(telemetry_database: TursoDatabase, shop: Tenant) -> None:
    now = ms(timezone.now())
    write(telemetry_database, shop, at=now - 5000, text="First")
    collecting.collect()
    write(telemetry_database, shop, at=now - 4000, text="Second", email="a@example.com")
    write(telemetry_database, shop, at=now - 3000, text="")
    collecting.collect()
    flag = Flag.objects.get()
    assert (flag.count, flag.reports.get().text, flag.reports.get().email) == (1, "Second", "a@example.com")


def test_collecting_again_after_a_crash_before_the_deletion_changes_nothing(
    telemetry_database: TursoDatabase, shop: Tenant
) -> None:
    write(telemetry_database, shop, "ada")
    write(telemetry_database, shop, "bob")
    rows = list(telemetry_database.execute("SELECT * FROM report"))
    collecting.keep(rows)
    before = list(Flag.objects.values()), list(Report.objects.values())
    assert collecting.collect() == 0
    assert (list(Flag.objects.values()), list(Report.objects.values())) == before
    assert left(telemetry_database) == 0


def test_rows_that_are_none_and_shops_that_are_none_are_dropped(
    telemetry_database: TursoDatabase, shop: Tenant
) -> None:
    for wrong in ({"id": "no-uuid"}, {"tenant_id": "t-a"}, {"at": "soon"}, {"at": 10**17}):
        write(telemetry_database, shop, **wrong)
    write(telemetry_database, "0198c0de-0000-7000-8000-00000000000a")  # forged, or of a shop that is gone
    write(telemetry_database, shop, reason="<b>", page="/\x00x", text="a\x00b", lang="x" * 99)
    collecting.collect()
    flag = Flag.objects.get()
    assert (flag.kind, flag.path, flag.reports.get().text) == ("other", "/x", "ab")
    assert left(telemetry_database) == 0


def test_many_are_collected_in_rounds(
    telemetry_database: TursoDatabase, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "ROWS", 2)
    for number in range(5):
        write(telemetry_database, shop, f"r{number}")
    assert collecting.collect() == 5
    assert Flag.objects.get().count == 5


def test_a_flood_of_invented_pages_ends_in_one_flag_of_the_shop(
    telemetry_database: TursoDatabase, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "MOST_PAGES", 3)
    monkeypatch.setattr(collecting, "MOST_KEPT", 2)
    for number in range(10):
        write(telemetry_database, shop, f"r{number}", page=f"/p{number}", at=ms(timezone.now()) + number)
    collecting.collect()
    assert Flag.objects.filter(tenant=shop).count() == 4
    whole = Flag.objects.get(path="Several pages of the shop")
    assert (whole.count, whole.reports.count()) == (7, 2)


def test_new_reports_bring_back_what_was_resolved_at_once_and_what_was_dismissed_at_the_third(
    telemetry_database: TursoDatabase, shop: Tenant, admin_user: User
) -> None:
    write(telemetry_database, shop, "ada")
    collecting.collect()
    flag = Flag.objects.get()
    flag.resolve(admin_user, "Removed")
    write(telemetry_database, shop, "ada", at=ms(timezone.now()) + 50)
    collecting.collect()
    flag.refresh_from_db()
    assert (flag.status, flag.closed, flag.assignee, flag.count) == ("open", False, None, 1)
    assert flag.notes.last().text == "Opened again: it was reported again."
    flag.dismiss(admin_user, "Fine")
    for reporter, status in (("bob", "dismissed"), ("cyd", "dismissed"), ("dan", "open")):
        write(telemetry_database, shop, reporter)
        collecting.collect()
        flag.refresh_from_db()
        assert flag.status == status
    assert flag.count == 4


def test_reporters_addresses_are_forgotten(telemetry_database: TursoDatabase, shop: Tenant) -> None:
    old = ms(timezone.now() - timedelta(days=200))
    write(telemetry_database, shop, email="old@example.com", at=old)
    write(telemetry_database, shop, "bob", email="new@example.com")
    collecting.collect()
    assert set(Report.objects.values_list("email", flat=True)) == {"", "new@example.com"}


def test_while_the_database_is_away_nothing_breaks(settings: Any, shop: Tenant) -> None:
    from controlplane.publishing import cells

    settings.TELEMETRY_DATABASE_URL = "http://127.0.0.1:9"
    cells.close()
    collect_reports()
    cells.close()
    assert not Flag.objects.exists()


def test_beat_collects_every_minute(settings: Any) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["collect-reports"]
    assert (entry["task"], entry["schedule"]) == (collect_reports.name, 60.0)
