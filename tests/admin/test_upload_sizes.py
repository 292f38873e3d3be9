"""Bodies that are too large are refused before they are read, whatever was said of their size."""

import asyncio
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controlplane import uploads

UPLOAD = reverse("admin:tenants_picture_upload")


class Endless:
    """A body that never ends, as an ASGI server hands it over; counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    async def receive(self) -> dict[str, Any]:
        self.taken += 65_536
        assert self.taken < 400 * uploads.MEGABYTE, "nobody stopped it"
        return {"type": "http.request", "body": b"x" * 65_536, "more_body": True}


def asked(path: str, headers: list[tuple[bytes, bytes]], body: Endless) -> int:
    """The status with which the control plane, as it is deployed, answers."""
    from controlplane.asgi import application

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-type", b"multipart/form-data; boundary=b"), *headers],
        "scheme": "http", "http_version": "1.1", "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    asyncio.run(application(scope, body.receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("path", [UPLOAD, "/admin/login/", "/api/shops/", "/nowhere", *uploads.MOST_BODIES])
def test_five_gigabytes_are_refused_before_they_are_read(path: str) -> None:
    body = Endless()
    assert asked(path, [(b"content-length", str(5 * 1024**3).encode())], body) == 413
    assert body.taken == 0


@pytest.mark.parametrize("path", [UPLOAD, *uploads.MOST_BODIES])
def test_a_body_that_says_nothing_of_its_size_is_cut_off(path: str) -> None:
    body = Endless()
    assert asked(path, [(b"transfer-encoding", b"chunked")], body) == 413
    assert body.taken <= uploads.most(path) + 65_536


def test_uploads_of_several_files_may_be_larger_and_the_path_is_right() -> None:
    assert set(uploads.MOST_BODIES) == {reverse("admin:chat_knowledgesource_upload")}


class Growing(io.RawIOBase):
    """A multipart body whose one file goes on and on; nothing of it is kept in memory."""

    def __init__(self, head: bytes) -> None:
        self.head, self.taken = head, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        assert self.taken < 100 * uploads.MEGABYTE, "nobody stopped it"
        head, self.head = self.head[:size], self.head[size:]
        return head or b"x" * size


def test_a_file_that_grows_too_large_is_not_read_on_whatever_was_said(acme: Any, owner: Client) -> None:
    body = Growing(b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n')
    request: Any = {
        "REQUEST_METHOD": "POST", "PATH_INFO": reverse("admin:chat_knowledgesource_upload"), "wsgi.input": body,
        "CONTENT_TYPE": "multipart/form-data; boundary=b", "CONTENT_LENGTH": str(200 * uploads.MEGABYTE),
    }  # fmt: skip
    answer = owner.request(**request)
    assert answer.status_code == 413
    assert b"10 MB" in answer.content
    assert body.taken < 2 * uploads.MOST_FILE
