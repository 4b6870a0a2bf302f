"""The evidence pack of a contact, which a manager gets by direct message."""

from __future__ import annotations

import json
from pathlib import Path

from bot.consent.log.entries import PACK_MANIFEST
from bot.consent.model import ConsentValue
from bot.consent.use_cases import StatusUpdate
from handlers.evidence_pack import pack_verifier
from sandbox.client import PersonClient
from sandbox.first_workspace import ALERTS
from tests.support.evidence_fixtures import problem, run_alone, unpacked
from tests.support.slack_fixtures import Slack, card, opened, started


def packs(person: PersonClient) -> list[bytes]:
    """The packs in somebody's direct messages, the oldest first."""
    files = [file for message in person.dms() for file in message.files]
    return [person.download(file) for file in files if file["name"].startswith("evidence-")]


def noted(slack: Slack) -> int:
    """How many packs the log says were made."""
    return sum(PACK_MANIFEST in (entry.changes or {}) for entry in slack.log())


def test_a_manager_gets_a_pack_that_holds(slack: Slack, tmp_path: Path) -> None:
    lee = slack.person("Lee")
    card(lee, "ana@example.com")

    told = opened(lee, lee.overflow("Evidence pack"))
    slack.workspace.wait_until(lambda: packs(lee))

    assert told.title == "Evidence pack"
    (pack,) = packs(lee)
    files = unpacked(pack)
    assert problem(files) is None
    (tmp_path / "verify.py").write_bytes(files["verify.py"])
    (tmp_path / "pack.zip").write_bytes(pack)
    assert run_alone(tmp_path / "verify.py", "pack.zip")[0] == 0
    assert noted(slack) == 1
    assert slack.problems() is None
    assert slack.person("Ana").dms() == []


def test_a_pack_names_people_and_the_zone_of_whoever_asked(slack: Slack) -> None:
    lee = slack.person("Lee")
    contact = slack.find("ana@example.com")
    card(lee, "ana@example.com")
    lee.press("Edit")
    lee.choose("SMS On", "NO")
    lee.choose("Reason", "Asked by phone")
    lee.submit()
    lee.close(whole=True)
    card(lee, "ana@example.com")

    lee.overflow("Evidence pack")
    slack.workspace.wait_until(lambda: packs(lee))

    report = unpacked(packs(lee)[0])["report.html"].decode()
    assert contact.name in report
    assert f"Lee Chen ({lee.id}), in Slack" in report
    assert "America/Los_Angeles" in report
    message = lee.dms()[-1]
    assert contact.name not in f"{message.plain} {message.files[0]['name']}"


def test_agents_are_offered_no_pack(slack: Slack, ana: PersonClient) -> None:
    card(ana, "ana@example.com")
    assert "Evidence pack" not in str(ana.messages()[-1].blocks)

    lee = slack.person("Lee")
    card(lee, "ana@example.com")

    assert "Evidence pack" in str(lee.messages()[-1].blocks)
    assert "Details" in lee.messages()[-1].buttons


def test_whoever_is_no_manager_any_more_gets_no_pack(slack: Slack) -> None:
    lee = slack.person("Lee")
    card(lee, "ana@example.com")
    slack.workspace.set_group("optin-managers", ["Mia"])

    answer = lee.overflow("Evidence pack")

    assert "Only a manager can make an evidence pack." in str(answer.messages[-1].plain)
    assert (packs(lee), noted(slack)) == ([], 0)


def test_the_menu_of_a_contact_who_may_not_be_contacted_has_details_too(slack: Slack) -> None:
    contact = slack.find("ana@example.com")
    slack.set(contact, StatusUpdate(do_not_contact=True, sms=ConsentValue.NO))
    lee = slack.person("Lee")
    card(lee, "ana@example.com")

    lee.overflow("Details")

    assert lee.modal is not None
    assert lee.modal.title == "Details"


def test_a_pack_that_slack_does_not_take_says_so(slack: Slack) -> None:
    lee = slack.person("Lee")
    card(lee, "ana@example.com")
    slack.workspace.fault("files.getUploadURLExternal", "error", error="internal_error")

    lee.overflow("Evidence pack")
    slack.workspace.wait_until(lambda: lee.modal and "nothing was sent" in lee.modal.plain)

    assert packs(lee) == []


def test_a_pack_that_may_have_arrived_is_sent_again_by_a_button(slack: Slack) -> None:
    lee = slack.person("Lee")
    card(lee, "ana@example.com")
    slack.workspace.fault("files.completeUploadExternal", "server_error")

    lee.overflow("Evidence pack")
    slack.workspace.wait_until(lambda: lee.modal and "can't tell" in lee.modal.plain)
    assert packs(lee) == []
    lee.press("Send it again")
    slack.workspace.wait_until(lambda: packs(lee))

    assert problem(unpacked(packs(lee)[0])) is None


def test_the_alert_channel_gets_the_head_of_a_pack_where_it_is_a_witness(tmp_path: Path) -> None:
    settings = {"OPTIN_ALERT_CHANNEL": ALERTS, "OPTIN_WITNESSES": "slack"}
    with started(tmp_path, "http", **settings) as slack:
        lee = slack.person("Lee")
        card(lee, "ana@example.com")
        lee.overflow("Evidence pack")
        slack.workspace.wait_until(lambda: packs(lee))
        files = unpacked(packs(lee)[0])
        sealed = json.loads(files["seal.json"])["head"]

        def heads() -> list[str]:
            posted = [message.plain for message in lee.messages("#optin-alerts")]
            return [text for text in posted if sealed["root"] in text]

        slack.workspace.wait_until(heads)
        witness = pack_verifier.read_heads(heads()[0])

    assert [head["size"] for head in witness] == [sealed["size"]]
    assert any("the same head" in said for said in pack_verifier.check(files, [witness]))
