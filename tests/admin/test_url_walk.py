"""Walks every address of the admin and the API as everyone who should not see or change what is there.

The addresses come from the resolver: a new one is walked without being named here (tests/admin/walk.py says how).
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse

from tenants.models import Domain, Membership, Tenant
from tests.admin import walk
from tests.admin.conftest import logged_in

PUBLIC = ("api-1:openapi-json",)
NOT_THERE = (403, 404, 405)
"""403: platform staff's own pages. What belongs to a shop is 404, as test_what_is_of_another_shop_is_404 says."""


@pytest.fixture
def acme(acme: Any) -> Any:
    return walk.complete(acme)


@pytest.fixture
def globex(globex: Any) -> Any:
    return walk.complete(globex)


@pytest.fixture(params=["stranger", "owner"])
def outsider(request: Any, acme: Any, person: Any) -> Client:
    """Somebody who has nothing to do with Globex; in their own shop they may do everything, or they have none."""
    client: Client = person() if request.param == "stranger" else person(request.param, acme)
    return client


@pytest.fixture
def rival(acme: Any) -> Client:
    """The owner of the other shop."""
    return logged_in(acme.owner)


@pytest.fixture
def staff(db: None) -> Client:
    client = logged_in(User.objects.create_superuser("staff", password="pass"))
    client.raise_request_exception = True
    return client


def body_of(answer: Any) -> str:
    data = b"".join(answer) if answer.streaming else answer.content
    answer.close()
    # Lists repeat the query that was asked; it names the shop by what the walk itself has typed.
    return re.sub(r"\b(?:shop|q|s)(?:=|%3d)globex|value=.globex.", "", data.decode(errors="replace").lower())


def requests_to(client: Client, address: walk.Address, shop: Any, staff: Client | None = None) -> Iterator[Any]:
    """Reads and writes an address in every way the walk knows."""
    yield from requests_at(client, address, address.path(shop), shop, staff)


def requests_at(client: Client, address: walk.Address, path: str, shop: Any, staff: Client | None) -> Iterator[Any]:
    yield client.get(path)
    for data, options in walk.bodies(address, path, shop, staff):
        yield client.post(path, data, **options)
    if address.route.startswith("api/"):
        yield from (client.generic(method, path, "{}", "application/json") for method in ("PUT", "PATCH", "DELETE"))


@contextlib.contextmanager
def unchanged(shop: Any = None) -> Iterator[Callable[[object], None]]:
    """Gives a check that fails, naming what was asked, where rows of the shop (of anybody) are not as they were."""
    before, writes = walk.fingerprint(shop), walk.Writes()

    def check(asked: object) -> None:
        if writes.seen:
            changed = walk.difference(before, walk.fingerprint(shop))
            assert not changed, f"{asked}: {changed}"
            writes.seen = False

    with connection.execute_wrapper(writes):
        yield check
    changed = walk.difference(before, walk.fingerprint(shop))
    assert not changed, changed


def test_every_part_of_the_address_space_is_walked_or_says_why_not() -> None:
    tops = {one.route.partition("/")[0] + ("/" if "/" in one.route else "") for one in walk.everything()}
    assert tops == {*walk.WALKED, *walk.NOT_WALKED}
    assert len(walk.addresses()) > 100
    assert {str(one) for one in walk.everything()} >= set(walk.EXEMPT)


def test_nothing_of_another_shop_is_seen_or_changed(outsider: Client, acme: Any, globex: Any, staff: Client) -> None:
    with unchanged(globex) as check:
        for address in walk.addresses():
            for answer in requests_to(outsider, address, globex, staff):
                if "object_id" in address.parameters and address.name not in ("", "admin:view_on_site"):
                    assert answer.status_code in NOT_THERE, f"{address}: {answer.status_code}"
                assert "globex" not in body_of(answer), f"{address}: {answer.request['REQUEST_METHOD']}"
            check(address)


def test_what_is_of_another_shop_is_404(outsider: Client, rival: Client, globex: Any) -> None:
    """Not 403, which says that it is there; but for the platform's own pages, which no merchant sees any of."""
    found = walk.addresses()
    closed = {one.model for one in found if one.own == "changelist" and rival.get(one.path(globex)).status_code == 403}
    for address in found:
        if "object_id" in address.parameters and address.name and address.model not in closed:
            assert outsider.get(address.path(globex)).status_code in (404, 405), address


def test_who_is_not_logged_in_sees_and_changes_nothing(acme: Any) -> None:
    client = Client()
    with unchanged() as check:
        for address in walk.addresses():
            if address.route.startswith("media/"):
                continue  # what shoppers see
            for answer in requests_to(client, address, acme):
                allowed = (200,) if address.name in PUBLIC else (302, 401, 403, 404, 405)
                assert answer.status_code in allowed, f"{address}: {answer.status_code}"
                if answer.status_code == 302:
                    assert answer.url.startswith(("/admin/login/", "/accounts/login/")), address
                assert "acme" not in body_of(answer), address
            check(address)


def test_a_viewer_sees_the_own_shop_and_changes_nothing(acme: Any, globex: Any, person: Any, staff: Client) -> None:
    client, seen = person("viewer", acme), 0
    with unchanged() as check:
        for address in walk.addresses():
            for answer in requests_to(client, address, acme, staff):
                assert answer.status_code in (200, 302, 400, *NOT_THERE, 422), f"{address}: {answer.status_code}"
                assert "globex" not in body_of(answer), address
                seen += answer.status_code == 200
            check(address)
    assert seen > 30


def test_an_editor_changes_neither_people_nor_hosts(acme: Any, globex: Any, person: Any, staff: Client) -> None:
    client = person("editor", acme)

    def held() -> list[Any]:
        return [
            list(model._default_manager.order_by("pk").values_list()) for model in (Membership, Domain, User, Group)
        ]

    before = held()
    # The paths first, as long as everything is there: an editor may delete some of it.
    for address, path in [(one, one.path(acme)) for one in walk.addresses()]:
        for answer in requests_at(client, address, path, acme, staff):
            assert "globex" not in body_of(answer), address
        assert held() == before, address


def test_lists_show_nothing_of_another_shop_whatever_is_asked(rival: Client, acme: Any, globex: Any) -> None:
    for address in walk.addresses():
        if address.own != "changelist" or address.model is None:
            continue
        queries = ["shop=globex", "q=globex", "o=1&all="]
        queries += [f"{path}__exact={globex.tenant.pk}" for path in walk.paths_to(address.model, Tenant)[:1]]
        for query in queries:
            answer = rival.get(f"{address.path(globex)}?{query}")
            assert "globex" not in body_of(answer), (address, query)


def test_bulk_actions_leave_another_shop_alone(rival: Client, acme: Any, globex: Any, staff: Client) -> None:
    tried = set()
    with unchanged(globex) as check:
        for model, owner in admin.site._registry.items():
            target = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            request: Any = staff.get(target).wsgi_request
            for action in {*owner.get_actions(request), "delete_selected"}:
                chosen = {"action": action, "_selected_action": [str(walk.object_of(model, globex).pk)]}
                answer = rival.post(target, {**walk.form_body(globex), **chosen, "select_across": "1", "index": "0"})
                assert "globex" not in body_of(answer), (target, action)
                check((target, action))
                tried.add(action)
    assert {"archive", "delete_selected"} <= tried


def test_editable_columns_take_no_forged_ids(rival: Client, acme: Any, globex: Any) -> None:
    with unchanged(globex):
        for model, owner in admin.site._registry.items():
            row = {f"form-0-{model._meta.pk.name}": str(walk.object_of(model, globex).pk)}
            data = {f"form-0-{name}": "7" for name in owner.list_editable} | row
            target = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
            if owner.list_editable:
                rival.post(target, {**data, "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save"})


@pytest.mark.parametrize("delete", [False, True])
def test_inline_forms_take_no_forged_ids(delete: bool, acme: Any, globex: Any, rival: Client) -> None:
    """The owner's own forms, with ids of Globex's rows in the inlines."""
    tried = 0
    with unchanged(globex):
        for address in walk.addresses():
            page = rival.get(address.path(acme)) if address.own == "change" else None
            if page is None or page.status_code != 200 or "adminform" not in (page.context or {}):
                continue
            for inline in page.context["inline_admin_formsets"]:
                prefix, model = inline.formset.prefix, inline.formset.model
                row = {f"{prefix}-0-{model._meta.pk.name}": str(walk.object_of(model, globex).pk)}
                row |= {f"{prefix}-0-DELETE": "on"} if delete else {}
                counts = {f"{prefix}-INITIAL_FORMS": "1", f"{prefix}-TOTAL_FORMS": "1"}
                answer = rival.post(address.path(acme), {**walk.forged(walk.posted_by(page)), **counts, **row})
                assert "globex" not in body_of(answer), address
                tried += 1
    assert tried


def test_autocomplete_of_every_field_offers_only_own_rows(rival: Client, acme: Any, globex: Any) -> None:
    asked = 0
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if not field.is_relation or not field.concrete:
                continue
            query = {
                "app_label": model._meta.app_label,
                "model_name": str(model._meta.model_name),
                "field_name": field.name,
            }
            answer = rival.get(reverse("admin:autocomplete"), {**query, "term": ""})
            assert answer.status_code in (200, 403), query
            assert "globex" not in body_of(answer), query
            asked += answer.status_code == 200
    assert asked


def test_the_search_over_everything_finds_only_own_rows(outsider: Client, acme: Any, globex: Any) -> None:
    for term in ("kettle", "glob", "ship", "owner", ".de"):
        for query in ({"s": term}, {"s": term, "extended": "1"}, {"q": term}):
            assert "globex" not in body_of(outsider.get(reverse("admin:search"), query)), query


def test_every_object_has_a_page_for_platform_staff(acme: Any, staff: Client) -> None:
    """The walk's paths are right: staff reach what outsiders don't."""
    reached = 0
    for address in walk.addresses():
        if address.own in ("change", "changelist", "history"):
            answer = staff.get(address.path(acme), follow=True)
            assert answer.status_code == 200, address
            reached += 1
    assert reached > 30


def test_what_the_walk_posts_would_go_through(acme: Any, staff: Client) -> None:
    """A refusal for a field left out would prove nothing: the forged forms are whole."""
    changed = []
    for address in walk.addresses():
        if address.own != "change" or address.model is User:
            continue
        before = walk.fingerprint(acme)
        for data, options in walk.bodies(address, address.path(acme), acme, staff):
            staff.post(address.path(acme), data, **options)
        if walk.difference(before, walk.fingerprint(acme)):
            changed.append(address.model and address.model._meta.model_name)
    assert {"tenant", "product", "knowledgesource", "chatprofile", "picture"} <= set(changed), changed
