"""`optin review`: replies that may be opt-outs, in a terminal, without Slack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.config.settings import Settings
from bot.consent.use_cases import Service
from bot.consent.use_cases.ingest import ingest
from bot.runtime import open_service
from tests.support.alerts_fixtures import reply
from tests.support.cli_fixtures import Cli, refused

PHONE, STRANGER = "+14155550100", "+14155550111"
TEXT = "please stop texting me"


@pytest.fixture(autouse=True)
def texted(cli: Cli) -> Iterator[Service]:
    """Ana wrote two hours ago and a stranger an hour ago; the service is another process's, on the
    same storage."""
    cli("contact", "add", "--name", "Ana Gómez", "--phone", PHONE)
    cli("set", "ana", "--sms", "yes", "--reason", "Web form", "--evidence", "Form 12")
    now = datetime.now(UTC)
    with open_service.open_service(Settings.read({})) as service:
        ingest(service, [reply(TEXT, PHONE, occurred_at=now - timedelta(hours=2))])
        ingest(
            service,
            [reply("take me off your list", STRANGER, occurred_at=now - timedelta(hours=1))],
        )
        yield service


def ids(cli: Cli) -> list[str]:
    return [reply["id"] for reply in cli("review", "list", "--json").json]


def test_the_list_says_who_wrote_what_and_since_when(cli: Cli) -> None:
    first, second = ids(cli)

    lines = cli("review", "list").out.splitlines()
    assert lines[0].startswith(f"{first}  SMS  Ana Gómez  ending 0100  ")
    assert lines[1] == f"  “{TEXT}”"
    assert lines[2].startswith(f"{second}  SMS  (no contact)  ending 0111  ")
    assert PHONE not in "".join(lines)


def test_the_list_is_limited_and_says_how_it_goes_on(cli: Cli) -> None:
    first, second = ids(cli)
    page = cli("review", "list", "--limit", "1").out.splitlines()

    assert page[-1] == f"More replies wait: optin review list --after {first}"
    assert cli("review", "list", "--after", first).out.startswith(second)
    assert cli("review", "list", "--after", second).out == "No more replies wait.\n"
    assert refused(cli("review", "list", "--after", "0" * 32)) == "There is no such reply."
    assert cli("review", "list", "--limit", "0").status == 2


def test_the_list_as_json(cli: Cli) -> None:
    ana, stranger = cli("review", "list", "--json").json

    assert ana["contact"] == {"id": ana["contact"]["id"], "name": "Ana Gómez"}
    assert (ana["channel"], ana["address"], ana["text"]) == ("sms", "ending 0100", TEXT)
    assert ana["since"].endswith("Z")
    assert ana["since"] < ana["deadline"]
    assert (ana["opt_out"], ana["answered_by"], ana["answered_at"]) == (None, None, None)
    assert stranger["contact"] is None


@pytest.mark.parametrize("by", ["id", "prefix", "contact"])
def test_yes_is_an_opt_out_from_when_the_contact_wrote(cli: Cli, by: str) -> None:
    id = ids(cli)[0]
    since = cli("review", "list", "--json").json[0]["since"]
    named = {"id": id, "prefix": id[:8].upper(), "contact": PHONE}[by]
    done = cli("review", "yes", named, "--reason", "She said so on the phone")

    assert (done.status, done.out) == (0, "Saved as an opt-out: no more texts are sent.\n")
    status = cli("status", "ana", "--json").json["sms"]
    assert (status["on"], [g["code"] for g in status["gates"]]) == ("NO", ["opted_out"])
    released, consent = cli("activity", "ana", "--json", "--limit", "2").json
    assert (released["kind"], released["after"]) == ("hold", "released")
    assert (consent["kind"], consent["occurred_at"]) == ("consent", since)
    assert consent["reason"] == f"“{TEXT}” (She said so on the phone) was read as an opt-out"
    assert consent["actor"].startswith("cli:")
    assert len(ids(cli)) == 1


def test_no_lets_messages_go_on(cli: Cli) -> None:
    done = cli("review", "no", ids(cli)[0])

    assert done.out == "Saved as no opt-out: this reply no longer holds texts back.\n"
    assert cli("status", "ana", "--json").json["sms"]["answer"] == "yes"


def test_a_strangers_reply_is_kept_for_whoever_appears_with_the_number(cli: Cli) -> None:
    assert cli("review", "yes", ids(cli)[1]).status == 0
    cli("contact", "add", "--name", "Bo", "--phone", STRANGER)

    assert cli("status", STRANGER, "--json").json["sms"]["on"] == "NO"


@pytest.mark.parametrize("named", ["id", "contact"])
def test_a_second_answer_is_refused_and_says_whose_the_first_was(cli: Cli, named: str) -> None:
    id = ids(cli)[0]
    cli("review", "no", id)
    sentence = refused(cli("review", "yes", id if named == "id" else PHONE))

    assert sentence.startswith("Answered already as no opt-out by ")
    assert " at the command line, " in sentence
    assert sentence.endswith("UTC. Nothing was changed.")
    assert cli("status", "ana", "--json").json["sms"]["on"] == "YES"


def test_a_hold_without_its_alert_is_shown_and_answered_by_the_contact(
    cli: Cli, texted: Service
) -> None:
    with texted.store.transaction() as records:
        for alert in list(records.outbox.all()):
            records.outbox.remove(alert.id)
    assert cli("review", "list").out == "No reply waits for an answer.\n"

    assert f"“{TEXT}”" in cli("review", "show", "ana").out
    assert cli("review", "show", "ana", "--json").json["id"] is None
    assert cli("review", "yes", "ana").status == 0
    assert cli("status", "ana", "--json").json["sms"]["on"] == "NO"


def test_show_says_what_happens_and_who_answered(cli: Cli) -> None:
    id = ids(cli)[0]
    waiting = cli("review", "show", id).out
    cli("review", "no", id)
    answered = cli("review", "show", id).out

    assert f"“{TEXT}”" in waiting
    assert "If nobody answers, it counts as an opt-out on " in waiting
    assert "☑ Answered already as no opt-out by " in answered
    assert "If nobody answers" not in answered
    assert cli("review", "show", id, "--json").json["opt_out"] is False


def test_what_is_no_reply_is_one_sentence(cli: Cli) -> None:
    sentence = "There is no such reply or contact. `optin review list` names the replies that wait."
    for command in ("show", "yes", "no"):
        assert refused(cli("review", command, "0" * 32)) == sentence
        assert refused(cli("review", command, "")) == sentence
        assert cli("review", command).status == 2

    cli("contact", "add", "--name", "Leo", "--phone", "+14155550122")
    none = "No reply of this contact waits for an answer."
    assert refused(cli("review", "yes", "leo")) == none
    assert refused(cli("review", "show", "leo")) == none
