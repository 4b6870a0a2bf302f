"""With old records no answer is yes, on any surface, and a NO stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.gates import Code, Owner
from bot.consent.model import Channel, ConsentValue
from bot.consent.rules import Answer, Status
from bot.consent.storage_behind import (
    ACCEPTED,
    BEHIND,
    MAY_BE_NEW,
    RememberedHead,
    StorageBehind,
)
from bot.consent.use_cases import (
    AddressVerdict,
    Details,
    Service,
    StatusUpdate,
    accept_rollback,
    add,
    change,
    check_addresses,
    export,
    profile,
)
from bot.consent.use_cases.rollback import (
    BACKFILL,
    backfill_request,
    find_behind,
    mark_behind,
)
from bot.consent.use_cases.stats import stats
from bot.consent.use_cases.time_travel import profile_at
from handlers.address_list import next_step
from handlers.slack.alerts.render.behind_text import behind_alert
from tests.support.consent_fixtures import AGENT, OPERATOR, stop, told
from tests.support.slack_fixtures import Slack, said, started

ANA, BO = "+14155550100", "+14155550101"


def behind(service: Service, *, size: int = 99) -> StorageBehind:
    with service.store.reading() as records:
        present, _ = records.log.head()
    return StorageBehind(
        size=size,
        chain="b" * 64,
        at=service.now() - timedelta(hours=1),
        where="optin.heads",
        present=present,
        since=service.now(),
    )


@pytest.fixture
def old(service: Service) -> Service:
    """Ana wants texts, Bo does not, and the storage went back."""
    evidence = StatusUpdate(sms=ConsentValue.YES, evidence="Web form", reason="Web form")
    for name, phone in (("Ana", ANA), ("Bo", BO)):
        change(service, add(service, Details(name=name, phone=phone), AGENT).id, evidence, AGENT)
    stop(service, BO)
    mark_behind(service, behind(service))
    return service


def ids(service: Service) -> list[str]:
    with service.store.reading() as records:
        return sorted(contact.id for contact in records.contacts.all())


def test_yes_is_unverified_and_an_operator_acts(old: Service) -> None:
    decision = profile(old, ids(old)[0], AGENT).decisions[Channel.SMS]

    assert (decision.answer, decision.status) == (Answer.UNVERIFIED, Status.WAITING)
    (gate,) = decision.gates
    assert (gate.code, gate.owner) == (Code.STORAGE_BEHIND, Owner.OPERATOR)
    assert "optin verify --accept-rollback" in gate.remedy
    assert gate.since == old.now()


def test_a_yes_about_the_past_is_unverified_too(old: Service) -> None:
    past = profile_at(old, ids(old)[0], old.now(), AGENT).profile.decisions[Channel.SMS]

    assert past == profile(old, ids(old)[0], AGENT).decisions[Channel.SMS]
    assert past.answer is Answer.UNVERIFIED


def test_no_stays_no_with_its_own_gates_alone(old: Service) -> None:
    decision = profile(old, ids(old)[1], AGENT).decisions[Channel.SMS]

    assert decision.answer is Answer.NO
    assert [gate.code for gate in decision.gates] == [Code.OPTED_OUT]


def test_opt_outs_are_stored_all_the_same(old: Service) -> None:
    stop(old, ANA)

    assert profile(old, ids(old)[0], AGENT).decisions[Channel.SMS].answer is Answer.NO


def test_lists_exports_and_shares_have_no_yes(old: Service) -> None:
    first, second = check_addresses(old, [ANA, BO], AGENT)
    exported = {one.contact.phone: one.decisions[Channel.SMS].answer for one in export(old)}
    now = old.now()
    share = stats(old, OPERATOR, since=now - timedelta(days=1), zone=UTC).shares[Channel.SMS]

    assert [first.verdict, second.verdict] == [AddressVerdict.UNVERIFIED, AddressVerdict.NO]
    assert "Operator" in next_step(first)
    assert exported == {ANA: Answer.UNVERIFIED, BO: Answer.NO}
    assert (share.on, share.reachable) == (1, 0)


def test_entries_say_the_answer_that_was_given(old: Service) -> None:
    wish = StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone")
    change(old, ids(old)[0], wish, AGENT)

    assert told(old)[-1].answers == {"sms": ("unverified", "no")}


def test_accepting_is_an_entry_and_starts_the_backfill(old: Service) -> None:
    with old.store.reading() as records:
        newest = records.log.head()[0]
    lost = accept_rollback(old, OPERATOR)
    entry = told(old)[-1]

    assert (lost.size, lost.present) == (99, newest)
    assert (entry.kind, entry.actor, entry.contact) == ("note", OPERATOR.id, None)
    assert "optin.heads remembers entry 99" in (entry.reason or "")
    with old.store.reading() as records:
        request = backfill_request(records.key_value.get(BACKFILL))
    assert request is not None
    assert request.since == told(old)[newest - 1].recorded_at
    assert profile(old, ids(old)[0], AGENT).decisions[Channel.SMS].answer is Answer.YES


@pytest.mark.parametrize(
    ("where", "present", "may_be_new"),
    [("the witness slack", 0, True), ("optin.heads", 0, False), ("the witness slack", 3, False)],
)
def test_alert_says_what_to_do_with_a_new_storage(
    service: Service, where: str, present: int, may_be_new: bool
) -> None:
    mark_behind(service, replace(behind(service), where=where, present=present))
    with service.store.reading() as records:
        (alert,) = [one for one in records.outbox.all() if one.kind is AlertKind.BEHIND]

    assert (MAY_BE_NEW in behind_alert(alert)) is may_be_new


def test_loss_that_an_earlier_version_accepted_stays_accepted(old: Service) -> None:
    """It stored the time alone, and what was lost stood in words."""
    lost = behind(old)
    with old.store.transaction() as records:
        records.key_value.put(BEHIND, None)
        records.key_value.put(ACCEPTED, old.now().isoformat())
    head = RememberedHead(log="", size=lost.size, chain=lost.chain, at=lost.at, where=lost.where)
    later = replace(head, at=old.now() + timedelta(seconds=1))

    with old.store.reading() as records:
        assert find_behind(records, [head], old.now()) is None
        assert find_behind(records, [later], old.now()) is not None


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Slack]:
    with started(tmp_path, "http") as slack:
        yield slack


def test_card_says_what_happened_and_who_acts(slack: Slack) -> None:
    mark_behind(slack.service, behind(slack.service, size=9_999))
    shown = said(slack.person("Ana").command("/optin ana@example.com")).replace("*", "")

    assert "SMS 🟡 Not verified: Optin works with old records" in shown
    assert "✅" not in shown
    assert "☐ Operator: Put the newest copy of the storage back" in shown
