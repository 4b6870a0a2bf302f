"""Modals of the sandbox behave as Slack's do, for the person and for the app."""

from typing import Any

import pytest

from sandbox.client import NotThere, PersonClient, Workspace
from sandbox.first_workspace import BEN
from tests.support.sandbox_fixtures import (
    actions,
    button,
    field,
    modal,
    plain,
    section,
)
from tests.support.sandbox_modal_fixtures import SELECT, TEXT, YES_NO, Desk, ana, desk, opened, ws

__all__ = ["ana", "desk", "ws"]


def test_untouched_fields_submit_their_initial_values(desk: Desk, ana: PersonClient) -> None:
    opened(ana)
    ana.choose("Email On", "NO")
    outcome = ana.submit()

    assert outcome.error is None
    assert ana.modal is None
    assert desk.values["SMS On"]["value"]["selected_option"]["value"] == "yes"
    assert desk.values["Email On"]["value"]["selected_option"]["value"] == "no"
    assert desk.values["Note"]["value"] == {"type": "plain_text_input", "value": None}
    assert desk.seen[-1]["view"]["private_metadata"] == "contact 7"


def test_a_required_field_stops_the_submit_in_the_client(desk: Desk, ana: PersonClient) -> None:
    opened(ana)
    outcome = ana.submit()

    assert outcome.errors == {"Email On": "Please complete this required field."}
    assert ana.modal.errors == outcome.errors
    assert [body["type"] for body in desk.seen if "type" in body] == []


@pytest.mark.parametrize(
    ("element", "typed", "said"),
    [
        ({"type": "email_text_input"}, "ana@", "Please enter a valid email address."),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "a whole number"),
        ({"type": "number_input", "is_decimal_allowed": True}, "many", "enter a number"),
        (
            {"type": "number_input", "is_decimal_allowed": False, "max_value": "5"},
            "6",
            "at most 5",
        ),
        ({"type": "plain_text_input", "max_length": 3}, "four", "at most 3 characters"),
        ({"type": "plain_text_input", "min_length": 3}, "in", "at least 3 characters"),
        ({"type": "datepicker"}, "tomorrow", "a valid date"),
        ({"type": "timepicker"}, "noon", "a valid time"),
        ({"type": "url_text_input"}, "example.com", "a valid URL"),
    ],
)
def test_the_client_checks_what_was_typed(
    desk: Desk, ana: PersonClient, element: dict[str, Any], typed: str, said: str
) -> None:
    desk.view = modal(field("Field", element))
    opened(ana)
    ana.type("Field", typed)

    assert said in ana.submit().errors["Field"]


def test_errors_of_the_app_stand_on_their_fields(desk: Desk, ana: PersonClient) -> None:
    opened(ana)
    ana.choose("Email On", "YES")
    desk.answer = {"response_action": "errors", "errors": {"Email On": "Ask first."}}
    outcome = ana.submit()

    assert outcome.errors == {"Email On": "Ask first."}
    assert ana.modal.fields["Email On"] == "YES"


def test_errors_for_something_that_is_no_input_are_refused(
    desk: Desk, ws: Workspace, ana: PersonClient
) -> None:
    opened(ana)
    ana.choose("Email On", "YES")
    desk.answer = {"response_action": "errors", "errors": {"nowhere": "?"}}
    outcome = ana.submit()

    assert outcome.notice == "We had some trouble connecting. Try again?"
    assert ana.modal is not None
    assert "/errors/nowhere" in ws.journal()[-1]["messages"][0]


def test_an_update_keeps_what_was_entered_into_the_same_fields(
    desk: Desk, ana: PersonClient
) -> None:
    opened(ana)
    ana.choose("Email On", "YES")
    ana.type("Note", "typed")
    desk.answer = {
        "response_action": "update",
        "view": modal(
            field("Note", {**TEXT, "initial_value": "new"}, optional=True),
            field("Reason", {**TEXT, "initial_value": "by phone"}, optional=True),
            title="Again",
        ),
    }
    ana.submit()

    assert ana.modal.title == "Again"
    assert ana.modal.fields == {"Note": "typed", "Reason": "by phone"}


def test_views_are_pushed_up_to_three_and_come_off_one_by_one(
    desk: Desk, ana: PersonClient
) -> None:
    desk.view = modal(section("one"), title="1")
    opened(ana)
    for title in ("2", "3"):
        desk.answer = {"response_action": "push", "view": modal(section(title), title=title)}
        ana.submit()
    stack = [view.title for view in ana.modals]
    desk.answer = {"response_action": "push", "view": modal(section("4"), title="4")}
    refused = ana.submit()
    desk.answer = {}
    ana.submit()
    after_submit = [view.title for view in ana.modals]
    ana.close()

    assert stack == ["1", "2", "3"]
    assert refused.error == "push_limit_reached"
    assert after_submit == ["1", "2"]
    assert [view.title for view in ana.modals] == ["1"]


def test_clear_closes_the_whole_stack(desk: Desk, ana: PersonClient) -> None:
    desk.view = modal(section("one"))
    opened(ana)
    desk.answer = {"response_action": "push", "view": modal(section("two"))}
    ana.submit()
    desk.answer = {"response_action": "clear"}
    ana.submit()

    assert ana.modals == []


def test_an_invalid_view_in_an_answer_is_refused(
    desk: Desk, ws: Workspace, ana: PersonClient
) -> None:
    opened(ana)
    ana.choose("Email On", "YES")
    desk.answer = {"response_action": "update", "view": modal(section("x"), title="x" * 25)}
    outcome = ana.submit()

    assert outcome.error == "invalid_arguments"
    assert ana.modal.title == "Edit"
    assert "/view/title/text" in ws.journal()[-1]["messages"][0]


def test_closing_tells_the_app_only_when_it_asked_to_know(desk: Desk, ana: PersonClient) -> None:
    opened(ana)
    ana.close()
    before = [body["type"] for body in desk.seen if "view" in body]
    desk.view = {**desk.view, "notify_on_close": True}
    opened(ana)
    ana.close()

    assert before == []
    assert desk.seen[-1]["type"] == "view_closed"
    assert desk.seen[-1]["is_cleared"] is False
    assert ana.modal is None


def test_the_cross_in_the_corner_clears_the_stack_from_the_top(
    desk: Desk, ana: PersonClient
) -> None:
    desk.view = modal(section("one"), title="1", notify_on_close=True)
    opened(ana)
    desk.answer = {
        "response_action": "push",
        "view": modal(section("two"), title="2", notify_on_close=True),
    }
    ana.submit()
    ana.close(whole=True)
    closed = [body for body in desk.seen if body.get("type") == "view_closed"]

    assert [body["view"]["title"]["text"] for body in closed] == ["2", "1"]
    assert all(body["is_cleared"] for body in closed)


def test_a_field_with_dispatch_action_tells_the_app_at_once(desk: Desk, ana: PersonClient) -> None:
    desk.view = modal(field("SMS On", SELECT, dispatch_action=True), field("Email On", SELECT))
    opened(ana)
    ana.choose("Email On", "NO")
    quiet = len(desk.seen)
    ana.choose("SMS On", "YES")

    assert quiet == 1
    assert desk.seen[-1]["actions"][0]["selected_option"]["value"] == "yes"
    assert desk.values["Email On"]["value"]["selected_option"]["value"] == "no"
    assert desk.seen[-1]["container"] == {"type": "view", "view_id": desk.seen[-1]["view"]["id"]}


def test_typeahead_asks_the_app_from_the_least_length_on(desk: Desk, ana: PersonClient) -> None:
    desk.view = modal(field("Find", {"type": "external_select", "min_query_length": 2}))
    opened(ana)
    asked = len(desk.seen)
    too_short = ana.suggest("Find", "a")
    found = ana.suggest("Find", "an")
    ana.pick("Find", "an two", typed="an")
    ana.submit()

    assert too_short == []
    assert [one["value"] for one in found] == ["an one", "an two"]
    assert len(desk.seen) == asked + 3
    assert desk.values["Find"]["value"]["selected_option"]["value"] == "an two"


def test_choices_of_every_kind_arrive_in_their_own_fields(desk: Desk, ana: PersonClient) -> None:
    desk.view = modal(
        field("Kinds", {"type": "checkboxes", "options": YES_NO}),
        field("One", {"type": "radio_buttons", "options": YES_NO}),
        field("Who", {"type": "users_select"}),
        field("Many", {"type": "multi_static_select", "options": YES_NO}),
        field("Day", {"type": "datepicker"}),
        field("Time", {"type": "timepicker"}),
        field("File", {"type": "file_input"}),
    )
    opened(ana)
    ana.choose("Kinds", "YES", "NO")
    ana.choose("One", "NO")
    ana.choose("Who", "Ben")
    ana.choose("Many", "NO")
    ana.type("Day", "2026-11-23")
    ana.type("Time", "09:30")
    ana.attach("File", "list.csv", b"a\n1\n")
    ana.submit()
    got = {label: values["value"] for label, values in desk.values.items()}

    assert [one["value"] for one in got["Kinds"]["selected_options"]] == ["yes", "no"]
    assert got["One"]["selected_option"]["value"] == "no"
    assert got["Who"]["selected_user"] == BEN
    assert [one["value"] for one in got["Many"]["selected_options"]] == ["no"]
    assert got["Day"]["selected_date"] == "2026-11-23"
    assert got["Time"]["selected_time"] == "09:30"
    assert ana.download(got["File"]["files"][0]) == b"a\n1\n"


def test_a_confirm_dialog_stands_before_its_button(desk: Desk, ana: PersonClient) -> None:
    confirm = {
        "title": plain("Sure?"),
        "text": plain("It goes."),
        "confirm": plain("Yes"),
        "deny": plain("No"),
    }
    desk.view = modal(actions(button("Erase", "press", confirm=confirm)))
    opened(ana)
    with pytest.raises(NotThere, match=r"It goes\."):
        ana.press("Erase")
    ana.press("Erase", confirm=False)
    denied = len(desk.seen)
    ana.press("Erase", confirm=True)

    assert denied == 1
    assert len(desk.seen) == 2
    with pytest.raises(NotThere, match="there are: Erase"):
        ana.press("Save everything")
