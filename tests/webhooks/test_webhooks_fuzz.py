"""Whatever comes: it is forged, unreadable or understood, and never an error of another kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.webhooks.provider import (
    InvalidPayload,
    InvalidSignature,
    Provider,
    Request,
    VerificationUnavailable,
)
from handlers.webhooks.providers import SPECS
from tests.support.webhooks_fixtures import FIXTURES, Sample, assert_not_understood, read_samples

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)

HEADERS = sorted(
    {
        "authorization",
        "content-type",
        "svix-id",
        "svix-signature",
        "svix-timestamp",
        "telnyx-signature-ed25519",
        "telnyx-timestamp",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-amz-sns-message-type",
        "x-twilio-email-event-webhook-signature",
        "x-twilio-email-event-webhook-timestamp",
        "x-twilio-signature",
        "x-twilio-webhooks-signature-settings",
    }
)
header_values = st.text(max_size=60) | st.sampled_from(
    [
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "Basic Og==",
        "Bearer a.b.c",
        "1773155045",
        "9" * 40,
        "v1,",
        "v1,AAAA v1,é",
        "key=a,algorithm=HMAC_SHA1",
        "SubscriptionConfirmation",
        "Notification",
    ]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\ud800", "\0", "a@b.co", "+12025550143", "2026-03-10T15:04:05Z", "\n"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
SAMPLES = {name: list(read_samples(FIXTURES / name, name)) for name in SPECS}
FUZZ = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
#: Those without samples are named by `test_webhooks_samples.py`.
PROVIDERS = pytest.mark.parametrize("name", [name for name in SPECS if SAMPLES[name]])


@pytest.fixture(scope="module")
def provider_of(tmp_path_factory) -> Callable[[Sample], Provider]:
    made: dict[str, Provider] = {}
    folder = tmp_path_factory.mktemp("certificates")

    def of(sample: Sample) -> Provider:
        given = sample.told.get("settings") or sample.told["secret"]
        secret = sample.provider + json.dumps(given, sort_keys=True)
        if secret not in made:
            made[secret] = sample.provider_with(folder)
        return made[secret]

    return of


@PROVIDERS
@settings(FUZZ)
@given(
    body=st.binary(max_size=400) | anything.map(lambda value: json.dumps(value).encode()),
    query=st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x21), max_size=60),
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), header_values), max_size=5),
    method=st.sampled_from(["GET", "POST", "HEAD", "Ü"]),
    data=st.data(),
)
def test_nobody_gets_in_with_something_made_up(
    name: str, body, query, headers, method, data, provider_of
):
    sample = data.draw(st.sampled_from(SAMPLES[name]))
    provider = provider_of(sample)
    route = data.draw(st.sampled_from(SPECS[name].routes))
    request = Request.of(
        method=method,
        path=route.path,
        query=query,
        headers=headers,
        body=body,
        public_url=sample.public_url,
    )

    with pytest.raises((InvalidSignature, InvalidPayload)):
        provider.verify(request, NOW)
    _understand(provider, request)


@PROVIDERS
@settings(FUZZ)
@given(data=st.data())
def test_a_recorded_request_with_something_else_in_it_is_understood_or_not(
    name: str, data, provider_of
):
    sample = data.draw(st.sampled_from(SAMPLES[name]))
    provider = provider_of(sample)
    body = data.draw(_mutations(sample))
    request = sample.request(body=body)

    _judge(provider, request, sample.received_at)
    _understand(provider, request)


@PROVIDERS
@settings(FUZZ)
@given(data=st.data())
def test_a_recorded_request_at_any_time_with_any_headers_is_judged(name: str, data, provider_of):
    sample = data.draw(st.sampled_from(SAMPLES[name]))
    changed = data.draw(st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=2))
    kept = [
        (key, value) for key, value in sample.told["headers"].items() if key.lower() not in changed
    ]
    at = sample.received_at + timedelta(seconds=data.draw(st.integers(-(10**9), 10**9)))

    _judge(provider_of(sample), sample.request(headers=[*kept, *changed.items()]), at)


@settings(FUZZ, max_examples=20)
@given(depth=st.integers(40, 200_000), opening=st.sampled_from(["[", '{"a":']))
def test_no_depth_is_too_deep_to_be_counted(depth: int, opening: str, provider_of):
    closing = "]" if opening == "[" else "}"
    body = (opening * depth + ("1" if opening != "[" else "") + closing * depth).encode()

    for name, samples in SAMPLES.items():
        if not samples:
            continue
        provider = provider_of(samples[0])
        request = Request.of(
            method="POST",
            path=SPECS[name].routes[-1].path,
            headers=[("content-type", "application/json")],
            body=body,
            public_url=None,
        )
        if name != "one_click":  # its body is not read once its marker was found
            assert_not_understood(provider, request, NOW)


def _judge(provider: Provider, request: Request, at: datetime) -> None:
    try:
        assert provider.verify(request, at)
    except (InvalidSignature, InvalidPayload, VerificationUnavailable):
        return


def _understand(provider: Provider, request: Request) -> None:
    """What would be read if the signature held."""
    try:
        parsed = provider.parse(request, NOW)
    except InvalidPayload:
        return
    assert len({(event.id, event.address) for event in parsed.events}) == len(parsed.events)
    for event in parsed.events:
        assert event.provider == provider.name
        assert event.id.partition(":")[2].strip(":")
        assert event.address.strip()
        assert event.occurred_at is None or event.occurred_at.tzinfo is UTC
        assert (event.failure is None) is (event.kind != "failed")
        words = [event.id, event.address, event.text or "", event.code or "", event.scope or ""]
        assert "\0" not in "".join(words)
        assert "".join(words).encode()


def _mutations(sample: Sample) -> st.SearchStrategy[bytes]:
    """The body with a byte, a field or a value changed."""
    raw = sample.told["body"].encode()
    strategies = [_with_bytes(raw)]
    try:
        value = json.loads(raw)
    except ValueError:
        strategies.append(_with_fields(raw.decode()))
    else:
        strategies.append(_with_value(value))
    return st.one_of(strategies)


@st.composite
def _with_bytes(draw: Any, raw: bytes) -> bytes:
    start = draw(st.integers(0, len(raw)))
    end = min(len(raw), start + draw(st.integers(0, 10)))
    return raw[:start] + draw(st.binary(max_size=10)) + raw[end:]


@st.composite
def _with_fields(draw: Any, body: str) -> bytes:
    pairs = parse_qsl(body, keep_blank_values=True) or [("a", "b")]
    index = draw(st.integers(0, len(pairs) - 1))
    name, value = pairs[index]
    new = draw(
        st.sampled_from(
            ["", "\0", "whatsapp:+12025550143", "BANK", "12345", "9" * 400, "🛑", value]
        )
    )
    pairs[index : index + draw(st.integers(0, 1))] = [(name, new)]
    return urlencode(pairs).encode()


@st.composite
def _with_value(draw: Any, value: Any) -> bytes:
    inside = False
    if isinstance(value, dict) and isinstance(value.get("Message"), str):
        try:
            # What SES says is JSON inside a string.
            message = json.loads(value["Message"])
        except ValueError:
            pass
        else:
            inside = draw(st.booleans())
    new = _replaced(draw, message if inside else value)
    return json.dumps(value | {"Message": json.dumps(new)} if inside else new).encode()


def _replaced(draw: Any, value: Any) -> Any:
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.sampled_from([False, False, False, True])):
            return {name: one for name, one in value.items() if name != key}
        return value | {key: _replaced(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], _replaced(draw, value[index]), *value[index + 1 :]]
    return draw(anything)
