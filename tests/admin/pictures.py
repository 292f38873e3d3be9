"""Files for upload tests, made on the spot."""

import io
import struct
import zlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from tenants.models import Picture, Tenant
from tenants.pictures.library import prepare


def encoded(
    kind: str = "PNG", size: tuple[int, int] = (1200, 900), colour: Any = (200, 30, 40), **options: Any
) -> bytes:
    out = io.BytesIO()
    Image.new("RGB" if len(colour) == 3 else "RGBA", size, colour).save(out, kind, **options)
    return out.getvalue()


def noise(size: tuple[int, int] = (300, 200)) -> Image.Image:
    """A picture of very many colours."""
    return Image.effect_noise(size, 90).convert("RGB")


def file(name: str = "kettle.png", data: bytes | None = None, kind: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, encoded() if data is None else data, kind)


def add(tenant: Tenant, name: str = "kettle.png", **options: Any) -> Picture:
    """A picture of its own in the shop's library."""
    colour = tuple(zlib.crc32(f"{tenant.pk}{name}".encode()).to_bytes(4)[:3])
    return prepare(tenant, file(name, encoded(colour=colour, **options)), alt=f"{name} of {tenant.slug}").keep()


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose head says that it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
