"""Histories: what people, files and providers do, carried out by Optin and by the oracle alike.

After each step a `World` compares what both say of every contact. A step is a method of `World`
with plain values, so that a history can be printed, shortened and run again.

Times are days since the beginning (a number), or a `timedelta`. Contacts are `c0`, `c1`, `c2`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from bot.consent import use_cases as use
from bot.consent.alerts import AlertKind
from bot.consent.errors import OptinError
from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Actor, Channel, ConsentValue, Evidence, Role
from bot.consent.rules import Decision
from bot.consent.senders import Number, NumberKind, Sender
from bot.consent.use_cases import CaseRequest, Details, Row, Service, StatusUpdate
from bot.consent.use_cases.alerts.reviews import answer_review, expire_reviews
from bot.consent.use_cases.retire import retire
from bot.consent.use_cases.undo import take_back
from bot.runtime.clock import Stopped
from handlers.webhooks.payload_parsing import mailbox, phone
from tests.support import oracle
from tests.support.consent_fixtures import AGENT, MANAGER, NOW, OPERATOR, OTHER_AGENT, open_service
from tests.support.history_log import faults, written
from tests.support.oracle import EMAIL, NO, NONE, SMS, UNKNOWN, UNSET, Group, Oracle
from tests.support.past_answers import PastAnswers

Time = int | timedelta
second = timedelta(seconds=1)

#: Addresses by a letter, as people type them; an apostrophe marks another spelling of the same
#: address (rules.md §2a).
TYPED = {
    "A": "+1 415 555 0100", "A'": "(415) 555-0100", "B": "+1 415 555 0111",
    "M": "+52 55 1234 5678", "M'": "+52 1 55 1234 5678",
    "R": "+54 11 2345 6789", "R'": "+54 9 11 2345 6789",
    "E": "ana@bücher.example", "E'": "ANA@xn--bcher-kva.example", "F": "info@example.com",
}  # fmt: skip
#: The same as providers write them.
SENT = TYPED | {
    "A": "+14155550100", "A'": "rcs:+14155550100", "B": "14155550111",
    "M": "+525512345678", "M'": "+5215512345678", "R": "+541123456789", "R'": "+5491123456789",
}  # fmt: skip
#: The key of each address, and the forms in which Optin may show it.
KEYS = {
    "A": "+14155550100", "B": "+14155550111", "M": "+525512345678", "R": "+541123456789",
    "E": "ana@xn--bcher-kva.example", "F": "info@example.com",
}  # fmt: skip
SHOWN = {form: form for form in KEYS.values()} | {
    "+5215512345678": KEYS["M"], "+5491123456789": KEYS["R"],
    "ana@bücher.example": KEYS["E"], "ANA@xn--bcher-kva.example": KEYS["E"],
    "ANA@bücher.example": KEYS["E"],
}  # fmt: skip
STOPS = {"STOP": oracle.BLOCKED, "STOP!!!": UNKNOWN, "stop all": NONE}
FREE_TEXT = "Stop. Thank you"

#: Our numbers and services by a letter. S and T, which is toll-free, are the default sender; U is
#: another one. X, Y and Z (toll-free) stand in no file.
OURS = {
    "S": oracle.Sender("+14155550177", "MG1"),
    "S-": oracle.Sender("+14155550177"),
    "T": oracle.Sender("+18885550199", "MG1"),
    "MG1": oracle.Sender(None, "MG1"),
    "U": oracle.Sender("+14155550166"),
    "U+": oracle.Sender("+14155550166", "MG2"),
    "MG2": oracle.Sender(None, "MG2"),
    "X": oracle.Sender("+14155550155", "MG3"),
    "X-": oracle.Sender("+14155550155"),
    "Y": oracle.Sender("+14155550144", "MG3"),
    "Z": oracle.Sender("+18885550122", "MG3"),
    "sendgrid": oracle.Sender(service="sendgrid"),
}
LONG, TOLL_FREE = NumberKind.LONG_CODE, NumberKind.TOLL_FREE
#: What OPTIN_SENDERS says.
SENDERS = {
    "groups": (
        Sender(
            id="sales", service="MG1",
            numbers=(
                Number(number="+14155550177", kind=LONG),
                Number(number="+18885550199", kind=TOLL_FREE),
            ),
        ),
        Sender(id="support", numbers=(Number(number="+14155550166", kind=LONG),)),
    ),
    "one number": (Sender(id="sales", numbers=(Number(number="+14155550177", kind=LONG),)),),
    "nothing": (),
}  # fmt: skip
#: What ends an entry of a provider's list: the contact only what they asked for themselves.
CAUSES = {
    "unsubscribed": "unsubscribe", "complaint": "complaint", "suppressed": "ours",
}  # fmt: skip

NAMES = {
    "c0": "Ana Alpha", "c1": "Bob Beta", "c2": "Cy Gamma",
    "n0": "New Nil", "n1": "New One", "n2": "New Two", "n3": "New Three",
}  # fmt: skip
WHO = {
    "agent": AGENT,
    "other agent": OTHER_AGENT,
    "manager": MANAGER,
    "other manager": Actor(id="slack:U0MANAGER2", role=Role.MANAGER, source="slack"),
}
CHANNELS = {SMS: Channel.SMS, EMAIL: Channel.EMAIL}


#: Results of steps that change nothing.
SILENT = {
    "nothing", "nobody", "again", "Invalid", "NotAllowed", "NeedsManager", "NeedsEvidence",
    "Refused",
}  # fmt: skip


class Disagreement(AssertionError):
    """Optin and the rules say different things."""


def key(address: str) -> str:
    """The address whatever its spelling."""
    return KEYS[address.rstrip("'")]


def moment(time: Time) -> datetime:
    return NOW + (time if isinstance(time, timedelta) else timedelta(days=time))


def acts(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step takes a second, and whatever it does is compared."""

    @wraps(step)
    def act(world: World, *args: Any, **kwargs: Any) -> Any:
        world.clock.advance(second)
        world.work()
        world.steps += 1
        before = world.written()
        done = step(world, *args, **kwargs)
        world.look_at_log(step.__name__, before, done)
        world.look_around()
        world.compare()
        return done

    return act


class World:
    """Optin on one storage, and the oracle beside it."""

    def __init__(self, service: Service, clock: Stopped, path: Path) -> None:
        self.path = path
        self.service = replace(service, alert_channel="C0ALERTS", approval_channel="C0APPROVALS")
        self.clock = clock
        self.oracle = Oracle()
        self.knows("groups")
        self.steps = 0
        self.past = PastAnswers()
        #: Optin's id of each of the oracle's contacts.
        self.ids: dict[str, str] = {}
        #: Optin's id of each import, and the oracle's record.
        self.imports: dict[str, tuple[str, str]] = {}
        self.undone: set[str] = set()
        self.case_ids: list[str] = []
        self.events: dict[str, Event] = {}
        self.deliveries: dict[str, tuple[str, oracle.Sender, datetime, datetime | None]] = {}

    # Time

    def day(self, time: Time) -> World:
        """The clock goes forward to this time. Whatever waits for it happens."""
        ahead = moment(time) - self.clock()
        if ahead > timedelta(0):
            self.clock.advance(ahead)
            self.work()
            self.compare()
        return self

    def work(self) -> None:
        """What Optin does by itself as time passes."""
        use.run_case_timers(self.service)
        expire_reviews(self.service)
        self.oracle.time_passes(self.clock())

    def written(self) -> tuple[int, dict[str, int]]:
        """How far the log goes, and how large the files of the storage are."""
        with self.service.store.reading() as records:
            seq, _ = records.log.head()
        files = [self.path, *self.path.parent.glob(f"{self.path.name}*")]
        return seq, {file.name: file.stat().st_size for file in files if file.is_file()}

    def look_at_log(self, step: str, before: tuple[int, dict[str, int]], done: Any) -> None:
        """Each entry names who did it, none is there twice, and what does nothing writes nothing
        (rules.md §8.5, §8.9)."""
        entries = written(self.service.store, before[0])
        wrong = next(faults(step, entries), None)
        if wrong:
            raise Disagreement(wrong)
        silent = done in SILENT if isinstance(done, str) else done is False
        if silent and self.written() != before:
            said = [f"{e.kind} {e.before} → {e.after}" for e in entries]
            raise Disagreement(f"{step} did nothing ({done}), and wrote {said}")

    def restarts(self) -> None:
        """The program ends, and starts again on the same storage."""
        self.service.store.close()
        fresh = open_service(self.path, self.clock)
        self.service = replace(self.service, store=fresh.store)

    def knows(self, senders: str) -> None:
        """What stands in OPTIN_SENDERS."""
        self.service = replace(self.service, senders=SENDERS[senders])
        self.oracle.groups = tuple(
            Group(
                one.id,
                {n.number: n.kind is TOLL_FREE for n in one.numbers},
                one.service,
            )
            for one in SENDERS[senders]
        )

    # People

    @acts
    def adds(self, who: str, phone: str | None = None, email: str | None = None) -> None:
        if self.present(who):
            return
        details = Details(
            name=NAMES[who],
            external_id=f"id-{who}",
            phone=TYPED[phone] if phone else None,
            email=TYPED[email] if email else None,
        )
        use.add(self.service, details, AGENT)

    @acts
    def moves(self, who: str, **to: str | None) -> None:
        """`phone` or `email` are changed; None takes them away."""
        if id := self.present(who):
            typed = {field: TYPED[address] if address else "" for field, address in to.items()}
            try:
                use.edit(self.service, id, Details(**typed), AGENT)
            except OptinError as problem:
                self.expect("Invalid", name_of(problem))

    @acts
    def says_no(
        self, who: str, channel: str, by: str = "agent", reason: str = "Asked by phone"
    ) -> None:
        if self.has(who, channel):
            self.change(who, {channel: ConsentValue.NO}, by, reason)
            name = self.name(who)
            self.oracle.wants_no(
                name, channel, WHO[by].id, self.record, reason == "Wrong person", self.clock()
            )

    @acts
    def says_yes(
        self, who: str, channel: str, by: str = "agent", evidence: str | None = "a form"
    ) -> str:
        """What comes of it: "taken", "nothing", or why not."""
        if not self.present(who):
            return "nobody"
        done = self.change(who, {channel: ConsentValue.YES}, by, None, evidence)
        rules = self.oracle.wants_yes(
            self.name(who), channel, evidence is not None, self.record, self.clock()
        )
        self.expect(rules, done)
        return rules

    def change(
        self,
        who: str,
        on: dict[str, ConsentValue],
        by: str,
        reason: str | None,
        evidence: str | None = None,
    ) -> str:
        wish = StatusUpdate(**on, reason=reason, evidence=evidence)  # type: ignore[arg-type]
        try:
            done = use.change(self.service, self.ids[self.name(who)], wish, WHO[by])
        except OptinError as problem:
            return name_of(problem)
        return "taken" if done.changes else "nothing"

    @acts
    def undoes(self, who: str, channel: str, by: str = "agent") -> bool:
        """Takes back their own slip; whether that was one."""
        if not self.present(who):
            return False
        record = self.oracle.slip(self.name(who), channel, WHO[by].id, self.clock())
        shown = use.profile(self.service, self.ids[self.name(who)], WHO[by]).undoable
        self.expect(record is not None, CHANNELS[channel] in shown)
        try:
            use.undo(self.service, self.ids[self.name(who)], CHANNELS[channel], WHO[by])
            done = True
        except OptinError:
            done = False
        if record:
            self.oracle.take_back(record, self.clock())
        self.expect(record is not None, done)
        return done

    @acts
    def clears(self, who: str, channel: str, by: str = "agent") -> str:
        if not self.has(who, channel):
            return "nobody"
        wish = StatusUpdate(
            clear_bounce=frozenset({CHANNELS[channel]}), reason="It works", evidence="Called"
        )
        try:
            done = use.change(self.service, self.ids[self.name(who)], wish, WHO[by])
            word = "taken" if done.changes else "nothing"
        except OptinError as problem:
            word = name_of(problem)
        boss = WHO[by].role is Role.MANAGER
        rules = self.oracle.clears_bounce(self.name(who), channel, boss, self.clock())
        self.expect(rules, word)
        return rules

    @acts
    def marks(self, who: str, do_not_contact: bool = True) -> None:
        if id := self.present(who):
            use.change(self.service, id, StatusUpdate(do_not_contact=do_not_contact), MANAGER)
            if self.oracle.no_contact(self.name(who)) != do_not_contact:
                self.oracle.add(
                    oracle.DoNotContact(
                        told=self.clock(), contact=self.name(who), on=do_not_contact
                    )
                )

    @acts
    def erases(self, who: str) -> None:
        if id := self.present(who):
            use.erase(self.service, id, OPERATOR)
            self.oracle.erases(self.name(who), self.clock())

    @acts
    def merges(self, kept: str, merged: str) -> None:
        if kept != merged and self.present(kept) and self.present(merged):
            names = self.name(kept), self.name(merged)
            use.merge(self.service, self.ids[names[0]], self.ids[names[1]], MANAGER)
            self.oracle.merges(*names, self.clock())

    # Files

    @acts
    def imports_file(self, *rows: dict[str, Any], file: str = "f1") -> None:
        """Rows have `who`, `phone`, `email`, `sms`, `mail`, `agreed`, `proof`, `bounced`."""
        rows = tuple(row for row in rows if row.get("phone") or row.get("email"))
        if not rows:
            return
        parsed = [self.row(n, **row) for n, row in enumerate(rows, 2)]
        rehearsed = use.import_rows(
            self.service, parsed, file=f"{file}.csv", actor=OPERATOR, dry_run=True
        )
        report = use.import_rows(self.service, parsed, file=f"{file}.csv", actor=OPERATOR)
        self.expect(0, report.rejected)
        self.expect(rehearsed.counts, report.counts)
        assert report.id
        record = f"file:{file}:{self.steps}"
        self.imports[file] = (report.id, record)
        now = self.clock()
        for row in rows:
            self.look_around(NAMES[row["who"]])
            name = self.name(row["who"])
            agreed = moment(row["agreed"]) if row.get("agreed") is not None else None
            for channel, wanted in ((SMS, row.get("sms", UNSET)), (EMAIL, row.get("mail", UNSET))):
                proof = row.get("proof", True)
                self.oracle.imports(name, channel, wanted, agreed, proof, record, now)
        for row in rows:
            name = self.name(row["who"])
            address = self.oracle.address(name, row.get("bounced", ""))
            if address:
                self.oracle.add(
                    oracle.Bounced(told=now, record=record, address=address, at=now, contact=name)
                )

    def row(self, line: int, who: str, **row: Any) -> Row:
        evidence = None
        if row.get("proof", True):
            agreed = row.get("agreed")
            evidence = Evidence(text="a form", at=None if agreed is None else moment(agreed))
        return Row(
            line=line,
            details=Details(
                name=NAMES[who],
                external_id=f"id-{who}",
                phone=TYPED[row["phone"]] if row.get("phone") else None,
                email=TYPED[row["email"]] if row.get("email") else None,
            ),
            sms=ConsentValue(row.get("sms", UNSET)),
            email=ConsentValue(row.get("mail", UNSET)),
            sms_bounce=row.get("bounced") == SMS,
            email_bounce=row.get("bounced") == EMAIL,
            evidence=evidence,
        )

    @acts
    def undoes_import(self, file: str, opt_outs: bool = False) -> None:
        """Its opt-outs stay, unless they were a mistake, too (rules.md §6)."""
        if file not in self.imports:
            return
        id, record = self.imports[file]
        if opt_outs:
            del self.imports[file]
            use.undo_import(self.service, id, OPERATOR, opt_outs=True, reason="The wrong file")
            self.oracle.take_back(f"{record}:opt-outs", self.clock())
        elif record not in self.undone:
            self.undone.add(record)
            use.undo_import(self.service, id, OPERATOR)
        self.oracle.take_back(record, self.clock())

    @acts
    def takes_back(self, who: str, channel: str) -> bool:
        """A manager: the newest NO of this contact was recorded by mistake (rules.md §6)."""
        if not self.has(who, channel):
            return False
        record = self.oracle.mistake(self.name(who), channel)
        try:
            take_back(
                self.service, self.ids[self.name(who)], CHANNELS[channel], MANAGER, reason="Mistake"
            )
            done = True
        except OptinError:
            done = False
        if record is not None and not done and self.oracle.hides(self.name(who), channel, record):
            return done
        if record is not None:
            self.oracle.take_back(record, self.clock())
        self.expect(record is not None, done)
        return done

    # Providers

    @acts
    def texts(self, address: str, words: str, to: str = "S", at: Time | None = None) -> None:
        when = self.tell(EventKind.REPLY, address, to, at, text=words)
        sender, now = OURS[to], self.clock()
        if words in STOPS:
            self.oracle.stops(key(address), sender, when, STOPS[words], now)
        elif words == FREE_TEXT:
            deadline = self.service.deadline(when)
            self.oracle.writes(key(address), when, deadline, now)
        elif words != "hello":
            self.oracle.unstops(key(address), sender, when, words, now)

    @acts
    def is_rejected(
        self, address: str, to: str = "S", at: Time | None = None, sent: Time | None = None
    ) -> None:
        """A send fails, opt-out class."""
        when = self.tell(EventKind.FAILED, address, to, at, sent, failure=Failure.OPT_OUT)
        since = None if sent is None else moment(sent)
        self.oracle.is_rejected(key(address), OURS[to], when, since, self.clock())

    @acts
    def fails(self, address: str, failure: str, to: str = "S", at: Time | None = None) -> None:
        """A send fails, of another class."""
        when = self.tell(EventKind.FAILED, address, to, at, failure=Failure(failure))
        now, where = self.clock(), key(address)
        if failure == "hard":
            self.oracle.add(oracle.Bounced(told=now, address=where, at=when))
        elif failure in ("soft", "ambiguous"):
            self.oracle.add(oracle.SoftFailure(told=now, address=where, at=when))
        if failure == "ambiguous":
            sender = _entry(to, "unknown", None) if "@" in where else OURS[to]
            self.oracle.is_blocked(where, sender, when, now, UNKNOWN)

    @acts
    def is_delivered(
        self, address: str, to: str = "S", at: Time | None = None, sent: Time | None = None
    ) -> None:
        when = self.tell(EventKind.DELIVERED, address, to, at, sent)
        since = None if sent is None else moment(sent)
        told = (key(address), OURS[to], when, since)
        self.deliveries[f"twilio:{self.steps}"] = told
        self.oracle.delivers(*told, self.clock())

    @acts
    def whatsapps(self, address: str, words: str = "STOP", to: str = "S") -> None:
        """A refusal by WhatsApp holds texts until a person has read it (rules.md §2a)."""
        when = self.tell(EventKind.REPLY, address, to, None, text=words, whatsapp=True)
        self.oracle.writes(key(address), when, self.service.deadline(when), self.clock())

    @acts
    def clicks(
        self, address: str, what: str, by: str = "sendgrid", scope: str | None = None,
        at: Time | None = None,
    ) -> None:  # fmt: skip
        """What an e-mail provider tells beside deliveries and failures."""
        when = self.tell(EventKind(what), address, by, at, scope=scope)
        now, where = self.clock(), key(address)
        entry = _entry(by, CAUSES.get(what, ""), scope)
        if what in ("unsubscribed", "complaint"):
            self.oracle.add(oracle.OptOut(told=now, address=where, at=when))
            self.oracle.is_blocked(where, entry, when, now)
        if what == "complaint":
            self.oracle.add(oracle.Bounced(told=now, address=where, at=when, complaint=True))
        if what == "suppressed":
            self.oracle.is_suppressed(where, entry, when, now)
        ends = {
            "resubscribed": ["unsubscribe", "unknown"],
            "unsuppressed": [*CAUSES.values(), "unknown"],
        }
        for cause in ends.get(what, ()):
            entry = _entry(by, cause, scope)
            if entry.service in self.oracle.blocks(where):
                self.oracle.add(oracle.Lifted(told=now, address=where, sender=entry, at=when))
        self.oracle.look_at_cases(now)

    @acts
    def removes(self, who: str, entry: str) -> None:
        """A manager says that this entry is gone from the provider's list (rules.md §4)."""
        if not self.has(who, EMAIL):
            return
        address = self.oracle.address(self.name(who), EMAIL) or ""
        known = entry in self.oracle.blocks(address)
        try:
            use.removed_at_provider(self.service, self.ids[self.name(who)], entry, MANAGER)
            done = True
        except OptinError:
            done = False
        self.expect(known, done)
        if known:
            lifted = oracle.Lifted(
                told=self.clock(), address=address, sender=oracle.Sender(service=entry),
                at=self.clock(), removed=True,
            )  # fmt: skip
            self.oracle.add(lifted)
            self.oracle.look_at_cases(self.clock())

    @acts
    def retires(self, name: str) -> None:
        """The company no longer uses this sender or provider (rules.md §2b)."""
        with suppress(OptinError):  # retired already
            retire(self.service, name, MANAGER)
        self.oracle.add(oracle.Retired(told=self.clock(), name=name))
        self.oracle.look_at_cases(self.clock())

    @acts
    def is_told_again(self, step: int) -> str:
        """The provider tells the event of that step once more: nothing changes (rules.md §8.5)."""
        event = self.events.get(f"twilio:{step}")
        if event is None:
            return "nobody"
        use.ingest(self.service, [event])
        if event.kind is not EventKind.DELIVERED:
            return "again"
        # It may be older than this, and lift a block that was told late.
        self.oracle.delivers(*self.deliveries[event.id], self.clock())
        return "told"

    def tell(
        self, kind: EventKind, address: str, to: str, at: Time | None, sent: Time | None = None,
        **more: Any,
    ) -> datetime:  # fmt: skip
        mail = "@" in SENT[address]
        sender = OURS.get(to, OURS["sendgrid"])
        event = Event(
            provider=to if mail else "twilio",
            id=f"twilio:{self.steps}",
            kind=kind,
            channel=Channel.EMAIL if mail else Channel.SMS,
            address=mailbox(SENT[address]) if mail else phone(SENT[address]),
            occurred_at=None if at is None else moment(at),
            sender=f"{to}-account" if mail else sender.number,
            service=None if mail else sender.service,
            sent_at=None if sent is None else moment(sent),
            **more,
        )
        self.events[event.id] = event
        use.ingest(self.service, [event])
        at_last = min(event.occurred_at or self.clock(), self.clock())
        self.oracle.hears(sender, at_last, self.clock())
        return at_last

    # Cases and reviews

    @acts
    def asks(self, who: str, channel: str, agreed: Time | None = None, by: str = "agent") -> str:
        """Requests re-opt-in with evidence of that time, now where none is said."""
        if not self.present(who):
            return "nobody"
        at = self.clock() if agreed is None else min(moment(agreed), self.clock())
        ask = CaseRequest(channel=CHANNELS[channel], evidence="a call", evidence_at=at)
        before = len(self.oracle.cases)
        try:
            case = use.request(self.service, self.ids[self.name(who)], ask, WHO[by])
            self.case_ids.append(case.id)
            done = "taken"
        except OptinError as problem:
            done = name_of(problem)
        rules = self.oracle.asks(self.name(who), channel, at, WHO[by].id, self.clock())
        self.expect(rules, done)
        assert len(self.oracle.cases) == len(self.case_ids) or rules != done, before
        return rules

    @acts
    def decides(self, who: str, channel: str, word: str = "approved", by: str = "manager") -> str:
        """The newest case of this contact is approved, denied or cancelled."""
        found = [
            n
            for n, case in enumerate(self.oracle.cases)
            if self.present(who) and (case.contact, case.channel) == (self.name(who), channel)
        ]
        if not found:
            return "nobody"
        id = self.case_ids[found[-1]]
        try:
            if word == "approved":
                decided = use.approve(self.service, id, WHO[by])
            elif word == "denied":
                decided = use.deny(self.service, id, "No proof", WHO[by])
            else:
                decided = use.cancel(self.service, id, WHO[by])
            done = "won" if decided.won else "lost"
        except OptinError as problem:
            done = name_of(problem)
        boss = WHO[by].role is Role.MANAGER
        case = self.oracle.cases[found[-1]]
        rules = self.oracle.decides(case, word, WHO[by].id, boss, self.clock())
        self.expect(rules, done)
        return rules

    @acts
    def reads(self, address: str, refusal: bool, by: str = "agent") -> None:
        """Every reply from this number that waits is read alike."""
        if self.oracle.hold(key(address)) is None:
            return
        hashed = self.service.hashed(key(address))
        with self.service.store.reading() as records:
            waiting = [
                alert.id
                for alert in records.outbox.all()
                if alert.kind is AlertKind.REVIEW
                and alert.follow_up.answer is None
                and alert.subject.address == hashed
            ]
        for id in waiting:
            answer_review(self.service, id, refusal, WHO[by])
        self.expect(True, bool(waiting))
        self.oracle.reads(key(address), refusal, self.clock())

    # What both say

    def name(self, who: str) -> str:
        """The oracle's name of the contact who is called so now."""
        return [name for name in self.ids if name.rstrip("'") == who][-1]

    def present(self, who: str) -> str | None:
        """Optin's id of the contact, while there is one."""
        names = [name for name in self.ids if name.rstrip("'") == who]
        alive = self.oracle.contacts()
        return self.ids[names[-1]] if names and names[-1] in alive else None

    def has(self, who: str, channel: str) -> bool:
        return bool(self.present(who) and self.oracle.address(self.name(who), channel))

    @property
    def record(self) -> str:
        return f"step:{self.steps}"

    def look_around(self, only: str | None = None) -> None:
        """Tells the oracle who came, went, or has another address now. What a file or its undo does
        to them is not a matter of consent."""
        now = self.clock()
        with self.service.store.reading() as records:
            contacts = {c.id: c for c in records.contacts.all() if not c.erased}
        for name in self.oracle.contacts() if only is None else ():
            if self.ids[name] not in contacts:
                self.oracle.leaves(name, now)
        for id, contact in contacts.items():
            if only not in (None, contact.name):
                continue
            if id not in self.ids.values():
                (who,) = (who for who, name in NAMES.items() if name == contact.name)
                self.ids[who + "'" * sum(n.rstrip("'") == who for n in self.ids)] = id
            (name,) = (name for name, known in self.ids.items() if known == id)
            for channel, address in ((SMS, contact.phone), (EMAIL, contact.email)):
                has = SHOWN[address] if address else None
                known = [f for f in self.oracle.all(oracle.Held) if f.contact == name]
                if not known or self.oracle.address(name, channel) != has:
                    self.oracle.holds(name, channel, has, now)

    def expect(self, rules: object, optin: object) -> None:
        if rules != optin:
            raise Disagreement(f"the rules say {rules!r}, Optin {optin!r}")

    def compare(self) -> None:
        """Raises `Disagreement`."""
        differ = []
        for name in self.oracle.contacts():
            rules, optin = self.rules_say(name), self.optin_says(name)
            differ += [
                f"{name} {what}: the rules say {rules[what]}, Optin {optin[what]}"
                for what in rules
                if rules[what] != optin[what]
            ]
        with self.service.store.reading() as records:
            for n, (case, id) in enumerate(zip(self.oracle.cases, self.case_ids, strict=True)):
                found = records.cases.get(id)
                if found is None or found.state != case.state:
                    state = found.state if found else None
                    differ.append(f"case {n}: the rules say {case.state}, Optin {state}")
        if differ:
            raise Disagreement("\n".join(differ))
        self.past.look(self.service)

    def compare_past(self) -> None:
        """Compares what Optin says of each moment until now with what it said then. Raises
        `Disagreement`."""
        if differ := list(self.past.differences(self.service)):
            raise Disagreement("\n".join(differ))

    def rules_say(self, name: str) -> dict[str, object]:
        said: dict[str, object] = {}
        for channel in (SMS, EMAIL):
            address = self.oracle.address(name, channel)
            said[f"{channel} On"] = self.oracle.on(name, channel)
            said[f"{channel} bounce"] = self.oracle.bounce(address)[0] if address else NO
        for n, group in enumerate([one.id for one in self.oracle.groups] or [None]):
            said[f"sms from {group}" if n else "sms"] = _said(
                self.oracle.answer(name, SMS, group), self.oracle.gates(name, SMS, group)
            )
        said["email"] = _said(self.oracle.answer(name, EMAIL), self.oracle.gates(name, EMAIL))
        return said

    def optin_says(self, name: str) -> dict[str, object]:
        profile = use.profile(self.service, self.ids[name], AGENT)
        said: dict[str, object] = {}
        for channel, theirs in CHANNELS.items():
            facts = profile.facts.get(theirs)
            said[f"{channel} On"] = profile.contact.consent(theirs).on
            said[f"{channel} bounce"] = facts.bounce if facts else NO
        said["sms"] = _told(profile.decisions[Channel.SMS])
        for id, decision in profile.by_sender.items():
            said[f"sms from {id}"] = _told(decision)
        said["email"] = _told(profile.decisions[Channel.EMAIL])
        return said

    # What plain tests ask

    def on(self, who: str, channel: str) -> str:
        """SMS On or Email On, as Optin has it."""
        profile = use.profile(self.service, self.ids[self.name(who)], AGENT)
        return profile.contact.consent(CHANNELS[channel]).on

    def answer(self, who: str, channel: str) -> str:
        profile = use.profile(self.service, self.ids[self.name(who)], AGENT)
        return profile.decisions[CHANNELS[channel]].answer

    def gates(self, who: str, channel: str) -> set[str]:
        profile = use.profile(self.service, self.ids[self.name(who)], AGENT)
        return {gate.code for gate in profile.decisions[CHANNELS[channel]].gates}


def _told(decision: Decision) -> tuple[str, ...]:
    """The answer and the gates. That a number is a landline is no matter of consent."""
    codes = {
        f"{gate.code}:{gate.owner}" if gate.code == "opted_out" else str(gate.code)
        for gate in decision.gates
    }
    assert decision.answer == _answer(codes)
    return _said(_answer(codes - {"invalid_address"}), codes - {"invalid_address"})


def _said(answer: str, gates: set[str]) -> tuple[str, ...]:
    """Without what says nothing new: a doubt beside a block, a hold beside an opt-out."""
    beside = {"carrier_block": "block_unknown", "opted_out:manager": "review_hold"}
    return (answer, *sorted(gates - {more for gate, more in beside.items() if gate in gates}))


def _answer(codes: set[str]) -> str:
    return "no" if codes - oracle.UNSURE else "unverified" if codes else "yes"


def _entry(provider: str, cause: str, scope: str | None) -> oracle.Sender:
    return oracle.Sender(service="/".join(filter(None, (provider, cause, scope))))


def name_of(problem: OptinError) -> str:
    return type(problem).__name__
