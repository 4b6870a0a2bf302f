"""Random histories of one or two mailboxes with two providers' lists on: whatever happens, in
whatever order, and wherever a worker or a reader is killed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.consent.errors import OptinError
from bot.consent.events import EventKind, Failure
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.suppressions import Cause
from bot.consent.use_cases import (
    CaseRequest,
    Details,
    StatusUpdate,
    add,
    approve,
    change,
    edit,
    erase,
    import_rows,
    merge,
    removed_at_provider,
    request,
    take_back,
    undo,
    undo_import,
)
from bot.consent.use_cases.imports import Row
from bot.consent.use_cases.lists.reads import begin_read, take_page
from bot.consent.use_cases.lists.settle_writes import settle_write
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR
from tests.support.list_fixtures import BY_PHONE, Lists, check
from tests.support.take_fixtures import delivered, mailed, tell

MAILBOXES = ("ana@example.com", "bo@example.com")
YES = StatusUpdate(email=ConsentValue.YES, reason="Web form", evidence="The form")
WRONG = StatusUpdate(email=ConsentValue.NO, reason="Wrong person")
CLEAR = StatusUpdate(clear_bounce=frozenset({Channel.EMAIL}), reason="Works", evidence="Call")


class History:
    """What people, providers and workers do, one thing after the other."""

    def __init__(self, lists: Lists, seed: int) -> None:
        self.lists = lists
        self.chance = random.Random(seed)
        self.did: list[str] = []
        self.imports: list[str] = []
        for number in range(3):
            self._add(f"Contact {number}")

    def step(self) -> None:
        doing: Callable[[], object] = self.chance.choice(self._all())
        self.did.append(doing.__name__)
        try:
            doing()
        except OptinError:
            self.did[-1] += " (refused)"
        self.lists.clock.advance(timedelta(seconds=self.chance.choice((1, 30, 400, 4_000))))

    def rest(self) -> None:
        """Everything that is under way ends, and each list is read."""
        for _ in range(3):
            self.lists.clock.advance(timedelta(minutes=10))
            for name in self.lists.by_name:
                self.lists.work_until_done(name)
                self.lists.read(name)

    def _all(self) -> list[Callable[[], object]]:
        return [
            self.opts_out,
            self.opts_out,
            self.agrees,
            self.is_switched_off,
            self.comes_back,
            self.comes_back,
            self.undoes,
            self.was_a_mistake,
            self.unsubscribes,
            self.unsubscribes_unheard,
            self.complains,
            self.bounces,
            self.bounce_is_cleared,
            self.gets_a_message,
            self.is_dropped,
            self.is_removed_by_hand,
            self.is_taken_off_unheard,
            self.moves,
            self.merges,
            self.is_erased,
            self.is_imported,
            self.import_is_undone,
            self.worker_works,
            self.worker_works,
            self.worker_is_killed,
            self.reader_reads,
            self.reader_is_killed,
        ]

    # People

    def opts_out(self) -> None:
        change(self.lists.service, self._contact().id, BY_PHONE, AGENT)

    def agrees(self) -> None:
        change(self.lists.service, self._contact().id, YES, AGENT)

    def is_switched_off(self) -> None:
        change(self.lists.service, self._contact().id, WRONG, AGENT)

    def comes_back(self) -> None:
        asked = CaseRequest(channel=Channel.EMAIL, evidence="They called")
        case = request(self.lists.service, self._contact().id, asked, AGENT)
        self.lists.clock.advance(timedelta(seconds=5))
        approve(self.lists.service, case.id, MANAGER)

    def undoes(self) -> None:
        undo(self.lists.service, self._contact().id, Channel.EMAIL, AGENT)

    def was_a_mistake(self) -> None:
        contact = self._contact().id
        take_back(self.lists.service, contact, Channel.EMAIL, MANAGER, reason="Another one")

    def bounce_is_cleared(self) -> None:
        change(self.lists.service, self._contact().id, CLEAR, MANAGER)

    def is_removed_by_hand(self) -> None:
        removed_at_provider(self.lists.service, self._contact().id, self._provider(), MANAGER)

    def moves(self) -> None:
        to = self.chance.choice(MAILBOXES)
        edit(self.lists.service, self._contact().id, Details(email=to), AGENT)

    def merges(self) -> None:
        merge(self.lists.service, self._contact().id, self._contact().id, MANAGER)
        self._add("Another")

    def is_erased(self) -> None:
        erase(self.lists.service, self._contact().id, OPERATOR)
        self._add("Somebody new")

    def is_imported(self) -> None:
        word = self.chance.choice((ConsentValue.NO, ConsentValue.YES))
        row = Row(line=2, details=Details(name="Imported", email=self._mailbox()), email=word)
        report = import_rows(self.lists.service, [row], file="f.csv", actor=OPERATOR)
        self.imports.append(report.id or "")

    def import_is_undone(self) -> None:
        if self.imports:
            undo_import(self.lists.service, self.imports.pop(), OPERATOR, opt_outs=True, reason="x")

    # Providers

    def unsubscribes(self) -> None:
        provider, mailbox = self._provider(), self._mailbox()
        self.lists.by_name[provider].put(mailbox)
        tell(self.lists.service, mailed(EventKind.UNSUBSCRIBED, address=mailbox, provider=provider))

    def unsubscribes_unheard(self) -> None:
        self.lists.by_name[self._provider()].put(self._mailbox())

    def complains(self) -> None:
        provider, mailbox = self._provider(), self._mailbox()
        self.lists.by_name[provider].put(mailbox, Cause.COMPLAINT)
        if self.chance.random() < 0.7:
            event = mailed(EventKind.COMPLAINT, address=mailbox, provider=provider)
            tell(self.lists.service, event)

    def bounces(self) -> None:
        provider, mailbox = self._provider(), self._mailbox()
        self.lists.by_name[provider].put(mailbox, Cause.BOUNCE)
        event = mailed(EventKind.FAILED, address=mailbox, provider=provider, failure=Failure.HARD)
        tell(self.lists.service, event)

    def gets_a_message(self) -> None:
        event = delivered(
            address=self._mailbox(), provider=self._provider(), sent_at=self.lists.clock()
        )
        tell(self.lists.service, event)

    def is_dropped(self) -> None:
        provider, mailbox = self._provider(), self._mailbox()
        said = {Cause.BOUNCE: Failure.LISTED_BOUNCE, Cause.COMPLAINT: Failure.LISTED_COMPLAINT}
        for entry in self.lists.by_name[provider].find(mailbox):
            failure = said.get(entry.listing.cause, Failure.LISTED_OPT_OUT)
            event = mailed(EventKind.FAILED, address=mailbox, provider=provider, failure=failure)
            tell(self.lists.service, event)

    def is_taken_off_unheard(self) -> None:
        self.lists.by_name[self._provider()].entries.clear()

    # Workers

    def worker_works(self) -> None:
        self.lists.work(self._provider())

    def worker_is_killed(self) -> None:
        """Before the call, after it, or after its result was stored."""
        for write in self.lists.claim(self._provider()):
            where = self.chance.randrange(3)
            if where:
                outcome = self.lists.call(write)
                if where == 2:
                    settle_write(self.lists.service, write, outcome)

    def reader_reads(self) -> None:
        self.lists.read(self._provider())

    def reader_is_killed(self) -> None:
        """After its first page."""
        provider = self._provider()
        read = begin_read(self.lists.service, provider, account="a", token="reader")
        if read is not None:
            take_page(self.lists.service, read, self.lists.by_name[provider].entries[:1], (), "1")

    def _add(self, name: str) -> None:
        add(self.lists.service, Details(name=name, email=self._mailbox()), AGENT)

    def _contact(self) -> Contact:
        return self.chance.choice(everybody(self.lists))

    def _mailbox(self) -> str:
        return self.chance.choice(MAILBOXES)

    def _provider(self) -> str:
        return self.chance.choice([*self.lists.by_name])


def everybody(lists: Lists) -> list[Contact]:
    with lists.service.store.reading() as records:
        return [contact for contact in records.contacts.all() if not contact.erased]


@pytest.mark.parametrize("seed", range(40))
def test_after_a_read_nobody_suppressed_there_gets_a_yes_here(lists: Lists, seed: int) -> None:
    history = History(lists, seed)
    for _ in range(40):
        history.step()
    history.rest()

    check(lists)
    suppressed = {one for there in lists.by_name.values() for one in there.addresses}
    for contact in everybody(lists):
        if contact.key(Channel.EMAIL) in suppressed:
            assert lists.answer(contact.id) != "yes", history.did
    # What is settled stays so: nothing is added or taken off again.
    calls = [(len(there.added), len(there.removed)) for there in lists.by_name.values()]
    history.rest()
    assert calls == [(len(t.added), len(t.removed)) for t in lists.by_name.values()], history.did
    # An opt-out that nobody has come back from is on every list.
    people = everybody(lists)
    with lists.service.store.reading() as records:
        for contact in people:
            facts = records.addresses.get(contact.key(Channel.EMAIL) or "")
            holders = records.contacts.at(facts.address)
            if facts.refusals and all(h.consent(Channel.EMAIL).on != "YES" for h in holders):
                missing = [n for n, t in lists.by_name.items() if facts.address not in t.addresses]
                assert missing == [], history.did
            assert not any(block.leaving for block in facts.blocks.values()), history.did
