"""Which embedding model a shop's vectors are of, and the careful way from one to another."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.module_loading import import_string

from controlplane.publishing.models import OwnedDocument, Publishable
from tenants.models import pages_of_tenants


class EmbeddingState(Publishable):
    """One row a shop with vectors.

    `model` is the one that the shop's records name and the edge asks. While `next_model` is set, every chunk gets a
    vector of it too; once none is missing the two trade places, and `retired_model` keeps its vectors until no
    edge location can have an old record.
    """

    tenant = models.OneToOneField("tenants.Tenant", models.CASCADE, related_name="embedding", primary_key=True)
    model = models.CharField(max_length=100)
    next_model = models.CharField(max_length=100, blank=True)
    retired_model = models.CharField(max_length=100, blank=True)
    switched_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.model}"

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        """None for a row that appears: it is born with a shop's first vectors, of the model its records name."""
        tenants = [row.tenant_id for row in rows]
        if fields and "model" in fields:
            yield from pages_of_tenants(tenants)
        if fields and {"next_model", "retired_model"} & set(fields):
            for path in settings.TENANT_DOCUMENTS:
                yield from (one for one in import_string(path)(tenants) if one[1].destination == "turso")

    @property
    def wanted(self) -> tuple[str, ...]:
        """The models that every chunk needs a vector of, the answering one first."""
        return tuple(dict.fromkeys(filter(None, (self.model, self.next_model, self.retired_model))))

    @classmethod
    def answering(cls, tenant_id: uuid.UUID) -> str:
        """The model that this shop's questions are embedded with."""
        found = cls.objects.filter(tenant=tenant_id).values_list("model", flat=True).first()
        return found or str(settings.EMBEDDING_MODEL)


def models_of(tenant_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """By tenant id, the models to embed with. Called before vectors are written: a shop gets its row here, so that a
    later change of settings.EMBEDDING_MODEL finds out which vectors there are."""
    ids = {uuid.UUID(one) for one in tenant_ids}
    found = {state.tenant_id: state for state in EmbeddingState.objects.filter(tenant__in=ids)}
    if missing := sorted(ids - set(found)):
        new = [EmbeddingState(tenant_id=id_, model=settings.EMBEDDING_MODEL) for id_ in missing]
        EmbeddingState.objects.bulk_create(new, ignore_conflicts=True)
        found |= {state.tenant_id: state for state in EmbeddingState.objects.filter(tenant__in=missing)}
    return {str(id_): state.wanted for id_, state in found.items()}
