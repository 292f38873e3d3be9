"""Pictures in a bucket: what django-storages sends to an S3-compatible server, and the addresses it gives."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile

from controlplane.media import FOR_GOOD, BucketStorage

pytest.importorskip("storages", reason="django-storages is what production keeps pictures with")


class Bucket(http.server.BaseHTTPRequestHandler):
    """As much of S3 as there is to keeping a file. As R2 does, it knows neither checksum trailers nor ACLs."""

    files: dict[str, tuple[bytes, dict[str, str]]]

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"e"')
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        data = self.rfile.read(int(headers["content-length"]))
        if any("checksum" in name or "acl" in name for name in headers) or "chunked" in str(headers):
            self.answer(501, b"<Error><Code>NotImplemented</Code></Error>")
            return
        self.files[self.path] = (data, headers)
        self.answer(200)

    def do_GET(self) -> None:
        found = self.files.get(self.path)
        self.answer(200 if found else 404, found[0] if found else b"")

    do_HEAD = do_GET  # noqa: N815 - the name is http.server's

    def do_DELETE(self) -> None:
        self.files.pop(self.path, None)
        self.answer(204)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def bucket() -> Iterator[str]:
    Bucket.files = {}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_picture_is_kept_read_and_deleted_in_a_bucket(bucket: str) -> None:
    storage = BucketStorage(
        bucket_name="pictures", endpoint_url=bucket, access_key="key", secret_key="secret",
        custom_domain="media.example.com", url_protocol="https:",
    )  # fmt: skip
    name = "pictures/a/b/400.webp"
    assert storage.save(name, ContentFile(b"RIFF")) == name
    ((path, (data, headers)),) = Bucket.files.items()
    assert (path, data) == (f"/pictures/{name}", b"RIFF")
    assert (headers["content-type"], headers["cache-control"]) == ("image/webp", FOR_GOOD)
    assert storage.url(name) == f"https://media.example.com/{name}"
    with storage.open(name) as file:
        assert file.read() == b"RIFF"
    storage.delete(name)
    assert not Bucket.files
    storage.connection.meta.client.close()
