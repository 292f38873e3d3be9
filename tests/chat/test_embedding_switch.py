"""From one embedding model to another: at no moment does a shop's record name a model without vectors."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from chat import embedding_switch
from chat.models import EmbeddingState, KnowledgeSource
from controlplane.adapters.errors import AdapterError
from controlplane.adapters.workers_ai import WorkersAI
from controlplane.localcloud import defaults
from controlplane.publishing import cells, delivery
from controlplane.publishing.models import StaleDocument
from storefront.documents import DomainRecord
from tenants.models import Domain, Tenant
from tests.plugins.shops import make_knowledge, make_product
from tests.plugins.stores import Stores

pytestmark = pytest.mark.django_db

OLD, NEW = defaults.EMBEDDING_MODEL, "@test/other-model"


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A second model beside the stand-in's one, with vectors of another length; the models that were called."""
    called: list[str] = []
    real = WorkersAI.embed

    def embed(self: WorkersAI, texts: Any, *, model: str) -> list[list[float]]:
        called.extend([model] * len(texts))
        if model != NEW:
            return real(self, texts, model=model)
        return [[1.0, float(len(text))] for text in texts]

    monkeypatch.setattr(WorkersAI, "embed", embed)
    return called


@pytest.fixture
def shops(stores: Stores, embedded: list[str], shop: Tenant, other_shop: Tenant) -> list[Tenant]:
    for tenant in (shop, other_shop):
        make_knowledge(tenant, body="Words. " * 300)
        make_product(tenant)
    stores.drain()
    embedded.clear()
    return [shop, other_shop]


def answers(stores: Stores, tenant: Tenant) -> int:
    """How many vectors the edge finds by the record that KV holds now. Every chunk must have one."""
    host = Domain.objects.get(tenant=tenant).host
    stored = stores.cloudflare.kv().get([f"domain:{host}"])[f"domain:{host}"]
    assert stored is not None
    model = DomainRecord.from_json(stored).config.embedding_model
    found = stores.turso.execute(
        "SELECT count(*) FROM chunk_vec WHERE tenant_id = ? AND model = ?", [str(tenant.pk), model]
    )
    assert found[0][0] == cells.vectors("default").count(str(tenant.pk)) > 0
    return int(found[0][0] or 0)


def models_in_store(stores: Stores) -> set[str]:
    return {str(row[0]) for row in stores.turso.execute("SELECT DISTINCT model FROM chunk_vec")}


def grace_is_over() -> None:
    EmbeddingState.objects.update(switched_at=timezone.now() - embedding_switch.GRACE - timedelta(seconds=1))


def deliver_a_little(stores: Stores) -> None:
    for name in ("kv", "turso"):
        StaleDocument.objects.filter(parked_at=None).update(due_at="2000-01-01T00:00Z")
        stores.cloudflare.forget_pace()
        delivery.deliver_batch(name)


def test_the_edge_s_model_has_every_vector_at_every_step(
    stores: Stores, shops: list[Tenant], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "BATCH", 1)
    settings.EMBEDDING_MODEL = NEW
    for step in range(40):
        embedding_switch.advance()
        deliver_a_little(stores)
        if step == 10:  # an edit on the way
            KnowledgeSource.objects.filter(tenant=shops[0]).update(body="Other words. " * 400)
        if step == 25:
            grace_is_over()
        for tenant in shops:
            answers(stores, tenant)
    assert set(EmbeddingState.objects.values_list("model", "next_model", "retired_model")) == {(NEW, "", "")}
    assert models_in_store(stores) == {NEW}


def test_once_switched_the_store_equals_a_rebuild(stores: Stores, shops: list[Tenant], settings: Any) -> None:
    settings.EMBEDDING_MODEL = NEW
    for _ in range(3):
        embedding_switch.advance()
        stores.drain()
        grace_is_over()
    lived = stores.contents()
    stores.wipe()
    call_command("republish", "--no-wait", verbosity=0)
    stores.drain()
    assert stores.contents() == lived


def test_each_text_is_embedded_once_by_the_new_model_and_never_again_by_the_old_one(
    stores: Stores, shops: list[Tenant], settings: Any, embedded: list[str]
) -> None:
    settings.EMBEDDING_MODEL = NEW
    for _ in range(4):
        embedding_switch.advance()
        stores.drain()
        grace_is_over()
    assert embedded == [NEW] * sum(cells.vectors("default").count(str(tenant.pk)) for tenant in shops)


def test_old_vectors_stay_while_a_record_may_still_name_them(
    stores: Stores, shops: list[Tenant], settings: Any
) -> None:
    settings.EMBEDDING_MODEL = NEW
    embedding_switch.advance()
    stores.drain()
    embedding_switch.advance()  # switched in the database; KV is not written yet
    grace_is_over()
    embedding_switch.retire()
    delivery.deliver_all("turso")
    assert EmbeddingState.objects.filter(retired_model=OLD).count() == 2
    assert models_in_store(stores) == {OLD, NEW}
    for tenant in shops:
        answers(stores, tenant)


def test_a_chunk_without_its_new_vector_holds_the_switch_back(
    stores: Stores, shops: list[Tenant], settings: Any
) -> None:
    settings.EMBEDDING_MODEL = NEW
    embedding_switch.begin()
    stores.drain()
    stores.turso.execute(
        "DELETE FROM chunk_vec WHERE model = ? AND tenant_id = ?",
        [NEW, str(shops[0].pk)],
    )
    embedding_switch.switch()
    assert dict(EmbeddingState.objects.values_list("tenant", "model")) == {shops[0].pk: OLD, shops[1].pk: NEW}
    stores.drain()
    embedding_switch.switch()
    assert set(EmbeddingState.objects.values_list("model", flat=True)) == {NEW}


def test_a_model_that_fails_leaves_the_shop_with_its_old_one(
    stores: Stores, shops: list[Tenant], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: WorkersAI, texts: Any, *, model: str) -> list[list[float]]:
        raise AdapterError("No such model", permanent=True)

    monkeypatch.setattr(WorkersAI, "embed", refuse)
    settings.EMBEDDING_MODEL = NEW
    embedding_switch.advance()
    delivery.deliver_all("turso")
    embedding_switch.advance()
    assert set(EmbeddingState.objects.values_list("model", flat=True)) == {OLD}
    for tenant in shops:
        answers(stores, tenant)


def test_a_setting_that_goes_back_drops_what_was_begun(
    stores: Stores, shops: list[Tenant], settings: Any, embedded: list[str]
) -> None:
    settings.EMBEDDING_MODEL = NEW
    embedding_switch.advance()
    stores.drain()
    settings.EMBEDDING_MODEL = OLD
    embedding_switch.begin()
    stores.drain()
    assert set(EmbeddingState.objects.values_list("model", "next_model", "retired_model")) == {(OLD, "", "")}
    assert models_in_store(stores) == {OLD}


def test_few_shops_move_at_the_same_time(
    stores: Stores, shops: list[Tenant], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_switch, "AT_ONCE", 1)
    settings.EMBEDDING_MODEL = NEW
    embedding_switch.begin()
    embedding_switch.begin()
    assert EmbeddingState.objects.filter(next_model=NEW).count() == 1


def test_a_new_shop_is_of_the_present_model(
    stores: Stores, embedded: list[str], settings: Any, shop: Tenant, drain: Callable[[], None]
) -> None:
    settings.EMBEDDING_MODEL = NEW
    make_knowledge(shop)
    stores.drain()
    assert EmbeddingState.objects.get().model == NEW
    answers(stores, shop)
