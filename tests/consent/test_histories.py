"""Histories that Optin once got wrong, each in its shortest form.

The oracle of rules.md compares every contact after each step; the values that matter are asserted
here by hand.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.use_cases import Service, verify
from bot.runtime.clock import Stopped
from tests.support.histories import FREE_TEXT, World

pytestmark = pytest.mark.every_storage

minute = timedelta(minutes=1)


@pytest.fixture
def world(service: Service, clock: Stopped, storage_path: Path) -> World:
    return World(service, clock, storage_path)


def at(day: int, minutes: float = 0) -> timedelta:
    return timedelta(days=day, minutes=minutes)


# Opt-outs that are forgotten


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_evidence_has_to_be_newer_than_the_second_opt_out(world: World, channel: str):
    world.adds("c0", phone="A", email="E")
    world.says_yes("c0", channel)
    world.day(1).says_no("c0", channel)
    world.day(9).says_no("c0", channel)
    assert world.day(10).asks("c0", channel, agreed=5) == "Refused"


@pytest.mark.parametrize("by", ["agent", "other agent"])
def test_a_second_call_keeps_the_first_from_being_undone(world: World, by: str):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).says_no("c0", "sms", by="agent")
    world.day(at(1, 4)).says_no("c0", "sms", by=by)
    assert not world.undoes("c0", "sms", by="agent")
    assert world.on("c0", "sms") == "NO"


def test_the_second_files_no_stands_when_the_first_file_is_undone(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).imports_file({"who": "c0", "phone": "A", "sms": "NO"}, file="f1")
    world.day(2).imports_file({"who": "c0", "phone": "A", "sms": "NO"}, file="f2")
    world.day(3).undoes_import("f1")
    assert world.on("c0", "sms") == "NO"


def test_undoing_a_file_keeps_the_no_of_staff_that_came_after_it(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).imports_file({"who": "c0", "phone": "A", "sms": "NO"}, file="f1")
    world.day(2).says_no("c0", "sms", reason="Wrong person")
    world.day(3).undoes_import("f1")
    assert world.on("c0", "sms") == "NO"


def test_undoing_both_files_leaves_no_yes_of_the_first(world: World):
    world.adds("c0", phone="A")
    world.day(1).imports_file({"who": "c0", "phone": "A", "sms": "YES", "proof": False}, file="f1")
    world.day(2).imports_file({"who": "c0", "phone": "A", "sms": "YES", "agreed": 0}, file="f2")
    world.day(3).undoes_import("f2")
    world.day(4).undoes_import("f1")
    assert world.on("c0", "sms") == "UNSET"


def test_a_reply_that_was_read_as_an_opt_out_is_nobodys_slip(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).texts("A", FREE_TEXT)
    world.reads("A", refusal=True, by="agent")
    assert not world.undoes("c0", "sms", by="agent")
    assert world.on("c0", "sms") == "NO"


# Addresses that go from one contact to another


def test_who_comes_back_to_a_number_meets_the_stop_of_who_had_it(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).moves("c0", phone="B")
    world.adds("c1", phone="A")
    world.day(2).texts("A", "STOP", to="T")
    world.day(3).texts("A", "UNSTOP", to="T")
    world.day(4).moves("c0", phone="A")
    assert world.answer("c0", "sms") == "no"


def test_who_comes_back_to_a_mailbox_meets_the_unsubscribe_of_who_had_it(world: World):
    world.adds("c0", phone="A", email="E")
    world.says_yes("c0", "email")
    world.day(1).moves("c0", email="F")
    world.adds("c1", email="E")
    world.day(2).clicks("E", "unsubscribed")
    world.day(3).moves("c0", email="E")
    assert world.on("c0", "email") == "NO"


def test_a_file_brings_no_yes_to_a_number_that_said_stop(world: World):
    world.adds("c0", phone="A")
    world.day(9).texts("A", "STOP")
    world.day(10).moves("c0", phone="B")
    world.day(11).imports_file({"who": "c1", "phone": "A", "sms": "YES", "agreed": 5}, file="f1")
    assert world.on("c1", "sms") == "NO"


def test_a_file_brings_no_yes_to_a_mailbox_that_unsubscribed(world: World):
    world.adds("c0", email="E")
    world.day(9).clicks("E", "unsubscribed")
    world.day(10).moves("c0", email="F")
    world.day(11).imports_file({"who": "c1", "email": "E", "mail": "YES", "agreed": 5}, file="f1")
    assert world.on("c1", "email") == "NO"


def test_a_file_brings_no_yes_to_an_opt_out_whose_contact_moved(world: World):
    world.adds("c0", phone="A")
    world.says_no("c0", "sms")
    world.day(1).moves("c0", phone="B")
    world.day(2).imports_file({"who": "c1", "phone": "A", "sms": "YES", "agreed": -9}, file="f1")
    assert world.on("c1", "sms") == "NO"
    assert world.on("c0", "sms") == "NO"


def test_a_no_out_of_a_file_reaches_every_contact_with_the_mailbox(world: World):
    world.adds("c0", email="E")
    world.says_yes("c0", "email")
    world.day(1).imports_file({"who": "c1", "email": "E", "mail": "NO"}, file="f1")
    assert world.on("c0", "email") == "NO"


def test_a_second_record_of_a_number_that_said_stop_takes_a_case(world: World):
    world.adds("c0", phone="A")
    world.day(1).texts("A", "stop all")
    world.day(2).adds("c1", phone="A")
    assert world.on("c1", "sms") == "NO"
    assert world.says_yes("c1", "sms") == "NeedsManager"


def test_a_completed_case_is_that_contacts_alone(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.day(1).texts("A", "stop all")
    world.day(2).asks("c0", "sms")
    world.decides("c0", "sms")
    assert world.on("c0", "sms") == "YES"
    assert world.on("c1", "sms") == "NO"


def test_erasing_a_contact_marked_do_not_contact_is_an_opt_out(world: World):
    world.adds("c0", phone="A")
    world.marks("c0")
    world.day(1).erases("c0")
    world.day(2).imports_file({"who": "c1", "phone": "A", "sms": "YES", "agreed": 1}, file="f1")
    assert world.on("c1", "sms") == "NO"


# Late, older, undated


@pytest.mark.parametrize("what", ["UNSTOP", "delivery"])
def test_what_is_older_than_the_newest_rejection_lifts_no_block(world: World, what: str):
    world.adds("c0", phone="A")
    world.day(1).is_rejected("A")
    world.day(9).is_rejected("A")
    world.day(10)
    if what == "UNSTOP":
        world.texts("A", "UNSTOP", at=5)
    else:
        world.is_delivered("A", sent=5)
    assert "carrier_block" in world.gates("c0", "sms")


def test_an_older_stop_settles_a_newer_doubt(world: World):
    world.adds("c0", phone="A")
    world.day(2).texts("A", "STOP!!!")
    world.day(3).texts("A", "STOP", at=1)
    assert "carrier_block" in world.gates("c0", "sms")
    world.asks("c0", "sms")
    world.decides("c0", "sms")
    assert world.on("c0", "sms") == "NO"
    world.day(4).texts("A", "UNSTOP")
    assert world.on("c0", "sms") == "YES"


def test_who_was_elsewhere_is_not_refused_by_a_rejection_of_that_time(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.day(1).says_yes("c0", "sms")
    world.day(2).moves("c0", phone="B")
    world.day(5).moves("c0", phone="A")
    world.day(6).is_rejected("A", at=3)
    assert world.on("c0", "sms") == "YES"
    assert world.gates("c0", "sms") == {"carrier_block"}


def test_who_brings_an_older_permission_to_a_number_is_refused_by_its_rejection(world: World):
    world.adds("c0", phone="B")
    world.day(16).imports_file({"who": "c0", "phone": "A", "sms": "YES", "agreed": 8})
    world.is_rejected("A", at=13)
    assert world.on("c0", "sms") == "NO"


def test_what_reached_a_contact_from_another_one_stays_behind(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="B")
    world.day(1).says_no("c0", "sms")
    world.day(2).moves("c0", phone="B")
    assert world.on("c1", "sms") == "NO"
    world.day(3).moves("c1", phone="M")
    assert world.on("c1", "sms") == "UNSET"


# Opt-out confirmations


def test_the_confirmation_lifts_no_block_of_a_number_that_somebody_took_meanwhile(world: World):
    world.texts("A", "STOP")
    world.adds("c1", phone="A")
    world.day(at(0, 1)).is_delivered("A", sent=at(0, 0.2))
    assert "carrier_block" in world.gates("c1", "sms")


def test_a_rejection_after_unstop_and_approval_is_not_the_expected_error(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).texts("A", "STOP")
    world.texts("A", "UNSTOP")
    world.asks("c0", "sms")
    world.decides("c0", "sms")
    assert world.on("c0", "sms") == "YES"
    world.day(at(1, 1)).is_rejected("A", sent=at(1, 1))
    assert "carrier_block" in world.gates("c0", "sms")


# Holds


def test_a_hold_ends_at_its_deadline_although_the_contact_moved(world: World):
    world.adds("c0", phone="A")
    world.day(1).texts("A", FREE_TEXT)
    world.day(2).moves("c0", phone="B")
    world.day(3).texts("A", FREE_TEXT)
    world.day(30).adds("c1", phone="A")
    assert world.gates("c1", "sms") == {"opted_out"}


def test_an_answered_hold_does_not_come_back_with_an_erasure(world: World):
    world.adds("c0", phone="A")
    world.day(1).texts("A", FREE_TEXT)
    world.day(2).moves("c0", phone="B")
    world.adds("c1", phone="A")
    world.reads("A", refusal=False)
    world.day(3).erases("c1")
    world.day(4).adds("c2", phone="A")
    assert "review_hold" not in world.gates("c2", "sms")


# Erasure


def test_a_rejection_of_a_number_that_was_given_up_blocks_after_erasure(world: World):
    world.adds("c0", phone="A")
    world.day(1).texts("A", "UNSTOP")
    world.day(2).moves("c0", phone="B")
    world.day(3).is_rejected("A")
    world.day(4).erases("c0")
    world.day(5).adds("c1", phone="A")
    assert "carrier_block" in world.gates("c1", "sms")


def test_a_bounce_that_a_delivery_disproved_does_not_come_back_with_an_erasure(world: World):
    world.adds("c0", phone="A")
    world.day(1).fails("A", "hard")
    world.day(2).moves("c0", phone="B")
    world.adds("c1", phone="A")
    world.day(3).clears("c1", "sms")
    world.day(4).is_delivered("A", sent=4)
    world.day(5).erases("c1")
    world.day(6).adds("c2", phone="A")
    assert "bounced" not in world.gates("c2", "sms")


def test_an_imported_bounce_outlives_its_erased_contact_and_the_undo(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.day(1).imports_file({"who": "c0", "phone": "A", "bounced": "sms"}, file="f1")
    world.day(2).erases("c0")
    world.day(3).undoes_import("f1")
    assert "bounced" in world.gates("c1", "sms")


# Numbers that nobody has


def test_yes_from_a_number_that_was_given_up_lifts_the_block(world: World):
    world.adds("c0", phone="A")
    world.day(1).texts("A", "STOP")
    world.day(2).moves("c0", phone="B")
    world.day(3).texts("A", "YES")
    world.day(4).adds("c1", phone="A")
    assert world.gates("c1", "sms") == {"opted_out"}


@pytest.mark.parametrize("had", [True, False])
def test_a_stop_is_kept_of_a_number_that_bounced(world: World, had: bool):
    if had:
        world.adds("c0", phone="A")
    world.day(1).fails("A", "hard")
    if had:
        world.moves("c0", phone="B")
    world.day(2).texts("A", "stop all")
    world.day(3).adds("c1", phone="A")
    assert world.on("c1", "sms") == "NO"


# More of the same kinds


def test_each_row_of_a_file_belongs_to_its_contact(world: World):
    world.adds("c0", phone="A")
    world.day(1).imports_file(
        {"who": "c1", "phone": "A", "sms": "NO"}, {"who": "c0", "phone": "A", "sms": "NO"}
    )
    world.day(2).imports_file({"who": "c0", "phone": "B", "sms": "YES", "agreed": 1}, file="f2")
    assert world.on("c0", "sms") == "NO"


def test_a_manager_takes_back_one_row_and_not_the_whole_file(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.day(1).imports_file(
        {"who": "c0", "phone": "A", "sms": "NO"}, {"who": "c1", "phone": "M", "sms": "NO"}
    )
    world.day(2).takes_back("c1", "sms")
    assert world.on("c1", "sms") == "UNSET"
    assert world.on("c0", "sms") == "NO"


def test_a_newer_opt_out_comes_along_to_an_address_that_is_refused_already(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.day(2).says_no("c0", "sms")
    world.day(3).moves("c1", phone="B")
    world.day(20).says_no("c1", "sms")
    world.day(21).moves("c1", phone="A")
    assert world.asks("c0", "sms", agreed=19) == "Refused"


def test_who_comes_back_with_a_newer_yes_meets_an_older_opt_out(world: World):
    world.adds("c0", phone="B")
    world.adds("c1", phone="A")
    world.day(8).says_no("c0", "sms")
    world.day(12).says_yes("c1", "sms")
    world.day(13).moves("c1", phone="M")
    world.day(14).moves("c0", phone="A")
    world.day(15).moves("c1", phone="A")
    assert world.on("c1", "sms") == "NO"


def test_an_opt_out_that_moved_along_meets_a_second_record(world: World):
    world.adds("c0", phone="A")
    world.says_no("c0", "sms")
    world.day(1).moves("c0", phone="B")
    world.day(2).adds("c1", phone="B")
    assert world.on("c1", "sms") == "NO"
    assert world.says_yes("c1", "sms") == "NeedsManager"


def test_what_a_manager_removed_does_not_come_back_with_a_newcomer(world: World):
    world.clicks("E", "unsubscribed")
    world.day(1).adds("c0", email="E")
    world.day(2).removes("c0", "sendgrid/unsubscribe")
    world.day(3).adds("c1", email="E")
    assert "suppressed" not in world.gates("c0", "email") | world.gates("c1", "email")


def test_a_bounce_that_a_delivery_disproved_does_not_come_back_with_a_newcomer(world: World):
    world.fails("A", "hard")
    world.day(1).adds("c0", phone="A")
    world.day(2).is_delivered("A", sent=2)
    world.day(3).adds("c1", phone="A")
    assert "bounced" not in world.gates("c0", "sms") | world.gates("c1", "sms")


def test_erasing_one_of_two_who_may_not_be_contacted_leaves_the_log_whole(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.day(1).marks("c0")
    world.day(2).erases("c0")
    assert world.on("c1", "sms") == "NO"
    assert verify(world.service).problem is None


def test_erasing_who_was_made_one_of_two_leaves_the_log_whole(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="B")
    world.says_no("c1", "sms")
    world.day(1).merges("c0", "c1")
    assert world.on("c0", "sms") == "NO"
    world.day(2).erases("c0")
    assert verify(world.service).problem is None


def test_our_own_suppression_stays_when_the_opt_out_before_it_is_taken_back(world: World):
    world.adds("c0", email="E")
    world.says_yes("c0", "email")
    world.day(1).says_no("c0", "email")
    world.day(2).clicks("E", "suppressed")
    world.day(3).takes_back("c0", "email")
    assert world.on("c0", "email") == "NO"


def test_a_complaint_is_kept_of_a_mailbox_that_nobody_has(world: World):
    world.clicks("E", "complaint")
    world.day(1).adds("c0", email="E")
    assert world.gates("c0", "email") == {"opted_out", "suppressed", "complaint"}


def test_an_undated_opt_out_of_a_file_is_as_old_as_its_first_sighting(world: World):
    world.adds("c0", phone="A")
    world.day(1).imports_file({"who": "c0", "phone": "A", "sms": "NO"})
    world.day(2).texts("A", "stop all")
    world.day(10).asks("c0", "sms")
    world.day(11).imports_file({"who": "c0", "phone": "A", "sms": "NO"}, file="f2")
    assert world.decides("c0", "sms") == "won"
    assert world.on("c0", "sms") == "YES"


def test_the_first_file_with_a_no_overtakes_a_case(world: World):
    world.adds("c0", phone="A")
    world.texts("A", "stop all")
    world.day(10).asks("c0", "sms")
    world.day(11).imports_file({"who": "c0", "phone": "A", "sms": "NO"})
    assert world.decides("c0", "sms") == "lost"


def test_what_is_taken_back_leaves_no_opt_out_of_its_own(world: World):
    world.adds("c0", email="E")
    world.says_yes("c0", "email")
    world.day(1).imports_file(
        {"who": "c0", "email": "F", "mail": "NO"}, {"who": "c2", "email": "E", "mail": "NO"}
    )
    world.day(2).takes_back("c0", "email")
    world.day(3).takes_back("c2", "email")
    assert world.on("c2", "email") == "UNSET"


def test_taking_a_record_back_uncovers_what_the_address_did_before(world: World):
    world.clicks("F", "unsubscribed")
    world.adds("c1", email="E")
    world.day(1).says_no("c1", "email")
    world.day(2).moves("c1", email="F")
    world.day(3).takes_back("c1", "email")
    assert world.on("c1", "email") == "NO"


# Senders


def test_a_toll_free_number_keeps_a_block_of_its_own(world: World):
    world.adds("c0", phone="A")
    world.texts("A", "STOP", to="T")
    world.day(1).texts("A", "UNSTOP", to="S")
    assert "carrier_block" in world.gates("c0", "sms")
    world.day(2).texts("A", "YES", to="T")
    assert "carrier_block" in world.gates("c0", "sms")
    world.day(3).texts("A", "UNSTOP", to="T")
    assert world.gates("c0", "sms") == {"opted_out"}


def test_a_block_of_another_sender_leaves_the_headline_alone(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).is_rejected("A", to="U", at=-1)
    assert world.answer("c0", "sms") == "yes"


def test_a_block_of_an_unknown_service_counts_against_every_sender(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.day(1).is_rejected("A", to="X", at=-1)
    assert world.answer("c0", "sms") == "no"


def test_a_service_that_is_learned_later_is_its_number(world: World):
    world.adds("c0", phone="A")
    world.is_rejected("A", to="U")
    world.day(1).is_delivered("A", to="U+", sent=1)
    world.day(2).texts("A", "STOP", to="MG2")
    assert "carrier_block" not in world.gates("c0", "sms")


# Lists of e-mail providers


def test_a_case_completes_and_the_providers_list_still_stands(world: World):
    world.adds("c0", email="E")
    world.clicks("E", "unsubscribed")
    world.day(1).asks("c0", "email")
    world.decides("c0", "email")
    assert world.on("c0", "email") == "YES"
    assert world.gates("c0", "email") == {"suppressed"}
    world.day(2).removes("c0", "sendgrid/unsubscribe")
    assert world.answer("c0", "email") == "yes"


def test_an_unsubscribe_that_arrives_after_the_removal_blocks_again(world: World):
    world.adds("c0", email="E")
    world.day(1).clicks("E", "unsubscribed")
    world.day(2).removes("c0", "sendgrid/unsubscribe")
    world.day(3).clicks("E", "unsubscribed", at=0)
    assert "suppressed" in world.gates("c0", "email")


def test_a_resubscribe_to_one_group_leaves_the_others_suppressed(world: World):
    world.adds("c0", email="E")
    world.clicks("E", "unsubscribed", scope="news")
    world.clicks("E", "unsubscribed")
    world.day(1).clicks("E", "resubscribed", scope="news")
    assert "suppressed" in world.gates("c0", "email")


# Spellings


@pytest.mark.parametrize(("stored", "told"), [("M", "M'"), ("M'", "M"), ("R", "R'"), ("A", "A'")])
def test_a_stop_reaches_every_spelling_of_a_number(world: World, stored: str, told: str):
    world.adds("c0", phone=stored)
    world.says_yes("c0", "sms")
    world.day(1).texts(told, "STOP")
    assert world.on("c0", "sms") == "NO"


@pytest.mark.parametrize(("stored", "told"), [("E", "E'"), ("E'", "E")])
def test_an_unsubscribe_reaches_every_spelling_of_a_mailbox(world: World, stored: str, told: str):
    world.adds("c0", email=stored)
    world.says_yes("c0", "email")
    world.day(1).clicks(told, "unsubscribed")
    assert world.on("c0", "email") == "NO"
    world.day(2).erases("c0")
    world.day(3).adds("c1", email=told)
    assert world.on("c1", "email") == "NO"


def test_a_refusal_by_whatsapp_holds_the_texts(world: World):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    world.whatsapps("A")
    assert world.gates("c0", "sms") == {"review_hold"}


# What was recorded by mistake, wherever it came to


@pytest.mark.parametrize(("channel", "field"), [("sms", "phone"), ("email", "email")])
def test_taking_back_reaches_the_contact_who_took_the_opt_out_along(
    world: World, channel: str, field: str
):
    here, there = ("A", "B") if channel == "sms" else ("E", "F")
    world.adds("c0", **{field: here})
    world.adds("c1", **{field: here})
    world.says_no("c0", channel)
    world.day(1).moves("c0", **{field: there})
    world.day(2).takes_back("c1", channel)
    assert (world.on("c0", channel), world.on("c1", channel)) == ("UNSET", "UNSET")


def test_taking_back_reaches_the_contact_that_remains_after_a_merge(world: World):
    world.adds("c0", phone="B")
    world.adds("c1", phone="A")
    world.says_no("c1", "sms")
    world.day(1).merges("c0", "c1")
    assert world.on("c0", "sms") == "NO"
    world.day(2).takes_back("c0", "sms")
    world.adds("c2", phone="A")
    assert (world.on("c0", "sms"), world.on("c2", "sms")) == ("UNSET", "UNSET")


def test_taking_back_reaches_who_was_merged_with_a_contact_at_that_address(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="B")
    world.adds("c2", phone="A")
    world.says_no("c0", "sms")
    world.day(1).merges("c1", "c2")
    assert world.on("c1", "sms") == "NO"
    world.day(2).takes_back("c0", "sms")
    assert world.on("c1", "sms") == "UNSET"


def test_taking_back_reaches_what_an_erased_contact_left(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.says_no("c0", "sms")
    world.day(1).moves("c0", phone="B")
    world.day(2).erases("c1")
    world.day(3).takes_back("c0", "sms")
    world.adds("c2", phone="A")
    assert world.on("c2", "sms") == "UNSET"


def test_nobody_takes_back_what_was_recorded_of_an_erased_contact(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.says_no("c0", "sms")
    world.day(1).erases("c0")
    assert not world.day(2).takes_back("c1", "sms")
    assert world.on("c1", "sms") == "NO"


def test_undoing_a_file_keeps_the_opt_out_of_an_erased_contact(world: World):
    world.adds("c1", phone="A")
    world.day(1).imports_file({"who": "c0", "phone": "A", "sms": "NO"}, file="f1")
    world.day(2).erases("c0")
    world.day(3).undoes_import("f1", opt_outs=True)
    assert world.on("c1", "sms") == "NO"


def test_who_comes_back_finds_the_opt_out_taken_back(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.says_no("c0", "sms")
    world.day(1).moves("c1", phone="B")
    world.day(2).takes_back("c0", "sms")
    world.day(3).moves("c1", phone="A")
    assert world.on("c1", "sms") == "UNSET"


def test_an_erasure_brings_nothing_back_that_was_taken_back(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.says_no("c1", "sms")
    world.day(1).moves("c0", phone="B")
    world.day(2).takes_back("c1", "sms")
    world.day(3).erases("c1")
    world.day(4).erases("c0")
    world.adds("c2", phone="A")
    assert world.on("c2", "sms") == "UNSET"


def test_a_stop_that_nobody_had_stands_when_what_moved_along_is_taken_back(world: World):
    world.adds("c1", phone="A")
    world.says_no("c1", "sms")
    world.day(1).texts("B", "stop all")
    world.day(2).moves("c1", phone="B")
    world.day(3).takes_back("c1", "sms")
    assert world.on("c1", "sms") == "NO"


def test_each_record_is_taken_back_by_itself_after_a_merge(world: World):
    world.adds("c0", phone="B")
    world.adds("c1", phone="A")
    world.texts("A", "stop all")
    world.day(1).says_no("c1", "sms")
    world.day(2).merges("c0", "c1")
    world.day(3).takes_back("c0", "sms")
    assert world.on("c0", "sms") == "NO"


def test_an_opt_out_goes_along_with_the_contact_that_remains_after_a_merge(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.says_no("c1", "sms")
    world.day(1).merges("c0", "c1")
    world.day(2).moves("c0", phone="B")
    assert world.on("c0", "sms") == "NO"


def test_a_yes_that_a_merge_brought_goes_with_its_file(world: World):
    world.adds("c0", phone="A")
    world.day(1).imports_file({"who": "c1", "phone": "A", "sms": "YES", "agreed": 0}, file="f1")
    world.day(2).merges("c0", "c1")
    assert world.on("c0", "sms") == "YES"
    world.day(3).undoes_import("f1")
    assert world.on("c0", "sms") == "UNSET"


def test_one_channel_of_a_row_is_taken_back_and_not_the_other(world: World):
    world.imports_file({"who": "c0", "phone": "A", "email": "E", "sms": "NO", "mail": "NO"})
    world.day(1).takes_back("c0", "sms")
    assert (world.on("c0", "sms"), world.on("c0", "email")) == ("UNSET", "NO")


def test_an_opt_out_that_moved_along_is_no_sighting_on_a_list(world: World):
    world.adds("c0", phone="A")
    world.day(4).imports_file({"who": "c1", "phone": "B", "sms": "NO"}, file="f1")
    world.day(5).moves("c1", phone="A")
    world.day(7).imports_file({"who": "c1", "phone": "A", "sms": "NO"}, file="f2")
    assert world.asks("c0", "sms", agreed=6) == "Refused"


# A carrier's rejection beside what was recorded


@pytest.mark.parametrize("late", [True, False])
def test_a_rejection_overtakes_the_case_of_everybody_with_the_number(world: World, late: bool):
    if not late:
        world.adds("c1", phone="A")
    world.imports_file({"who": "c0", "phone": "A", "sms": "NO"})
    if late:
        world.adds("c1", phone="A")
    world.day(2).asks("c0", "sms")
    world.asks("c1", "sms")
    world.day(3).is_rejected("A")
    assert (world.decides("c0", "sms"), world.decides("c1", "sms")) == ("lost", "lost")


@pytest.mark.parametrize("first", ["call", "rejection"])
def test_a_rejection_stands_when_the_call_beside_it_is_taken_back(world: World, first: str):
    world.adds("c0", phone="A")
    world.says_yes("c0", "sms")
    if first == "call":
        world.day(1).says_no("c0", "sms")
    world.day(2).is_rejected("A")
    if first == "rejection":
        world.day(3).says_no("c0", "sms")
    world.day(4).takes_back("c0", "sms")
    world.texts("A", "UNSTOP")
    assert world.on("c0", "sms") == "NO"


# Bounces, and the files that say so


@pytest.mark.parametrize(("undone", "left"), [("f1", "f2"), ("f2", "f1")])
def test_a_bounce_that_two_files_name_outlives_the_undo_of_one(
    world: World, undone: str, left: str
):
    world.adds("c0", phone="A")
    world.day(1).imports_file({"who": "c0", "phone": "A", "bounced": "sms"}, file="f1")
    world.day(2).imports_file({"who": "c0", "phone": "A", "bounced": "sms"}, file="f2")
    world.day(3).undoes_import(undone)
    assert "bounced" in world.gates("c0", "sms")
    world.day(4).undoes_import(left)
    assert "bounced" not in world.gates("c0", "sms")


@pytest.mark.parametrize("at", [0, 2])
def test_a_bounce_that_a_provider_reports_outlives_the_undo_of_a_file(world: World, at: int):
    world.adds("c0", phone="A")
    world.day(1).imports_file({"who": "c0", "phone": "A", "bounced": "sms"}, file="f1")
    world.day(3).fails("A", "hard", at=at)
    world.day(4).undoes_import("f1")
    assert "bounced" in world.gates("c0", "sms")


def test_soft_failures_count_on_when_a_file_with_a_bounce_is_undone(world: World):
    world.adds("c0", phone="A")
    world.fails("A", "soft")
    world.day(1).imports_file({"who": "c0", "phone": "A", "bounced": "sms"}, file="f1")
    world.day(2).fails("A", "soft")
    world.day(3).undoes_import("f1")
    assert "bounced" not in world.gates("c0", "sms")
    world.day(4).fails("A", "soft")
    assert "bounced" in world.gates("c0", "sms")


def test_soft_failures_count_on_after_an_erasure(world: World):
    world.adds("c0", phone="A")
    world.fails("A", "soft")
    world.day(1).fails("A", "soft")
    world.erases("c0")
    world.day(2).adds("c1", phone="A")
    world.fails("A", "soft")
    assert "bounced" in world.gates("c1", "sms")


def test_soft_failures_count_once_after_an_erasure(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="A")
    world.fails("A", "soft")
    world.day(1).moves("c1", phone="B")
    world.day(2).fails("A", "soft")
    world.erases("c0")
    world.day(3).adds("c2", phone="A")
    assert "bounced" not in world.gates("c2", "sms")


def test_soft_failures_count_on_when_the_number_was_given_up(world: World):
    world.adds("c0", phone="A")
    world.fails("A", "soft")
    world.moves("c0", phone="B")
    world.day(1).fails("A", "soft")
    world.day(2).fails("A", "soft")
    world.adds("c1", phone="A")
    assert "bounced" in world.gates("c1", "sms")


def test_a_delivery_ends_the_failures_of_a_number_that_was_given_up(world: World):
    world.adds("c0", phone="A")
    world.fails("A", "hard")
    world.day(1).moves("c0", phone="B")
    world.day(2).is_delivered("A", sent=2)
    world.adds("c1", phone="A")
    assert "bounced" not in world.gates("c1", "sms")


def test_a_complaint_counts_for_a_mailbox_that_bounced_and_was_given_up(world: World):
    world.adds("c0", email="E")
    world.fails("E", "hard", to="sendgrid")
    world.day(1).moves("c0", email="F")
    world.day(2).clicks("E", "complaint")
    world.adds("c1", email="E")
    assert "complaint" in world.gates("c1", "email")


def test_the_second_row_of_a_file_is_taken_back_after_the_first(world: World):
    world.imports_file(
        {"who": "c0", "phone": "A", "sms": "NO"}, {"who": "c1", "phone": "A", "sms": "NO"}
    )
    world.day(1).takes_back("c0", "sms")
    assert world.on("c0", "sms") == "NO"
    world.day(2).takes_back("c0", "sms")
    assert (world.on("c0", "sms"), world.on("c1", "sms")) == ("UNSET", "UNSET")


def test_a_second_reply_waits_with_the_first(world: World):
    world.texts("A", FREE_TEXT)
    world.imports_file({"who": "c0", "phone": "A", "sms": "NO"})
    world.day(1).texts("A", FREE_TEXT)
    world.takes_back("c0", "sms")
    assert world.gates("c0", "sms") == {"never_asked", "review_hold"}


def test_who_merges_two_contacts_has_no_slip_to_undo(world: World):
    world.adds("c0", phone="A")
    world.adds("c1", phone="B")
    world.says_yes("c0", "sms")
    world.says_no("c1", "sms", reason="Wrong person")
    world.merges("c0", "c1")
    assert not world.undoes("c0", "sms", by="manager")
    assert world.on("c0", "sms") == "NO"


def test_failures_of_a_number_that_was_given_up_end_with_their_bounce(world: World):
    world.adds("c0", phone="A")
    world.fails("A", "soft")
    world.fails("A", "soft")
    world.moves("c0", phone="B")
    world.day(1).fails("A", "soft")
    world.day(2).is_delivered("A", sent=2)
    world.fails("A", "soft")
    world.adds("c1", phone="A")
    assert "bounced" not in world.gates("c1", "sms")


def test_a_late_rejection_from_before_an_unstop_makes_no_doubt_certain(world: World):
    world.adds("c0", phone="A")
    world.day(11).texts("A", "UNSTOP")
    world.day(12).texts("A", "STOP!!!")
    world.day(13).is_rejected("A", at=5)
    assert "carrier_block" not in world.gates("c0", "sms")


def test_a_reply_to_a_number_that_was_given_up_counts_as_an_opt_out_after_erasure(world: World):
    world.adds("c0", phone="A")
    world.texts("A", FREE_TEXT)
    world.day(1).moves("c0", phone="B")
    world.day(2).erases("c0")
    world.adds("c1", phone="A")
    assert world.on("c1", "sms") == "NO"
