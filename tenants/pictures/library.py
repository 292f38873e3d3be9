"""Adds an upload to a shop's library: refused with a sentence, found to be there already, or kept."""

import dataclasses
import hashlib
import logging
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.text import get_valid_filename

from tenants.models import Picture, Tenant
from tenants.models.pictures import NAME_LENGTH, remove_files
from tenants.pictures.rendering import MOST_BYTES, Rendering, render

MOST_PICTURES = 2000
"""Of one shop."""

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """An upload that was found good: `keep()` makes it a picture of the library, or gives the one there is."""

    picture: Picture
    rendering: Rendering | None
    """None for a picture that is in the library already."""

    def keep(self) -> Picture:
        if self.rendering is None:
            return self.picture
        for width, data in self.rendering.files.items():
            default_storage.save(self.picture.name_at(width), ContentFile(data))
        try:
            with transaction.atomic():
                self.picture.save(force_insert=True)
        except Exception as error:
            remove_files(self.picture.names)
            known = _known(self.picture.tenant, self.picture.sha256)
            if known is None or not isinstance(error, IntegrityError):
                raise
            return known  # the same picture came twice at once
        return self.picture


def prepare(tenant: Tenant, upload: UploadedFile[Any], alt: str = "") -> Prepared:
    """Raises ValidationError with a sentence that says what to do."""
    if (upload.size or 0) > MOST_BYTES:
        raise ValidationError(f"This picture is too large: at most {MOST_BYTES // 1024 // 1024} MB.")
    if not upload.size:
        raise ValidationError("This file is empty.")
    digest = digest_of(upload)
    if known := _known(tenant, digest):
        return Prepared(picture=known, rendering=None)
    if Picture.objects.filter(tenant=tenant).count() >= MOST_PICTURES:
        raise ValidationError(f"The library is full: at most {MOST_PICTURES:,} pictures. Delete some first.")
    rendering = render(upload)
    picture = Picture(
        tenant=tenant, sha256=digest, name=name_of(upload), alt=alt, width=rendering.width, height=rendering.height,
        bytes=rendering.bytes,
    )  # fmt: skip
    picture.file.name = picture.name_at(rendering.width)
    return Prepared(picture=picture, rendering=rendering)


def _known(tenant: Tenant, digest: str) -> Picture | None:
    found: Picture | None = Picture.objects.filter(tenant=tenant, sha256=digest).first()
    return found


def digest_of(upload: UploadedFile[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


def name_of(upload: UploadedFile[Any]) -> str:
    """What the merchant called the file, for finding it again; no path is ever made of it."""
    try:
        return str(get_valid_filename(upload.name or ""))[:NAME_LENGTH]
    except Exception:  # Django's SuspiciousFileOperation for "", "." and ".."
        return "picture"


def to_json(picture: Picture) -> dict[str, Any]:
    """As the picker shows it."""
    return {
        "id": str(picture.pk), "url": picture.url, "thumb": picture.thumb, "title": picture.name, "alt": picture.alt,
        "width": picture.width, "height": picture.height,
    }  # fmt: skip
