"""What a shop holds of what its plan allows: counted under the shop's lock, refused at the limit, told of before.

The models that count are named in settings.COUNTED; each refuses by itself, so that no way in is forgotten.
"""

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction

from controlplane.publishing.models import Publishable, take_turns

NEAR = 80
"""Percent of a limit from which merchants are told."""


class PlanLimitError(ValidationError):
    """The shop's plan has no room for what was to be added; nothing was."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Use:
    """How much of one thing a shop has; `limit` is None where its plan sets none."""

    kind: str
    label: str
    used: int
    limit: int | None

    @property
    def percent(self) -> int:
        """For the bar: at most 100, and 100 only where nothing more fits."""
        if self.limit is None:
            return 0
        return 100 if self.used >= self.limit else min(99, 100 * self.used // self.limit)

    @property
    def room(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def state(self) -> str:
        if self.limit is None or self.percent < NEAR:
            return "fine"
        return "full" if self.used >= self.limit else "near"

    @property
    def warning(self) -> str:
        """A sentence from NEAR percent on, "" before."""
        if self.state == "fine" or self.limit is None:
            return ""
        if self.state == "full":
            return f"Your plan’s {counted(self.limit, self.label)} {be(self.limit)} used: no more can be added."
        return f"{self.used:,} of your plan’s {counted(self.limit, self.label)} are used."


class Counted(Publishable):
    """A model whose rows a plan limits, by whatever way they come: each save of a new row asks for room first."""

    counted_as: ClassVar[str]

    class Meta:
        abstract = True

    @property
    def shop_id(self) -> uuid.UUID:
        tenant_id: uuid.UUID = getattr(self, "tenant_id")  # noqa: B009 - every model of the register has one
        return tenant_id

    @property
    def takes_room(self) -> bool:
        return True

    @classmethod
    def counted(cls) -> models.QuerySet[Any]:
        """The rows that count, of all shops."""
        return cls._base_manager.all()

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using")):
            if self._state.adding and self.takes_room:
                make_room(self.shop_id, self.counted_as)
            super().save(*args, **kwargs)


def use_of(tenant_id: uuid.UUID, kind: str) -> Use:
    return _use(_plan_of(tenant_id), kind, _used(tenant_id, kind))


def uses_of(shop: Any) -> list[Use]:
    """Everything that is counted of a shop, in the register's order."""
    return [_use(shop.limits, kind, _used(shop.pk, kind)) for kind in settings.COUNTED]


def _use(plan: Any, kind: str, used: int) -> Use:
    return Use(kind=kind, label=label_of(kind), used=used, limit=getattr(plan, kind))


def _used(tenant_id: uuid.UUID, kind: str) -> int:
    return model_of(kind).counted().filter(tenant=tenant_id).count()


def make_room(tenant_id: uuid.UUID, kind: str, adding: int = 1) -> Use:
    """Makes sure that `adding` more fit, and keeps other writers of the shop out until the transaction ends.

    Raises PlanLimitError. Call it in the transaction that adds them.
    """
    take_turns([tenant_id])
    use = use_of(tenant_id, kind)
    if use.room is not None and adding > use.room:
        raise PlanLimitError(refusal(use, adding), code="plan_limit")
    return use


def refusal(use: Use, adding: int = 1) -> str:
    has = f"Your plan includes {counted(use.limit or 0, use.label)}, and the shop has {use.used:,}."
    if use.room:
        return f"{has} There is room for {use.room:,} more, not for {adding:,}."
    return f"{has} Remove some first, or ask our support for a larger plan."


ONE = {"own domains": "own domain", "products": "product", "knowledge entries": "knowledge entry"}


def counted(number: int, label: str) -> str:
    return f"{number:,} {ONE.get(label, label) if number == 1 else label}"


def be(number: int) -> str:
    return "is" if number == 1 else "are"


def model_of(kind: str) -> type[Counted]:
    model: type[Counted] = apps.get_model(settings.COUNTED[kind])
    return model


def label_of(kind: str) -> str:
    return {"domains": "own domains", "knowledge": "knowledge entries"}.get(kind, kind)


def warnings_from(shop: Any, counts: Sequence[tuple[str, int]]) -> list[Use]:
    """Of counts that a list has queried already, those near or at the limit of the shop's plan."""
    uses = [_use(shop.limits, kind, used) for kind, used in counts]
    return [use for use in uses if use.state != "fine"]


def _plan_of(tenant_id: uuid.UUID) -> Any:
    plans: Any = apps.get_model("tenants", "Plan")
    return plans.objects.filter(tenants=tenant_id).first() or plans.default()
