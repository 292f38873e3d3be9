import io
import shutil
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from catalog.models import Product
from chat.models import KnowledgeSource
from controlplane.demo.seed import (
    IMAGE_BASE,
    PASSWORD,
    SHOPS,
    STAFF_EMAIL,
    credentials,
    open_demo_shop,
    read_shops,
    seed,
)
from storefront.sections import FeaturedProducts
from tenants.documents import record_of
from tenants.models import Tenant
from tenants.validators import sanitise, validate_image_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def one_shop(tmp_path: Path) -> Path:
    """A folder with one of the demo's shops: seeding three is not needed for every test."""
    shutil.copy(SHOPS / "harrowfell.toml", tmp_path)
    return tmp_path


def test_every_demo_shop_opens_whole() -> None:
    tenants = seed()
    assert [tenant.slug for tenant in tenants] == [path.stem for path in sorted(SHOPS.glob("*.toml"))]
    for tenant, shop in zip(tenants, read_shops(), strict=True):
        assert Product.objects.live().filter(tenant=tenant).count() >= 24
        assert KnowledgeSource.objects.filter(tenant=tenant).count() == len(shop["knowledge"]) >= 10
        assert [section.kind for section in record_of(tenant).sections] == [s["kind"] for s in shop["sections"]]
        for product in Product.objects.filter(tenant=tenant):
            product.full_clean()
            assert sanitise(product.description_html) == product.description_html
    assert len({tenant.locale for tenant in tenants}) == len(tenants)


def test_featured_products_are_the_named_ones_in_order(one_shop: Path) -> None:
    (tenant,) = seed(one_shop)
    (shop,) = read_shops(one_shop)
    wanted = next(section["product_slugs"] for section in shop["sections"] if section["kind"] == "featured_products")
    (featured,) = (section for section in record_of(tenant).sections if isinstance(section, FeaturedProducts))
    assert [card.slug for card in featured.cards] == wanted


def test_every_picture_is_a_full_address_of_a_file_that_ships() -> None:
    pictures = [value for shop in read_shops() for value in _strings(shop) if value.endswith(".svg")]
    assert pictures
    for picture in pictures:
        validate_image_url(picture)
        assert picture.startswith(IMAGE_BASE)
        assert finders.find(picture.removeprefix(IMAGE_BASE)), picture


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in _strings(one)]
    return [value] if isinstance(value, str) else []


def test_pictures_may_be_served_elsewhere(one_shop: Path, settings: Settings) -> None:
    settings.DEMO_IMAGE_BASE = "https://pictures.example/"
    (shop,) = read_shops(one_shop)
    assert shop["landing"]["seo_image"] == "https://pictures.example/demo/harrowfell/hero.svg"


def test_seeding_again_keeps_what_a_developer_changed(one_shop: Path) -> None:
    (tenant,) = seed(one_shop)
    Product.objects.filter(tenant=tenant).update(price=1)
    User.objects.filter(username=STAFF_EMAIL).update(first_name="Me")
    assert seed(one_shop) == []
    assert set(Product.objects.values_list("price", flat=True)) == {1}
    assert User.objects.get(username=STAFF_EMAIL).first_name == "Me"


def test_a_renamed_shop_is_not_opened_twice_and_its_new_address_is_told(one_shop: Path) -> None:
    (tenant,) = seed(one_shop)
    tenant.slug = "renamed"
    tenant.save()
    assert seed(one_shop) == []
    assert [row.shop_url for row in credentials(one_shop)] == ["", "http://renamed.localhost:8787/"]


def test_a_suspended_shop_has_no_address_to_wait_for(one_shop: Path) -> None:
    (tenant,) = seed(one_shop)
    tenant.status = Tenant.Status.SUSPENDED
    tenant.save()
    assert credentials(one_shop)[1].shop_url == ""


def test_the_printed_logins_work_and_each_merchant_sees_one_shop(one_shop: Path) -> None:
    (tenant,) = seed(one_shop)
    staff, merchant = credentials(one_shop)
    assert (staff.email, staff.password) == (STAFF_EMAIL, PASSWORD)
    user = authenticate(username=merchant.email, password=merchant.password)
    assert isinstance(user, User)
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert list(Tenant.objects.visible_to(user)) == [tenant]
    assert authenticate(username=staff.email, password=staff.password) == User.objects.get(is_superuser=True)


def test_nothing_is_seeded_outside_a_developers_machine(settings: Settings) -> None:
    settings.LOCAL = False
    with pytest.raises(CommandError, match="public passwords"):
        call_command("seed_demo")
    assert not User.objects.exists()


def test_the_command_prints_every_login() -> None:
    out = io.StringIO()
    call_command("seed_demo", stdout=out)
    for row in credentials():
        assert f"{row.email}  {row.password}" in out.getvalue()


def test_a_theme_may_stand_in_a_table_of_its_own(one_shop: Path) -> None:
    (shop,) = read_shops(one_shop)
    shop["landing"]["theme"] = {"accent": "#123456", "radius": shop["landing"].pop("radius")}
    assert open_demo_shop(shop).landing.accent == "#123456"


def test_a_wrong_file_opens_nothing_and_names_the_place(one_shop: Path) -> None:
    (shop,) = read_shops(one_shop)
    shop["products"][3]["compare_at_price"] = 1
    with pytest.raises(ValidationError, match=shop["products"][3]["title"]):
        open_demo_shop(shop)
    assert not Tenant.objects.exists()
    assert not User.objects.exists()


def test_a_featured_product_that_the_shop_lacks_is_named(one_shop: Path) -> None:
    (shop,) = read_shops(one_shop)
    shop["sections"].append({"kind": "featured_products", "product_slugs": ["ghost"]})
    with pytest.raises(ValidationError, match="ghost"):
        open_demo_shop(shop)
