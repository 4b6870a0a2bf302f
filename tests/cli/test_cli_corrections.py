"""`optin contact merge`, `optin provider`, and what takes mistakes back: `optin set --removed-at` and
`--take-back`, `optin import --undo --opt-outs`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.config.settings import Settings
from bot.consent.events import EventKind
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest
from bot.runtime import open_service
from tests.support.cli_fixtures import Cli, refused
from tests.support.take_fixtures import mailed, text

ANA, BEN, MAILBOX = "+14155550100", "+14155550101", "ana@example.com"
OURS, OTHER = "+14155550177", "+18885550199"
WEB_FORM = ("--reason=Web form", "--evidence=Form 3")


@pytest.fixture
def told(cli: Cli) -> Iterator[Service]:
    """A service of another process on the same storage, which providers tell."""
    with open_service.open_service(Settings.read({})) as service:
        yield service


def added(cli: Cli, name: str, *options: str) -> str:
    """The id of a new contact."""
    done = cli("contact", "add", f"--name={name}", *options)
    assert done.status == 0, done.err
    return next(line.split()[1] for line in done.out.splitlines() if line.startswith("  Id "))


def sms(cli: Cli, contact: str) -> tuple[str, str]:
    found = cli("status", contact, "--json").json["sms"]
    return found["answer"], found["on"]


def codes(cli: Cli, contact: str, channel: str = "sms") -> list[str]:
    return [gate["code"] for gate in cli("status", contact, "--json").json[channel]["gates"]]


# optin contact merge


def test_a_merged_contact_keeps_a_no_of_either_record(cli: Cli) -> None:
    kept = added(cli, "Ana Gómez", f"--phone={ANA}")
    gone = added(cli, "A. Gómez", f"--phone={BEN}", f"--email={MAILBOX}", "--external-id=17")
    cli("set", kept, "--sms=yes", *WEB_FORM)
    cli("set", gone, "--email=yes", *WEB_FORM)
    cli("set", gone, "--sms=no", "--by=contact", "--reason=Called us")
    done = cli("contact", "merge", kept, gone)

    assert (done.status, done.err) == (0, "")
    assert "SMS 🔴 Opted out" in done.out
    assert "Email ✅ Opted in" in done.out
    found = cli("status", "17", "--json").json
    assert found["contact"] == {
        "id": kept,
        "name": "Ana Gómez",
        "phone": ANA,
        "email": MAILBOX,
    }
    assert sms(cli, kept) == ("no", "NO")
    assert refused(cli("status", gone)) != ""
    assert cli("set", kept, "--sms=yes", *WEB_FORM).status == 1
    assert any(entry["reason"] == "Called us" for entry in cli("activity", "--json").json)
    assert cli("verify").status == 0


def test_a_merged_contact_keeps_do_not_contact_of_either_record(cli: Cli) -> None:
    kept, gone = added(cli, "Ana", f"--phone={ANA}"), added(cli, "Anna", f"--phone={ANA}")
    cli("set", gone, "--do-not-contact=yes", "--reason=Asked")
    cli("contact", "merge", kept, gone)

    assert "do_not_contact" in codes(cli, kept)


def test_a_merge_that_is_not_possible_says_why(cli: Cli) -> None:
    ana = added(cli, "Ana", f"--phone={ANA}")

    assert refused(cli("contact", "merge", ana, ANA)) == "These are the same contact."
    assert refused(cli("contact", "merge", ana, "Nobody")) == "There is no such contact."
    assert cli("contact", "merge", ana).status == 2


# optin provider


@pytest.mark.parametrize("name", [OURS, "+1 415 555 0177", "tel:+1-415-555-0177"])
def test_blocks_of_a_retired_number_stop_counting(cli: Cli, told: Service, name: str) -> None:
    added(cli, "Ana", f"--phone={ANA}")
    ingest(told, [text("STOP", sender=OURS, occurred_at=datetime.now(UTC) - timedelta(hours=1))])
    assert codes(cli, ANA) == ["carrier_block", "opted_out"]
    done = cli("provider", "retire", name)

    assert (done.status, done.err) == (0, "")
    assert done.out == f"Retired: {OURS}. Its blocks stop counting.\n"
    # What the contact refused stays refused.
    assert codes(cli, ANA) == ["opted_out"]
    assert f"{OURS}  retired by" in cli("provider", "list").out
    assert refused(cli("provider", "retire", name)).endswith("is retired already.")
    assert cli("provider", "restore", name).status == 0
    assert codes(cli, ANA) == ["carrier_block", "opted_out"]
    assert refused(cli("provider", "restore", name)).endswith("is not retired.")
    reasons = [entry["reason"] for entry in cli("activity", "--json").json]
    assert f"{OURS} is retired: its blocks stop counting" in reasons
    assert f"{OURS} is used again: its blocks count" in reasons


@pytest.mark.parametrize("name", ["sendgrid", "SendGrid", " SENDGRID "])
def test_the_suppression_list_of_a_retired_provider_stops_counting(
    cli: Cli, told: Service, name: str
) -> None:
    added(cli, "Ana", f"--email={MAILBOX}")
    ingest(told, [mailed(EventKind.UNSUBSCRIBED)])
    assert codes(cli, MAILBOX, "email") == ["suppressed", "opted_out"]
    assert cli("provider", "retire", name).out == "Retired: SendGrid. Its blocks stop counting.\n"

    assert codes(cli, MAILBOX, "email") == ["opted_out"]
    assert cli("provider", "restore", name).status == 0
    assert codes(cli, MAILBOX, "email") == ["suppressed", "opted_out"]


def test_senders_are_listed_with_their_services_and_numbers(
    cli: Cli, told: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = cli.file(
        f'[[sender]]\nid = "support"\nname = "Support line"\nservice = "MG1"\n'
        f'numbers = ["{OURS}", "{OTHER}"]\n',
        "senders.toml",
    )
    added(cli, "Ana", f"--phone={ANA}")
    ingest(told, [text("STOP", sender="+14155550188", service="MG2")])
    monkeypatch.setenv("OPTIN_SENDERS", str(path))
    cli("provider", "retire", "SUPPORT")
    cli("provider", "retire", "+1 415 555 0142")
    listed = cli("provider", "list").out.splitlines()

    assert listed[0].startswith(f"support  Support line  MG1  {OURS}  {OTHER}  retired by ")
    assert listed[1] == "MG2  +14155550188  in use"
    assert "Amazon SES  in use" in listed
    assert listed[-1].startswith("+14155550142  retired by ")


# optin set --removed-at


def test_a_manager_records_that_an_address_was_removed_at_the_provider(
    cli: Cli, told: Service
) -> None:
    added(cli, "Ana", f"--email={MAILBOX}")
    ingest(told, [mailed(EventKind.UNSUBSCRIBED), mailed(EventKind.COMPLAINT, provider="ses")])
    done = cli("set", MAILBOX, "--removed-at=SendGrid")

    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("Recorded: removed at SendGrid.\nEmail 🔴 Opted out\n")
    assert "Amazon SES's suppression list" in done.out
    assert codes(cli, MAILBOX, "email") == ["suppressed", "opted_out", "complaint"]
    cli("set", MAILBOX, "--removed-at=ses/complaint")
    assert codes(cli, MAILBOX, "email") == ["opted_out", "complaint"]
    assert "is on no list of SendGrid" in refused(cli("set", MAILBOX, "--removed-at=sendgrid"))
    assert "is on no list of" in refused(cli("set", MAILBOX, "--removed-at=x"))


# optin set --take-back


def test_taking_back_a_mistaken_no_takes_it_back_on_every_contact(cli: Cli) -> None:
    ana, ben = added(cli, "Ana", f"--phone={ANA}"), added(cli, "Ben", f"--phone={ANA}")
    for contact in (ana, ben):
        cli("set", contact, "--sms=yes", *WEB_FORM)
    said = cli("set", ana, "--sms=no", "--reason=Asked by phone").out
    back = cli("set", ana, "--take-back=sms", "--reason=Meant for another Ana")

    assert said == "SMS On: YES → NO\n  The same for everybody with this address: Ben\n"
    assert (back.status, back.out) == (
        0,
        "SMS On: NO → YES\n  The same for everybody with this address: Ben\n",
    )
    assert sms(cli, ana) == sms(cli, ben) == ("yes", "YES")
    assert cli("verify").status == 0


def test_what_the_contact_did_cannot_be_taken_back(cli: Cli, told: Service) -> None:
    added(cli, "Ana", f"--phone={ANA}")
    ingest(told, [text("STOP")])
    said = refused(cli("set", ANA, "--take-back=sms", "--reason=A mistake"))

    assert said == "The contact said this, so it can't be taken back. A re-opt-in brings it back."
    assert sms(cli, ANA) == ("no", "NO")


def test_taking_back_a_record_leaves_a_stop_in_force(cli: Cli, told: Service) -> None:
    added(cli, "Ana", f"--phone={ANA}")
    cli("set", ANA, "--sms=yes", *WEB_FORM)
    cli("set", ANA, "--sms=no", "--reason=Asked by phone")
    ingest(told, [text("STOP")])
    done = cli("set", ANA, "--take-back=sms", "--reason=A mistake")

    assert done.status == 0
    assert "SMS On stays NO" in done.out
    assert sms(cli, ANA) == ("no", "NO")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--take-back=sms"], "Say why, with --reason."),
        (["--take-back=sms", "--sms=no"], "in a command of its own"),
        (["--removed-at=ses", "--take-back=email", "--reason=x"], "in a command of its own"),
        ([], "Say what to set"),
    ],
)
def test_set_says_which_arguments_make_no_sense(cli: Cli, arguments: list[str], said: str) -> None:
    added(cli, "Ana", f"--phone={ANA}")

    assert said in refused(cli("set", ANA, *arguments), 2)


def test_a_yes_cannot_be_taken_back(cli: Cli) -> None:
    added(cli, "Ana", f"--phone={ANA}")
    cli("set", ANA, "--sms=yes", *WEB_FORM)

    assert "is not NO" in refused(cli("set", ANA, "--take-back=sms", "--reason=x"))


# optin import --undo


def test_an_undone_import_keeps_its_opt_outs_and_says_how_to_take_them_back(cli: Cli) -> None:
    added(cli, "Ana", f"--phone={ANA}")
    cli("set", ANA, "--sms=yes", *WEB_FORM)
    done = cli("import", cli.file(f"phone,sms_on\n{ANA},no\n{BEN},no\n"))
    id = done.out.split()[-1]
    undone = cli("import", "--undo", id)

    assert undone.status == 0
    assert "2  opt-outs kept" in undone.out
    assert f"optin import --undo {id} --opt-outs --reason TEXT" in undone.out
    assert sms(cli, ANA) == ("no", "NO")
    back = cli("import", "--undo", id, "--opt-outs", "--reason=The wrong file")
    assert "2  opt-outs taken back" in back.out
    assert sms(cli, ANA) == ("yes", "YES")
    added(cli, "Ben", f"--phone={BEN}")
    assert sms(cli, BEN) == ("no", "UNSET")
    assert cli("verify").status == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--undo", "x", "--opt-outs"],
        ["--undo", "x", "--reason=y"],
        ["contacts.csv", "--opt-outs"],
        ["contacts.csv", "--reason=y"],
    ],
)
def test_opt_outs_of_an_import_are_taken_back_with_a_reason(cli: Cli, arguments: list[str]) -> None:
    assert "--opt-outs" in refused(cli("import", *arguments), 2)


# optin case


def test_an_approval_says_what_is_still_in_the_way(
    cli: Cli, told: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(cli, "Ana", f"--email={MAILBOX}")
    past = datetime.now(UTC) - timedelta(hours=1)
    ingest(told, [mailed(EventKind.UNSUBSCRIBED, occurred_at=past)])
    asked = cli("case", "request", MAILBOX, "--channel=email", "--evidence=Called us")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    done = cli("case", "approve", asked.out.split()[2])

    assert "After approval: Take the address off SendGrid's suppression list." in asked.out
    assert "☑ Email On is YES" in done.out
    assert "☐ Operator: Take the address off SendGrid's suppression list." in done.out
    assert codes(cli, MAILBOX, "email") == ["suppressed"]
