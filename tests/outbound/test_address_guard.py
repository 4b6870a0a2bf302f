"""No webhook leads to the inner network, whatever its URL or its name's addresses look like."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.consent.errors import Invalid
from bot.consent.use_cases.webhooks.endpoint_url import Network, check_url, is_permitted
from bot.consent.use_cases.webhooks.retry_schedule import AttemptOutcome, AttemptResult
from handlers.outbound.address_guard import AddressGuard, ForbiddenAddress, UnknownHost
from handlers.outbound.delivery_client import DeliveryClient
from tests.support.endpoints import LOOPBACK, receiver

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)

#: Private, local, reserved, or leading to such an address by a translation.
FORBIDDEN = [
    "0.0.0.0",  # noqa: S104 - nothing is bound to it
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "::ffff:0:7f00:1",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1"]
#: URLs whose host is one of these in disguise.
LITERALS = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0/",
    "https://[::]/",
    "https://010.0.0.1/",
]


def answers(*addresses: str) -> Any:
    """A resolver that gives these for every name, and counts."""

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        resolve.asked += 1  # type: ignore[attr-defined]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]

    resolve.asked = 0  # type: ignore[attr-defined]
    return resolve


def post(client: DeliveryClient, url: str) -> AttemptResult:
    return client.post(url, {"webhook-id": "msg_1_1"}, b"{}", now=NOW)


def once(guard: AddressGuard, url: str, tls: ssl.SSLContext | None = None) -> AttemptResult:
    with closing(DeliveryClient(guard, tls=tls)) as client:
        return post(client, url)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_private_or_reserved_address_is_refused(address: str):
    guard = AddressGuard(resolve=answers(address))

    with pytest.raises(ForbiddenAddress):
        guard.judged("crm.example.com", 443, plain=False)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_taken(address: str):
    guard = AddressGuard(resolve=answers(address))

    ((_, where),) = guard.judged("crm.example.com", 443, plain=False)

    assert where[:2] == (address, 443)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_one_private_address_among_public_ones_is_enough(address: str):
    guard = AddressGuard(resolve=answers("8.8.8.8", address))

    with pytest.raises(ForbiddenAddress):
        guard.judged("crm.example.com", 443, plain=False)


@pytest.mark.parametrize("url", LITERALS)
def test_a_private_host_in_any_form_is_refused_at_registration(url: str):
    with pytest.raises(Invalid):
        check_url(url, ())


@pytest.mark.parametrize("url", [*LITERALS, "https://localhost/", "https://localhost.:1/"])
def test_a_private_host_in_any_form_is_refused_at_the_connection(url: str):
    result = once(AddressGuard(), url)

    assert result.outcome in (AttemptOutcome.FORBIDDEN, AttemptOutcome.UNREACHABLE)
    assert "answered" not in result.problem


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "http://example.com/",
        "https://ana:pw@example.com/",
        "https://ana@example.com/",
        "https:///x",
        "https://exa mple.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com/\r\nX: y",
        "https://example.com/#x",
        "https://example.com\\@127.0.0.1/",
        "https://[::1",
        "https://-/",
        "https://exämple.com/",
        "//example.com/",
        "https://example.com/" + "x" * 2_000,
        "",
    ],
)
def test_a_url_that_is_none_of_https_is_refused(url: str):
    with pytest.raises(Invalid):
        check_url(url, ())


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://example.com/optin?token=1", ""),
        ("https://example.com:8443", ""),
        ("https://8.8.8.8/", ""),
        ("https://10.20.0.1/", "10.20.0.0/16"),
        ("http://10.20.0.1:8080/", "10.20.0.0/16"),
        ("http://crm.internal/", "10.20.0.0/16"),
        ("https://[fd00:20::1]/", "fd00:20::/64"),
    ],
)
def test_a_url_that_will_do_is_taken(url: str, allowed: str):
    check_url(url, networks(allowed))


@pytest.mark.parametrize("url", ["http://10.30.0.1/", "http://8.8.8.8/", "https://10.30.0.1/"])
def test_plain_http_stays_inside_the_operators_networks(url: str):
    with pytest.raises(Invalid):
        check_url(url, networks("10.20.0.0/16"))


def test_a_plain_name_that_leads_to_a_public_address_is_refused_at_the_connection():
    guard = AddressGuard(allowed=networks("10.20.0.0/16"), resolve=answers("8.8.8.8"))

    with pytest.raises(ForbiddenAddress):
        guard.judged("crm.internal", 80, plain=True)


def test_a_mapped_address_is_not_taken_for_the_one_that_it_maps():
    assert not is_permitted(ipaddress.ip_address("::ffff:8.8.8.8"), ())
    assert not is_permitted(ipaddress.ip_address("::ffff:127.0.0.1"), LOOPBACK)


def test_a_name_is_resolved_once_for_a_connection():
    """A second look-up could lead elsewhere than what was judged."""
    resolve = answers("127.0.0.1")
    with receiver() as endpoint:
        client = DeliveryClient(AddressGuard(allowed=LOOPBACK, resolve=resolve))
        url = endpoint.url.replace("127.0.0.1", "crm.example.com")
        results = [post(client, url) for _ in range(3)]
        client.close()

    assert all(result.delivered for result in results)
    assert resolve.asked == 1
    port = url.split(":")[2].split("/")[0]
    assert endpoint.received[0].headers["host"] == f"crm.example.com:{port}"


def test_a_name_that_can_not_be_resolved_is_unreachable():
    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        raise socket.gaierror

    result = once(AddressGuard(resolve=resolve), "https://crm.example.com/")

    assert result.outcome is AttemptOutcome.UNREACHABLE
    assert result.problem == "has a name that can't be resolved"
    with pytest.raises(UnknownHost):
        AddressGuard(resolve=answers()).judged("crm.example.com", 443, plain=False)


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    with receiver() as proxy, receiver() as endpoint:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        result = once(AddressGuard(allowed=LOOPBACK), endpoint.url)

    assert result.delivered
    assert proxy.received == []


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of crm.example.com, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "crm.example.com")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("crm.example.com")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "crm.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For the receiver, and for the client."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    return serving, ssl.create_default_context(cafile=str(certificate))


def test_tls_has_the_name_and_the_connection_the_judged_address(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
):
    serving, asking = tls
    names = []
    serving.sni_callback = lambda _, name, __: names.append(name)
    with receiver(tls=serving) as endpoint:
        guard = AddressGuard(allowed=LOOPBACK, resolve=answers("127.0.0.1"))
        client = DeliveryClient(guard, tls=asking)
        url = endpoint.url.replace("127.0.0.1", "crm.example.com")
        results = [post(client, url) for _ in range(3)]
        client.close()

    assert [result.outcome for result in results] == ["delivered"] * 3
    assert names == ["crm.example.com"]
    assert endpoint.connections == 1


def test_a_certificate_of_another_name_is_refused(tls: tuple[ssl.SSLContext, ssl.SSLContext]):
    serving, asking = tls
    with receiver(tls=serving) as endpoint:
        guard = AddressGuard(allowed=LOOPBACK, resolve=answers("127.0.0.1"))
        result = once(guard, endpoint.url.replace("127.0.0.1", "other.example.com"), asking)
        strange = once(guard, endpoint.url)

    assert result.problem == strange.problem == "has no valid TLS certificate"
    assert endpoint.received == []


def networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(part) for part in text.split(",") if part)
