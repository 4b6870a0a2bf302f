"""Sentences for whoever reads them: times in the reader's zone, and the command as it is named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.consent.model import ConsentValue
from bot.consent.reader_times import ReaderTimes
from bot.consent.use_cases import StatusUpdate
from handlers.slack.roles import zone_of
from sandbox.manifest import Command, Manifest
from tests.support.slack_fixtures import Slack, opened, said, started

#: An evening in New York and the next day in London and in UTC.
LATE = datetime(2026, 11, 4, 2, 30, tzinfo=UTC)


@pytest.mark.parametrize(("name", "day"), [("Ana", "3 Nov 2026"), ("Ben", "4 Nov 2026")])
def test_an_error_at_a_field_has_the_day_of_whoever_reads_it(
    slack_http: Slack, name: str, day: str
) -> None:
    contact = slack_http.add("Una Doe", phone="+12125550177")
    slack_http.clock.advance(LATE - slack_http.clock())
    slack_http.set(contact, StatusUpdate(sms=ConsentValue.NO))
    person = slack_http.person(name)
    person.command("/optin Una Doe")
    person.press("Edit")
    person.choose("SMS On", "YES")
    person.type("Evidence", "She called")

    form = opened(person, person.submit())

    assert f"refused texts on {day}." in form.plain


@pytest.mark.parametrize(
    ("name", "moment"), [("Ana", "3 Nov 2026, 21:30 EST"), ("Ben", "4 Nov 2026, 02:30 GMT")]
)
def test_evidence_that_is_too_old_is_compared_in_the_readers_zone(
    slack_http: Slack, name: str, moment: str
) -> None:
    contact = slack_http.add("Una Doe", phone="+12125550177")
    slack_http.clock.advance(LATE - slack_http.clock())
    slack_http.set(contact, StatusUpdate(sms=ConsentValue.NO))
    person = slack_http.person(name)
    person.command("/optin Una Doe")
    person.press("Request re-opt-in")
    person.type("Evidence", "She called")
    person.type("When they agreed", str(int((LATE - timedelta(days=2)).timestamp())))

    assert moment in person.submit().errors["When they agreed"]


@pytest.mark.parametrize(
    ("zone", "day", "moment"),
    [
        (None, "4 Nov 2026 UTC", "4 Nov 2026, 02:30 UTC"),
        (ZoneInfo("America/New_York"), "3 Nov 2026", "3 Nov 2026, 21:30 EST"),
        (ZoneInfo("Asia/Dubai"), "4 Nov 2026", "4 Nov 2026, 06:30 UTC+04"),
        (timezone(timedelta(hours=-5)), "3 Nov 2026", "3 Nov 2026, 21:30 UTC-05:00"),
    ],
)
def test_a_time_names_its_zone_and_a_day_does_where_the_reader_has_none(
    zone: ZoneInfo | timezone | None, day: str, moment: str
) -> None:
    times = ReaderTimes(zone=zone)

    assert (times.day(LATE), times.moment(LATE)) == (day, moment)


@pytest.mark.parametrize(
    ("zone", "than", "said"),
    [
        (None, LATE - timedelta(hours=3), "4 Nov 2026 UTC"),
        (None, LATE - timedelta(hours=2), "4 Nov 2026, 02:30:00 UTC"),
        (ZoneInfo("America/New_York"), LATE - timedelta(hours=3), "3 Nov 2026, 21:30:00 EST"),
        (ZoneInfo("America/New_York"), LATE + timedelta(hours=3), "3 Nov 2026"),
    ],
)
def test_the_time_is_named_where_both_are_on_one_day(
    zone: ZoneInfo | None, than: datetime, said: str
) -> None:
    assert ReaderTimes(zone=zone).since(LATE, than) == said


@pytest.mark.parametrize(
    ("user", "zone"),
    [
        ({"tz": "Europe/Prague", "tz_offset": 3600}, ZoneInfo("Europe/Prague")),
        ({"tz": "Mars/Olympus", "tz_offset": 3600}, timezone(timedelta(hours=1))),
        ({"tz": "../../etc/passwd", "tz_offset": None}, None),
        ({"tz": None}, None),
        ({"tz": 7, "tz_offset": 10**9}, None),
        ({}, None),
    ],
)
def test_a_zone_that_this_machine_does_not_know_is_taken_from_the_offset(
    user: dict[str, object], zone: object
) -> None:
    assert zone_of(user) == zone


def test_every_sentence_names_the_command_of_the_settings(tmp_path: Path) -> None:
    manifest = Manifest(commands=(Command(name="/consent", description="", hint=""),))
    with started(tmp_path, "http", manifest=manifest, OPTIN_COMMAND="/consent") as slack:
        contact = slack.add("Una Doe", phone="+12125550177")
        slack.set(contact, StatusUpdate(sms=ConsentValue.NO))
        slack.clock.advance(timedelta(hours=1))
        ana = slack.person("Ana")
        helped = said(ana.command("/consent help"))
        ana.command("/consent Una Doe")
        ana.press("Request re-opt-in")
        ana.type("Evidence", "She called")
        requested = opened(ana, ana.submit())

    assert "/consent recent" in helped
    assert "/consent pending" in requested.plain
    assert "/optin" not in helped + requested.plain
