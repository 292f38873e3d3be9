"""Look-ups by RFC 8484 against the stand-in's resolver."""

import httpx
import pytest

from controlplane.adapters.dns_over_https import Answer, Resolver
from controlplane.adapters.errors import AdapterError
from controlplane.localcloud import defaults
from controlplane.localcloud.faults import Fault
from tests.plugins.cloudflare import CloudflareCloud

HOST = "shop.nordkap-tee.de"


@pytest.fixture
def resolver(cloudflare_cloud: CloudflareCloud) -> Resolver:
    return Resolver(cloudflare_cloud.resolver_url)


def test_a_cname_is_followed_to_its_addresses(cloudflare_cloud: CloudflareCloud, resolver: Resolver) -> None:
    cloudflare_cloud.zone_store.add_record(HOST, "CNAME", "alias.nordkap-tee.de")
    cloudflare_cloud.zone_store.add_record("alias.nordkap-tee.de", "CNAME", defaults.CUSTOM_HOSTNAME_TARGET)
    answer = resolver.ask([(HOST, "A")])[HOST, "A"]
    assert answer == Answer(
        chain=("alias.nordkap-tee.de", defaults.CUSTOM_HOSTNAME_TARGET), values=defaults.CUSTOM_HOSTNAME_ADDRESSES
    )


def test_a_text_longer_than_255_bytes_comes_back_whole(cloudflare_cloud: CloudflareCloud, resolver: Resolver) -> None:
    text = 'quote " and \\ backslash, ' + "long " * 100
    cloudflare_cloud.zone_store.add_record(HOST, "TXT", text)
    assert resolver.ask([(HOST, "TXT")])[HOST, "TXT"] == Answer(values=(text,))


def test_no_such_name_and_no_such_record_are_answers(cloudflare_cloud: CloudflareCloud, resolver: Resolver) -> None:
    cloudflare_cloud.zone_store.add_record(HOST, "TXT", "x")
    answers = resolver.ask([(HOST, "A"), ("nobody." + HOST, "A")])
    assert set(answers.values()) == {Answer()}


def test_a_name_that_can_not_be_asked_fails_alone(cloudflare_cloud: CloudflareCloud, resolver: Resolver) -> None:
    cloudflare_cloud.zone_store.add_record(HOST, "SERVFAIL", "")
    cloudflare_cloud.zone_store.add_record("other.de", "A", "192.0.2.7")
    answers = resolver.ask([(HOST, "TXT"), ("other.de", "A")])
    failed = answers[HOST, "TXT"]
    assert isinstance(failed, AdapterError)
    assert not failed.permanent
    assert answers["other.de", "A"] == Answer(values=("192.0.2.7",))


@pytest.mark.parametrize(
    "fault", [Fault(kind="status", status=502), Fault(kind="status", status=429), Fault(kind="drop")]
)
def test_a_resolver_that_is_down_is_no_answer(
    cloudflare_cloud: CloudflareCloud, resolver: Resolver, fault: Fault
) -> None:
    cloudflare_cloud.faults.set([fault])
    assert isinstance(resolver.ask([(HOST, "A")])[HOST, "A"], AdapterError)


@pytest.mark.parametrize("body", [b"", b"<h1>hotel</h1>", b"\x00" * 11])
def test_a_body_that_is_no_dns_is_no_answer(body: bytes) -> None:
    resolver = Resolver("http://dns.test/q", httpx.MockTransport(lambda _: httpx.Response(200, content=body)))
    assert isinstance(resolver.ask([(HOST, "A")])[HOST, "A"], AdapterError)


def test_a_name_that_can_not_exist_fails_alone(cloudflare_cloud: CloudflareCloud, resolver: Resolver) -> None:
    answers = resolver.ask([("a" * 70 + ".de", "A"), (HOST, "A")])
    assert isinstance(answers["a" * 70 + ".de", "A"], AdapterError)
    assert answers[HOST, "A"] == Answer()
