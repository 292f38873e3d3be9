"""What the edge wrote comes home once, whatever happens on the way."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chat import telemetry as collecting
from chat.models import Conversation, Turn, Usage
from controlplane.adapters.errors import AdapterError
from controlplane.adapters.turso import TursoDatabase
from tenants.models import Tenant
from tests.chat.turns import ms, rate, write

pytestmark = pytest.mark.django_db


def left(database: TursoDatabase, table: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM {table}")[0][0] or 0)


def test_turns_come_home_with_their_conversation_and_leave_the_edge(
    telemetry_database: TursoDatabase, shop: Tenant
) -> None:
    first = write(telemetry_database, shop, "Do you ship?")
    write(telemetry_database, shop, "And to France?", turn_no=2, answered=0, reason="no_passage", answer="")
    assert collecting.collect() == 2
    conversation = Conversation.objects.get(tenant=shop)
    one, two = conversation.turns.all()
    assert (str(one.pk), one.question, one.answer, one.answered, one.sources[0]["score"]) == (
        first, "Do you ship?", "Yes.", True, 0.7,
    )  # fmt: skip
    assert (two.reason, two.answered, conversation.started_at, conversation.last_at) == (
        "no_passage",
        False,
        one.at,
        two.at,
    )
    assert left(telemetry_database, "turn") == 0


def test_collecting_again_after_a_crash_before_the_deletion_changes_nothing(
    telemetry_database: TursoDatabase, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(telemetry_database, shop)

    def crash(*_: Any) -> None:
        raise AdapterError("gone", permanent=False)

    monkeypatch.setattr(collecting, "delete_rows", crash)
    with pytest.raises(AdapterError):
        collecting.collect()
    monkeypatch.undo()
    assert left(telemetry_database, "turn") == 1
    before = list(Turn.objects.values())
    assert collecting.collect() == 0
    assert (list(Turn.objects.values()), Conversation.objects.count()) == (before, 1)
    assert left(telemetry_database, "turn") == 0


def test_many_turns_are_collected_in_rounds(
    telemetry_database: TursoDatabase, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "ROWS", 3)
    for number in range(8):
        write(telemetry_database, shop, conversation_id=f"c{number % 2}")
    assert collecting.collect() == 8
    assert Conversation.objects.count() == 2


def test_two_shops_may_call_their_conversations_alike(
    telemetry_database: TursoDatabase, shop: Tenant, other_shop: Tenant
) -> None:
    write(telemetry_database, shop)
    write(telemetry_database, other_shop)
    collecting.collect()
    assert [c.turns.count() for c in Conversation.objects.filter(key="c1")] == [1, 1]


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "no uuid"}, {"tenant_id": "no uuid"}, {"tenant_id": str(uuid.uuid4())}, {"at": 10**18}, {"question": ""},
        {"sources": "[1, 2]", "question": "\0"},
    ],
)  # fmt: skip
def test_a_row_that_no_turn_can_be_made_of_is_dropped_and_the_others_are_kept(
    telemetry_database: TursoDatabase, shop: Tenant, broken: dict[str, Any]
) -> None:
    write(telemetry_database, shop, **broken)
    write(telemetry_database, shop, "Good")
    collecting.collect()
    assert [turn.question for turn in Turn.objects.all()] == ["Good"]
    assert left(telemetry_database, "turn") == 0


def test_what_a_shopper_typed_is_cut_and_cleaned(telemetry_database: TursoDatabase, shop: Tenant) -> None:
    write(
        telemetry_database, shop, "<script>\0" + "x" * 9_000, answer="y" * 90_000, conversation_id="k" * 500,
        reason="weird",
        lang="l" * 99, tokens_in=-5, tokens_out=10**12, sources='[{"kind": "k", "id": 5, "score": 1}, 7, null]',
        at=ms(timezone.now() + timedelta(days=400)),
    )  # fmt: skip
    collecting.collect()
    turn = Turn.objects.get()
    assert turn.question.startswith("<script>x")
    assert (len(turn.question), len(turn.answer), len(turn.conversation.key)) == (2_000, 20_000, 64)
    assert (turn.reason, len(turn.lang), turn.tokens_in, turn.tokens_out) == ("", 16, 0, 2**31 - 1)
    assert turn.sources == [{"kind": "k", "id": "5", "score": 1.0}]
    assert turn.at <= timezone.now()


def test_ratings_follow_their_turns_also_when_they_change(telemetry_database: TursoDatabase, shop: Tenant) -> None:
    turn_id = write(telemetry_database, shop)
    rate(telemetry_database, turn_id, shop, 1)
    collecting.collect()
    assert Turn.objects.get().rating == 1
    assert left(telemetry_database, "rating") == 0
    rate(telemetry_database, turn_id, shop, -1)
    collecting.collect()
    assert Turn.objects.get().rating == -1


def test_a_rating_before_its_turn_waits_and_one_without_a_turn_goes_after_a_day(
    telemetry_database: TursoDatabase, shop: Tenant
) -> None:
    turn_id = str(uuid.uuid4())
    rate(telemetry_database, turn_id, shop, 1)
    rate(telemetry_database, str(uuid.uuid4()), shop, 1, at=timezone.now() - timedelta(days=2))
    collecting.collect()
    assert left(telemetry_database, "rating") == 1
    write(telemetry_database, shop, id=turn_id)
    collecting.collect()
    assert (Turn.objects.get().rating, left(telemetry_database, "rating")) == (1, 0)


def test_ratings_of_turns_that_never_were_do_not_hold_up_the_others(
    telemetry_database: TursoDatabase, shop: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "ROWS", 2)
    for _ in range(5):
        rate(telemetry_database, str(uuid.uuid4()), shop, 1, at=timezone.now() - timedelta(hours=1))
    turn_id = write(telemetry_database, shop)
    rate(telemetry_database, turn_id, shop, -1)
    collecting.collect()
    assert (Turn.objects.get().rating, left(telemetry_database, "rating")) == (-1, 5)


def test_a_rating_in_another_shops_name_changes_nothing(
    telemetry_database: TursoDatabase, shop: Tenant, other_shop: Tenant
) -> None:
    turn_id = write(telemetry_database, shop)
    rate(telemetry_database, turn_id, other_shop, -1)
    collecting.collect()
    assert Turn.objects.get().rating is None


def test_usage_is_copied_while_the_edge_counts_on_and_leaves_after_a_week(
    telemetry_database: TursoDatabase, shop: Tenant
) -> None:
    today, past = timezone.now().date(), timezone.now().date() - timedelta(days=9)
    for day, messages in ((today, 3), (past, 7)):
        telemetry_database.execute("INSERT INTO usage VALUES (?, ?, ?, 100)", [str(shop.pk), day.isoformat(), messages])
    telemetry_database.execute("INSERT INTO usage VALUES ('nobody', 'never', 1, 1)")
    collecting.collect()
    telemetry_database.execute("UPDATE usage SET messages = 4 WHERE day = ?", [today.isoformat()])
    collecting.collect()
    assert dict(Usage.objects.values_list("day", "messages")) == {today: 4, past: 7}
    assert [row[0] for row in telemetry_database.execute("SELECT day FROM usage WHERE day < 'a'")] == [
        today.isoformat()
    ]
