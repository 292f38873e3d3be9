"""Makes WebP pictures of what was uploaded: whatever else the file held or was is gone afterwards.

The content decides, not the name or the type that a browser sent. Nothing of the upload itself is ever kept or served,
so that a file which is a picture and a page or a script at once ends as a picture.
"""

import contextlib
import dataclasses
import io
from collections.abc import Iterator
from typing import IO

from django.core.exceptions import ValidationError
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from tenants.models.pictures import SMALLER

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
"""A hundred megabytes once decoded."""
MOST_JPEG_PIXELS = 50_000_000
"""What telephones take; Pillow decodes a JPEG at a fraction of its size, other formats whole."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
WIDTHS = (*SMALLER, 1600)
"""What browsers choose from (storefront.links.srcset)."""
HIGHEST = 2400
QUALITY = 82
FEW_COLOURS = 2048
"""Drawings and logos stay exact, and are smaller so; photographs have more colours."""

WHAT_WORKS = "Upload a JPEG, PNG, WebP, GIF or AVIF picture."
NO_SVG = "SVG pictures can't be uploaded: such a file may hold a script. Export it as PNG or WebP and upload that."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rendering:
    """One picture in several widths, each a whole WebP file; the last is the largest."""

    width: int
    height: int
    files: dict[int, bytes]

    @property
    def bytes(self) -> int:
        return sum(len(data) for data in self.files.values())


def render(file: IO[bytes]) -> Rendering:
    """Raises ValidationError with a sentence for what is no picture, is broken, or is too large to be decoded."""
    with _refusals():
        image = _read(file)
        image.thumbnail((WIDTHS[-1], HIGHEST), Image.Resampling.LANCZOS)
        exact = image.getcolors(FEW_COLOURS) is not None
        widths = [*(width for width in WIDTHS if width < image.width), image.width]
        files = {width: _webp(_scaled(image, width), lossless=exact) for width in widths}
    return Rendering(width=image.width, height=image.height, files=files)


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise ValidationError(_too_many()) from None
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, OverflowError, AttributeError):
        # Whatever else Pillow's decoders raise over a file that breaks off or lies about itself.
        raise ValidationError("This picture is damaged and can't be read. Save it anew and upload that.") from None


def _read(file: IO[bytes]) -> Image.Image:
    """The first picture of the file, upright, in sRGB, without what it said of itself."""
    image = _opened(file)
    jpeg = image.format in ("JPEG", "MPO")
    if image.width * image.height > (MOST_JPEG_PIXELS if jpeg else MOST_PIXELS):
        raise ValidationError(_too_many())
    image.draft("RGB", (HIGHEST, HIGHEST))  # JPEG only: decodes no more than is needed
    image.load()
    image = _in_srgb(ImageOps.exif_transpose(image))
    image.info.clear()
    return image


def _too_many() -> str:
    return (
        f"This picture has too many pixels: at most {MOST_PIXELS // 1_000_000} million "
        f"({MOST_JPEG_PIXELS // 1_000_000} million for a JPEG). Make it smaller and upload that."
    )


def _opened(file: IO[bytes]) -> Image.Image:
    file.seek(0)
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        file.seek(0)
        svg = b"<svg" in file.read(4096).lower()
    raise ValidationError(NO_SVG if svg else f"This file is no picture that can be used here. {WHAT_WORKS}")


def _in_srgb(image: Image.Image) -> Image.Image:
    """What browsers expect of a picture without a profile: a telephone's wide colours would look dull otherwise."""
    profile, mode = image.info.get("icc_profile"), "RGBA" if image.has_transparency_data else "RGB"
    if image.mode.startswith("I"):  # 16 bits of grey, of which a screen shows 8
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        image = image.convert(mode)
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            out = mode if image.mode in ("RGB", "RGBA") else "RGB"
            image = ImageCms.profileToProfile(image, source, target, outputMode=out) or image
    return image if image.mode == mode else image.convert(mode)


def _scaled(image: Image.Image, width: int) -> Image.Image:
    if width == image.width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _webp(image: Image.Image, *, lossless: bool) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=4, lossless=lossless, exif=b"", icc_profile=b"", xmp=b"")
    return out.getvalue()
