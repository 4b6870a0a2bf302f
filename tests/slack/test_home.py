"""The app's Home: what it shows to whom, and when it is drawn again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from bot.consent.cases import CaseState
from bot.consent.model import Actor, Channel, Role
from bot.consent.use_cases import CaseRequest, erase, find, request
from bot.consent.use_cases.context import LookUp
from bot.consent.use_cases.home_facts import home_facts, store_look_ups
from bot.consent.use_cases.ingest import ingest
from bot.consent.use_cases.opt_out_counts import count_opt_outs
from handlers.webhooks.receiver.provider_health import ProviderHealth
from sandbox.client import Home, PersonClient
from sandbox.first_workspace import ALERTS, APPROVALS, LEE
from tests.support.alerts_fixtures import reply
from tests.support.slack_fixtures import MANIFEST, OPERATOR, Slack, opened, started
from tests.support.slack_requests import last_sent, post_event

GRACE, ANA_GOMEZ = "+1 415 555 0106", "+1 415 555 0100"
CHANNELS = {"OPTIN_ALERT_CHANNEL": ALERTS, "OPTIN_APPROVAL_CHANNEL": APPROVALS}
ANA = Actor(id="slack:U0ANA", role=Role.AGENT, source="slack")
MANAGER = Actor(id=f"slack:{LEE}", role=Role.MANAGER, source="slack")
EVIDENCE = "Web form of 2 November"


@pytest.fixture(params=["socket", "http"])
def slack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, request.param, manifest=MANIFEST, **CHANNELS) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http", manifest=MANIFEST, **CHANNELS) as slack:
        yield slack


def home(slack: Slack, person: PersonClient, says: str = "") -> Home:
    """The Home of a person who opens it, once it says this."""
    before = person.shown_home
    person.home()
    return drawn(slack, person, before, says)


def drawn(slack: Slack, person: PersonClient, before: Home | None, says: str = "") -> Home:
    """The Home that was drawn after that one."""

    def there() -> bool:
        page = person.shown_home
        new = page is not None and (before is None or page.raw["hash"] != before.raw["hash"])
        return new and page is not None and says in page.plain

    slack.workspace.wait_until(there)
    page = person.shown_home
    assert page is not None
    return page


def ask(slack: Slack, person: PersonClient) -> None:
    """Requests a re-opt-in for Grace, who texted STOP."""
    contact = slack.find("+14155550106")
    actor = Actor(id=f"slack:{person.id}", role=Role.AGENT, source="slack")
    wanted = CaseRequest(channel=Channel.SMS, evidence=EVIDENCE)
    case = request(slack.service, contact.id, wanted, actor)
    assert case.state is CaseState.PENDING


def test_an_agent_finds_a_contact_and_sees_who_was_looked_up(slack: Slack) -> None:
    ana = slack.person("Ana")
    page = home(slack, ana)
    ana.pick("Name, number", "Grace Lee", typed="grace", in_=page)
    page = drawn(slack, ana, page, "Your recent look-ups")

    modal = ana.modal
    assert modal is not None
    assert "Grace Lee" in modal.plain
    assert "Grace Lee\n+1 415-555-0106 · grace@example.com" in page.plain
    assert page.fields["Name, number or address"] is None
    assert "Settings" not in page.buttons
    assert "Health" not in page.plain


def test_look_ups_by_command_and_from_a_list_count(slack: Slack) -> None:
    ana = slack.person("Ana")
    ana.command(f"/optin {GRACE}")
    ana.command(f"/optin {ANA_GOMEZ}")
    ana.command("/optin ana@example.com")

    page = home(slack, ana, "recent")
    found = page.plain.partition("recent look-ups")[2]

    assert found.index("Ana Gómez") < found.index("Grace Lee")
    assert found.count("Ana Gómez") == 1
    assert "recent look-ups" not in home(slack, slack.person("Ben")).plain


def test_look_ups_outlive_a_restart_once_they_are_stored(slack_http: Slack) -> None:
    slack, ana = slack_http, slack_http.person("Ana")
    ana.command(f"/optin {GRACE}")
    store_look_ups(slack.service)
    actor = Actor(id=f"slack:{ana.id}", role=Role.AGENT, source="slack")

    assert [c.name for c in home_facts(slack.service, actor).recent] == ["Grace Lee"]
    assert not slack.service.look_ups
    assert "Grace Lee" in home(slack, ana).plain


def test_an_erased_contact_is_no_recent_look_up_any_more(slack_http: Slack) -> None:
    slack, ana = slack_http, slack_http.person("Ana")
    ana.command(f"/optin {GRACE}")
    erase(slack.service, slack.find("+14155550106").id, OPERATOR)

    assert "Grace" not in home(slack, ana).plain


def test_a_manager_decides_from_the_home_and_it_is_drawn_again(slack: Slack) -> None:
    ana, lee = slack.person("Ana"), slack.person("Lee")
    ask(slack, ana)
    page = home(slack, lee, "Waiting for your decision: 1")
    assert "Grace Lee · SMS · +1 415-555-0106" in page.plain
    modal = opened(lee, lee.press("Decide", in_=page))
    assert EVIDENCE in modal.plain
    lee.press("Approve", in_=modal, confirm=True)

    assert "No request waits for you." in drawn(slack, lee, page, "No request").plain


def test_a_person_sees_their_own_requests_and_how_they_stand(slack: Slack) -> None:
    ana = slack.person("Ana")
    page = home(slack, ana)
    ask(slack, ana)
    page = home(slack, ana, "Your open requests: 1")

    assert "A manager has to decide." in page.plain
    assert "Grace Lee" in opened(ana, ana.press("View", in_=page)).plain
    assert "Your open requests" not in home(slack, slack.person("Ben")).plain


def test_ones_own_request_does_not_wait_for_oneself(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    ask(slack_http, lee)

    page = home(slack_http, lee, "Your open requests: 1")

    assert "No request waits for you." in page.plain
    assert "Waiting for your decision: 1" in home(slack_http, slack_http.person("Mia"), "1").plain


def test_the_weeks_opt_outs_are_a_sentence_and_a_chart(slack_http: Slack) -> None:
    slack = slack_http
    ingest(slack.service, [reply("STOP", "+14155550100", occurred_at=slack.clock())])
    count_opt_outs(slack.service)

    page = home(slack, slack.person("Ana"), "1 opted out of texts.")

    (chart,) = [block for block in page.blocks if block["type"] == "data_visualization"]
    sms, email = chart["chart"]["series"]
    assert len(sms["data"]) == 7
    assert [point["value"] for point in sms["data"]] == [0] * 6 + [1]
    assert sum(point["value"] for point in email["data"]) == 0
    assert "As of" not in page.plain


def test_a_slack_that_takes_no_charts_gets_the_sentence(slack_http: Slack) -> None:
    slack = slack_http
    ingest(slack.service, [reply("STOP", "+14155550100", occurred_at=slack.clock())])
    count_opt_outs(slack.service)
    slack.workspace.fault("views.publish", "error", error="invalid_arguments", times=1)

    page = home(slack, slack.person("Ana"))

    assert "1 opted out of texts" in page.plain
    assert "data_visualization" not in str(page.blocks)


def test_a_day_begins_at_midnight_of_whoever_reads(slack_http: Slack) -> None:
    slack = slack_http
    # In Los Angeles it is 10 November still, and in Prague the 11th.
    slack.clock.advance(slack.clock().replace(day=11, hour=7, minute=30) - slack.clock())
    ingest(slack.service, [reply("STOP", "+14155550100", occurred_at=slack.clock())])
    count_opt_outs(slack.service)
    slack.clock.advance(timedelta(hours=1))

    def days(name: str) -> dict[str, int]:
        page = home(slack, slack.person(name), "1 opted out of texts")
        (chart,) = [b for b in page.blocks if b["type"] == "data_visualization"]
        points = chart["chart"]["series"][0]["data"]
        return {point["label"]: point["value"] for point in points if point["value"]}

    assert days("Lee") == {"10 Nov": 1}
    assert days("Mia") == {"11 Nov": 1}


def test_managers_see_how_optin_does(slack: Slack) -> None:
    page = home(slack, slack.person("Lee"), "Health")

    assert "✅ Alerts go to #optin-alerts." in page.plain
    assert {"Settings", "Send a test alert"} <= set(page.buttons)


def test_managers_see_of_each_provider_what_doctor_says(tmp_path: Path) -> None:
    settings = {
        "OPTIN_TWILIO_AUTH_TOKEN": "0" * 32,
        "OPTIN_PUBLIC_URL": "https://optin.example.com",
    }
    with started(tmp_path, "http", manifest=MANIFEST, **CHANNELS | settings) as slack:
        lee = slack.person("Lee")
        assert "✅ Twilio is on; no event yet." in home(slack, lee).plain
        health, at = ProviderHealth(), slack.clock()
        health.heard("twilio", at)
        health.failed("twilio", at + timedelta(hours=1), "forged")
        health.odd("twilio", at, "<!channel> *x*", 2)
        health.keep(slack.service)

        page = home(slack, lee, "The last failure")

        assert "a request whose signature did not hold" in page.plain
        assert "check that OPTIN_TWILIO_AUTH_TOKEN is what the provider has now" in page.plain
        assert "<!channel>" in page.plain
        assert "Twilio" not in home(slack, slack.person("Ana")).plain


def test_managers_see_what_slack_does_not_take(slack_http: Slack) -> None:
    slack, lee = slack_http, slack_http.person("Lee")
    slack.workspace.remove_app("optin-alerts")
    ingest(slack.service, [reply("STOP", "+14155550100", occurred_at=slack.clock())])

    def told() -> bool:
        return any("can't post alerts" in message.plain for message in lee.dms())

    slack.workspace.wait_until(told)

    assert "🔴 Slack takes nothing in #optin-alerts: not_in_channel." in home(slack, lee).plain


@pytest.mark.parametrize("kind", ["guest", "made a guest", "of another team"])
def test_outsiders_get_a_sentence_and_nothing_else(slack_http: Slack, kind: str) -> None:
    slack = slack_http
    if kind == "made a guest":
        slack.workspace.make_guest("Ben")
    elif kind == "of another team":
        slack.workspace.make_stranger("Ben")
    page = home(slack, slack.person("Gus" if kind == "guest" else "Ben"))

    assert "full members of this workspace" in page.plain
    assert len(page.blocks) == 1
    assert page.buttons == []


def test_somebody_whose_account_is_gone_learns_nothing(slack_http: Slack) -> None:
    ana, ben = slack_http.person("Ana"), slack_http.person("Ben")
    find(slack_http.service, GRACE, Actor(id=f"slack:{ben.id}", role=Role.AGENT, source="slack"))
    home(slack_http, ana)
    payload = last_sent(slack_http, "app_home_opened")
    payload["event_id"] = "Ev0LATER"
    payload["event"] |= {"user": ben.id}
    slack_http.workspace.deactivate("Ben")

    def published() -> list[str]:
        return [str(call["args"]) for call in slack_http.workspace.journal("views.publish")]

    assert post_event(slack_http, payload) == (200, "")
    slack_http.workspace.wait_until(lambda: len(published()) == 2)
    assert "full members of this workspace" in published()[-1]
    assert "Grace" not in published()[-1]


def test_whoever_never_opened_it_gets_none(slack_http: Slack) -> None:
    ana, lee = slack_http.person("Ana"), slack_http.person("Lee")
    ask(slack_http, ana)
    lee.command("/optin pending")
    lee.press("Approve", confirm=True)

    assert slack_http.workspace.journal("views.publish") == []


def test_the_messages_tab_publishes_nothing(slack_http: Slack) -> None:
    slack_http.person("Ana").open_messages()

    assert slack_http.workspace.journal("views.publish") == []


def test_it_takes_four_reads_whatever_there_is(tmp_path: Path) -> None:
    counts = []
    for many in (0, 40):
        with started(tmp_path / str(many), "http", kind="sqlite", **CHANNELS) as slack:
            for number in range(many):
                phone = f"+1415555{2000 + number}"
                contact = slack.add(f"Person {number}", phone=phone)
                ingest(slack.service, [reply("STOP", phone, occurred_at=slack.clock())])
                slack.clock.advance(timedelta(seconds=1))
                wanted = CaseRequest(channel=Channel.SMS, evidence=EVIDENCE)
                request(slack.service, contact.id, wanted, ANA)
                slack.service.look_ups.append(LookUp(MANAGER.id, contact.id))
            count_opt_outs(slack.service)
            reads: list[str] = []
            us = threading.get_ident()

            def note(*call: object, reads: list[str] = reads, us: int = us) -> None:
                if threading.get_ident() == us:  # the bot's own threads read, too
                    reads.append(str(call[2]))

            event.listen(Engine, "before_cursor_execute", note)
            facts = home_facts(slack.service, MANAGER, ["provider:twilio", "provider:telnyx"])
            event.remove(Engine, "before_cursor_execute", note)
            assert len(facts.recent) == min(many, 5)
            assert facts.waiting_count == many
            counts.append(sum("SELECT" in sql for sql in reads))

    assert max(counts) <= 4
