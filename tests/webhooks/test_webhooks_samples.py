"""Every recorded request of every provider: taken or refused, and what it says in our words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.consent.events import Event, EventKind, Failure, Marker
from handlers.webhooks.provider import InvalidPayload, InvalidSignature, TokenSigned
from handlers.webhooks.providers import SPECS
from tests.support.webhooks_fixtures import FIXTURES, Sample, all_samples, read_samples

SAMPLES = all_samples()

#: The samples' `category`, which only proposes; rules.md §7 decides the class.
CATEGORIES: Mapping[str | None, Failure] = {
    "suppressed_prior_bounce": Failure.LISTED_BOUNCE,
    "suppressed_prior_complaint": Failure.LISTED_COMPLAINT,
    "suppressed_prior_unsubscribe": Failure.LISTED_OPT_OUT,
    "blocked_ambiguous": Failure.AMBIGUOUS,
    "carrier_filtered": Failure.OURS,
    "rate_limited": Failure.OURS,
    "reputation": Failure.OURS,
    "route": Failure.ROUTE,
    "sender_problem": Failure.OURS,
    "sender_registration": Failure.OURS,
}

#: Where rules.md §7 says otherwise than a sample.
CLASSES: Mapping[tuple[str, str], tuple[Failure, str]] = {
    ("ses", "Permanent/Suppressed"): (Failure.LISTED, "the cause is unknown"),
    ("ses", "Permanent/OnAccountSuppressionList"): (Failure.LISTED, "the cause is unknown"),
    ("telnyx", "40004"): (Failure.AMBIGUOUS, "rejected: by the carrier or by the contact"),
    ("telnyx", "40008"): (Failure.AMBIGUOUS, "undeliverable, for no reason given"),
}

FAILURES = {"bounce_permanent", "bounce_temporary", "blocked_by_opt_out", "ignored"}

#: `ignored` there, and here an event without effect: an ordinary text is kept for its reading.
TEXTS = {"inbound_text", "inbound_text_possible_opt_out", "ambiguous_keyword"}


def _is_vector(sample: Sample) -> bool:
    """A published signature over a body of nobody's."""
    return any(told["category"] == "signature_vector_only" for told in sample.expected)


@pytest.mark.parametrize("name", SPECS)
def test_every_provider_has_recorded_requests_to_take_and_to_refuse(name: str):
    found = {sample.accepted for sample in read_samples(FIXTURES / name, name)}

    assert found == {True, False}, f"record requests to accept and to reject in {FIXTURES / name}"


def test_no_recorded_request_is_left_out_for_its_folder_being_no_provider():
    folders = {folder.name for folder in FIXTURES.glob("*/") if any(folder.glob("*.json"))}

    assert folders - set(SPECS) == set(), (
        "these folders of tests/fixtures/ have no provider: make its folder in "
        "handlers/webhooks/providers/ and add its row to SPECS there"
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_recorded_request_is_taken_or_refused_as_it_expects(sample: Sample, tmp_path: Path):
    provider = sample.provider_with(tmp_path)
    first = sample.before()

    if sample.accepted:
        assert provider.verify(sample.request(), sample.received_at)
    elif first and isinstance(provider, TokenSigned):
        # Its signature holds, and its token stood for another content.
        token = provider.once_token(sample.request(), sample.received_at)
        other = provider.once_token(first[0].request(), first[0].received_at)
        assert (token.key, token.value) == (other.key, token.value) != (other.key, other.value)
    else:
        with pytest.raises(InvalidSignature):
            provider.verify(sample.request(), sample.received_at)


@pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.accepted and not _is_vector(sample)],
    ids=str,
)
def test_a_recorded_request_says_what_it_expects(sample: Sample, tmp_path: Path):
    try:
        parsed = sample.provider_with(tmp_path).parse(sample.request(), sample.received_at)
    except InvalidPayload:
        assert not sample.expected
        return

    assert parsed.events or parsed.ignored or parsed.skipped or parsed.confirmations
    wanted = {told["dedupe_key"]: told for told in sample.expected if _is_told(told)}
    assert [event.id for event in parsed.events] == [
        _id(told, sample) for told in wanted.values()
    ], (
        "the ids of the events, and each `dedupe_key` in `expected_events`; an `ignored` item is "
        f"no event unless its `category` is one of {sorted(TEXTS)}"
    )
    assert [_told(event, sample) for event in parsed.events] == [
        _expected(told, sample) for told in wanted.values()
    ]


@pytest.mark.parametrize(
    "sample",
    [sample for sample in SAMPLES if sample.told.get("duplicate_of")],
    ids=str,
)
def test_what_is_told_twice_has_the_same_id_twice(sample: Sample, tmp_path: Path):
    provider = sample.provider_with(tmp_path)
    first = [
        event.id
        for original in sample.before()
        for event in provider.parse(original.request(), original.received_at).events
    ]

    again = provider.parse(sample.request(), sample.received_at).events

    assert [event.id for event in again] == first


def _is_told(told: Mapping[str, Any]) -> bool:
    if told["type"] != "ignored":
        return True
    # Our own faults are told, for the operator's log; a contact has to be in it.
    ours = told["category"] == "sender_problem" and told["contact"]
    return told["category"] in TEXTS or bool(ours)


def _told(event: Event, sample: Sample) -> dict[str, Any]:
    return {
        "id": event.id,
        "kind": event.kind,
        "failure": event.failure,
        "channel": event.channel,
        "contact": event.address,
        "scope": event.scope or event.service or event.sender,
        "occurred_at": event.occurred_at and event.occurred_at.replace(microsecond=0),
        "code": event.code,
        "marker": event.marker,
        "provider": sample.provider,
    }


def _expected(told: Mapping[str, Any], sample: Sample) -> dict[str, Any]:
    kind = _kind(told)
    at = told["occurred_at"]
    code = _code(told, sample)
    return {
        "id": _id(told, sample),
        "kind": kind,
        "failure": _failure(told, sample) if kind is EventKind.FAILED else None,
        "channel": told["channel"],
        "contact": told["contact"],
        "scope": told["scope"],
        "occurred_at": datetime.fromisoformat(at) if at else None,
        "code": code,
        "marker": _marker(told, code) if kind is EventKind.REPLY else None,
        "provider": sample.provider,
    }


def _marker(told: Mapping[str, Any], code: str | None) -> Marker | None:
    stated = told.get("marker", code and code.lower())
    known = [one.value for one in Marker]
    assert stated in (None, *known), (
        f"{stated!r} is the provider's word: say in `marker` which of {known} it means"
    )
    return Marker(stated) if stated else None


def _kind(told: Mapping[str, Any]) -> EventKind:
    if told["type"] in ("opt_out", "opt_in", "help") or told["category"] in TEXTS:
        if told["channel"] == "sms":
            return EventKind.REPLY
        ours, out = told.get("actor") == "customer", told["type"] == "opt_out"
        if ours:
            return EventKind.SUPPRESSED if out else EventKind.UNSUPPRESSED
        return EventKind.UNSUBSCRIBED if out else EventKind.RESUBSCRIBED
    if told["type"] in ("complaint", "delivered", "reassigned", "unplaced"):
        return EventKind(told["type"])
    assert told["type"] in FAILURES, (
        f"{told['type']!r} is no type of event that samples have: tests/fixtures/README.md lists them"
    )
    return EventKind.FAILED


def _failure(told: Mapping[str, Any], sample: Sample) -> Failure:
    if stated := told.get("failure"):
        return Failure(stated)
    if deviation := CLASSES.get((sample.provider, told["provider_code"] or "")):
        return deviation[0]
    if not told["final"]:
        return Failure.NOT_FINAL
    if told["type"] == "blocked_by_opt_out":
        return CATEGORIES.get(told["category"], Failure.OPT_OUT)
    otherwise = Failure.HARD if told["type"] == "bounce_permanent" else Failure.SOFT
    return CATEGORIES.get(told["category"], otherwise)


def _id(told: Mapping[str, Any], sample: Sample) -> str:
    """`dedupe_key` only proposes. Ours is another where it says less than it could."""
    key = told["dedupe_key"]
    if key.startswith("twilio:es:"):
        # The same message is told by the webhook, by Event Streams and by the look-up of what was
        # missed: one id for all three, so that it counts once.
        (found,) = (item for item in _items(sample) if key.endswith(item["id"]))
        data = found["data"]
        if "messageStatus" in data:
            return f"twilio:st:{data['messageSid']}:{data['messageStatus'].lower()}"
        return f"twilio:in:{data['messageSid']}"
    if sample.provider == "one_click":
        # Ids are kept for ever; a second refusal, after consent came back, must count.
        return f"{key}:{sample.received_at:%Y-%m-%dT%H:%M}"
    return key


def _code(told: Mapping[str, Any], sample: Sample) -> str | None:
    code = told["provider_code"]
    if sample.provider == "sendgrid" and told["type"].startswith("bounce"):
        # The mail system's own words quote addresses. The status in them is enough for a log.
        (found,) = {
            item.get("status") if item["event"] == "bounce" else item.get("reason")
            for item in _items(sample)
            if told["dedupe_key"].endswith(item["sg_event_id"])
        }
        return found
    return code


def _items(sample: Sample) -> list[Any]:
    return json.loads(sample.told["body"])
