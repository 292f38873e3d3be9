"""Takes shops from one embedding model to another while their chat goes on answering.

A shop's records name the model that the edge asks. Its chunks first get vectors of the new model beside those of the
old one, by the outbox; when none is missing, the records are switched; when no edge location can have an old record,
the old vectors go. At no moment is the model that a record names without vectors.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chat.models import EmbeddingState
from controlplane.publishing import cells
from controlplane.publishing.documents import KV, TURSO
from controlplane.publishing.models import StaleDocument

AT_ONCE = 20
"""Shops that are re-embedded at the same time: a merchant's edit waits behind their documents in the outbox."""

GRACE = timedelta(minutes=10)
"""From the switch to the end of the old vectors: KV shows a write everywhere within about a minute, and the edge may
serve a record for another half."""


def advance() -> None:
    """One step for every shop that has one to take. Raises AdapterError while a vector store is away."""
    retire()
    switch()
    begin()


def begin() -> None:
    wanted = settings.EMBEDDING_MODEL
    # The setting went back before the switch: nothing is to be done but to drop what was begun.
    for state in EmbeddingState.objects.filter(model=wanted).exclude(next_model=""):
        _move(state, next_model="")
    behind = EmbeddingState.objects.exclude(model=wanted).exclude(next_model=wanted)
    free = AT_ONCE - EmbeddingState.objects.exclude(next_model="").filter(next_model=wanted).count()
    for state in behind.order_by("pk")[: max(0, free)]:
        _move(state, next_model=wanted)


def switch() -> None:
    for state in EmbeddingState.objects.exclude(next_model="").select_related("tenant"):
        if _waiting(state, TURSO):
            continue
        if cells.vectors(state.tenant.vector_cell).without(str(state.tenant_id), state.next_model):
            _move(state, next_model=state.next_model, again=True)
        else:
            _move(state, model=state.next_model, next_model="", retired_model=state.model, switched_at=timezone.now())


def retire() -> None:
    old = Q(switched_at__lt=timezone.now() - GRACE)
    for state in EmbeddingState.objects.filter(old).exclude(retired_model=""):
        if not _waiting(state, KV):  # else a record may still name the old model
            _move(state, retired_model="")


def _waiting(state: EmbeddingState, destination: str) -> bool:
    return StaleDocument.objects.filter(tenant=state.tenant_id, destination=destination).exists()


def _move(state: EmbeddingState, *, again: bool = False, **values: object) -> None:
    """Changes the row if nobody else has since it was read, and marks what the change shows on."""
    with transaction.atomic():
        now = EmbeddingState.objects.select_for_update().filter(pk=state.pk).first()
        if now is None or now.wanted != state.wanted or now.model != state.model:
            return
        if again:
            StaleDocument.mark(EmbeddingState.documents_of([now], {"next_model"}))
            return
        for name, value in values.items():
            setattr(now, name, value)
        now.save()
