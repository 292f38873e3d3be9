"""What strangers and merchants with bad intentions try on the admin: each is tried at every address there is."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.test import Client
from django.urls import reverse
from django.utils.http import urlencode

from chat import imports
from chat.models import KnowledgeSource
from tests.admin import walk
from tests.admin.conftest import logged_in
from tests.admin.test_url_walk import body_of, unchanged
from tests.chat import files

LOGIN = reverse("account_login")
COOKIE = settings.SESSION_COOKIE_NAME


def client_of(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


# Sessions.


@pytest.fixture
def may_log_in(acme: Any) -> dict[str, str]:
    """What the owner types."""
    User.objects.filter(pk=acme.owner.pk).update(email="owner@acme.example")
    acme.owner.emailaddress_set.create(email="owner@acme.example", verified=True, primary=True)
    return {"login": "owner@acme.example", "password": "pass"}


def test_a_session_planted_before_the_login_is_not_the_one_after_it(may_log_in: dict[str, str]) -> None:
    attacker = Client()
    attacker.session.save()
    planted = attacker.session.session_key or ""
    victim = Client()
    victim.cookies[COOKIE] = planted
    answer = victim.post(LOGIN, may_log_in)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    assert victim.session.session_key != planted
    assert victim.get(reverse("admin:index")).status_code == 200
    attacker.cookies[COOKIE] = planted
    assert attacker.get(reverse("admin:index")).status_code == 302


def test_a_session_id_that_a_stranger_made_up_is_not_taken(may_log_in: dict[str, str]) -> None:
    victim = Client()
    victim.cookies[COOKIE] = "a" * 32
    victim.post(LOGIN, may_log_in)
    assert victim.cookies[COOKIE].value != "a" * 32


def test_a_session_ends_with_the_logout_and_with_a_new_password(acme: Any) -> None:
    kept, left = client_of(acme.owner), client_of(acme.owner)
    stolen = left.cookies[COOKIE].value
    left.post(reverse("admin:logout"))
    thief = Client()
    thief.cookies[COOKIE] = stolen
    assert thief.get(reverse("admin:index")).status_code == 302
    acme.owner.set_password("another")
    acme.owner.save()
    assert kept.get(reverse("admin:index")).status_code == 302


# Requests that another site makes the merchant's browser send.


def test_nothing_is_posted_without_the_form_s_token(acme: Any) -> None:
    walk.complete(acme)
    client = client_of(acme.owner, enforce_csrf_checks=True)
    with unchanged() as check:
        for address in walk.addresses():
            for data, options in walk.bodies(address, address.path(acme), acme):
                answer = client.post(address.path(acme), data, **options)
                # Pages that take no POST at all say so, or that there are none, without looking at it.
                assert answer.status_code in (403, 404, 405), f"{address}: {answer.status_code}"
            check(address)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example"])
def test_the_right_token_from_another_site_is_refused(origin: str, acme: Any) -> None:
    client = client_of(acme.owner, enforce_csrf_checks=True)
    target = reverse("admin:catalog_product_delete", args=[acme.product.pk])
    client.get(target)
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    with unchanged():
        answer = client.post(target, {"post": "yes", "csrfmiddlewaretoken": token}, headers={"origin": origin})
        assert answer.status_code == 403
    assert client.post(target, {"post": "yes", "csrfmiddlewaretoken": token}).status_code == 302  # from our own page


# Frames and headers.


def test_no_page_can_be_framed_and_none_is_guessed_to_be_something_else(acme: Any, staff: Client) -> None:
    walk.complete(acme)
    seen = 0
    for client in (logged_in(acme.owner), staff, Client()):
        for address in walk.addresses():
            answer = client.get(address.path(acme))
            answer.close()
            assert answer["X-Content-Type-Options"] == "nosniff", address
            if answer.status_code == 200 and "html" in answer["Content-Type"]:
                assert answer["X-Frame-Options"] == "DENY", address
                policy = {one.strip() for one in answer["Content-Security-Policy"].split(";")}
                assert {"frame-ancestors 'none'", "object-src 'none'", "script-src 'self' 'unsafe-eval'"} <= policy
                seen += 1
    assert seen > 60


# Links that lead away.

ELSEWHERE = (
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "http:evil.example", "https:///evil.example", "javascript:alert(1)", "data:text/html,evil", "\thttps://evil.example",
    "/%09/evil.example",
)  # fmt: skip
ASKS = ("next", "redirect", "redirect_to", "url", "return", "return_to", "continue", "back", "_changelist_filters")


def leads_away(answer: Any) -> bool:
    target = answer.get("Location", "").replace("\\", "/").strip()
    return bool(re.match(r"(?i)(?:[a-z]+:|//)", target)) and not target.startswith("http://testserver/")


@pytest.mark.parametrize("page", [LOGIN, reverse("admin:login"), reverse("admin:logout"), reverse("account_logout")])
def test_logging_in_and_out_leads_nowhere_else(page: str, acme: Any) -> None:
    acme.owner.emailaddress_set.create(email="owner@acme.example", verified=True, primary=True)
    login = {"username": "acme-owner", "login": "owner@acme.example", "password": "pass"}
    for address in ELSEWHERE:
        for client in (Client(), client_of(acme.owner)):
            assert not leads_away(client.get(f"{page}?{urlencode({'next': address})}")), address
            assert not leads_away(client.post(page, {**login, "next": address})), address
            assert not leads_away(client.post(f"{page}?{urlencode({'next': address})}", login)), address


def test_no_address_leads_where_its_query_says(acme: Any) -> None:
    walk.complete(acme)
    owner = logged_in(acme.owner)
    query = urlencode(dict.fromkeys(ASKS, "https://evil.example/"))
    for address in walk.addresses():
        answer = owner.get(f"{address.path(acme)}?{query}")
        answer.close()
        assert not leads_away(answer), address
    target = reverse("admin:catalog_product_change", args=[acme.product.pk])
    for name in ASKS:
        answer = owner.post(f"{target}?{urlencode({name: '//evil.example/'})}", walk.posted_by(owner.get(target)))
        assert not leads_away(answer), name


# Words that would be scripts.

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
RAW = re.compile(r"<script>alert|<img src=x|\"'><img")
KEPT = {
    "currency", "locale", "timezone", "password", "realtime_cell", "vector_cell", "destination", "key", "revision",
    "token", "token_hash", "slug_hash", "sha256", "codename", "model", "file", "subject", "text_model", "object_pk",
    "Domain.reason", "Domain.hostname_id",
}  # fmt: skip
"""Text that no person types, or that a page could not be shown without."""


def texts_of(model: type[models.Model]) -> Iterator[models.Field[Any, Any]]:
    for field in model._meta.concrete_fields:
        typed = isinstance(field, models.CharField | models.TextField) and not field.choices and not field.primary_key
        if typed and not KEPT & {field.name, f"{model.__name__}.{field.name}"}:
            yield field


def spoil(row: models.Model) -> None:
    """Writes the hostile words into every text of the row, past every check."""
    texts = {field.name: HOSTILE[: field.max_length or None] for field in texts_of(type(row))}
    if texts:
        models.QuerySet(type(row)).filter(pk=row.pk).update(**texts)


@pytest.fixture
def hostile(acme: Any) -> Any:
    """Every text of every model that the admin shows is hostile, and so is what the log says of it."""
    walk.complete(acme)
    paths = [(address, address.path(acme)) for address in walk.addresses()]
    for model in admin.site._registry:
        row = walk.object_of(model, acme)
        spoil(row)
        LogEntry.objects.create(
            user=acme.owner, content_type=ContentType.objects.get_for_model(model), object_id=str(row.pk),
            object_repr=HOSTILE, action_flag=CHANGE, change_message=HOSTILE,
        )  # fmt: skip
    spoil(acme.section)
    acme.paths = [(address, path) for address, path in paths if "slug" not in address.parameters]
    acme.owner.refresh_from_db()
    return acme


@pytest.mark.parametrize("who", ["owner", "staff"])
def test_words_stay_words_wherever_they_are_shown(who: str, hostile: Any, staff: Client) -> None:
    """In lists, forms, histories, diffs, previews, delete confirmations and whatever else has an address."""
    client, seen = {"owner": logged_in(hostile.owner), "staff": staff}[who], 0
    for address, path in hostile.paths:
        answer = client.get(path, follow=True)
        text = body_of(answer)
        if "html" in answer["Content-Type"]:
            assert not RAW.search(text), address
            seen += "&lt;script&gt;" in text
        elif "json" in answer["Content-Type"]:
            assert not RAW.search(str(answer.json().get("html", "") if isinstance(answer.json(), dict) else "")), (
                address
            )
    assert seen > 25


def test_words_stay_words_in_messages(hostile: Any, staff: Client) -> None:
    said = 0
    for address, path in hostile.paths:
        if address.own not in ("change", "delete") or address.model is User:
            continue
        page = staff.get(path)
        if page.status_code != 200 or not page.context:
            continue
        posted = walk.posted_by(page) if "adminform" in page.context else {"post": "yes"}
        text = body_of(staff.post(path, posted, follow=True))
        assert not RAW.search(text), address
        said += "&lt;script&gt;" in text
    assert said > 5


def test_a_document_that_unpacks_to_gigabytes_is_refused_in_words(acme: Any, owner: Client) -> None:
    bomb = files.word_with(b"<w:document>" + b"\0" * 200_000_000)
    upload = SimpleUploadedFile("bomb.docx", bomb, "application/zip")
    owner.post(reverse("admin:chat_knowledgesource_upload"), {"documents": upload, "tenant": str(acme.tenant.pk)})
    source = KnowledgeSource.objects.get(title="bomb")
    imports.read_source(source.pk)
    source.refresh_from_db()
    assert (source.body, source.reading) == ("", "failed")
    page = owner.get(reverse("admin:chat_knowledgesource_change", args=[source.pk])).content.decode()
    assert "far more" in page
