"""The queue of flags: moderators only, one at a time, nothing typed anywhere becomes mark-up."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from tenants.admin.flags import moderators, open_count
from tenants.flags import rules
from tenants.models import ContentRule, Flag, Report, TakenError, Tenant

pytestmark = pytest.mark.django_db
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _no_rules_kept() -> Iterator[None]:
    yield
    rules.forget()


def put(shop: Any, kind: str = "scam", path: str = "/products/x", **more: Any) -> Flag:
    values = {"source": "shopper", "kind": kind, "path": path, "excerpt": "Never came.", "subject": "page", **more}
    flag, _ = Flag.put(shop.tenant, merge=(kind, path), **values)
    return flag


def url(view: str, *args: Any, model: str = "flag") -> str:
    return reverse(f"admin:tenants_{model}_{view}", args=args)


def moderator(name: str) -> tuple[Client, User]:
    user = User.objects.create_superuser(name, password="pass")
    client = Client()
    client.force_login(user)
    return client, user


def listed(page: Any) -> list[str]:
    return [flag.path for flag in page.context["cl"].result_list]


# --- who ---


@pytest.mark.parametrize("role", ["", "viewer", "editor", "owner", "support"])
def test_for_everybody_but_moderators_nothing_is_there(
    role: str, acme: Any, person: Any, colleague: Callable[..., Client]
) -> None:
    flag, rule = put(acme), ContentRule.objects.create(pattern="viagra")
    client = colleague("Support") if role == "support" else person(role, acme) if role else person()
    for model, obj in (("flag", flag), ("contentrule", rule)):
        for view in ("changelist", "add"):
            assert client.get(url(view, model=model)).status_code == 404
        for view in ("change", "history", "delete"):
            assert client.get(url(view, obj.pk, model=model)).status_code == 404
            assert client.post(url(view, obj.pk, model=model), {"do": "take", "post": "yes"}).status_code == 404
        action = {"action": "dismiss", "reason": "x", "_selected_action": [str(obj.pk)]}
        assert client.post(url("changelist", model=model), action).status_code == 404
    assert client.post(url("add", model="contentrule"), {"kind": "word", "pattern": "tea"}).status_code == 404
    flag.refresh_from_db()
    assert (flag.status, ContentRule.objects.count()) == ("open", 1)
    front = client.get(reverse("admin:index")).content.decode()
    assert url("changelist") not in front
    assert "Blocked words" not in front


def test_whoever_is_not_logged_in_is_asked_to(client: Client, acme: Any) -> None:
    answer = client.get(url("change", put(acme).pk))
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (302, reverse("admin:login"))


def test_a_moderator_works_on_the_queue(acme: Any, colleague: Callable[..., Client]) -> None:
    client, flag = colleague("Moderator"), put(acme)
    assert listed(client.get(url("changelist"))) == [flag.path]
    assert client.post(url("change", flag.pk), {"do": "take"}).status_code == 302
    flag.refresh_from_db()
    assert flag.status == "assigned"
    assert url("changelist") in client.get(reverse("admin:index")).content.decode()


def test_merchants_see_no_flag_anywhere_in_their_shop(acme: Any, owner: Client) -> None:
    put(acme, excerpt="A secret of the platform")
    pages = [reverse("admin:index"), reverse("admin:tenants_tenant_change", args=[acme.tenant.pk]),
             reverse("admin:tenants_landing_change", args=[acme.landing.pk]),
             reverse("admin:catalog_product_change", args=[acme.product.pk])]  # fmt: skip
    pages.append(reverse("admin:tenants_auditentry_changelist"))
    for page in pages:
        shown = owner.get(page).content.decode()
        assert "secret of the platform" not in shown
        assert "/flag/" not in shown


# --- the queue ---


def test_open_ones_come_first_by_weight_and_age(acme: Any, globex: Any, staff: Client, admin_user: User) -> None:
    put(acme, "other", "/light")
    put(acme, "scam", "/heavy")
    put(globex, "scam", "/younger")
    put(acme, "illegal", "/done").resolve(admin_user, "Gone")
    put(acme, "counterfeit", "/often")
    for _ in range(9):
        Flag.objects.get(path="/often").again()
    assert listed(staff.get(url("changelist"))) == ["/often", "/heavy", "/younger", "/light"]
    assert listed(staff.get(url("changelist"), {"status": "all"}))[-1] == "/done"
    assert listed(staff.get(url("changelist"), {"status": "resolved"})) == ["/done"]


def test_the_queue_is_filtered_by_whose_source_kind_and_shop(acme: Any, globex: Any) -> None:
    client, user = moderator("mo")
    put(acme, path="/mine").take(user)
    put(acme, "word", "/rule", source="rule")
    put(globex, "illegal", "/other")
    for query, paths in (
        ({"whose": "mine"}, ["/mine"]), ({"whose": "nobody"}, ["/other", "/rule"]),
        ({"source__exact": "rule"}, ["/rule"]), ({"kind__exact": "illegal"}, ["/other"]),
        ({"shop": "globex"}, ["/other"]), ({"q": "acm"}, ["/mine", "/rule"]), ({"shop": "nobody"}, []),
    ):  # fmt: skip
        assert listed(client.get(url("changelist"), query)) == paths


def test_a_long_queue_is_paged_without_counting_it(
    acme: Any, staff: Client, django_assert_max_num_queries: Any
) -> None:
    Flag.objects.bulk_create(
        [Flag(tenant=acme.tenant, path=f"/p{n:03}", merge_key=f"k{n}", weight=n % 3) for n in range(120)]
    )
    with django_assert_max_num_queries(16):
        first = staff.get(url("changelist"))
    seen, page = listed(first), first
    while page.context["cl"].next_link:
        page = staff.get(url("changelist") + page.context["cl"].next_link)
        seen += listed(page)
    assert len(seen) == len(set(seen)) == 120


def test_the_sidebar_counts_what_nobody_has_taken_up_to_ninety_nine(acme: Any, staff: Client, admin_user: User) -> None:
    assert open_count() == ""
    put(acme).take(admin_user)
    put(acme, path="/two")
    assert open_count() == "1"
    Flag.objects.bulk_create([Flag(tenant=acme.tenant, merge_key=f"k{n}") for n in range(120)])
    assert open_count() == "99+"
    assert "99+" in staff.get(reverse("admin:index")).content.decode()


def test_a_flagged_shop_is_found_in_the_list_of_shops(acme: Any, globex: Any, staff: Client, admin_user: User) -> None:
    flag = put(acme)
    shops = reverse("admin:tenants_tenant_changelist")
    assert [shop.slug for shop in staff.get(shops, {"flagged": "yes"}).context["cl"].result_list] == ["acme"]
    flag.dismiss(admin_user, "Fine")
    assert not Tenant.objects.flagged().exists()


# --- taking turns ---


def test_of_two_who_take_it_at_once_one_wins_and_the_other_is_told(acme: Any) -> None:
    (one, ann), (two, _) = moderator("ann"), moderator("bob")
    flag = put(acme)
    one.get(url("change", flag.pk))
    two.get(url("change", flag.pk))
    one.post(url("change", flag.pk), {"do": "take"})
    page = two.post(url("change", flag.pk), {"do": "take"}, follow=True).content.decode()
    assert "Nothing was changed. ann is working on this flag." in page
    flag.refresh_from_db()
    assert flag.assignee == ann
    assert [note.text for note in flag.notes.all()] == ["Took it."]


def test_the_loser_of_a_race_is_told_even_if_they_looked_before(acme: Any) -> None:
    (_, ann), (_, bob) = moderator("ann"), moderator("bob")
    seen_by_ann, seen_by_bob = put(acme), Flag.objects.get()
    seen_by_ann.take(ann)
    for act in (
        lambda: seen_by_bob.take(bob), lambda: seen_by_bob.give_back(bob), lambda: seen_by_bob.resolve(bob, "x"),
        lambda: seen_by_bob.dismiss(bob, "x"), lambda: seen_by_bob.assign(bob, bob), lambda: seen_by_bob.reopen(bob),
    ):  # fmt: skip
        with pytest.raises(TakenError, match="ann is working on this"):
            act()
    seen_by_ann.resolve(ann, "Removed by the merchant")
    with pytest.raises(TakenError, match="resolved already"):
        seen_by_bob.take(bob)


def test_a_flag_is_given_back_handed_on_noted_closed_and_opened_again(acme: Any) -> None:
    (client, ann), (_, bob) = moderator("ann"), moderator("bob")
    flag = put(acme)

    def do(what: str, **more: Any) -> Flag:
        assert client.post(url("change", flag.pk), {"do": what, **more}).status_code == 302
        flag.refresh_from_db()
        return flag

    assert do("take").assignee == ann
    assert (do("give_back").status, flag.assignee) == ("open", None)
    assert do("assign", to=bob.pk, seen="").assignee == bob
    do("assign", to=ann.pk, seen="")  # as it was seen: nobody's
    assert flag.assignee == bob
    assert do("assign", to=ann.pk, seen=bob.pk).assignee == ann
    do("note", note="Asked the merchant.")
    assert (do("resolve", reason="Taken down").status, flag.closed, flag.outcome) == ("resolved", True, "Taken down")
    assert (do("reopen").status, flag.closed, flag.assignee) == ("open", False, None)
    assert [note.author for note in flag.notes.all()] == [ann] * 7
    assert "Asked the merchant." in [note.text for note in flag.notes.all()]


def test_closing_needs_a_reason_and_a_note_words(acme: Any, staff: Client) -> None:
    flag = put(acme)
    for data in ({"do": "resolve"}, {"do": "dismiss", "reason": "  "}, {"do": "note", "note": ""}, {"do": "assign"}):
        page = staff.post(url("change", flag.pk), data)
        assert (page.status_code, "Please fill this in." in page.content.decode()) == (200, True)
    flag.refresh_from_db()
    assert (flag.status, flag.notes.count()) == ("open", 0)


def test_a_flag_is_given_only_to_those_who_may_moderate(acme: Any, colleague: Any, staff: Client) -> None:
    colleague("Moderator")
    colleague("Support")
    assert {user.username.split("-")[0] for user in moderators()} == {"moderator", "staff"}
    flag = put(acme)
    page = staff.post(url("change", flag.pk), {"do": "assign", "to": acme.owner.pk, "seen": ""})
    assert page.status_code == 200
    flag.refresh_from_db()
    assert flag.assignee is None


def test_several_are_taken_and_dismissed_at_once_but_not_those_of_others(acme: Any) -> None:
    (client, _ann), (_, bob) = moderator("ann"), moderator("bob")
    flags = [put(acme, path=f"/{n}") for n in range(3)]
    flags[0].take(bob)
    chosen = {"_selected_action": [str(flag.pk) for flag in flags]}
    page = client.post(url("changelist"), {"action": "take", **chosen}, follow=True).content.decode()
    assert "2 flags are yours now." in page
    assert "1 flag was left alone" in page
    asked = client.post(url("changelist"), {"action": "dismiss", **chosen})
    assert "Why are they dismissed?" in asked.content.decode()
    assert not Flag.objects.filter(closed=True).exists()
    client.post(url("changelist"), {"action": "dismiss", "reason": "Spam", **chosen})
    found = dict(Flag.objects.values_list("path", "status"))
    assert found == {"/0": "assigned", "/1": "dismissed", "/2": "dismissed"}
    assert Flag.objects.get(path="/0").assignee == bob


# --- what is shown ---


def test_what_anybody_typed_is_shown_as_text(acme: Any, staff: Client, admin_user: User) -> None:
    Tenant.objects.filter(pk=acme.tenant.pk).update(name=SCRIPT)
    flag = put(acme, path="/" + SCRIPT, excerpt=SCRIPT)
    Report.objects.create(id=uuid7(), flag=flag, reporter="a", text=SCRIPT, email=SCRIPT, at=timezone.now())
    flag.notes.create(author=admin_user, text=SCRIPT)
    put(acme, path='/"' + SCRIPT)
    flag.dismiss(admin_user, SCRIPT)
    ContentRule.objects.create(pattern=SCRIPT, note=SCRIPT)
    for page in (url("changelist") + "?status=all", url("change", flag.pk), url("changelist", model="contentrule")):
        shown = staff.get(page).content.decode()
        assert "&lt;script&gt;" in shown
        assert "<script>alert" not in shown
    chosen = {"action": "dismiss", "_selected_action": [str(one.pk) for one in Flag.objects.all()]}
    assert "<script>alert" not in staff.post(url("changelist"), chosen).content.decode()


def test_a_flag_leads_to_the_shop_the_page_and_what_is_edited(acme: Any, staff: Client) -> None:
    shown = staff.get(url("change", put(acme).pk)).content.decode()
    assert reverse("admin:tenants_tenant_change", args=[acme.tenant.pk]) in shown
    assert "http://acme.localhost:8787/products/x" in shown
    product = put(acme, "word", "Product", subject="product", subject_id=str(acme.product.pk), source="rule")
    assert reverse("admin:catalog_product_change", args=[acme.product.pk]) in staff.get(
        url("change", product.pk)
    ).content.decode()  # fmt: skip
    odd = put(acme, "word", "Odd", subject="product", subject_id="no/id", source="rule")
    assert staff.get(url("change", odd.pk)).status_code == 200


def test_staff_raise_a_flag_themselves(acme: Any, globex: Any) -> None:
    client, user = moderator("mo")
    data = {"tenant": acme.tenant.pk, "kind": "illegal", "path": "/", "excerpt": "Sells protected animals."}
    for _ in range(2):
        assert client.post(url("add"), data).status_code == 302
    assert client.post(url("add"), data | {"kind": "script"}).status_code == 200
    one, other = Flag.objects.all()
    assert (one.tenant, one.source, one.status, one.weight > 0) == (acme.tenant, "staff", "open", True)
    assert one.notes.get().author == other.notes.get().author == user


def test_rules_are_kept_by_moderators_and_hold_at_once(acme: Any, staff: Client) -> None:
    data = {"kind": "word", "pattern": "Viagra", "severity": "refuse", "language": "", "note": ""}
    assert staff.post(url("add", model="contentrule"), data).status_code == 302
    assert [hit.refused for hit in rules.current().hits("viagra", "en")] == [True]
    again = staff.post(url("add", model="contentrule"), data)
    assert "This is blocked already." in again.content.decode()
    chosen = {"action": "delete_selected", "post": "yes", "_selected_action": [str(ContentRule.objects.get().pk)]}
    staff.post(url("changelist", model="contentrule"), chosen)
    assert not [*rules.current().hits("viagra", "en")]


def test_a_made_up_id_is_not_there(staff: Client) -> None:
    assert staff.get(url("change", "0198b0c0-0000-7000-8000-000000000000")).status_code == 404
    assert staff.get(url("change", "no-id")).status_code == 404
