"""Unanswered questions come together by meaning, with the real embedding model."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chat import inbox, retention
from chat.models import ChatProfile, Conversation, QuestionGroup, Turn
from tenants.models import Tenant
from tests.chat.turns import asked
from tests.plugins.cloudflare import CloudflareCloud

pytestmark = pytest.mark.django_db

SAME = [
    ("Do you gift wrap?", "Can you wrap it as a gift?", "Is gift wrapping available?"),
    ("Can I pay with PayPal?", "Do you accept PayPal?"),
    ("Are your mugs microwave safe?", "Can I put the mug in the microwave?"),
    ("Can I bring my dog to the shop?", "Are dogs allowed in the store?"),
    ("Do you sell kayaks?", "Have you got kayaks for sale?"),
    ("Liefern Sie nach Österreich?", "Versand nach Österreich möglich?"),
]


@pytest.fixture(autouse=True)
def model(settings: Any, cloudflare_cloud: CloudflareCloud) -> None:
    from controlplane.localcloud import defaults

    settings.CLOUDFLARE_API_URL = cloudflare_cloud.base_url
    settings.EMBEDDING_MODEL = defaults.EMBEDDING_MODEL


def groups_of(tenant: Tenant) -> list[set[str]]:
    return [{turn.question for turn in group.turns.all()} for group in QuestionGroup.objects.filter(tenant=tenant)]


def test_questions_that_mean_the_same_come_together_and_others_do_not(shop: Tenant) -> None:
    for number in range(3):  # in the order that shoppers ask: mixed
        asked(shop, *(group[number] for group in SAME if number < len(group)))
        inbox.group_new_questions()
    assert sorted(map(sorted, groups_of(shop))) == sorted(sorted(group) for group in SAME)
    group = inbox.with_counts(QuestionGroup.objects.filter(text="Do you gift wrap?")).get()
    assert (group.asked, group.first_at < group.last_at) == (3, True)  # type: ignore[attr-defined]


def test_only_what_no_passage_answered_comes_into_the_inbox(shop: Tenant) -> None:
    for reason in ("refused", "over_budget", "model_down", "search_only"):
        asked(shop, f"About {reason}?", reason=reason)
    asked(shop, "Answered?", answered=True, reason="")
    assert inbox.group_new_questions() == 0


def test_shops_do_not_share_groups(shop: Tenant, other_shop: Tenant) -> None:
    asked(shop, "Do you sell kayaks?")
    asked(other_shop, "Do you sell kayaks?")
    assert inbox.group_new_questions() == 2
    assert [len(groups_of(one)) for one in (shop, other_shop)] == [1, 1]


def test_grouping_again_changes_nothing(shop: Tenant) -> None:
    asked(shop, "Do you sell kayaks?")
    inbox.group_new_questions()
    before = list(QuestionGroup.objects.values())
    assert inbox.group_new_questions() == 0
    assert list(QuestionGroup.objects.values()) == before


def test_a_dismissed_question_stays_away_and_an_answered_one_comes_back_when_the_answer_does_not_help(
    shop: Tenant,
) -> None:
    asked(shop, "Do you sell kayaks?", "Can I pay with PayPal?", "Do you gift wrap?")
    inbox.group_new_questions()
    QuestionGroup.objects.filter(text__contains="kayaks").update(state="dismissed")
    long_ago, now = timezone.now() - timedelta(days=1), timezone.now()
    QuestionGroup.objects.filter(text__contains="PayPal").update(state="answered", answered_at=long_ago)
    QuestionGroup.objects.filter(text__contains="gift").update(state="answered", answered_at=now)
    asked(shop, "Have you got kayaks for sale?", "Do you accept PayPal?", "Can you wrap it as a gift?")
    inbox.group_new_questions()
    states = dict(QuestionGroup.objects.values_list("text", "state"))
    assert states == {
        "Do you sell kayaks?": "dismissed", "Can I pay with PayPal?": "open", "Do you gift wrap?": "answered",
    }  # fmt: skip


def test_groups_of_a_model_that_the_shop_has_left_are_compared_by_the_new_one(shop: Tenant) -> None:
    asked(shop, "Do you sell kayaks?")
    inbox.group_new_questions()
    QuestionGroup.objects.update(embedding_model="old", vector=inbox.packed([1.0, 0.0]))
    asked(shop, "Have you got kayaks for sale?")
    inbox.group_new_questions()
    assert groups_of(shop) == [{"Do you sell kayaks?", "Have you got kayaks for sale?"}]


def test_past_questions_come_newest_first_without_repetitions(shop: Tenant) -> None:
    asked(shop, "Do you sell kayaks?", days_ago=2)
    asked(shop, "do you  sell KAYAKS?", days_ago=1)
    asked(shop, "Have you got kayaks for sale?")
    inbox.group_new_questions()
    assert inbox.past_questions(QuestionGroup.objects.get()) == [
        "Have you got kayaks for sale?",
        "do you  sell KAYAKS?",
    ]


def test_a_conversation_that_is_deleted_takes_its_questions_out_of_the_inbox(shop: Tenant) -> None:
    asked(shop, "Do you sell kayaks?", key="a")
    asked(shop, "Have you got kayaks for sale?", "Do you gift wrap?", key="b")
    inbox.group_new_questions()
    retention.delete_conversations(Conversation.objects.filter(key="b"))
    assert groups_of(shop) == [{"Do you sell kayaks?"}]
    retention.delete_conversations(Conversation.objects.filter(key="a"))
    assert (groups_of(shop), Turn.objects.count()) == ([], 0)


def test_conversations_are_kept_as_long_as_each_shop_wants(shop: Tenant, other_shop: Tenant) -> None:
    ChatProfile.objects.create(tenant=shop, retention_days=7)
    for tenant in (shop, other_shop):
        for days in (3, 10, 100):
            asked(tenant, f"{days} days ago?", days_ago=days)
    asked(shop, "Old?", days_ago=8, key="long")
    asked(shop, "New?", days_ago=1, key="long")
    inbox.group_new_questions()
    assert retention.forget() == 4
    kept = {one: sorted(one.turns.values_list("question", flat=True)) for one in (shop, other_shop)}
    assert kept == {shop: ["3 days ago?", "New?"], other_shop: ["10 days ago?", "3 days ago?"]}
    assert Conversation.objects.filter(turns=None).count() == 0
    assert QuestionGroup.objects.filter(turns=None).count() == 0
