"""report.html says who, what, when, by whom and in what words, whatever people wrote."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pytest

from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, note
from bot.consent.use_cases.evidence import collect_evidence
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from handlers.evidence_pack.pack_readme import readme
from handlers.evidence_pack.pack_report import report_html
from tests.support.consent_fixtures import AGENT, MANAGER
from tests.support.evidence_fixtures import READER
from tests.support.take_fixtures import MAILBOX, PHONE, text

HOSTILE = [
    "</td></tr></table><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "&lt;b&gt; stays as it is &amp;amp;",
    "<!-- a comment -->",
    "</title></style><style>body{display:none}</style>",
    "javascript:alert(1)",
    "=HYPERLINK(1)",
    "{evidence.contact.name} {0} %s ${x}",
]


class Page(HTMLParser):
    """The elements of a page and their attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.rows: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.rows:
            self.rows[-1] += f"{data} "

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def page_of(service: Service, contact: Contact, **reader: object) -> Page:
    evidence = collect_evidence(service, contact.id, MANAGER)
    return Page(report_html(evidence, replace(READER, **reader)))  # type: ignore[arg-type]


def test_the_report_says_who_what_when_by_whom_and_in_what_words(service: Service, person: Contact):
    page = page_of(service, person)

    assert "Evidence of consent: Ana Gómez" in page.text
    assert "+1 415-555-0100" in page.text
    stopped = next(row for row in page.rows if "Texted STOP" in row)
    assert "4 November 2026, 14:02:05 UTC (06:02 PST)" in " ".join(stopped.split())
    assert "the contact, via Twilio" in stopped
    assert "Replied “STOP”" in stopped
    approved = next(row for row in page.rows if "Re-opt-in approved" in row)
    assert "Sam Lee (U0MANAGER), in Slack" in approved
    assert "in the time zone America/Los_Angeles" in page.text


@pytest.mark.parametrize("channel", list(Channel))
def test_the_report_names_the_answer_and_the_rule(
    service: Service, clock: Stopped, channel: Channel
):
    contact = add(service, Details(name="Ana", phone=PHONE, email=MAILBOX), AGENT)
    yes = {channel.value: ConsentValue.YES}
    change(service, contact.id, StatusUpdate(**yes, evidence="A form"), AGENT)  # type: ignore[arg-type]
    rows = [row for row in page_of(service, contact).rows if "(rule: " in row or "nothing s" in row]
    agreed = next(row for row in rows if "The person agreed, and nothing stands in the way." in row)
    asked = next(row for row in rows if "(rule: never_asked)" in row)

    assert "Yes Opted in" in agreed
    assert "Evidence: A form" in agreed
    assert "No Never asked" in asked


def test_an_opt_out_names_its_rules_and_since_when(service: Service, person: Contact):
    service.now.advance(timedelta(days=1))  # type: ignore[attr-defined]
    ingest(service, [text("STOP", occurred_at=service.now())])
    row = next(row for row in page_of(service, person).rows if "(rule: opted_out)" in row)

    assert "(rule: carrier_block)" in row
    assert "Since 8 November 2026, 15:02:05 UTC" in row
    assert "SMS On is NO as the person wished, since 8 November 2026" in row


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_wrote_is_inert_and_shown_as_it_is(
    service: Service, clock: Stopped, hostile: str
):
    contact = add(service, Details(name=hostile, phone=PHONE, company=hostile), AGENT)
    yes = StatusUpdate(sms=ConsentValue.YES, evidence=hostile)
    change(service, contact.id, yes, AGENT)
    note(service, contact.id, hostile, AGENT)
    ingest(service, [text(f"{hostile} take me off your list", occurred_at=clock())])
    page = page_of(service, contact, name_of=lambda id: hostile)
    plain = page_of(service, add(service, Details(name="Bo", email=MAILBOX), AGENT))

    known = {tag for tag, _ in plain.elements} | {"code", "br"}
    assert {tag for tag, _ in page.elements} <= known
    assert [tag for tag, _ in page.elements].count("style") == 1
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {"class", "charset", "content", "http-equiv", "lang", "name"}
    shown = " ".join(page.text.split())
    assert shown.count(hostile) >= 5


def test_the_report_fetches_nothing(service: Service, person: Contact):
    evidence = collect_evidence(service, person.id, MANAGER)
    source = report_html(evidence, READER)

    assert "default-src 'none'" in source
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img", source)


def test_text_that_turns_a_line_around_loses_its_signs(service: Service, clock: Stopped):
    contact = add(service, Details(name="Ana", phone=PHONE), AGENT)
    note(service, contact.id, "She said \u202eON\u202c, \x07 not YES", AGENT)

    page = page_of(service, contact)

    assert not {"\u202e", "\u202c", "\x07"} & set(page.text)


def test_times_are_in_utc_alone_where_no_other_zone_is_known(service: Service, person: Contact):
    page = page_of(service, person, zone_of=None)

    assert "Each time is in UTC (Coordinated Universal Time)." in page.text
    assert "PST" not in page.text


def test_the_readme_has_the_head_of_the_pack(service: Service, person: Contact):
    evidence = collect_evidence(service, person.id, MANAGER)
    said = readme(evidence, READER)

    assert f"  root: {evidence.head.root}\n" in said
    assert "It holds personal data." in said
    assert all(len(line) <= 80 for line in said.splitlines())
    assert "Ana" not in said
