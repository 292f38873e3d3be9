"""Names on the platform's domain: which are refused, what is suggested, and that a former one is nobody else's."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from tenants import slugs
from tenants.documents import domain_records
from tenants.domains import orphans
from tenants.models import Domain, ReleasedHost, Tenant
from tenants.onboarding import open_shop
from tests.plugins.shops import make_shop

REFUSED = [
    "admin", "www", "postmaster", "hostmaster", "mail", "ns1", "support", "adm1n", "supp0rt",
    "paypal", "paypa1", "pay-pal", "paypal-login", "my-amazon", "arnazon", "g00gle", "xn--abc", "ab--cd", "fuck-you",
    "shit", "sh1t",
]  # fmt: skip


@pytest.mark.parametrize("slug", REFUSED)
def test_reserved_names_brands_their_look_alikes_and_rude_names_are_refused(slug: str) -> None:
    with pytest.raises(ValidationError):
        slugs.validate_choice(slug)


HONEST = [
    "scunthorpe-tea", "essex-cycles", "shop-5", "shop-1", "cocktail-bar", "pies-of-york", "tidewheel", "pay-as-you-go",
    "admin-chairs", "barn-owl", "analog", "wiseman",
]  # fmt: skip


@pytest.mark.parametrize("slug", HONEST)
def test_honest_names_pass(slug: str) -> None:
    slugs.validate_choice(slug)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Schlickermühle", "schlickermuehle"), ("Brød & Smør", "broed-and-smoer"), ("Café  –  Zoë’s", "cafe-zoes"),
        ("X", "x-shop"), ("日本茶", ""),
        ("The very long name of a shop that nobody can remember", "the-very-long-name-of-a-shop-that-nobody"),
    ],
)  # fmt: skip
def test_a_suggestion_is_a_name_that_could_be_chosen(name: str, slug: str) -> None:
    assert slugs.suggest(name) == slug
    assert len(slug) <= 40


def test_after_a_rename_the_old_host_sends_visitors_on(shop: Tenant) -> None:
    shop.slug = "zenith"
    shop.save()
    old = domain_records(["acme.localhost"])["acme.localhost"]
    assert '"redirect_to":"zenith.localhost"' in old
    assert '"redirect_to"' not in domain_records(["zenith.localhost"])["zenith.localhost"]


def test_a_former_name_is_nobody_elses_while_it_redirects_and_after(shop: Tenant) -> None:
    shop.slug = "zenith"
    shop.save()
    taken(shop, "acme")
    Domain.objects.filter(host="acme.localhost").update(retires_at=timezone.now() - timedelta(seconds=1))
    assert orphans.retire() == 1
    assert domain_records(["acme.localhost"]) == {}
    taken(shop, "acme")


def taken(shop: Tenant, slug: str) -> None:
    before = Tenant.objects.count()
    with pytest.raises(ValidationError, match="taken"):
        open_shop(slug=slug, name="Thief", owner=shop.memberships.get().user)
    assert Tenant.objects.count() == before


def test_its_own_shop_may_go_back_to_a_former_name(shop: Tenant) -> None:
    for slug in ("zenith", "acme", "zenith"):
        shop.slug = slug
        shop.full_clean()
        shop.save()
    assert set(shop.domains.values_list("host", "is_platform")) == {
        ("zenith.localhost", True), ("acme.localhost", False),
    }  # fmt: skip


def test_the_name_of_a_deleted_shop_is_kept_from_others(shop: Tenant, other_shop: Tenant) -> None:
    owner = shop.memberships.get().user
    shop.delete()
    Tenant.objects.filter(pk=other_shop.pk).delete()
    for slug in ("acme", "globex"):
        with pytest.raises(ValidationError, match="taken"):
            open_shop(slug=slug, name="Thief", owner=owner)
    until = ReleasedHost.objects.get(host="acme.localhost").until
    assert until > timezone.now() + timedelta(days=3000)


def test_a_former_host_is_never_looked_at_by_the_reconciler(shop: Tenant) -> None:
    shop.slug = "zenith"
    shop.save()
    assert not Domain.objects.due(timezone.now() + timedelta(days=999)).exists()


def test_two_shops_can_not_get_one_name_at_the_same_moment(shop: Tenant) -> None:
    """Past the check, the database refuses: nothing is half made."""
    from django.db import IntegrityError, transaction

    shop.slug = "zenith"
    shop.save()
    other = make_shop("globex")
    other.slug = "acme"  # a former name of the first: not full_clean()ed
    with pytest.raises(IntegrityError), transaction.atomic():
        other.save()
    other.refresh_from_db()
    assert other.slug == "globex"
