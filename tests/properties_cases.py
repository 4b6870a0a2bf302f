"""Re-opt-ins among everything else that people, files and providers do in any order.

A part of the machine in `test_properties`; the rules are `rules_model_cases`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.clock import Stopped
from bot.consent import service as use
from bot.consent.activity import Entry, Kind
from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import Case
from bot.consent.model import Actor, By, Channel, On, Role
from bot.consent.service.reviews import answer_review
from bot.consent.store import Records
from tests.consent_fixtures import AGENT, MANAGER, NOBODY, OPERATOR, OTHER_AGENT, SENDERS
from tests.rules_model_cases import OPEN, RulesOfCases

FIELD = {"phone": Channel.SMS, "email": Channel.EMAIL}
minute, day = timedelta(minutes=1), timedelta(days=1)

OTHER_MANAGER = Actor(id="slack:U0MANAGER2", role=Role.MANAGER, source="slack")
PROMOTED = replace(AGENT, role=Role.MANAGER)
DEMOTED = replace(MANAGER, role=Role.AGENT)
REMOVED = replace(MANAGER, role=Role.NOBODY)

people = st.sampled_from(
    [AGENT, AGENT, AGENT, OTHER_AGENT, OTHER_AGENT, MANAGER, OPERATOR, NOBODY, PROMOTED, DEMOTED]
)
deciders = st.sampled_from(
    [MANAGER, MANAGER, MANAGER, OTHER_MANAGER, OTHER_MANAGER, OPERATOR, PROMOTED, DEMOTED, REMOVED,
     AGENT]
)  # fmt: skip
askers = st.sampled_from([AGENT, OTHER_AGENT, OTHER_AGENT, MANAGER])
which = st.integers(0, 5)
several = st.sampled_from([[s.id for s in SENDERS], [SENDERS[0].id], [SENDERS[1].id]])
pauses = st.sampled_from([0, 0, 0, 60 * 24 * 2, 60 * 24 * 5, 60 * 24 * 14])
ends = st.sampled_from(
    ["wait", "wait", "approve", "approve", "deny", "cancel", "undo", "another address"]
)
fields = st.sampled_from(["phone", "phone", "email"])
asks = st.fixed_dictionaries(
    {
        "evidence": st.sampled_from(["a call", "a call", " a letter ", " \t", ""]),
        "ago": st.sampled_from([None, None, 0 * minute, minute, 90 * minute, 3 * day, -minute]),
        "precision": st.sampled_from([0 * minute, minute, day]),
    }
)
CALLED = {"evidence": "a call", "ago": None, "precision": 0 * minute}
#: How far what was shown is from what is: mostly it is the same.
versions = st.sampled_from([0, 0, 0, 0, 0, 1])


class Cases(RuleBasedStateMachine):
    """What people do about re-opt-ins, and what time does."""

    service: use.Service
    rules: RulesOfCases
    clock: Stopped
    ids: list[str]
    id: Callable[[int], str]
    both: Callable[[Callable[[], Any], Callable[[datetime], Any]], None]
    agree: Callable[..., None]
    refuse: Callable[..., None]
    undo: Callable[..., None]
    edit: Callable[..., None]
    time_passes: Callable[..., None]
    providers_tell: Callable[..., None]

    def __init__(self) -> None:
        super().__init__()
        #: Their ids in the storage, in the order of the model's.
        self.case_ids: list[str] = []
        #: How many entries of the log were looked at for ways back.
        self.looked_at = 0

    @rule(who=people, n=which, field=fields, asked=asks)
    def request(self, who: Actor, n: int, field: str, asked: dict[str, Any]) -> None:
        ago = asked["ago"]

        def ask() -> None:
            wanted = use.Ask(
                channel=FIELD[field],
                evidence=asked["evidence"],
                evidence_at=None if ago is None else self.clock() - ago,
                precision=asked["precision"],
            )
            self.case_ids.append(use.request(self.service, self.id(n), wanted, who).id)

        self.both(
            ask,
            lambda now: self.rules.request(who.role, self.id(n), field, asked, who.id, now),
        )

    @rule(who=deciders, back=st.integers(0, 2), off=versions)
    def approve(self, who: Actor, back: int, off: int) -> None:
        self.decided(
            back,
            lambda n, version: self.rules.approve(who.role, n, who.id, version + off, self.clock()),
            lambda id, version: use.approve(self.service, id, who, version=version + off),
        )

    @rule(
        who=deciders, back=st.integers(0, 2), off=versions,
        reason=st.sampled_from(["No proof", "No proof", " "]),
    )  # fmt: skip
    def deny(self, who: Actor, back: int, off: int, reason: str) -> None:
        self.decided(
            back,
            lambda n, version: self.rules.deny(
                who.role, n, reason, who.id, version + off, self.clock()
            ),
            lambda id, version: use.deny(self.service, id, reason, who, version=version + off),
        )

    @rule(who=people, back=st.integers(0, 2))
    def cancel(self, who: Actor, back: int) -> None:
        self.decided(
            back,
            lambda n, version: self.rules.cancel(who.role, n, who.id, self.clock()),
            lambda id, version: use.cancel(self.service, id, who),
        )

    def decided(
        self,
        back: int,
        rules: Callable[[int, int], bool],
        code: Callable[[str, int], use.Decided],
    ) -> None:
        """One of the newest cases, decided by both; both say whether it was this that decided."""
        if not self.case_ids:
            return
        n = max(0, len(self.case_ids) - 1 - back)
        version = self.rules.cases[n]["version"]
        won: list[bool] = []
        self.both(
            lambda: won.append(code(self.case_ids[n], version).won),
            lambda now: won.append(rules(n, version)),
        )
        assert len(set(won)) <= 1

    # What chance alone seldom takes to its end

    @rule(n=which, field=fields, who=askers, minutes=pauses, boss=deciders, then=ends)
    def refuse_and_ask(
        self, n: int, field: str, who: Actor, minutes: int, boss: Actor, then: str
    ) -> None:
        self.agree(who, n, field)
        self.refuse(who, n, field, "Asked by phone")
        self.time_passes(1)
        self.request(who, n, field, CALLED)
        self.time_passes(minutes)
        self.cases_are_looked_after()
        self.end(then, boss, who, n, field)

    @rule(
        n=st.sampled_from([0, 0, 1]), who=askers, words=st.sampled_from(["STOP", "STOP!!!"]),
        senders=several, boss=deciders, then=ends,
    )  # fmt: skip
    def stop_and_ask(
        self, n: int, who: Actor, words: str, senders: list[str], boss: Actor, then: str
    ) -> None:
        self.contact_texts(words, senders)
        self.time_passes(1)
        self.request(who, n, "phone", CALLED)
        self.end(then, boss, who, n, "phone")

    @rule(boss=deciders, minutes=pauses, first=st.booleans(), senders=several)
    def both_keys(self, boss: Actor, minutes: int, first: bool, senders: list[str]) -> None:
        if first:
            self.contact_texts("UNSTOP", senders)
        self.approve(boss, 0, 0)
        self.time_passes(minutes)
        if not first:
            self.contact_texts("UNSTOP", senders)

    @rule(who=askers)
    def the_same_evidence_is_brought_again(self, who: Actor) -> None:
        if self.rules.cases:
            case = self.rules.cases[-1]
            # A second passes before it is asked.
            ago = self.clock() + timedelta(seconds=1) - case["agreed"]
            n = self.ids.index(case["person"])
            self.request(who, n, case["channel"], {**CALLED, "ago": ago})

    @rule(seconds=st.sampled_from([-1, 0, 0, 1]), words=st.sampled_from(["STOP", "stop all"]))
    def a_stop_from_about_the_time_of_the_evidence_is_told(self, seconds: int, words: str) -> None:
        if self.rules.cases:
            at = self.rules.cases[-1]["agreed"] + timedelta(seconds=seconds)
            # A second passes before it is told.
            self.contact_texts(words, [SENDERS[0].id], age=self.clock() + timedelta(seconds=1) - at)
            self.the_same_evidence_is_brought_again(AGENT)

    def end(self, then: str, boss: Actor, who: Actor, n: int, field: str) -> None:
        if then == "approve":
            self.approve(boss, 0, 0)
        elif then == "deny":
            self.deny(boss, 0, 0, "No proof")
        elif then == "cancel":
            self.cancel(boss, 0)
        elif then == "undo":
            self.undo(who, n, field)
        elif then == "another address":
            new = {"phone": "\u202a415.555.0111\u202c", "email": "info@example.com"}
            same = dict.fromkeys(("name", "phone", "email", "external_id"))
            self.edit(who, n, **same | {field: new[field]})

    def contact_texts(self, words: str, senders: list[str], age: timedelta | None = None) -> None:
        one = {"address": "+14155550100", "age": age, "sent": None, "what": "text"}
        self.providers_tell([{**one, "words": words, "sender": sender} for sender in senders])

    # The rest of the world

    @initialize(on=st.booleans())
    def self_approval_is_allowed_or_not(self, on: bool) -> None:
        self.service = replace(self.service, self_approve=on)
        self.rules.self_approve = on

    @rule()
    def cases_are_looked_after(self) -> None:
        use.look_after_cases(self.service)
        self.rules.look_after(self.clock())

    @rule(who=people, refusal=st.booleans(), new=st.booleans())
    def a_reply_is_read(self, who: Actor, refusal: bool, new: bool) -> None:
        if new:
            self.contact_texts("Stop. Thank you", [SENDERS[0].id])
        found = self.review()
        if found is None:
            return
        alert, address = found
        self.both(
            lambda: answer_review(self.service, alert.id, refusal, who),
            lambda now: self.rules.read_reply(who.role, address, refusal, who.id, now),
        )

    def review(self) -> tuple[Alert, str] | None:
        """One that waits for an answer, about a number that somebody has and that is held."""
        numbers = {p["phone"] for p in self.rules.people.values() if p["phone"]}
        held = {self.service.hashed(n): n for n in numbers if self.rules.known(n)["hold"]}
        with self.service.store.reading() as records:
            for alert in records.alerts():
                waits = alert.kind is AlertKind.REVIEW and alert.answer is None
                if waits and alert.address in held:
                    return alert, held[alert.address]
        return None

    # What is always true

    @invariant()
    def the_cases_are_what_the_rules_say(self) -> None:
        with self.service.store.reading() as records:
            steps: dict[str, list[tuple[str, str, str]]] = {id: [] for id in self.case_ids}
            for entry in records.log():
                if entry.kind is Kind.CASE and entry.changes:
                    steps[str(entry.changes["case"][1])].append(
                        (entry.before, entry.after, entry.actor)
                    )
            for id, expected in zip(self.case_ids, self.rules.cases, strict=True):
                case = records.case(id)
                assert case is not None
                assert _seen(case) == _expected(expected)
                assert steps[id] == expected["steps"]
                assert case.open == (case.next_at is not None) == (expected["state"] in OPEN)
            for person in self.rules.people.values():
                for field, channel in FIELD.items():
                    found = records.open_case(person["id"], channel)
                    under_way = self.rules.under_way(person, field)
                    assert (found is None) == (under_way is None)
                    assert found is None or self.case_ids.index(found.id) == (
                        self.rules.cases.index(under_way)
                    )

    @invariant()
    def a_no_becomes_yes_by_all_keys_or_by_the_undo_of_a_slip(self) -> None:
        """Asked of the log alone (rules.md §8.3)."""
        with self.service.store.reading() as records:
            head, _ = records.head()
            new = records.entries(limit=max(1, head - self.looked_at)) if head else []
            for entry in new:
                if entry.seq > self.looked_at and (entry.kind, entry.before, entry.after) == (
                    Kind.CONSENT, On.NO, On.YES,
                ):  # fmt: skip
                    assert _is_a_way_back(records, entry)
            self.looked_at = head


def _is_a_way_back(records: Records, entry: Entry) -> bool:
    log = [e for e in records.log() if e.seq < entry.seq]
    theirs = [e for e in log if (e.contact, e.address) == (entry.contact, entry.address)]
    previous = [e for e in theirs if e.kind is Kind.CONSENT][-1]
    said_no = [e for e in theirs if e.after == On.NO and e.by in (By.CONTACT, By.IMPORT)]
    if log[-1].kind is Kind.CASE and log[-1].after == "completed":
        return _has_all_keys(records, entry, log, said_no)
    if entry.reason == "Undo of one's own change":
        return (
            (previous.before, previous.after, previous.actor) == ("YES", "NO", entry.actor)
            and entry.recorded_at - previous.recorded_at <= 15 * minute
            and not any(e.seq > previous.seq for e in said_no)
        )
    if entry.reason == "Undo of an import":
        return entry.actor == OPERATOR.id and previous.actor.startswith("import:")
    by_a_person = entry.actor.startswith(("slack:", "cli:")) and entry.source in ("slack", "cli")
    return by_a_person and previous.by is By.STAFF and entry.evidence is not None


def _has_all_keys(records: Records, entry: Entry, log: list[Entry], said_no: list[Entry]) -> bool:
    completed = log[-1]
    assert completed.changes is not None
    id = completed.changes["case"][1]
    (approved,) = [
        e for e in log
        if (e.kind, e.after, e.contact) == (Kind.CASE, "approved", entry.contact)
        and (e.changes or {})["case"][1] == id
    ]  # fmt: skip
    case = records.case(str(id))
    assert case is not None
    assert entry.evidence is not None
    assert entry.evidence.at is not None
    blocks = {e.sender: e.after for e in log if e.kind is Kind.BLOCK and e.address == entry.address}
    return (
        (case.contact, case.channel) == (entry.contact, entry.channel)
        and approved.actor == completed.actor == entry.actor == case.decided_by
        and (case.requested_by != entry.actor or "OPTIN_SELF_APPROVE" in (approved.reason or ""))
        and entry.evidence == case.evidence
        and all(e.occurred_at < entry.evidence.at for e in said_no)
        and "blocked" not in blocks.values()
        and entry.recorded_at < case.expires_at
    )


def _seen(case: Case) -> dict[str, Any]:
    return {
        "state": case.state, "version": case.version, "address": case.address,
        "by": case.requested_by, "at": case.requested_at, "agreed": case.evidence.at,
        "evidence": case.evidence.text, "expires_at": case.expires_at,
        "decided_by": case.decided_by, "own": case.self_approved,
        "unstopped_at": case.unstopped_at, "ended_by": case.ended_by, "ended_at": case.ended_at,
        "reminded": case.reminded, "person": case.contact, "channel": case.channel,
    }  # fmt: skip


def _expected(case: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in case.items() if k != "steps"} | {"channel": FIELD[case["channel"]]}
