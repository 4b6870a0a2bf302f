"""A storage with something of every kind, and everything that a storage holds."""

from __future__ import annotations

from bot.consent.alerts import Alert, AlertKind
from bot.consent.cases import Case, CaseState
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, Evidence
from bot.consent.store import Store
from bot.consent.write_backs import WriteState
from tests.support.cli_fixtures import Cli
from tests.support.store_fixtures import NOON, entry, write_back
from tests.support.store_worker import flip, prepare, take

CONTACTS = """name,phone,email,sms_on,email_on,sms_bounce,company,external_id,consent_source
Ana Gómez,+1 415 555 0100,ana@example.com,yes,no,no,Acme,17,Web form
Bo 😀,+1 415 555 0101,bo@example.com,no,yes,yes,,18,
"=cmd|' /C calc'!A0",+1 415 555 0102,cy@example.com,yes,yes,no,,,A call
"""


def filled(cli: Cli) -> None:
    assert cli("import", cli.file(CONTACTS)).status == 0
    assert cli("set", "ana@example.com", "--sms", "no", "--reason", "Asked by phone").status == 0
    assert cli("erase", "bo@example.com", "--yes").status == 0


def everything(store: Store) -> list[list[object]]:
    with store.reading() as records:
        return [
            list(records.contacts.all()),
            list(records.addresses.all()),
            list(records.log.all()),
            list(records.events.all()),
            list(records.outbox.all()),
            list(records.cases.all()),
            list(records.write_backs.all()),
            list(records.imports.all()),
            [mark for mark in records.key_value.all() if mark[0] != "hash-key"],
        ]


def alert(id: str, key: str = "k") -> Alert:
    return Alert(
        id=id, key=key, kind=AlertKind.STOP, slack_channel="C1", first_at=NOON, last_at=NOON
    )


def with_one_of_each(store: Store) -> None:
    prepare(store)
    flip(store, "shared1", "f1")
    with store.transaction() as records:
        gone = records.contacts.get("shared2")
        assert gone is not None
        records.log.redact(gone.id)
        take(
            records,
            gone,
            entry("e1", kind=EntryKind.ERASED, contact=gone.id, version=2, address=None),
        )
        take(records, None, entry("e2", contact=None, reason="STOP ✍", address="+14155550199"))
        for event in ("twilio:1", "twilio:\ud800", "telnyx:1"):
            records.events.remember(event)
        # By a key the newest is found: it is the one that came last, whatever its id.
        records.outbox.put(alert("z"))
        records.outbox.put(alert("a"))
        records.key_value.put("cursor", "7")
        records.write_backs.put(write_back())
        records.write_backs.put(write_back(state=WriteState.SENT, listing="mailgun/ours"))
        for id, state in (("1", CaseState.COMPLETED), ("2", CaseState.PENDING)):
            records.cases.put(
                Case(
                    id=id,
                    contact="c1",
                    channel=Channel.SMS,
                    address="+14155550100",
                    requested_by="slack:U1",
                    requested_at=NOON,
                    evidence=Evidence(text="asked"),
                    expires_at=NOON,
                    state=state,
                )
            )
