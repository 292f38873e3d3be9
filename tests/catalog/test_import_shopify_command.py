import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog.models import FormerSlug, Product
from controlplane.publishing.models import StaleDocument
from tenants.models import Tenant
from tenants.validators import sanitise

pytestmark = pytest.mark.postgres

DATA = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "shopify"
REAL_FILES = sorted(SHARED.glob("*.csv"))
REAL = {"apparel": (25, 71, 30), "bicycles": (284, 837, 758), "jewelry": (19, 5, 6)}
"""Products, further variants and further pictures, counted with csv.DictReader alone."""


def run(file: Path, *options: str, tenant: str = "acme") -> str:
    out = io.StringIO()
    call_command("import_shopify", str(file), "--tenant", tenant, *options, stdout=out)
    return out.getvalue()


def write(path: Path, *lines: str) -> Path:
    path.write_text("Handle,Title,Variant Price,Variant Compare At Price\n" + "\n".join(lines) + "\n", "utf-8")
    return path


def snapshot(tenant: Tenant) -> list[Any]:
    return list(Product.objects.filter(tenant=tenant).order_by("position").values())


@pytest.mark.skipif(not REAL_FILES, reason="the shared Shopify exports are not beside this checkout")
@pytest.mark.parametrize("file", REAL_FILES, ids=lambda path: path.stem)
def test_a_real_export_is_taken_whole_and_a_second_import_changes_nothing(shop: Tenant, file: Path) -> None:
    out = run(file)
    first = snapshot(shop)
    if file.stem in REAL:
        products, variants, pictures = REAL[file.stem]
        assert len(first) == products
        assert f"Variants not taken: {variants} " in out
        assert f"Pictures not taken: {pictures} " in out
    assert f"{len(first)} created, 0 updated, 0 unchanged, 0 skipped" in out
    for product in Product.objects.filter(tenant=shop):
        product.full_clean()
        assert sanitise(product.description_html) == product.description_html
    assert f"0 created, 0 updated, {len(first)} unchanged" in run(file)
    assert snapshot(shop) == first


def test_new_products_come_behind_the_existing_ones_and_are_active_unless_the_file_says_otherwise(
    shop: Tenant, tmp_path: Path
) -> None:
    Product.objects.create(tenant=shop, title="Old", price=1, position=4)
    run(write(tmp_path / "x.csv", "a,A,1,", "b,B,2,"))
    rows = Product.objects.filter(tenant=shop).values_list("slug", "position", "status")
    assert list(rows) == [("old", 4, "draft"), ("a", 5, "active"), ("b", 6, "active")]


def test_an_imported_product_takes_a_former_address_over(shop: Tenant, tmp_path: Path) -> None:
    renamed = Product.objects.create(tenant=shop, title="Old", slug="mug", price=1)
    renamed.slug = "cup"
    renamed.save()
    assert FormerSlug.objects.get(tenant=shop).slug == "mug"
    run(write(tmp_path / "file.csv", "mug,Mug,5.00,"))
    assert not FormerSlug.objects.exists()


def test_importing_again_updates_by_handle_and_touches_only_what_differs(shop: Tenant, tmp_path: Path) -> None:
    run(write(tmp_path / "x.csv", "a,A,1,", "b,B,2,"))
    before = {product.slug: product for product in Product.objects.filter(tenant=shop)}
    StaleDocument.objects.all().delete()
    assert "0 created, 1 updated, 1 unchanged" in run(write(tmp_path / "x.csv", "a,A,1,", "b,B,3,"))
    after = {product.slug: product for product in Product.objects.filter(tenant=shop)}
    assert (after["b"].price, after["b"].pk) == (300, before["b"].pk)
    assert after["b"].updated_at > before["b"].updated_at
    assert after["a"].updated_at == before["a"].updated_at
    keys = set(StaleDocument.objects.values_list("key", flat=True))
    assert keys == {f"products:{after['b'].pk}", f"product:{after['b'].pk}", "domain:acme.localhost"}


def test_what_the_file_does_not_say_stays_as_the_merchant_left_it(shop: Tenant, tmp_path: Path) -> None:
    Product.objects.create(
        tenant=shop, slug="a", title="A", price=100, status="archived", description_html="<p>Mine</p>", stock=3
    )
    run(write(tmp_path / "x.csv", "a,New name,2,"))
    product = Product.objects.get(tenant=shop)
    assert (product.title, product.price, product.position) == ("New name", 200, 0)
    assert (product.status, product.description_html, product.stock) == ("archived", "<p>Mine</p>", 3)


def test_a_former_price_that_is_no_longer_higher_goes(shop: Tenant, tmp_path: Path) -> None:
    Product.objects.create(tenant=shop, slug="a", title="A", price=100, compare_at_price=150)
    file = tmp_path / "x.csv"
    file.write_text("Handle,Title,Price\na,A,2.00\n", "utf-8")
    run(file)
    assert Product.objects.get(tenant=shop).compare_at_price is None


def test_a_dry_run_says_the_same_and_writes_nothing(shop: Tenant) -> None:
    StaleDocument.objects.all().delete()
    dry = run(DATA / "new_columns.csv", "--dry-run")
    assert not Product.objects.exists()
    assert not StaleDocument.objects.exists()
    wet = run(DATA / "new_columns.csv")
    assert "dry run: nothing was written" in dry
    assert dry.splitlines()[1:] == wet.splitlines()[1:]
    assert Product.objects.count() == 3


def test_another_shop_with_the_same_handles_is_left_alone(shop: Tenant, other_shop: Tenant, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", "a,A,1,")
    run(file, tenant="globex")
    assert "1 created" in run(file, tenant="acme")
    assert set(Product.objects.values_list("tenant__slug", "slug")) == {("acme", "a"), ("globex", "a")}


def test_prices_are_in_the_shops_currency(shop: Tenant, tmp_path: Path) -> None:
    Tenant.objects.filter(pk=shop.pk).update(currency="JPY")
    out = run(write(tmp_path / "x.csv", "a,A,1200.00,", "b,B,12.50,"))
    assert list(Product.objects.values_list("slug", "price")) == [("a", 1200)]
    assert "1 × price with more decimals than JPY has: line 3 “12.50”" in out


def test_more_products_than_a_batch_all_arrive_in_order(
    shop: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.product_import.BATCH", 2)
    file = write(tmp_path / "x.csv", *(f"p{n},P {n},{n}," for n in range(5)))
    assert "5 created" in run(file)
    assert list(Product.objects.values_list("slug", "position")) == [(f"p{n}", n) for n in range(5)]
    assert "5 unchanged" in run(file)


def test_nothing_is_half_written_when_a_batch_fails(
    shop: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.product_import.BATCH", 2)
    file = write(tmp_path / "x.csv", *(f"p{n},P {n},{n}," for n in range(5)))
    taken = StaleDocument.mark
    calls: list[object] = []

    def full_disk(documents: object) -> None:
        calls.append(documents)
        if len(calls) == 2:
            raise OSError("No space left on device")
        taken(documents)  # type: ignore[arg-type]

    monkeypatch.setattr(StaleDocument, "mark", full_disk)
    with pytest.raises(OSError, match="No space"):
        run(file)
    assert not Product.objects.exists()


def test_the_summary_groups_reasons_and_names_lines(shop: Tenant) -> None:
    out = run(DATA / "faults.csv")
    assert "2 created, 0 updated, 0 unchanged, 13 skipped" in out
    assert "2 × unreadable price (write it like 1234.50): line 6 “free”, line 7 “12,50”" in out
    assert "1 × no handle: line 3 “Nameless”" in out


def test_a_long_list_of_lines_is_cut_unless_asked_for(shop: Tenant, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", *(f"p{n},P,free," for n in range(25)))
    assert "line 21 “free” and 5 more" in run(file)
    assert "line 26 “free”\n" in run(file, "--verbosity", "2")


def test_a_wrong_call_says_what_is_wrong(shop: Tenant, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no shop with the slug “nowhere”"):
        run(DATA / "faults.csv", tenant="nowhere")
    with pytest.raises(CommandError, match=r"Can't read .*missing\.csv: No such file"):
        run(tmp_path / "missing.csv")
    with pytest.raises(CommandError, match=r"Can't read .*: Is a directory"):
        run(tmp_path)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(CommandError, match=r"empty\.csv: The file is empty"):
        run(tmp_path / "empty.csv")
