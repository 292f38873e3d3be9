"""Where merchants' pictures are: in a bucket, or on a developer's machine in files that the control plane serves."""

from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path

try:
    from botocore.config import Config
    from storages.backends.s3 import S3Storage
except ModuleNotFoundError:  # a developer's machine needs neither
    S3Storage, Config = object, None

FOR_GOOD = "public, max-age=31536000, immutable"
"""A picture's address never shows another one."""


class BucketStorage(S3Storage):  # type: ignore[misc]
    """An S3-compatible bucket whose public address is MEDIA_URL."""

    def get_default_settings(self) -> dict[str, Any]:
        defaults: dict[str, Any] = super().get_default_settings()
        return defaults | {
            "addressing_style": "path",
            "default_acl": None,  # R2 has none: the bucket as a whole is public by its domain
            "file_overwrite": True,  # names are made of fresh ids; looking for one first would be a request more
            "querystring_auth": False,
            "region_name": "auto",
            # Since botocore 1.36 uploads carry a CRC32 trailer, which R2 and its like refuse (boto/boto3#4392).
            "client_config": Config(
                signature_version="s3v4", s3={"addressing_style": "path"},
                request_checksum_calculation="when_required", response_checksum_validation="when_required",
                connect_timeout=5, read_timeout=20,
            ),
        }  # fmt: skip

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_object_parameters(name)
        if name.endswith(".webp"):  # mimetypes knows it from Python 3.13 on
            parameters |= {"ContentType": "image/webp", "CacheControl": FOR_GOOD}
        return parameters


def picture(request: HttpRequest, tenant: object, picture: object, width: int) -> HttpResponse:
    """One of a library's WebP files, on a developer's machine; nothing else of the folder has an address."""
    try:
        with default_storage.open(f"pictures/{tenant}/{picture}/{width}.webp") as file:
            data = file.read()
    except OSError:
        raise Http404 from None
    response = HttpResponse(data, content_type="image/webp")
    response["Cache-Control"] = FOR_GOOD
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # shops are other hosts
    return response


urlpatterns = (
    [path("media/pictures/<uuid:tenant>/<uuid:picture>/<int:width>.webp", picture, name="picture")]
    if settings.LOCAL
    else []
)
