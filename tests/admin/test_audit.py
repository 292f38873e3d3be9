"""The audit log: every change by a person and nothing else, no secrets, for the right eyes only, for good."""

import csv
import io
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog import product_import
from catalog.models import Product
from catalog.shopify import Reading, ReadProduct
from chat.models import QuestionGroup
from tenants.audit import export, recording
from tenants.audit import request as requests
from tenants.audit.changes import LONGEST, readable
from tenants.audit.entries import AppendOnlyError
from tenants.models import AuditEntry, Membership, ShareLink, Tenant
from tests.admin.conftest import logged_in

LOG = reverse("admin:tenants_auditentry_changelist")
EXPORT = reverse("admin:tenants_auditentry_export")


def entries(**wanted: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(**wanted).order_by("pk"))


def saved(client: Client, url: str, form_of: Any, **more: str) -> Any:
    answer = client.post(url, form_of(client.get(url)) | more)
    assert answer.status_code == 302, answer.content[:2000]
    return answer


def rename(client: Client, shop: Any, form_of: Any, name: str = "New name") -> Any:
    return saved(client, reverse("admin:tenants_tenant_change", args=[shop.tenant.pk]), form_of, name=name)


def test_a_change_says_who_what_where_and_in_which_request(acme: Any, owner: Client, form_of: Any) -> None:
    answer = rename(owner, acme, form_of)
    (entry,) = entries()
    assert (entry.actor, entry.actor_name, entry.tenant, entry.tenant_name) == (
        acme.owner, "acme-owner", acme.tenant, "New name",
    )  # fmt: skip
    assert entry.changes == {"name": ["Acme", "New name"]}
    assert (entry.verb, entry.kind, entry.remote_addr) == ("changed", "shop", "127.0.0.1")
    assert entry.cid == answer["X-Request-ID"]
    assert len(entry.cid) == 32


@pytest.mark.parametrize(("sent", "kept"), [("proxy-id.12345", True), ("short", False), ("x" * 65, False),
                                            ("forged id 1234", False), ("a1234567\nERROR", False)])  # fmt: skip
def test_a_request_id_is_taken_over_only_if_well_formed(sent: str, kept: bool, client: Client) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": sent})
    assert (answer["X-Request-ID"] == sent) is kept
    assert requests.WELL_FORMED.fullmatch(answer["X-Request-ID"])


def test_the_address_is_the_one_the_trusted_proxy_saw(acme: Any, owner: Client, form_of: Any, settings: Any) -> None:
    spoofed = {"HTTP_X_FORWARDED_FOR": "1.2.3.4, 9.9.9.9"}
    owner.defaults |= spoofed
    rename(owner, acme, form_of, "One")
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    rename(owner, acme, form_of, "Two")
    assert [entry.remote_addr for entry in entries()] == ["127.0.0.1", "9.9.9.9"]


def test_log_lines_of_a_request_carry_its_id() -> None:
    import logging

    record = logging.LogRecord("x", logging.INFO, "", 0, "said", (), None)
    assert requests.RequestIdFilter().filter(record)
    assert vars(record)["request_id"] == "-"
    from django.test import RequestFactory

    with requests.answering(RequestFactory().get("/", headers={"X-Request-ID": "proxy-id-1"})):
        requests.RequestIdFilter().filter(record)
    assert vars(record)["request_id"] == "proxy-id-1"


def test_bulk_actions_are_told_row_by_row(acme: Any, owner: Client) -> None:
    second = Product.objects.create(tenant=acme.tenant, title="Second", price=1, status="active")
    chosen = {"action": "archive", "_selected_action": [str(acme.product.pk), str(second.pk)]}
    owner.post(reverse("admin:catalog_product_changelist"), chosen)
    assert [entry.changes for entry in entries()] == [{"status": ["active", "archived"]}] * 2
    owner.post(reverse("admin:chat_questiongroup_changelist"),
               {"action": "dismiss", "_selected_action": [str(acme.group.pk)]})  # fmt: skip
    if QuestionGroup.objects.get(pk=acme.group.pk).state == "dismissed":
        assert entries()[-1].changes == {"state": ["open", "dismissed"]}


def test_deleting_many_is_told_for_each_in_one_statement(acme: Any, owner: Client) -> None:
    rows = [Product(tenant=acme.tenant, title=f"P{n}", slug=f"p{n}", price=1) for n in range(30)]
    Product.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as queries:
        owner.post(reverse("admin:catalog_product_changelist"),
                   {"action": "delete_selected", "post": "yes",
                    "_selected_action": [str(row.pk) for row in rows]})  # fmt: skip
    assert len(entries(action=2)) == 30
    inserts = [q["sql"] for q in queries if q["sql"].startswith('INSERT INTO "tenants_auditentry"')]
    assert len(inserts) == 1


def test_groups_permissions_and_passwords_are_told_without_the_hash(acme: Any, staff: Client) -> None:
    group = Group.objects.create(name="Helpers")
    permission = Permission.objects.get(codename="support_tenant")
    staff.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "Helpers", "permissions": permission.pk})
    (entry,) = entries()
    assert list(entry.changes) == ["permissions"]
    assert entry.changes["permissions"][0] == ""
    assert "Can look into every shop" in entry.changes["permissions"][1]
    target = reverse("admin:auth_user_password_change", args=[acme.owner.pk])
    staff.post(target, {"password1": "A-new-pass-1!", "password2": "A-new-pass-1!", "usable_password": "true"})
    acme.owner.refresh_from_db()
    assert acme.owner.check_password("A-new-pass-1!")
    told = entries()[-1]
    assert (told.object_pk, told.changes) == (str(acme.owner.pk), {"password": ["", "(changed)"]})
    assert acme.owner.password not in str([entry.__dict__ for entry in entries()])


def test_no_model_is_forgotten_and_no_secret_is_kept() -> None:
    from auditlog.registry import auditlog

    for config in apps.get_app_configs():
        if config.label in recording.APPS:
            for model in config.get_models():
                label = model._meta.label
                assert auditlog.contains(model) != (label in recording.NOT_COVERED), label
    for model in auditlog.get_models():
        registered = auditlog.get_model_fields(model)
        told = set(registered["include_fields"]) - set(registered["mask_fields"])
        assert not {"password", "token", "token_hash", "secret", "key", "data", "vector"} & told, model
        assert registered["mask_callable"] == "tenants.audit.changes.hidden"


def test_a_new_share_link_is_told_without_its_token(acme: Any, owner: Client) -> None:
    share = reverse("admin:tenants_landing_share", args=[acme.landing.pk])
    assert owner.post(share, {"days": 7}, "application/json").status_code == 200
    link = ShareLink.objects.get()
    (entry,) = entries()
    assert (entry.kind, entry.verb, entry.tenant) == ("share link", "added", acme.tenant)
    assert link.token not in str(entry.__dict__)


def test_what_machines_write_is_not_told(acme: Any) -> None:
    Product.objects.filter(pk=acme.product.pk).update(stock=3)
    acme.product.stock = 4
    acme.product.save()
    acme.tenant.delete()
    assert not entries()


def test_long_texts_are_cut_to_where_they_differ() -> None:
    old = "a" * 5000 + "old ending" + "b" * 5000
    told = readable({"text": (old, old.replace("old ending", "new ending"))}, action=1)["text"]
    assert "old ending" in told[0]
    assert "new ending" in told[1]
    assert all(len(text) < LONGEST + 40 for text in told)
    assert told[0].endswith("(10,010 characters)")
    content = ({"heading": "Old", "text": "Same"}, {"heading": "New", "text": "Same"})
    assert readable({"content": content}, action=1) == {"content.heading": ["Old", "New"]}


def test_nobody_changes_or_deletes_what_was_told(acme: Any, owner: Client, staff: Client, form_of: Any) -> None:
    rename(owner, acme, form_of)
    (entry,) = entries()
    with pytest.raises(AppendOnlyError):
        entry.save()
    for act in (entry.delete, AuditEntry.objects.all().delete, lambda: AuditEntry.objects.update(cid="x")):
        with pytest.raises(AppendOnlyError):
            act()
    change = reverse("admin:tenants_auditentry_change", args=[entry.pk])
    assert staff.get(change).status_code == 200
    assert staff.post(change, {"actor_name": "Somebody else"}).status_code == 403
    assert staff.post(reverse("admin:tenants_auditentry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    assert staff.get(reverse("admin:tenants_auditentry_add")).status_code == 403
    staff.post(LOG, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
    assert entries() == [entry]


def test_entries_outlive_the_person_and_the_shop(
    acme: Any, owner: Client, staff: Client, form_of: Any, rf: Any
) -> None:
    rename(owner, acme, form_of)
    acme.owner.delete()
    with requests.answering(rf.post("/")):
        Tenant.objects.get(pk=acme.tenant.pk).delete()
    told, *others, gone = entries()
    assert "shop" not in {entry.kind for entry in others}  # what went with the shop and its owner
    assert (told.actor, told.actor_name, told.tenant_name) == (None, "acme-owner", "New name")
    assert (gone.verb, gone.kind, gone.tenant_name) == ("deleted", "shop", "New name")
    page = staff.get(LOG + f"?shop={told.tenant_id}")
    assert page.status_code == 200
    assert len(page.context["cl"].result_list) == 2
    assert staff.get(reverse("admin:tenants_auditentry_change", args=[told.pk])).status_code == 200


def test_owners_read_their_own_shop_and_not_where_staff_sit(
    acme: Any, globex: Any, owner: Client, staff: Client, form_of: Any, person: Any
) -> None:
    rename(owner, acme, form_of)
    rename(logged_in(globex.owner), globex, form_of, "Globex secret")
    staff.defaults |= {"REMOTE_ADDR": "10.20.30.40"}
    rename(staff, acme, form_of, "By staff")
    User.objects.create_user("unrelated")
    page = owner.get(LOG).content.decode()
    assert "By staff" in page or "acme" in page.lower()
    assert "Globex" not in page
    assert "10.20.30.40" not in page
    assert "127.0.0.1" in page
    by_staff, theirs = entries(by_staff=True)[0], entries(tenant=globex.tenant)[0]
    detail = owner.get(reverse("admin:tenants_auditentry_change", args=[by_staff.pk]))
    assert detail.status_code == 200
    assert "10.20.30.40" not in detail.content.decode()
    assert owner.get(reverse("admin:tenants_auditentry_change", args=[theirs.pk])).status_code == 404
    for query in ("?shop=globex", "?person=globex-owner", "?request=" + theirs.cid, "?kind=auth.user"):
        assert "Globex" not in owner.get(LOG + query).content.decode()
    text = b"".join(owner.get(EXPORT).streaming_content).decode()  # type: ignore[attr-defined]
    assert "Globex" not in text
    assert "10.20.30.40" not in text
    for role in ("editor", "viewer"):
        assert person(role, acme).get(LOG).status_code == 403
    assert person("owner").get(LOG).status_code in (302, 403)


def test_owners_do_not_read_the_platforms_own_notes(acme: Any, owner: Client, staff: Client) -> None:
    note = AuditEntry(content_type_id=1, object_pk="1", object_repr="internal", action=0, tenant=acme.tenant)
    from django.contrib.contenttypes.models import ContentType

    note.content_type = ContentType.objects.get_for_model(User)
    note.save()
    assert "internal" in staff.get(LOG).content.decode()
    assert "internal" not in owner.get(LOG).content.decode()


def test_staff_filter_by_everything(acme: Any, globex: Any, owner: Client, staff: Client, form_of: Any) -> None:
    answer = rename(owner, acme, form_of)
    rename(staff, globex, form_of, "Other")

    def found(query: str) -> list[str]:
        return [entry.tenant_name for entry in staff.get(LOG + query).context["cl"].result_list]

    assert found("") == ["Other", "New name"]
    assert found("?shop=acme") == ["New name"]
    assert found("?person=acme-owner") == ["New name"]
    assert found("?request=" + answer["X-Request-ID"]) == ["New name"]
    assert found("?kind=tenants.tenant&action=1") == ["Other", "New name"]
    assert found("?kind=catalog.product") == found("?action=2") == found("?shop=nowhere") == []
    assert (
        found("?timestamp_from_0=2001-01-01&timestamp_from_1=00:00&timestamp_to_0=2001-01-02&timestamp_to_1=00:00")
        == []
    )
    assert len(found("?timestamp_from_0=2001-01-01&timestamp_from_1=00:00")) == 2


def test_the_export_is_filtered_and_holds_no_formula(acme: Any, owner: Client, staff: Client, form_of: Any) -> None:
    for name in ("=HYPERLINK(1)", "Fine"):
        rename(owner, acme, form_of, name)
    text = b"".join(staff.get(EXPORT + "?shop=acme").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["shop"] for row in rows] == ["Fine", "'=HYPERLINK(1)"]
    assert rows[0]["changes"] == "name: =HYPERLINK(1) → Fine"
    assert not list(staff.get(EXPORT + "?shop=nowhere").streaming_content)[1:]  # type: ignore[attr-defined]
    for cell in ("=1", "+1", "-1", "@x", "\t=1", "\r=1"):
        assert export.safe(cell).startswith("'")


def test_the_export_goes_through_every_piece_once(acme: Any, staff: Client, monkeypatch: Any) -> None:
    from django.contrib.contenttypes.models import ContentType

    kind = ContentType.objects.get_for_model(Tenant)
    AuditEntry.objects.bulk_create(
        AuditEntry(content_type=kind, object_pk=str(n), object_repr=f"row {n}", action=0) for n in range(25)
    )
    monkeypatch.setattr(export, "PIECE", 10)
    text = b"".join(staff.get(EXPORT).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert sorted(int(row["object id"]) for row in csv.DictReader(io.StringIO(text))) == list(range(25))


def test_an_import_of_many_products_is_told_in_few_statements(acme: Any, rf: Any) -> None:
    reading = Reading(products=[ReadProduct(line=n, slug=f"p-{n}", values={"title": f"P {n}", "price": 100})
                                for n in range(200)])  # fmt: skip
    request = rf.post("/")
    request.user = acme.owner
    with CaptureQueriesContext(connection) as before:
        product_import.store(acme.tenant, reading, dry_run=True)
    with requests.answering(request), CaptureQueriesContext(connection) as after:
        assert product_import.store(acme.tenant, reading).created == 200
    assert len(entries(action=0)) == 200
    assert len(after) <= len(before) + 6
    assert entries()[0].actor == acme.owner


def test_a_role_that_changes_is_told(acme: Any, rf: Any) -> None:
    request = rf.post("/")
    request.user = acme.owner
    with requests.answering(request):
        Membership.objects.filter(tenant=acme.tenant).update(role="editor")
    assert entries()[0].changes == {"role": ["owner", "editor"]}
