"""What managers read in Slack about providers and their suppression lists."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from bot.consent.use_cases.lists.list_records import DriftReport, ListState, list_key
from bot.runtime.source_health import ProviderSources
from handlers.webhooks.receiver.provider_health import provider_key

AT = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
SAID = "<!date^1793714520^"


def lines(**noted: str) -> list[str]:
    sources = ProviderSources(on=["twilio"], lists=["sendgrid"], now=lambda: AT)
    assert set(noted) <= {"twilio", "sendgrid"}
    keys = {"twilio": provider_key("twilio"), "sendgrid": list_key("sendgrid")}
    assert set(sources.names) == set(keys.values())
    return list(sources.lines({keys[name]: text for name, text in noted.items()}))


def listed(**fields: object) -> str:
    state = ListState(**fields)  # type: ignore[arg-type]
    return json.dumps(asdict(state), default=datetime.isoformat)


def test_without_any_event_it_says_so() -> None:
    assert lines() == [
        "✅ Twilio is on; no event yet.",
        "🟡 SendGrid's suppression lists have not been read yet. Optin reads them within a few "
        "minutes.",
    ]


def test_the_last_event_and_failure_have_their_times() -> None:
    heard = {"event_at": AT.isoformat(), "failure_at": AT.isoformat(), "failure": "missed"}
    (twilio, _) = lines(twilio=json.dumps(heard))

    assert twilio.startswith(f"🟡 Twilio is on; the last event came {SAID}")
    assert "asking for what was missed" in twilio
    assert "Check OPTIN_TWILIO_ACCOUNT_SID" in twilio


@pytest.mark.parametrize("words", ["<!channel>", "<@U0LEE> & co", "\x01123\x01 <!here>"])
def test_a_providers_own_words_are_no_markup(words: str) -> None:
    odd = {"odd": {words: (2, AT.isoformat())}}
    (_, line, _) = lines(twilio=json.dumps(odd))

    assert "<!channel" not in line
    assert "<!here" not in line
    assert "<@" not in line
    assert SAID in line


def test_lists_say_when_they_were_read_and_how_they_differ() -> None:
    (_, well) = lines(sendgrid=listed(finished_at=AT, last_report=DriftReport()))
    (_, differ) = lines(sendgrid=listed(finished_at=AT, last_report=DriftReport(theirs_but_yes=2)))
    (_, broken) = lines(sendgrid=listed(problem="the key <!here> was refused", problem_since=AT))

    assert well.startswith(f"✅ SendGrid's suppression lists were read to the end {SAID}")
    assert "2 addresses whose answer in Optin is YES" in differ
    assert f"can't be read or written since {SAID}" in broken
    assert "<!here" not in broken
