"""A merchant names an address; the platform must not be led anywhere but to that page on the public web."""

import contextlib
import gzip
import http.server
import ipaddress
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from controlplane.adapters.public_addresses import Address, is_public
from controlplane.adapters.web_pages import MAX_BYTES, Page, PageError, Web

PUBLIC, PRIVATE = "127.0.0.1", "127.0.0.9"
"""Both are this machine; to the tests only the first one is public."""

PAGE = b"<html><title>Hi</title><p>Words</p></html>"

Handler = Callable[[http.server.BaseHTTPRequestHandler], None]


class Site:
    """A web server whose paths are answered by functions; `seen` are the requests that came."""

    def __init__(self, host: str = PUBLIC, port: int = 0) -> None:
        self.paths: dict[str, Handler] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        site = self

        class Answering(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.seen.append((self.path, dict(self.headers)))
                with contextlib.suppress(ConnectionError):
                    site.paths.get(self.path, missing)(self)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer((host, port), Answering)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def missing(request: http.server.BaseHTTPRequestHandler) -> None:
    answer(404)(request)


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Handler:
    def send(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Type": "text/html; charset=utf-8", **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return send


def endless(piece: bytes, **headers: str) -> Handler:
    def send(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        for name, value in {"Content_Type": "text/html", **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        while True:
            request.wfile.write(piece)

    return send


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def inner(site: Site) -> Iterator[Site]:
    """A service on the private address, at the same port: nothing may ever reach it."""
    inner = Site(PRIVATE, site.port)
    inner.paths["/secret"] = answer(200, b"secret")
    inner.paths["/robots.txt"] = answer(404)
    yield inner
    assert inner.seen == []
    inner.close()


def web(site: Site, *answers: str | list[str], **more: Any) -> Web:
    """The web as this test's names resolve: each look-up takes the next of `answers`, the last one for good."""
    lookups = [[one] if isinstance(one, str) else one for one in answers or (PUBLIC,)]

    async def resolver(host: str, port: int) -> list[str]:
        if not host.endswith(".example"):
            return [host.strip("[]")]
        return lookups.pop(0) if len(lookups) > 1 else lookups[0]

    def allows(address: Address) -> bool:
        return str(address) == PUBLIC

    return Web(allows=allows, resolver=resolver, ports=frozenset({site.port, 80, 443}), **more)


def url(site: Site, path: str = "/", host: str = "shop.example") -> str:
    return f"http://{host}:{site.port}{path}"


def refused(found: Web, address: str) -> str:
    with pytest.raises(PageError) as caught:
        found.fetch(address)
    return str(caught.value)


# --- addresses ---


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "0.0.0.0", "0.1.2.3",
        "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.8", "192.0.0.192", "192.0.2.1",
        "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::a00:1", "2001::1", "2001:0:53aa:64c::1", "2001:db8::1", "2002:7f00:1::",
        "2002:a9fe:a9fe::1", "3fff::1", "100::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
        "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "169.254.169.254",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "[fd00:ec2::254]", "[fe80::1]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_real_resolver_s_way_of_reading_an_address_leads_nowhere(host: str, scheme: str) -> None:
    assert refused(Web(), f"{scheme}://{host}/latest/meta-data/") in (
        "This address does not belong to the public web.",
        "There is no site of this name.",
        "This is no valid web address.",
    )


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd", "gopher://shop.example/", "ftp://shop.example/", "javascript:alert(1)", "//shop.example/",
        "http://", "http:///x", "http://user:pass@shop.example/", "http://shop.example:22/", "http://shop.example:6379/",
        "http://shop.example:99999/", "http://[::1", "not an address", "",
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused_before_any_name_is_looked_up(address: str) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    refused(Web(resolver=resolver), address)


# --- names and redirects ---


def test_a_page_is_read_with_its_own_name_over_the_address_that_was_checked(site: Site) -> None:
    site.paths["/returns"] = answer(200, PAGE, ETag='"1"', Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")
    page = web(site).fetch(url(site, "/returns#part"))  # no resolver but ours knows shop.example
    assert page == Page(
        url=url(site, "/returns"), kind=".html", data=PAGE, etag='"1"', last_modified="Mon, 01 Jan 2024 00:00:00 GMT"
    )
    assert {headers["Host"] for _, headers in site.seen} == {f"shop.example:{site.port}"}


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["169.254.169.254"], ["::1"], ["::ffff:7f00:1"]])
def test_a_name_with_any_address_inside_is_refused(site: Site, inner: Site, addresses: list[str]) -> None:
    assert "public web" in refused(web(site, addresses), url(site, "/secret"))
    assert site.seen == []


def test_a_name_that_changes_its_address_between_two_requests_is_refused(site: Site, inner: Site) -> None:
    assert "public web" in refused(web(site, PUBLIC, PRIVATE), url(site, "/secret"))
    assert [path for path, _ in site.seen] == ["/robots.txt"]


def test_a_name_that_changes_its_address_after_the_check_gains_nothing(site: Site, inner: Site) -> None:
    site.paths["/secret"] = answer(200, PAGE)
    page = web(site, PUBLIC, PUBLIC, PRIVATE).fetch(url(site, "/secret"))  # robots.txt and the page: two look-ups
    assert page is not None
    assert page.data == PAGE


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://127.0.0.9:{port}/secret",
        "//127.0.0.9:{port}/secret", "https://127.0.0.9/secret", "http://[::1]:{port}/secret", "file:///etc/passwd",
        "http://127.0.0.1:22/", "gopher://127.0.0.9/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/page", "/robots.txt"])
def test_a_redirect_out_of_the_public_web_is_not_followed(site: Site, inner: Site, target: str, path: str) -> None:
    site.paths["/page"] = answer(200, PAGE)
    site.paths[path] = answer(302, Location=target.format(port=site.port))
    refused(web(site), url(site, "/page"))


def test_a_redirect_within_the_public_web_is_followed_and_named(site: Site) -> None:
    site.paths |= {"/old": answer(301, Location="/new"), "/new": answer(200, PAGE)}
    page = web(site).fetch(url(site, "/old"))
    assert page is not None
    assert page.url == url(site, "/new")


def test_redirects_in_a_circle_end(site: Site) -> None:
    site.paths |= {"/a": answer(302, Location="/b"), "/b": answer(302, Location="/a")}
    assert "too often" in refused(web(site), url(site, "/a"))
    assert len(site.seen) < 10


# --- bodies ---


@pytest.mark.parametrize(
    "handler",
    [
        answer(200, b"x" * (MAX_BYTES + 1)),
        endless(b"x" * 65_536),
        endless(b"x" * 65_536, Content_Length=str(10**12)),
        answer(200, gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip"),
    ],
    ids=["huge", "endless", "announced", "packed"],
)
def test_a_body_is_read_up_to_the_limit_only(site: Site, handler: Handler) -> None:
    site.paths["/"] = handler
    assert "too large" in refused(web(site), url(site))


def test_an_endless_robots_txt_is_no_way_in_either(site: Site) -> None:
    site.paths["/robots.txt"] = endless(b"# \n" * 20_000)
    assert "too large" in refused(web(site), url(site))


def test_a_server_that_never_finishes_is_given_up(site: Site) -> None:
    over = threading.Event()

    def dripping(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        while not over.wait(0.05):  # header after header, each well within any wait for one
            request.wfile.write(b"X-Drip: 1\r\n")
            request.wfile.flush()

    site.paths["/"] = dripping
    assert "longer than" in refused(web(site, seconds=0.6), url(site))
    over.set()


def test_a_packed_page_is_unpacked(site: Site) -> None:
    site.paths["/"] = answer(200, gzip.compress(PAGE), Content_Encoding="gzip")
    page = web(site).fetch(url(site))
    assert page is not None
    assert page.data == PAGE


@pytest.mark.parametrize(("body", "encoding"), [(b"no gzip", "gzip"), (PAGE, "br"), (PAGE, "gzip, gzip")])
def test_a_page_packed_in_another_way_is_refused(site: Site, body: bytes, encoding: str) -> None:
    site.paths["/"] = answer(200, body, Content_Encoding=encoding)
    assert "unpacked" in refused(web(site), url(site))


@pytest.mark.parametrize("kind", ["image/png", "application/json", "application/octet-stream", "text/html2", ""])
def test_only_texts_are_read(site: Site, kind: str) -> None:
    site.paths["/"] = answer(200, PAGE, Content_Type=kind)
    assert "Only web pages" in refused(web(site), url(site))


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_page_that_is_not_there_says_so(site: Site, status: int) -> None:
    site.paths["/"] = answer(status, PAGE)
    assert str(status) in refused(web(site), url(site))


def test_the_page_s_own_charset_is_respected(site: Site) -> None:
    site.paths["/"] = answer(200, "<p>Größe</p>".encode("latin-1"), Content_Type="text/html; charset=iso-8859-1")
    page = web(site).fetch(url(site))
    assert page is not None
    assert "Größe" in page.data.decode()


# --- robots.txt, conditions ---


def test_robots_txt_is_obeyed_and_asked_of_every_site_on_the_way(site: Site) -> None:
    site.paths |= {
        "/robots.txt": answer(200, b"User-agent: *\nDisallow: /private\n", Content_Type="text/plain"),
        "/private/a": answer(200, PAGE),
        "/open": answer(302, Location="/private/a"),
        "/free": answer(200, PAGE),
    }
    assert "robots.txt" in refused(web(site), url(site, "/private/a"))
    assert "robots.txt" in refused(web(site), url(site, "/open"))
    assert web(site).fetch(url(site, "/free"))


def test_a_rule_for_our_name_alone_is_obeyed(site: Site) -> None:
    rules = b"User-agent: StorefrontKnowledge\nDisallow: /\n\nUser-agent: *\nAllow: /\n"
    site.paths |= {"/robots.txt": answer(200, rules, Content_Type="text/plain"), "/": answer(200, PAGE)}
    assert "robots.txt" in refused(web(site), url(site))


def test_a_site_that_cannot_say_its_rules_is_left_alone(site: Site) -> None:
    site.paths |= {"/robots.txt": answer(503), "/": answer(200, PAGE)}
    assert "robots.txt" in refused(web(site), url(site))


def test_an_unchanged_page_is_not_sent_again(site: Site) -> None:
    def conditional(request: http.server.BaseHTTPRequestHandler) -> None:
        known = request.headers["If-None-Match"] == '"1"' and request.headers["If-Modified-Since"] == "yesterday"
        answer(304 if known else 200, b"" if known else PAGE)(request)

    site.paths["/"] = conditional
    assert web(site).fetch(url(site)) is not None
    assert web(site).fetch(url(site), etag='"1"', last_modified="yesterday") is None
