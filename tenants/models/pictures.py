"""Pictures that a shop has uploaded."""

import functools
import logging
from collections.abc import Iterable
from typing import Any

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from uuid_utils.compat import uuid7

from tenants.models.shops import Tenant

NAME_LENGTH = 120
SMALLER = (400, 800)
"""Widths that a picture is kept in beside its own, as far as they are smaller."""

log = logging.getLogger(__name__)


class Picture(models.Model):
    """A picture of a shop's library, kept as WebP in a few widths; `file` is the largest.

    Its address never changes and never shows another picture, so that browsers may keep it for good.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="pictures", verbose_name="shop")
    file = models.FileField(max_length=200, editable=False)
    name = models.CharField(max_length=NAME_LENGTH, help_text="What the file was called; only you see it.")
    alt = models.CharField(
        "description", max_length=300, blank=True,
        help_text="What is to be seen, for people who can't. Suggested wherever the picture is chosen.",
    )  # fmt: skip
    width = models.PositiveIntegerField(editable=False)
    height = models.PositiveIntegerField(editable=False)
    bytes = models.PositiveIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "sha256"], name="one_picture_per_content")]
        indexes = [models.Index(fields=["tenant", "-id"], name="pictures_newest_first")]

    def __str__(self) -> str:
        return self.name

    @property
    def widths(self) -> list[int]:
        return [*(width for width in SMALLER if width < self.width), self.width]

    def name_at(self, width: int) -> str:
        """In the storage. Made of ids alone: nothing that anybody typed is part of a path."""
        return f"pictures/{self.tenant_id}/{self.pk}/{width}.webp"

    @property
    def names(self) -> list[str]:
        return [self.name_at(width) for width in self.widths]

    @property
    def url(self) -> str:
        return str(self.file.url)

    @property
    def thumb(self) -> str:
        return default_storage.url(self.names[0])

    @property
    def mark(self) -> str:
        """What every address of this picture holds, and no other's."""
        return f"/pictures/{self.tenant_id}/{self.pk}/"


@receiver(post_delete, sender=Picture)
def forget_files(sender: type[Picture], instance: Picture, **_: Any) -> None:
    """A signal, since a shop that is deleted takes its pictures along without calling their `delete`."""
    transaction.on_commit(functools.partial(remove_files, instance.names))


def remove_files(names: Iterable[str]) -> None:
    for name in names:
        try:
            default_storage.delete(name)
        except Exception:  # the storage is away: the row is gone, the other files must follow all the same
            log.exception("Could not delete the file %s", name)
