"""Re-opt-in through Slack: asked for, decided by a button, followed in every message; the real app
with its worker, and a contact who texts."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import CodeType, FrameType, FunctionType

import pytest

from bot.consent.cases import CaseState
from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import Entry, EntryKind
from bot.consent.model import Channel, ConsentValue
from bot.consent.use_cases import (
    CaseRequest,
    Details,
    StatusUpdate,
    approve,
    edit,
    request,
    run_case_timers,
)
from bot.consent.use_cases.cases import decide
from bot.consent.use_cases.ingest import ingest
from bot.demo.samples import SENDERS
from handlers.entry_sentences import plain_sentence
from sandbox.client import PersonClient, ShownMessage
from sandbox.first_workspace import ALERTS, ANA, APPROVALS, GUS, LEE, MIA
from tests.support.alerts_fixtures import failed, mail, reply
from tests.support.consent_fixtures import MANAGER
from tests.support.slack_fixtures import OPERATOR, Slack, said, started
from tests.support.slack_requests import post

PHONE = "+14155550142"
_TRIED = "Tried to approve the re-opt-in for SMS"
EVIDENCE = "Called us from +1 415 555 0142, nia@example.com, and wants them again <!channel>"


@pytest.fixture(params=["socket", "http"])
def slack(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Slack]:
    with running(tmp_path, request.param) as slack:
        yield slack


@pytest.fixture
def slack_http(tmp_path: Path) -> Iterator[Slack]:
    with running(tmp_path, "http") as slack:
        yield slack


def running(folder: Path, mode: str, **settings: str) -> AbstractContextManager[Slack]:
    channels = {"OPTIN_ALERT_CHANNEL": ALERTS, "OPTIN_APPROVAL_CHANNEL": APPROVALS}
    return started(folder, mode, **channels | settings)


def refuses(slack: Slack, words: str = "STOP") -> None:
    """Nia, who gets our texts, texts that."""
    slack.add("Nia Canary", phone=PHONE, email="nia@example.com")
    ingest(slack.service, [reply(words, PHONE, occurred_at=slack.clock())])
    slack.clock.advance(timedelta(hours=1))


def texts(slack: Slack, words: str) -> None:
    slack.clock.advance(timedelta(minutes=5))
    ingest(slack.service, [reply(words, PHONE, occurred_at=slack.clock())])


def asks(slack: Slack, who: str = "Ana", evidence: str = EVIDENCE) -> PersonClient:
    """From the card."""
    person = slack.person(who)
    person.command(f"/optin {PHONE}")
    person.press("Request re-opt-in")
    person.type("Evidence", evidence)
    person.submit()
    return person


def approvals(slack: Slack) -> list[ShownMessage]:
    return slack.person("Lee").messages("#optin-approvals")


def until(slack: Slack, holds: Callable[[], bool]) -> None:
    slack.workspace.wait_until(holds)


def request_of(slack: Slack) -> ShownMessage:
    until(slack, lambda: bool(approvals(slack)))
    return approvals(slack)[0]


def shows(slack: Slack, words: str) -> bool:
    until(slack, lambda: words in approvals(slack)[0].plain)
    return True


def late_click(slack: Slack, who: str, *, on: str = "block_actions approve", **button: str) -> str:
    """What somebody reads who presses Approve on what their screen still shows; the request is as
    Slack sent it when Ben pressed it, but for the person and these of the button's."""
    payload = deepcopy(slack.workspace.journal(on)[-1]["args"])
    payload["user"]["id"] = who
    payload["actions"][0] |= button
    before = len(slack.workspace.journal("response_url"))
    status, _ = post(slack, payload)

    assert status == 200
    [answer] = slack.workspace.journal("response_url")[before:]
    assert answer["args"]["response_type"] == "ephemeral"
    return str(answer["args"]["text"])


def tried(slack: Slack) -> ShownMessage:
    """The request, after Ben, who is an agent, pressed Approve in vain."""
    message = request_of(slack)
    slack.person("Ben").press("Approve", in_=message, confirm=True)
    return message


def notes_since(slack: Slack, head: tuple[int, str]) -> list[Entry]:
    """What the log has gained, oldest first: notes of one contact."""
    new = sorted((one for one in slack.log() if one.seq > head[0]), key=lambda one: one.seq)
    assert {(one.kind, one.contact) for one in new} == {(EntryKind.NOTE, slack.find(PHONE).id)}
    return new


def wait_for_the_lock_of(function: FunctionType) -> None:
    """Until a thread is inside the function, and so has read the role already."""
    end = time.monotonic() + 5
    while not any(function.__code__ in codes_of(one) for one in sys._current_frames().values()):
        assert time.monotonic() < end
        time.sleep(0.005)


def codes_of(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def state(slack: Slack) -> CaseState:
    contact = slack.find(PHONE).id
    with slack.service.store.reading() as records:
        return records.cases.of(contact)[0].state


def test_stop_request_approval_and_then_unstop(slack: Slack) -> None:
    refuses(slack)
    asks(slack)
    message = request_of(slack)

    assert message.buttons == ["Approve", "Deny", "View"]
    assert "number ending 0142" in message.plain
    assert (
        "SMS On turns to YES when this happens, and not before: Contact texts UNSTOP to +1 888-555-0199"
        in message.plain
    )

    answer = slack.person("Lee").press("Approve", in_=message, confirm=True)

    assert "Still missing: Contact texts UNSTOP to +1 888-555-0199" in said(answer)
    assert slack.on(PHONE)[0] is ConsentValue.NO
    assert shows(slack, "Approved by")
    assert approvals(slack)[0].buttons == []
    until(slack, lambda: any("please text UNSTOP" in m.plain for m in slack.person("Ana").dms()))

    texts(slack, "UNSTOP")

    assert slack.on(PHONE)[0] is ConsentValue.YES
    assert shows(slack, "Done.")
    assert "SMS On is YES" in approvals(slack)[0].plain
    until(slack, lambda: any("SMS On is YES" in m.plain for m in slack.person("Ana").dms()))
    alerts = slack.person("Lee").messages("#optin-alerts")
    assert (
        "Opted in again" in alerts[0].plain
        or until(
            slack,
            lambda: "Opted in again" in slack.person("Lee").messages("#optin-alerts")[0].plain,
        )
        is None
    )
    assert slack.problems() is None


def test_unstop_first_and_then_approval(slack: Slack) -> None:
    refuses(slack)
    texts(slack, "UNSTOP")
    asks(slack)
    message = request_of(slack)

    assert "☑ Contact lifted the carrier's block" in message.plain
    assert "After approval: SMS On is YES at once" in message.plain

    answer = slack.person("Mia").press("Approve", in_=message, confirm=True)

    assert "Approved: SMS On is YES." in said(answer)
    assert slack.on(PHONE)[0] is ConsentValue.YES
    assert shows(slack, "Done.")
    newest = [e for e in slack.log() if e.kind == "consent"][-1]
    assert (newest.actor, newest.before, newest.after) == (f"slack:{MIA}", "NO", "YES")
    assert newest.evidence is not None


def test_the_messages_tell_nobody_the_number_or_the_name(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    message = request_of(slack_http)
    raw = json.dumps(message.raw)

    assert "Nia" not in raw
    assert "nia@" not in raw
    assert "5550142" not in raw
    assert "555 0142" not in raw
    assert "555-0142" not in raw
    assert "!channel" not in slack_http.workspace.pings()


def test_a_block_that_comes_to_light_after_the_key_is_missing_again(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    message = request_of(slack_http)
    texts(slack_http, "UNSTOP")
    assert shows(slack_http, "☑ Contact lifted the carrier's block")
    slack_http.clock.advance(timedelta(hours=1))
    ingest(slack_http.service, [failed(Failure.OPT_OUT, PHONE)])
    assert shows(slack_http, "☐ Contact texts UNSTOP")
    slack_http.person("Lee").press("Approve", in_=message, confirm=True)

    assert shows(slack_http, "Approved by")
    assert "☐ Contact texts UNSTOP to +1 888-555-0199" in approvals(slack_http)[0].plain
    assert "☑ Contact: lifted" not in approvals(slack_http)[0].plain
    assert slack_http.on(PHONE)[0] is ConsentValue.NO


def test_a_number_that_is_on_probation_is_promised_no_more_than_a_test(slack_http: Slack) -> None:
    refuses(slack_http, "stop all")
    ingest(slack_http.service, [failed(Failure.HARD, PHONE)])
    contact = slack_http.find(PHONE)
    slack_http.set(contact, StatusUpdate(clear_bounce=frozenset({Channel.SMS}), reason="It works"))
    asks(slack_http)

    assert (
        "After approval: SMS On is YES at once, but not verified: The next message is the test"
        in request_of(slack_http).plain
    )


def test_a_denial_has_a_reason_and_whoever_asked_is_told(slack: Slack) -> None:
    refuses(slack)
    asks(slack)
    lee = slack.person("Lee")
    lee.press("Deny", in_=request_of(slack))
    assert "Reason" in lee.submit().errors
    lee.type("Reason", "No record of that call")
    lee.submit()

    assert shows(slack, "Denied by")
    assert approvals(slack)[0].buttons == []
    assert slack.on(PHONE)[0] is ConsentValue.NO
    until(
        slack, lambda: any("No record of that call" in m.plain for m in slack.person("Ana").dms())
    )


def test_the_loser_is_told_who_and_when(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    message = tried(slack_http)
    mia = slack_http.person("Mia")
    mia.press("Deny", in_=message)
    slack_http.person("Lee").press("Approve", in_=message, confirm=True)
    mia.type("Reason", "too late")
    mia.submit()
    modal = mia.modal

    assert modal is not None
    assert "already approved by @lee" in modal.plain
    assert state(slack_http) is CaseState.APPROVED
    assert f"already approved by <@{LEE}>" in late_click(slack_http, MIA)
    assert [e.after for e in slack_http.log() if e.kind == "case"] == ["pending", "approved"]


def test_a_new_stop_overtakes_it(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    tried(slack_http)
    texts(slack_http, "STOP")

    assert shows(slack_http, "Overtaken by a new opt-out")
    assert approvals(slack_http)[0].buttons == []
    assert "already overtaken by a new opt-out" in late_click(slack_http, LEE)
    assert slack_http.on(PHONE)[0] is ConsentValue.NO
    until(
        slack_http,
        lambda: any("opted out of texts again" in m.plain for m in slack_http.person("Ana").dms()),
    )


def test_nobody_approves_who_may_not(slack: Slack) -> None:
    refuses(slack)
    asks(slack, "Lee")
    message = request_of(slack)
    head = slack.head()
    pings = slack.workspace.pings()

    for who, why in (("Ana", "Only a manager"), ("Lee", "another manager")):
        outcome = slack.person(who).press("Approve", in_=message, confirm=True)
        assert why in said(outcome)
        assert all(m.is_ephemeral for m in outcome.messages)
    assert state(slack) is CaseState.PENDING
    assert slack.workspace.pings() == pings

    slack.workspace.set_group("S0MANAGERS", [LEE])
    for _ in range(2):
        outcome = slack.person("Mia").press("Approve", in_=message, confirm=True)
        assert "Only a manager" in said(outcome)
    assert state(slack) is CaseState.PENDING
    assert [(note.actor, note.reason) for note in notes_since(slack, head)] == [
        (f"slack:{ANA}", f"{_TRIED}: refused, because they are no manager"),
        (f"slack:{LEE}", f"{_TRIED}: refused, because it is their own request"),
        (f"slack:{MIA}", f"{_TRIED}: refused, because they are no manager"),
    ]


def test_an_agent_who_presses_deny_is_noted(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    message, head = request_of(slack_http), slack_http.head()

    assert "Only a manager" in said(slack_http.person("Ben").press("Deny", in_=message))
    [note] = notes_since(slack_http, head)
    assert plain_sentence(note, slack_http.service.providers) == (
        "Tried to deny the re-opt-in for SMS: refused, because they are no manager"
    )


def test_whose_role_slack_does_not_say_is_noted(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    message, head = request_of(slack_http), slack_http.head()
    slack_http.workspace.fault("users.info", "server_error", times=9)

    slack_http.person("Lee").press("Approve", in_=message, confirm=True)
    [note] = notes_since(slack_http, head)
    assert note.reason == f"{_TRIED}: refused, because Slack did not say who they are"


@pytest.mark.parametrize("change", ["out of the group", "guest", "deactivated"])
def test_a_role_that_is_lost_while_the_lock_is_waited_for_approves_nothing(
    slack_http: Slack, change: str
) -> None:
    refuses(slack_http)
    asks(slack_http)
    message = request_of(slack_http)

    with ThreadPoolExecutor(1) as pool:
        with slack_http.service.store.transaction() as records:
            records.log.head()  # databases take the lock at the first statement
            lee = pool.submit(slack_http.person("Lee").press, "Approve", in_=message, confirm=True)
            wait_for_the_lock_of(decide._approve)
            match change:
                case "out of the group":
                    slack_http.workspace.set_group("S0MANAGERS", [MIA])
                case "guest":
                    slack_http.workspace.make_guest("Lee")
                case "deactivated":
                    slack_http.workspace.deactivate("Lee")
            slack_http.clock.advance(timedelta(milliseconds=500))
        outcome = lee.result(timeout=30)

    assert state(slack_http) is CaseState.PENDING
    assert "anager" in said(outcome)


def test_a_guest_does_not_decide_anything(
    slack_http: Slack, caplog: pytest.LogCaptureFixture
) -> None:
    refuses(slack_http)
    asks(slack_http)
    tried(slack_http)
    head = slack_http.head()

    assert "full members" in late_click(slack_http, GUS)
    assert state(slack_http) is CaseState.PENDING
    [note] = notes_since(slack_http, head)
    assert (note.actor, note.reason) == (
        f"slack:{GUS}",
        f"{_TRIED}: refused, because they may not use Optin",
    )
    assert f"refused to {GUS}: " in caplog.text


def test_one_manager_alone_may_where_the_settings_say_so(tmp_path: Path) -> None:
    with running(tmp_path, "http", OPTIN_SELF_APPROVE="yes") as slack:
        refuses(slack)
        asks(slack, "Lee")
        slack.person("Lee").press("Approve", in_=request_of(slack), confirm=True)

        assert shows(slack, "the one who asked")
        assert any("OPTIN_SELF_APPROVE" in (entry.reason or "") for entry in slack.log())


@pytest.mark.parametrize(
    "value",
    ["", "x", "../../x:1", "0" * 32 + ":1", "a" * 300, "{case}:99", "{case}:0", "{contact}:1"],
)
def test_tampered_values_do_nothing(slack_http: Slack, value: str) -> None:
    refuses(slack_http)
    asks(slack_http)
    button = tried(slack_http).button("Approve")[1]
    case, contact = button["value"].partition(":")[0], slack_http.find(PHONE).id
    head = slack_http.head()
    pings = slack_http.workspace.pings()

    assert late_click(slack_http, LEE, value=value.format(case=case, contact=contact))
    assert slack_http.head() == head
    assert slack_http.workspace.pings() == pings
    assert state(slack_http) is CaseState.PENDING


def test_it_expires_everywhere(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    tried(slack_http)
    slack_http.clock.advance(timedelta(days=15))
    run_case_timers(slack_http.service)

    assert shows(slack_http, "Expired.")
    assert "already expired" in late_click(slack_http, LEE)
    until(slack_http, lambda: any("expired" in m.plain for m in slack_http.person("Ana").dms()))


def test_managers_are_reminded_in_the_thread(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    request_of(slack_http)
    slack_http.clock.advance(timedelta(days=2, minutes=1))
    run_case_timers(slack_http.service)

    until(
        slack_http,
        lambda: any("Nobody has decided" in m.plain for m in approvals(slack_http)),
    )


def test_pending_lists_them_and_managers_decide_there(slack: Slack) -> None:
    refuses(slack)
    asks(slack)
    ana = slack.person("Ana").command("/optin pending").messages[-1]
    lee = slack.person("Lee")
    listed = lee.command("/optin pending").messages[-1]

    assert "Nia Canary" in ana.plain
    assert "Approve" not in ana.buttons
    assert "Approve" in listed.buttons
    assert "Evidence" in listed.plain
    assert "+1 415 555 0142" not in listed.plain
    lee.press("Approve", in_=listed, confirm=False)
    assert state(slack) is CaseState.PENDING
    asked = listed.button("Approve")[1]["confirm"]["text"]["text"]
    assert asked.startswith("For Nia Canary, ending 0142, in your name.")
    assert "Contact texts UNSTOP" in asked
    answer = lee.press("Approve", in_=listed, confirm=True)
    assert "Still missing" in said(answer)


def test_what_was_decided_in_the_list_is_off_it_and_its_buttons_too(slack_http: Slack) -> None:
    slack_http.add("Nia Canary", phone=PHONE, email="nia@example.com")
    ingest(
        slack_http.service, [reply("STOP", PHONE), mail(EventKind.UNSUBSCRIBED, "nia@example.com")]
    )
    slack_http.clock.advance(timedelta(hours=1))
    contact = slack_http.find(PHONE).id
    for channel in Channel:
        request(
            slack_http.service, contact, CaseRequest(channel=channel, evidence=EVIDENCE), OPERATOR
        )
    lee = slack_http.person("Lee")
    listed = lee.command("/optin pending").messages[-1]
    answer = lee.press("Approve", in_=listed, confirm=True)
    [after_approval] = [m for m in lee.messages() if "Open re-opt-in" in m.plain]
    lee.press("Deny", in_=after_approval)
    lee.type("Reason", "No record")
    lee.submit()
    [after_denial] = [m for m in lee.messages() if "Open re-opt-in" in m.plain]

    assert "Approved" in said(answer)
    assert after_approval.buttons.count("Approve") == listed.buttons.count("Approve") - 1
    assert "Deny" not in after_denial.buttons


def test_a_request_that_would_be_refused_is_refused_before_it_is_written(
    slack_http: Slack,
) -> None:
    refuses(slack_http)
    ana, ben = slack_http.person("Ana"), slack_http.person("Ben")
    until(slack_http, lambda: bool(ben.messages("#optin-alerts")))
    card = ben.command(f"/optin {PHONE}").messages[-1]
    ben.press("Request re-opt-in", in_=ben.messages("#optin-alerts")[0])
    ben.close(whole=True)
    asks(slack_http)
    from_the_card = ben.press("Request re-opt-in", in_=card)
    from_the_alert = late_click(slack_http, ANA, on="block_actions alert_request")
    until(slack_http, lambda: "Re-opt-in requested" in ben.messages("#optin-alerts")[0].plain)
    while_it_is_open = ben.messages("#optin-alerts")[0].buttons
    ana.press("Withdraw", in_=ana.command(f"/optin {PHONE}").messages[-1], confirm=True)
    edit(slack_http.service, slack_http.find(PHONE).id, Details(phone="+14155550188"), OPERATOR)
    until(slack_http, lambda: "Request re-opt-in" in ben.messages("#optin-alerts")[0].buttons)
    of_another_number = ben.press("Request re-opt-in", in_=ben.messages("#optin-alerts")[0])

    assert "Somebody asked for this already" in said(from_the_card)
    assert "Somebody asked for this already" in from_the_alert
    assert while_it_is_open == ["View", "Mark handled"]
    assert "This needs no approval" in said(of_another_number)
    assert ben.modal is None


def test_evidence_for_one_number_is_not_sent_for_another_unseen(slack_http: Slack) -> None:
    refuses(slack_http)
    ana = slack_http.person("Ana")
    ana.command(f"/optin {PHONE}")
    ana.press("Request re-opt-in")
    ana.type("Evidence", "called from the old number")
    now = int(slack_http.clock().timestamp()) // 60 * 60
    ana.type("When they agreed", str(now))
    contact = slack_http.find(PHONE)
    other = "+14155550188"
    edit(slack_http.service, contact.id, Details(phone=other), OPERATOR)
    ingest(
        slack_http.service,
        [reply("stop all", other, occurred_at=contact.consent(Channel.SMS).since)],
    )
    ana.submit()
    form = ana.modal
    assert form is not None
    with slack_http.service.store.reading() as records:
        early = records.cases.of(contact.id)
    kept = form.fields["Evidence"]
    ana.submit()
    with slack_http.service.store.reading() as records:
        [case] = records.cases.of(contact.id)

    assert early == []
    assert "changed meanwhile" in form.plain
    assert kept == "called from the old number"
    assert (case.address, int(case.evidence.at.timestamp()) // 60 * 60) == (other, now)


def test_a_manager_may_have_requests_by_direct_message(slack_http: Slack) -> None:
    lee = slack_http.person("Lee")
    lee.press("Send me requests", in_=lee.command("/optin pending").messages[-1])
    refuses(slack_http)
    asks(slack_http)
    until(slack_http, lambda: any("Re-opt-in" in m.plain for m in slack_http.person("Lee").dms()))
    copy = slack_http.person("Lee").dms()[0]
    lee.press("Approve", in_=copy, confirm=True)

    assert shows(slack_http, "Approved by")
    until(slack_http, lambda: "Approved by" in slack_http.person("Lee").dms()[0].plain)


def test_the_card_shows_which_key_is_missing(slack_http: Slack) -> None:
    refuses(slack_http)
    ana = asks(slack_http)
    before = ana.command(f"/optin {PHONE}").messages[-1]
    slack_http.person("Lee").press("Approve", in_=request_of(slack_http), confirm=True)
    after = ana.command(f"/optin {PHONE}").messages[-1]

    assert "approve or deny the request of" in before.plain
    assert "Withdraw request" in before.buttons
    assert "☑ Manager: approved by @lee" in after.plain
    assert "☐ Contact: text UNSTOP to +1 888-555-0199" in after.plain


def test_a_key_to_another_sender_stands_wherever_it_is_waited_for(slack_http: Slack) -> None:
    offers = SENDERS[1].number
    slack_http.add("Nia Canary", phone=PHONE)
    stop = reply("STOP", PHONE, occurred_at=slack_http.clock())
    ingest(slack_http.service, [replace(stop, sender=offers)])
    slack_http.clock.advance(timedelta(hours=1))
    ana = slack_http.person("Ana")
    card = ana.command(f"/optin {PHONE}").messages[-1]
    ana.press("Request re-opt-in")
    form = ana.modal
    assert form is not None
    ana.type("Evidence", EVIDENCE)
    ana.submit()
    slack_http.person("Lee").press("Approve", in_=request_of(slack_http), confirm=True)
    after = ana.command(f"/optin {PHONE}").messages[-1]

    for shown in (card, form, after):
        assert "☐ Contact: text UNSTOP to +1 415-555-0150" in shown.plain
    assert "☑ Manager: approved" in after.plain
    assert "Please text UNSTOP to +1 415-555-0150" in after.plain


def test_it_can_be_withdrawn(slack_http: Slack) -> None:
    refuses(slack_http)
    ana = asks(slack_http)
    request_of(slack_http)
    card = ana.command(f"/optin {PHONE}").messages[-1]
    answer = ana.press("Withdraw request", in_=card, confirm=True)

    assert "withdrawn" in said(answer)
    assert shows(slack_http, "Cancelled.")
    assert state(slack_http) is CaseState.CANCELLED


def test_from_the_alert_to_the_request(slack_http: Slack) -> None:
    refuses(slack_http)
    ana = slack_http.person("Ana")
    until(slack_http, lambda: bool(ana.messages("#optin-alerts")))
    ana.press("Request re-opt-in", in_=ana.messages("#optin-alerts")[0])
    modal = ana.modal

    assert modal is not None
    assert modal.title == "Re-opt-in for SMS"
    assert modal.fields["Evidence"] is None or modal.fields["Evidence"] == ""


def test_evidence_from_before_the_refusal_is_refused_at_its_field(slack_http: Slack) -> None:
    refuses(slack_http)
    ana = slack_http.person("Ana")
    ana.command(f"/optin {PHONE}")
    ana.press("Request re-opt-in")
    ana.type("Evidence", "said so")
    long_ago = slack_http.clock() - timedelta(days=2)
    ana.type("When they agreed", str(int(long_ago.timestamp())))
    old = ana.submit()
    future = slack_http.clock() + timedelta(days=2)
    ana.type("When they agreed", str(int(future.timestamp())))
    coming = ana.submit()

    assert "refused on 3 Nov 2026, 09:02 EST" in old.errors["When they agreed"]
    assert "newer" in old.errors["When they agreed"]
    assert "future" in coming.errors["When they agreed"]
    contact = slack_http.find(PHONE).id
    with slack_http.service.store.reading() as records:
        assert records.cases.of(contact) == []


def test_email_comes_back_the_same_way(slack_http: Slack) -> None:
    slack_http.add("Nia Canary", phone=PHONE, email="nia@example.com")
    ingest(slack_http.service, [mail(EventKind.UNSUBSCRIBED, "nia@example.com")])
    slack_http.clock.advance(timedelta(hours=1))
    asks(slack_http)
    message = request_of(slack_http)
    slack_http.person("Lee").press("Approve", in_=message, confirm=True)

    assert "Re-opt-in for Email" in message.plain
    assert slack_http.on(PHONE)[1] is ConsentValue.YES


def test_what_the_command_line_decides_is_drawn_in_slack(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    request_of(slack_http)
    contact = slack_http.find(PHONE).id
    with slack_http.service.store.reading() as records:
        case = records.cases.open_for(contact, Channel.SMS)
    assert case is not None
    approve(slack_http.service, case.id, MANAGER)

    assert shows(slack_http, "Approved by")


# A provider's list, and what another contact with the same address was approved for


def unsubscribed(slack: Slack) -> None:
    """Nia unsubscribed at SendGrid, an hour ago."""
    slack.add("Nia Canary", phone=PHONE, email="nia@example.com")
    gone = mail(EventKind.UNSUBSCRIBED, "nia@example.com", provider="sendgrid")
    ingest(slack.service, [replace(gone, occurred_at=slack.clock())])
    slack.clock.advance(timedelta(hours=1))


def test_an_approval_never_says_that_emails_are_sent_while_a_provider_lists_the_address(
    slack_http: Slack,
) -> None:
    unsubscribed(slack_http)
    asks(slack_http)
    message = request_of(slack_http)
    lee = slack_http.person("Lee")
    confirm = message.button("Approve")[1]["confirm"]["text"]["text"]
    told = said(lee.press("Approve", in_=message, confirm=True))
    step = "Operator: Take the address off SendGrid's suppression list."
    until(slack_http, lambda: "Approved by" in approvals(slack_http)[0].plain)
    after = approvals(slack_http)[0].plain
    until(slack_http, lambda: bool(slack_http.person("Ana").dms()))
    dm = slack_http.person("Ana").dms()[-1].plain

    for text in (message.plain, confirm, told, after, dm):
        assert step in text
        assert "sent again" not in text
        assert "✅" not in text
    assert "no e-mails are sent yet: the address is on SendGrid's suppression list" in after
    assert "☑ Email On is YES" in after

    lee.command(f"/optin {PHONE}")
    lee.press("Removed at SendGrid", confirm=True)

    assert shows(slack_http, "✅ Done.")
    assert "suppression list" not in approvals(slack_http)[0].plain


def test_what_stands_beside_the_list_is_said_too(slack_http: Slack) -> None:
    unsubscribed(slack_http)
    ingest(slack_http.service, [failed(Failure.HARD, "nia@example.com", code="5.1.1")])
    asks(slack_http)
    message = request_of(slack_http).plain

    assert "Operator: Take the address off SendGrid's suppression list." in message
    assert "Agent: Check the address" in message


@pytest.mark.parametrize("channel", list(Channel))
def test_a_second_record_shows_the_case_that_the_first_one_completed(
    slack_http: Slack, channel: Channel
) -> None:
    if channel is Channel.SMS:
        refuses(slack_http, "stop all")
        slack_http.add("Second", phone=PHONE, email="second@example.com")
        known = "second@example.com"
    else:
        unsubscribed(slack_http)
        slack_http.add("Second", phone="+14155550177", email="nia@example.com")
        known = "+14155550177"
    evidence = f"{EVIDENCE} {'and much more ' * 20}"
    wanted = CaseRequest(channel=channel, evidence=evidence)
    first = request(slack_http.service, slack_http.find(PHONE).id, wanted, OPERATOR)
    ana = slack_http.person("Ana")
    before = request_form(ana, known)
    approve(slack_http.service, first.id, MANAGER)
    noun = "number" if channel is Channel.SMS else "address"
    shown = f"Another contact with this {noun} opted in again"
    _, _, after = request_form(ana, known).partition(shown)

    assert "opted in again" not in before
    assert after.startswith(" Nov 3, 2026, ")
    assert "“Called us from ending 0142, n…@example.com, and wants them again" in after
    assert after.count("much more") < 3
    assert "☑ Approved by" in after
    assert "555 0142" not in after


def test_what_was_refused_again_since_is_no_case_to_show(slack_http: Slack) -> None:
    refuses(slack_http, "stop all")
    slack_http.add("Second", phone=PHONE, email="second@example.com")
    wanted = CaseRequest(channel=Channel.SMS, evidence=EVIDENCE)
    first = request(slack_http.service, slack_http.find(PHONE).id, wanted, OPERATOR)
    approve(slack_http.service, first.id, MANAGER)
    texts(slack_http, "stop all")

    assert "opted in again" not in request_form(slack_http.person("Ana"), "second@example.com")


def request_form(person: PersonClient, asked: str) -> str:
    """What the request form says that is opened from the card."""
    person.command(f"/optin {asked}")
    person.press("Request re-opt-in")
    form = person.modal
    assert form is not None
    person.close()
    return form.plain


def test_the_form_to_deny_says_whose_request_it_is(slack_http: Slack) -> None:
    refuses(slack_http)
    asks(slack_http)
    lee = slack_http.person("Lee")
    lee.press("Deny", in_=request_of(slack_http))
    form = lee.modal

    assert form is not None
    assert "Re-opt-in for SMS: Nia Canary, number ending 0142" in form.plain
    assert "Requested by @ana" in form.plain


def test_a_manager_sees_no_approve_for_their_own_request(slack_http: Slack) -> None:
    lee, mia = slack_http.person("Lee"), slack_http.person("Mia")
    for manager in (lee, mia):
        manager.press("Send me requests", in_=manager.command("/optin pending").messages[-1])
    refuses(slack_http)
    asks(slack_http, "Lee")
    until(slack_http, lambda: bool(lee.dms()) and bool(mia.dms()))
    own = lee.command("/optin pending").messages[-1]
    others = mia.command("/optin pending").messages[-1]

    assert "Approve" not in own.buttons
    assert "another manager has to approve it" in own.plain
    assert "Approve" in others.buttons
    assert lee.dms()[0].buttons == ["Deny", "View"]
    assert mia.dms()[0].buttons == ["Approve", "Deny", "View"]


def test_a_direct_message_opens_the_card(slack_http: Slack) -> None:
    refuses(slack_http)
    ana = asks(slack_http)
    slack_http.person("Lee").press("Approve", in_=request_of(slack_http), confirm=True)
    until(slack_http, lambda: bool(ana.dms()))
    message = ana.dms()[0]
    ana.close(whole=True)
    ana.press("View", in_=message)
    card = ana.modal

    assert "for Nia Canary, number ending 0142 (SMS)" in message.text
    assert card is not None
    assert "Nia Canary" in card.plain
