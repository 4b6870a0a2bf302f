"""People, files and providers do anything in any order; after every step the storage is what the
rules say.

The rules are `rules_model`, which knows nothing of our code. `OPTIN_PROPERTY_RUNS` runs more.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from bot.clock import Stopped
from bot.consent import service as use
from bot.consent.activity import CHANGING, Kind
from bot.consent.errors import OptinError
from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Actor, AddressFacts, Channel, Contact, Evidence, On
from bot.consent.rules import decide
from bot.consent.service import Details, Row, Wish
from bot.consent.service.take import take
from tests.consent_fixtures import (
    AGENT,
    MANAGER,
    NOW,
    OPERATOR,
    SENDERS,
    open_service,
)
from tests.properties_cases import FIELD, Cases, day, minute, people, which
from tests.rules_model import No
from tests.rules_model_cases import RulesOfCases
from tests.rules_model_events import WORDS
from tests.storages import KIND, KINDS, forget, on_disk, path_in

#: As people write them, and what they mean; None can't be read.
PHONES = {
    "+1 415 555 0100": "+14155550100",
    "(415) 555-0100": "+14155550100",
    "\u202a415.555.0111\u202c": "+14155550111",
    "+44 20 7946 0958": "+442079460958",
    "555": None,
}
EMAILS = {
    "ana@example.com": "ana@example.com",
    " ANA@Example.com": "ana@example.com",
    "info@example.com": "info@example.com",
    "nobody at all": None,
}
NAMES = ["Ana Gómez", "ANA  GOMEZ", "A. Gomez", "Bo"]

names = st.sampled_from(NAMES)
phones = st.sampled_from([None, *PHONES])
emails = st.sampled_from([None, *EMAILS])
external_ids = st.sampled_from([None, None, "crm-1", "crm-2"])
consents = st.sampled_from(["YES", "NO", "UNSET"])
evidences = st.sampled_from([None, "web form", " \t", "call"])
reasons = st.sampled_from([None, "Asked by phone", "Wrong person", "Correction", "said so"])
wishes = st.fixed_dictionaries(
    {"reason": reasons, "evidence": evidences},
    optional={
        "phone": st.sampled_from(["YES", "NO"]),
        "email": st.sampled_from(["YES", "NO"]),
        "clear": st.sampled_from([["phone"], ["email"], ["email", "phone"]]),
        "dnc": st.booleans(),
        "note": st.just("spoke to them"),
    },
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from([*NAMES, ""]),
            "phone": phones,
            "email": emails,
            "external_id": external_ids,
            "sms_on": consents,
            "email_on": consents,
            "sms_bounce": st.booleans(),
            "email_bounce": st.booleans(),
            "evidence": evidences,
            "evidence_at": st.sampled_from(
                [None, NOW - timedelta(days=9), NOW + timedelta(days=9)]
            ),
        }
    ),
    min_size=1,
    max_size=4,
)
#: A number that no contact ever has.
STRANGER = "+15005550006"
#: How long ago it happened, as the provider says; None where it says nothing.
ages = st.sampled_from(
    [None, None, 0 * minute, minute, 4 * minute, 90 * minute, day, 40 * day, -day]
)
about = {
    "address": st.sampled_from(
        ["+14155550100", "+14155550100", "+14155550100", "+14155550111", STRANGER]
    ),
    "sender": st.sampled_from([sender.id for sender in SENDERS]),
    "age": ages,
    "sent": ages,
}
by_mail = {
    **about,
    "address": st.sampled_from(["ana@example.com", "ana@example.com", "info@example.com"]),
}
texts = st.fixed_dictionaries(
    {**about, "what": st.just("text"), "words": st.sampled_from([*WORDS, "STOP", "UNSTOP"])}
)
FAILURES = [*Failure, Failure.OPT_OUT, Failure.SOFT, Failure.SOFT, Failure.SOFT]
failures = {"what": st.just("failed"), "class": st.sampled_from(FAILURES)}
outcomes = (
    st.fixed_dictionaries({**about, **failures})
    | st.fixed_dictionaries({**by_mail, **failures})
    | st.fixed_dictionaries({**about, "what": st.just("delivered")})
    | st.fixed_dictionaries({**by_mail, "what": st.just("delivered")})
)
clicks = st.fixed_dictionaries(
    {
        **by_mail,
        "what": st.sampled_from(
            ["unsubscribed", "complaint", "resubscribed", "suppressed", "unsuppressed"]
        ),
    }
)
told = texts | outcomes | clicks


class Desk(Cases):
    """Everybody at work on one storage."""

    kind: str

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="optin-")
        self.path = path_in(Path(self.folder.name), self.kind)
        self.clock = Stopped(NOW)
        self.rules = RulesOfCases()
        self.service = self.open()
        self.ids: list[str] = []
        self.imports: list[str] = []
        #: Every event that a provider has told.
        self.events: list[dict[str, Any]] = []

    def open(self) -> use.Service:
        return replace(
            open_service(self.path, self.clock),
            alert_channel="C0ALERTS",
            approval_channel="C0APPROVALS",
            self_approve=self.rules.self_approve,
        )

    def teardown(self) -> None:
        assert STRANGER.removeprefix("+").encode() not in on_disk(self.path)
        self.service.store.close()
        forget(self.path)
        self.folder.cleanup()

    # People

    @initialize(
        name=names, phone=st.sampled_from(list(PHONES)[:2]), email=st.just("ana@example.com")
    )
    def somebody_is_there(self, name: str, phone: str, email: str) -> None:
        self.add(AGENT, name, phone, email, None)
        self.add(AGENT, "Cy, who shares both", phone, email, None)

    @rule(who=people, name=names, phone=phones, email=emails, external_id=external_ids)
    def add(
        self, who: Actor, name: str, phone: str | None, email: str | None, external_id: str | None
    ) -> None:
        details = Details(name=name, phone=phone, email=email, external_id=external_id)
        self.both(
            lambda: use.add(self.service, details, who),
            lambda now: self.rules.add(
                who.role, "new", {"name": _name(name), **_read(details)}, who.id, now
            ),
        )

    @rule(
        who=people, n=which, name=st.none() | names, phone=st.just("") | phones,
        email=st.just("") | emails, external_id=external_ids,
    )  # fmt: skip
    def edit(self, who: Actor, n: int, **typed: str | None) -> None:
        details = Details(**typed)
        fields = {"name": _name(typed["name"])} if typed["name"] is not None else {}
        self.both(
            lambda: use.edit(self.service, self.id(n), details, who),
            lambda now: self.rules.edit(
                who.role, self.id(n), {**fields, **_read(details)}, who.id, now
            ),
        )

    @rule(who=people, n=which, asked=wishes, stale=st.sampled_from([False, False, False, True]))
    def change(self, who: Actor, n: int, asked: dict[str, Any], stale: bool) -> None:
        wish = Wish(
            sms=On(asked["phone"]) if "phone" in asked else None,
            email=On(asked["email"]) if "email" in asked else None,
            clear_bounce=frozenset(FIELD[f] for f in asked.get("clear", ())),
            do_not_contact=asked.get("dnc"),
            reason=asked["reason"],
            evidence=asked["evidence"],
            note=asked.get("note"),
        )
        version = self.rules.people[self.id(n)]["version"] if self.id(n) in self.rules.people else 1
        version -= stale
        self.both(
            lambda: use.change(self.service, self.id(n), wish, who, version=version),
            lambda now: self.rules.change(who.role, self.id(n), asked, who.id, stale, now),
        )

    @rule(who=people, n=which, field=st.sampled_from(list(FIELD)))
    def agree(self, who: Actor, n: int, field: str) -> None:
        self.change(who, n, {field: "YES", "evidence": "call", "reason": None}, False)

    @rule(who=people, n=which, field=st.sampled_from(list(FIELD)), reason=reasons)
    def refuse(self, who: Actor, n: int, field: str, reason: str | None) -> None:
        self.change(who, n, {field: "NO", "evidence": None, "reason": reason}, False)

    @rule(who=people, n=which, field=st.sampled_from(list(FIELD)), minutes=st.sampled_from([0, 14]))
    def slip_and_undo(self, who: Actor, n: int, field: str, minutes: int) -> None:
        self.agree(who, n, field)
        self.refuse(who, n, field, None)
        self.time_passes(minutes)
        self.undo(who, n, field)

    @rule(who=people, n=which)
    def note(self, who: Actor, n: int) -> None:
        self.both(
            lambda: use.note(self.service, self.id(n), "called back", who),
            lambda now: self.rules.note(who.role, self.id(n), who.id, now),
        )

    @rule(who=people, n=which, field=st.sampled_from(list(FIELD)))
    def undo(self, who: Actor, n: int, field: str) -> None:
        self.both(
            lambda: use.undo(self.service, self.id(n), FIELD[field], who),
            lambda now: self.rules.undo(who.role, self.id(n), field, who.id, now),
        )

    @rule(who=st.sampled_from([OPERATOR, OPERATOR, MANAGER]), n=which)
    def erase(self, who: Actor, n: int) -> None:
        gone = self.rules.people.get(self.id(n), {})
        self.both(
            lambda: use.erase(self.service, self.id(n), who),
            lambda now: self.rules.erase(who.role, self.id(n), who.id, now),
        )
        if gone.get("erased"):
            with self.service.store.reading() as records:
                assert not any(
                    entry.address or entry.reason or entry.evidence or entry.changes
                    for entry in records.log()
                    if entry.contact == gone["id"]
                )

    @rule(who=people, n=which)
    def look(self, who: Actor, n: int) -> None:
        def see() -> None:
            found = use.find(self.service, "+14155550100", who)
            here = [p["id"] for p in self.rules._holders("+14155550100")]

            assert sorted(profile.contact.id for profile in found.contacts) == sorted(here)

        self.both(see, lambda now: self.rules._may(who.role, "edit"))

    # Files

    @rule(who=st.sampled_from([OPERATOR, OPERATOR, OPERATOR, AGENT]), rows=rows)
    def import_file(self, who: Actor, rows: list[dict[str, Any]]) -> None:
        file = [_row(n, row) for n, row in enumerate(rows, 2)]
        before = self.head()
        rejected: list[int] = []
        rehearsed = None
        if who is OPERATOR:
            rehearsed = use.import_rows(
                self.service, file, file="contacts.csv", actor=who, dry_run=True,
                reject=lambda row, reason: rejected.append(row.line),
            )  # fmt: skip
        assert self.head() == before

        good = [_meant(row) for row in rows if _is_good(row, self.clock())]
        if who is not OPERATOR:
            with pytest.raises(OptinError):
                use.import_rows(self.service, file, file="contacts.csv", actor=who)
            assert self.head() == before
            return

        report = use.import_rows(self.service, file, file="contacts.csv", actor=who)

        assert rehearsed is not None
        assert report == replace(rehearsed, id=report.id)
        assert report.rejected == len(rejected) == len(rows) - len(good)
        assert (report.id is None) == (not good)
        if report.id:
            self.imports.append(report.id)
            self.rules.imports[report.id] = False
            self.rules.entries += 2
            for n, row in enumerate(good):
                self.rules.take(f"import:{report.id}", row, f"new-{n}", self.clock())
        self.adopt()

    @rule(who=st.sampled_from([OPERATOR, OPERATOR, MANAGER]), n=which)
    def undo_import(self, who: Actor, n: int) -> None:
        if not self.imports:
            return
        id = self.imports[n % len(self.imports)]

        def rules(now: datetime) -> None:
            self.rules._may(who.role, "import")
            if self.rules.imports[id]:
                raise No("Refused")
            self.rules.undo_import(f"import:{id}", who.id, now)
            self.rules.imports[id] = True

        self.both(lambda: use.undo_import(self.service, id, who), rules)

    # Providers

    @rule(happened=st.lists(texts, min_size=1, max_size=2))
    def contacts_text(self, happened: list[dict[str, Any]]) -> None:
        self.providers_tell(happened)

    @rule(happened=st.lists(outcomes, min_size=1, max_size=3))
    def messages_come_to_an_end(self, happened: list[dict[str, Any]]) -> None:
        self.providers_tell(happened)

    @rule(happened=st.lists(told, min_size=1, max_size=3))
    def providers_tell(self, happened: list[dict[str, Any]]) -> None:
        self.clock.advance(timedelta(seconds=1))
        now = self.clock()
        for one in happened:
            age, sent = one["age"], one["sent"]
            self.events.append(
                {
                    **one,
                    "id": f"twilio:{len(self.events)}:{one['address']}",
                    "at": None if age is None else now - age,
                    # What is known of its sending is no later than what became of it.
                    "sent": None if sent is None else now - max(sent, age or sent, 0 * minute),
                }
            )
        self.hear(self.events[-len(happened) :])

    @rule(words=st.sampled_from(["STOP", "STOP", "STOP!!!"]), minutes=st.sampled_from([0, 4, 6]))
    def stop_and_its_confirmation(self, words: str, minutes: int) -> None:
        one = {"address": "+14155550100", "sender": SENDERS[1].id, "age": None, "sent": None}
        self.providers_tell([{**one, "what": "text", "words": words}])
        self.time_passes(minutes)
        self.providers_tell([{**one, "what": "failed", "class": Failure.OPT_OUT}])

    @rule(back=st.lists(st.integers(1, 6), min_size=1, max_size=4))
    def providers_tell_again(self, back: list[int]) -> None:
        self.clock.advance(timedelta(seconds=1))
        self.hear([self.events[-n] for n in back if n <= len(self.events)])

    def hear(self, events: list[dict[str, Any]]) -> None:
        outcomes = take(self.service, [_event(event) for event in events])

        said = [self.rules.hear(event, self.clock()) for event in events]
        assert outcomes == {word: said.count(word) for word in said}

    # The world

    @rule(minutes=st.sampled_from([1, 14, 16, 60 * 24 * 2, 60 * 24 * 12, 60 * 24 * 30]))
    def time_passes(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @rule()
    def everything_restarts(self) -> None:
        self.service.store.close()
        self.service = self.open()

    # What is always true

    @invariant()
    def the_storage_is_what_the_rules_say(self) -> None:
        with self.service.store.reading() as records:
            contacts = {contact.id: contact for contact in records.contacts()}
            assert contacts.keys() == self.rules.people.keys()
            assert records.head()[0] == self.rules.entries
            for id, person in self.rules.people.items():
                contact = contacts[id]
                told = records.entries(contact=id, kinds=CHANGING, limit=10_000)
                assert contact.version == person["version"] == len(told)
                assert _seen(contact) == _expected(person)
                for field, channel in FIELD.items():
                    address = person[field]
                    facts = records.facts(address) if address else None
                    decision = decide(contact, facts, channel)
                    answer, gates = self.rules.answer(person, field)
                    assert (decision.answer, {g.code: g.owner for g in decision.gates}) == (
                        answer,
                        gates,
                    )
                    assert (decision.status == "opted_in") == (answer == "yes")
                for sender in SENDERS:
                    facts = records.facts(person["phone"]) if person["phone"] else None
                    decision = decide(contact, facts, Channel.SMS, sender)
                    answer, gates = self.rules.answer(person, "phone", sender.id)
                    assert (decision.answer, {g.code: g.owner for g in decision.gates}) == (
                        answer,
                        gates,
                    )
            for address in self.rules.told:
                nobodys = address.startswith("#")
                key = self.service.hashed(address[1:]) if nobodys else address
                assert _known(records.facts(key)) == self.rules.known(address)

    @invariant()
    def the_log_is_whole_and_tells_the_state(self) -> None:
        verdict = use.verify(self.service)

        assert verdict.problem is None
        assert verdict.entries == self.rules.entries

    # Inside

    def id(self, n: int) -> str:
        return self.ids[n % len(self.ids)]

    def head(self) -> tuple[int, str]:
        with self.service.store.reading() as records:
            return records.head()

    def both(self, code: Callable[[], Any], rules: Callable[[datetime], None]) -> None:
        """Does it for both. What the rules refuse, the code refuses in the same word, and not a
        byte has moved."""
        self.clock.advance(timedelta(seconds=1))
        no = _refused(rules, self.clock())
        if no is None:
            code()
            self.adopt()
            return
        before = on_disk(self.path)
        with pytest.raises(OptinError) as refusal:
            code()
        assert type(refusal.value).__name__ == no
        assert on_disk(self.path) == before

    def adopt(self) -> None:
        """Gives whoever is new in the model the id that they got in the storage."""
        fresh = [id for id in self.rules.people if id.startswith("new")]
        with self.service.store.reading() as records:
            added = [
                entry.contact
                for entry in records.log()
                if entry.kind is Kind.CONTACT and entry.after == "added"
            ]
        new = [id for id in added if id and id not in self.ids]
        assert len(new) == len(fresh)
        self.ids += new
        names = dict(zip(fresh, new, strict=True))
        self.rules.people = {names.get(id, id): p for id, p in self.rules.people.items()}
        for id, person in self.rules.people.items():
            person["id"] = id
        for address, told in self.rules.told.items():
            self.rules.told[address] = [(names.get(id, id), *rest) for id, *rest in told]


def _refused(rules: Callable[[datetime], None], now: datetime) -> str | None:
    try:
        rules(now)
    except No as no:
        return str(no)
    return None


def _name(text: str | None) -> str:
    return " ".join((text or "").split())


def _read(details: Details) -> dict[str, Any]:
    """What was typed, in the model's words; what can't be read makes the whole unreadable."""
    fields: dict[str, Any] = {}
    if details.phone is not None:
        fields["phone"] = PHONES.get(details.phone) if details.phone else None
    if details.email is not None:
        fields["email"] = EMAILS.get(details.email) if details.email else None
    if details.external_id is not None:
        fields["external_id"] = details.external_id
    if (details.phone and fields["phone"] is None) or (details.email and fields["email"] is None):
        fields["unreadable"] = True
    return fields


def _row(line: int, row: dict[str, Any]) -> Row:
    evidence = None
    if row["evidence"] is not None or row["evidence_at"]:
        evidence = Evidence(text=row["evidence"] or "", at=row["evidence_at"])
    return Row(
        line=line,
        details=Details(
            name=row["name"], phone=row["phone"], email=row["email"],
            external_id=row["external_id"],
        ),
        sms=On(row["sms_on"]),
        email=On(row["email_on"]),
        sms_bounce=row["sms_bounce"],
        email_bounce=row["email_bounce"],
        evidence=evidence,
    )  # fmt: skip


def _is_good(row: dict[str, Any], now: datetime) -> bool:
    phone, email = row["phone"], row["email"]
    readable = (phone is None or PHONES[phone]) and (email is None or EMAILS[email])
    past = row["evidence_at"] is None or row["evidence_at"] <= now
    return bool(row["name"] and (phone or email) and readable and past)


def _meant(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "name": _name(row["name"]),
        "phone": PHONES.get(row["phone"]),
        "email": EMAILS.get(row["email"]),
    }


def _event(event: dict[str, Any]) -> Event:
    mail = "@" in event["address"]
    kinds = {"text": EventKind.REPLY, "failed": EventKind.FAILED}
    return Event(
        provider="sendgrid" if mail else "twilio",
        id=event["id"],
        kind=kinds.get(event["what"]) or EventKind(event["what"]),
        channel=Channel.EMAIL if mail else Channel.SMS,
        address=event["address"],
        occurred_at=event["at"],
        sender="sendgrid-account" if mail else event["sender"],
        text=event.get("words"),
        failure=event.get("class"),
        sent_at=event["sent"],
    )


def _known(facts: AddressFacts) -> dict[str, Any]:
    return {
        "bounce": facts.bounce, "bounced_at": facts.bounced_at, "complaint": facts.complaint,
        "soft": list(facts.soft_failures),
        "blocks": {sender: (block.state, block.since) for sender, block in facts.blocks.items()},
        "cleared": dict(facts.cleared),
        "hold": (facts.hold.since, facts.hold.text) if facts.hold else None,
        "refusal": facts.refusal.since if facts.refusal else None,
    }  # fmt: skip


def _seen(contact: Contact) -> dict[str, Any]:
    return {
        "name": contact.name, "phone": contact.phone, "email": contact.email,
        "external_id": contact.external_id, "dnc": contact.do_not_contact,
        "erased": contact.erased,
        "consents": {
            address: (c.on, c.by if c.on is On.NO else None, c.since,
                      c.evidence.text if c.evidence else None)
            for address, c in contact.consents.items()
        },
    }  # fmt: skip


def _expected(person: dict[str, Any]) -> dict[str, Any]:
    return {
        **{k: person[k] for k in ("name", "phone", "email", "external_id", "dnc", "erased")},
        "consents": {
            address: (c["on"], c["whose"] if c["on"] == "NO" else None, c["since"], c["evidence"])
            for address, c in person["consents"].items()
        },
    }


#: Half a minute; without the variable the runs are the same every time.
RUNS = int(os.environ.get("OPTIN_PROPERTY_RUNS", "0"))


def _machine(kind: str, examples: int) -> type:
    machine = type(f"Desk_{kind}", (Desk,), {"kind": kind})
    machine.TestCase.settings = settings(
        max_examples=RUNS or examples,
        stateful_step_count=30,
        derandomize=not RUNS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    # As long as it takes: on a slow machine the whole number takes minutes on PostgreSQL.
    machine.TestCase.pytestmark = [pytest.mark.timeout(1_800)]
    return machine.TestCase


#: The whole number on one kind of storage, a part of it on the others.
_EXAMPLES = {kind: 250 if kind == KIND else 60 for kind in KINDS}

for _kind, _examples in _EXAMPLES.items():
    globals()[f"TestPeopleAndFilesInAnyOrderOn_{_kind}"] = _machine(_kind, _examples)
