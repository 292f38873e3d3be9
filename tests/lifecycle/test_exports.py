"""A shop's copy: everything, readable elsewhere, for its owners, for a week."""

import io
import json
import tracemalloc
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import Storage
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Product
from catalog.product_import import store
from catalog.shopify import read_products
from chat.models import ChatProfile
from tenants import exporting
from tenants.erasing import files
from tenants.models import Domain, Export, Landing, Tenant
from tests.chat.turns import asked
from tests.plugins.shops import make_knowledge, make_product, make_shop, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich_shop(shop: Tenant) -> Tenant:
    make_product(
        shop, "Tee: „Wärme“, 1 kg", price=4250, compare_at_price=5000, stock=3, tags=["rot", "warm"],
        description_html="<p>Gut, <strong>heiß</strong>.</p>", image_alt="A",
        image_url="https://pictures.example/a.jpg",
    )  # fmt: skip
    make_product(shop, "Untracked", status="draft")
    make_product(shop, "Old", status="archived", stock=0)
    make_knowledge(shop)
    ChatProfile.objects.create(tenant=shop, enabled=True, greeting="Moin")
    asked(shop, "Kayaks?", "And oars?")
    Domain.objects.create(tenant=shop, host="tea-and-more.de")
    Landing.objects.get(tenant=shop).sections.create(kind="hero", content={"heading": "Two"}, position=1)
    publish(shop)
    return shop


def copy_of(tenant: Tenant) -> zipfile.ZipFile:
    file = io.BytesIO()
    exporting.write(tenant, file)
    return zipfile.ZipFile(file)


def read(archive: zipfile.ZipFile, name: str) -> Any:
    return json.loads(archive.read(name))


def owner_of(tenant: Tenant) -> Client:
    client = Client()
    client.force_login(tenant.memberships.get(role="owner").user)
    return client


def test_a_copy_holds_everything_of_its_shop_and_nothing_of_another(rich_shop: Tenant, other_shop: Tenant) -> None:
    make_product(other_shop, "Globex secret")
    asked(other_shop, "Globex question?")
    archive = copy_of(rich_shop)
    assert archive.testzip() is None
    assert read(archive, "shop.json")["slug"] == "acme"
    assert read(archive, "landing.json")["sections"][0]["content"]["heading"] == "Acme"
    assert [one["number"] for one in read(archive, "revisions.json")] == [1, 2]
    assert {one["host"] for one in read(archive, "domains.json")} == {"acme.localhost", "tea-and-more.de"}
    assert read(archive, "members.json")[0]["email"] == "owner@acme.example"
    assert {one["title"] for one in read(archive, "products.json")} == {"Tee: „Wärme“, 1 kg", "Untracked", "Old"}
    assert read(archive, "knowledge.json")[0]["body"] == "Yes, within two days."
    assert read(archive, "chat.json")["greeting"] == "Moin"
    (conversation,) = read(archive, "conversations.json")
    assert [turn["question"] for turn in conversation["turns"]] == ["Kayaks?", "And oars?"]
    assert read(archive, "pictures.json") == ["https://pictures.example/a.jpg"]
    everything = "".join(archive.read(name).decode() for name in archive.namelist())
    assert "globex" not in everything.lower()
    token = Domain.objects.get(host="tea-and-more.de").token
    assert token not in everything


def test_the_csv_is_read_back_into_equal_products(rich_shop: Tenant, other_shop: Tenant) -> None:
    with copy_of(rich_shop).open("products.csv") as file:
        reading = read_products(io.BytesIO(file.read()), "EUR")
    assert reading.skipped == []
    assert reading.columns_not_taken == ["Option1 Name"]  # what every product without options has
    assert store(other_shop, reading).created == 3
    names = ("title", "slug", "price", "compare_at_price", "stock", "tags", "status", "description_html", "image_url")
    rows = [list(Product.objects.filter(tenant=one).order_by("slug").values(*names)) for one in (rich_shop, other_shop)]
    assert rows[0] == rows[1]


def test_an_empty_shop_has_a_copy_too(shop: Tenant) -> None:
    archive = copy_of(shop)
    assert read(archive, "products.json") == []
    assert read(archive, "chat.json") is None


def test_only_the_zip_grows_with_the_shop_not_the_memory(shop: Tenant, tmp_path: Any) -> None:
    rows = [
        Product(tenant=shop, title=f"P{n}", slug=f"p{n}", price=1, description_html="x" * 10_000) for n in range(3_000)
    ]
    Product.objects.bulk_create(rows, batch_size=300)
    del rows
    tracemalloc.start()
    with (tmp_path / "copy.zip").open("wb") as file:
        exporting.write(shop, file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000, peak  # of 60 MB that went through


def test_a_link_works_for_a_week_and_then_the_file_is_gone(shop: Tenant, mailoutbox: Any) -> None:
    owner = owner_of(shop)
    owner.post(reverse("admin:tenants_tenant_export", args=[shop.pk]))
    owner.post(reverse("admin:tenants_tenant_export", args=[shop.pk]))  # one that is under way is not begun twice
    export = Export.objects.get()
    link = reverse("admin:tenants_tenant_download", args=[shop.pk, export.pk])
    assert owner.get(link).status_code == 404  # not ready
    assert exporting.run_due() == 1
    answer: Any = owner.get(link)
    assert answer.status_code == 200
    data = b"".join(answer.streaming_content)
    assert len(data) == int(answer["Content-Length"])
    assert "shop.json" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert owner_of(make_shop("globex")).get(link).status_code == 404
    assert exporting.forget_old() == 0
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert owner.get(link).status_code == 404
    assert exporting.forget_old() == 1
    assert files.files_of(shop.pk) == []


def test_another_shops_copy_is_not_there_by_the_own_shops_address(shop: Tenant, other_shop: Tenant) -> None:
    export = exporting.ask(other_shop, None)
    exporting.run_due()
    assert owner_of(shop).get(reverse("admin:tenants_tenant_download", args=[shop.pk, export.pk])).status_code == 404


def test_a_copy_that_can_not_be_made_is_tried_thrice_and_then_failed(
    shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Storage, "save", full)
    exporting.ask(shop, None)
    for _ in range(4):
        Export.objects.update(next_try_at=timezone.now())
        exporting.run_due()
    assert Export.objects.get().state == "failed"
    assert Export.objects.get().attempts == 3
    page = owner_of(shop).get(reverse("admin:tenants_tenant_export", args=[shop.pk])).content.decode()
    assert "could not be made" in page


@pytest.mark.django_db(transaction=True)
async def _download(link: str, user: Any) -> bytes:
    client = AsyncClient()
    await client.aforce_login(user)
    answer: Any = await client.get(link)
    return b"".join([piece async for piece in answer.streaming_content])


@pytest.mark.django_db(transaction=True)
def test_under_asgi_a_copy_is_sent_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    from asgiref.sync import async_to_sync

    shop = make_shop("acme")
    export = exporting.ask(shop, None)
    exporting.run_due()
    link = reverse("admin:tenants_tenant_download", args=[shop.pk, export.pk])
    data = async_to_sync(_download)(link, shop.memberships.get().user)
    assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
