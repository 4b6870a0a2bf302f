"""One-click unsubscribe: which links hold, and what counts as a click."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from bot.consent.events import EventKind
from handlers.webhooks.provider import InvalidSignature, Request
from handlers.webhooks.providers.one_click import SPEC, OneClick
from tests.support.webhooks_fixtures import mailboxes_of, posted

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
PATH = SPEC.routes[0].path
FORM = "application/x-www-form-urlencoded"
MARKER = "List-Unsubscribe=One-Click"
MAILBOXES = {"42": "dana@example.net", "43": "eve@example.net"}


def provider(*keys: str) -> OneClick:
    return OneClick(keys=keys or ["key"], mailboxes_of=mailboxes_of(MAILBOXES))


def clicked(
    contact: str = "42", list_: str = "news", token: str | None = None, **how: str
) -> Request:
    token = token or provider().token(list_, "dana@example.net")
    query = urlencode({"c": contact, "l": list_, "t": token})
    return posted(PATH, how.pop("body", MARKER), kind=how.pop("kind", FORM), query=query, **how)


def test_a_click_unsubscribes_its_mailbox_and_keeps_the_list():
    request = clicked()
    one_click = provider()
    one_click.verify(request, NOW)

    (event,) = one_click.parse(request, NOW).events

    assert (event.kind, event.address) == (EventKind.UNSUBSCRIBED, "dana@example.net")
    assert event.scope == "list:news"


def test_a_browser_may_send_the_marker_in_parts():
    body = f'--x\r\nContent-Disposition: form-data; name="{MARKER.partition("=")[0]}"\r\n\r\nOne-Click\r\n--x--\r\n'

    assert provider().verify(clicked(body=body, kind="multipart/form-data; boundary=x"), NOW)


@pytest.mark.parametrize(
    "request_",
    [
        clicked(method="GET"),
        clicked(body=""),
        clicked(body="list-unsubscribe=one-click"),
        clicked(body="List-Unsubscribe=Two-Clicks"),
        clicked(body="--y--", kind="multipart/form-data; boundary=x"),
        clicked(body=MARKER, kind="multipart/form-data"),
        clicked(contact="43"),
        clicked(contact="44"),
        clicked(contact=""),
        clicked(list_="offers", token=provider().token("news", "dana@example.net")),
        clicked(token="é"),
        clicked(token=provider("other").token("news", "dana@example.net")),
        posted(PATH, MARKER, kind=FORM, query="c=42&l=news"),
        posted(PATH, MARKER, kind=FORM, query="c=42&c=43&l=news&t=x"),
    ],
)
def test_what_is_no_click_on_a_link_of_ours_is_refused(request_: Request):
    with pytest.raises(InvalidSignature):
        provider().verify(request_, NOW)


def test_links_of_an_older_key_hold_while_it_is_listed():
    assert provider("new", "key").verify(clicked(), NOW) == "secret 2 of 2"


def test_a_double_click_is_one_event_and_a_later_click_another():
    one_click = provider()

    ids = [
        one_click.parse(clicked(), NOW + timedelta(seconds=seconds)).events[0].id
        for seconds in (0, 5, 3600)
    ]

    assert ids[0] == ids[1] != ids[2]
