"""Unsubscribe links over HTTP: for which mailbox a link works, however it was written, and what a
client may send with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.consent.model import Actor, ConsentValue, Role
from bot.consent.use_cases import Details, add, edit, erase
from bot.runtime import clock
from tests.support.one_click_requests import KEYS, MARKER, NOW, click, email_on, link, token
from tests.support.receiving_fixtures import Receiver, receiver
from tests.support.storages import KINDS

OPERATOR = Actor(id="cli:test", role=Role.OPERATOR, source="cli")


@pytest.fixture
def stopped() -> Iterator[clock.Stopped]:
    with clock.stopped(NOW) as stopped:
        yield stopped


@pytest.fixture
def bot(tmp_path: Path, stopped: clock.Stopped) -> Iterator[Receiver]:
    with receiver(tmp_path, {"OPTIN_UNSUBSCRIBE_KEY": ",".join(KEYS)}) as bot:
        yield bot


def moved(bot: Receiver, id: str, email: str) -> None:
    with bot.service.store.reading() as records:
        contact = records.contacts.get(id)
    assert contact is not None
    details = Details(name=contact.name, email=email, external_id=contact.external_id)
    edit(bot.service, id, details, OPERATOR)


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_opts_out_its_mailbox_after_the_contact_has_another(
    tmp_path: Path, kind: str
) -> None:
    with receiver(tmp_path, {"OPTIN_UNSUBSCRIBE_KEY": KEYS[0]}, kind=kind) as bot:
        ana = bot.willing("Ana", external_id="crm 7", email="ana@old.example")
        moved(bot, ana, "ana@new.example")
        first = click(bot, link("crm 7", "ana@old.example"))
        bea = add(bot.service, Details(name="Bea", email="ana@old.example"), OPERATOR)

        assert first.status == 200
        assert email_on(bot, bea.id) is ConsentValue.NO


def test_a_former_mailboxs_link_leaves_the_present_mailbox_alone_and_refuses_for_its_holder(
    bot: Receiver,
) -> None:
    ana = bot.willing("Ana", external_id="7", email="ana@old.example")
    for mailbox in ("ana@other.example", "ana@new.example"):
        moved(bot, ana, mailbox)
    agreed = bot.willing("Ann", email="ana@new.example")
    bea = bot.willing("Bea", email="ana@old.example")
    answer = click(bot, link(ana, "ana@old.example"))

    assert answer.status == 200
    assert (email_on(bot, bea), email_on(bot, agreed)) == (ConsentValue.NO, ConsentValue.YES)


def test_the_links_of_two_mailboxes_in_the_same_minute_are_two_clicks(bot: Receiver) -> None:
    ana = bot.willing("Ana", external_id="7", email="ana@old.example")
    moved(bot, ana, "ana@new.example")
    bea = bot.willing("Bea", email="ana@old.example")
    cid = bot.willing("Cid", email="ana@new.example")
    statuses = [
        click(bot, link(ana, mailbox)).status for mailbox in ("ana@new.example", "ana@old.example")
    ]

    assert statuses == [200, 200]
    assert (email_on(bot, bea), email_on(bot, cid)) == (ConsentValue.NO, ConsentValue.NO)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("named", ["id", "external id", "former external id"])
def test_an_erased_contacts_link_is_answered_as_before(
    tmp_path: Path, kind: str, named: str
) -> None:
    with receiver(tmp_path, {"OPTIN_UNSUBSCRIBE_KEY": KEYS[0]}, kind=kind) as bot:
        id = bot.willing("Ana", external_id="crm 7", email="ana@example.com")
        target = link(id if named == "id" else "crm 7", "ana@example.com")
        if named == "former external id":
            details = Details(name="Ana", email="ana@example.com", external_id="crm 8")
            edit(bot.service, id, details, OPERATOR)
        erase(bot.service, id, OPERATOR)
        before = bot.log()
        answer = click(bot, target)

        assert answer.status == 200
        assert bot.log() == before
        assert click(bot, link("crm 70", "ana@example.com")).status == 401
        assert click(bot, target, b"List-Unsubscribe=No").status == 401


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("LinkCase@Example.com", "linkcase@example.com"),
        ("linkcase@example.com", "LinkCase@Example.com"),
        ("LINKCASE@EXAMPLE.COM", "linkcase@example.com"),
        ("Linkcase@example.com", "LINKCASE@example.com"),
        ("linkcasE@Example.Com", "linkcase@example.com"),
        ("Ana.Maria.Gomez@example.com", "ana.maria.gomez@example.com"),
        ("Ana+News@Mail.Example.com", "ana+news@mail.example.com"),
        ("ana+news@example.com", "Ana+News@example.com"),
        ("O'Brien_2@EXAMPLE.COM", "o'brien_2@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@bücher.example"),
        ("Ana@BÜCHER.EXAMPLE", "ana@bücher.example"),
        ("Ana@Bücher.example", "ana@xn--bcher-kva.example"),
        ("AnaGomez@XN--BCHER-KVA.EXAMPLE", "anagomez@bücher.example"),
        ("Christopher.Montgomery@Example.com", "christopher.montgomery@example.com"),
    ],
)
@pytest.mark.parametrize("key", KEYS)
def test_capitals_and_the_script_of_the_domain_do_not_matter(
    bot: Receiver, written: str, stored: str, key: str
) -> None:
    ana = add(bot.service, Details(name="Ana", email=stored, external_id="7"), OPERATOR)
    answer = click(bot, link("7", written, key=key))

    assert answer.status == 200
    assert email_on(bot, ana.id) is ConsentValue.NO


def test_capitals_do_not_matter_for_a_former_mailbox(bot: Receiver) -> None:
    ana = bot.willing("Ana", email="linkcase@old.example")
    moved(bot, ana, "ana@new.example")
    bea = bot.willing("Bea", email="linkcase@old.example")

    assert click(bot, link(ana, "LinkCase@Old.example")).status == 200
    assert (email_on(bot, bea), email_on(bot, ana)) == (ConsentValue.NO, ConsentValue.UNSET)


@pytest.mark.parametrize(
    "spelled",
    [
        "ana@example.org",
        "anna@example.com",
        "a.na@example.com",
        "ana+x@example.com",
        "аna@example.com",  # a Cyrillic letter
        "ana@example.com ",
    ],
)
def test_another_mailbox_is_not_the_same(bot: Receiver, spelled: str) -> None:
    ana = bot.willing("Ana", external_id="7", email="ana@example.com")

    assert click(bot, link("7", spelled)).status == 401
    assert email_on(bot, ana) is ConsentValue.YES


@pytest.mark.parametrize(
    "body",
    [
        MARKER + b"\n",
        MARKER + b"\r\n",
        MARKER + b"\r\n\r\n",
        MARKER + b" ",
        MARKER + b"\r",
        MARKER + b"%0D%0A",
        MARKER + b"&",
        MARKER + b"&utm=1\r\n",
        b"\r\n" + MARKER,
        b"List-Unsubscribe=One%2DClick",
        b"x=\xff&" + MARKER,
    ],
)
def test_a_line_break_around_the_marker_does_not_matter(bot: Receiver, body: bytes) -> None:
    ana = bot.willing("Ana", external_id="7", email="ana@example.com")

    assert click(bot, link("7", "ana@example.com"), body).status == 200
    assert email_on(bot, ana) is ConsentValue.NO


def multipart(*parts: bytes, boundary: bytes = b"x") -> bytes:
    return b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--" % boundary


NAMED = b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
LOWER = NAMED.replace(b"Content-Disposition", b"content-disposition")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", multipart(NAMED + b"One-Click")),
        ('multipart/form-data; charset=utf-8; boundary="x"', multipart(NAMED + b"One-Click")),
        ("Multipart/Form-Data; Boundary=x", multipart(LOWER + b"One-Click")),
        ("multipart/form-data; boundary=x", multipart(NAMED + b"One-Click\r\n")),
        (
            "multipart/form-data; boundary=x",
            multipart(NAMED + b"One-Click").replace(b"\r\n", b"\n"),
        ),
        (
            "multipart/form-data; boundary=x",
            multipart(NAMED.replace(b"List-Unsubscribe", b"other") + b"1", NAMED + b"One-Click"),
        ),
        (
            "multipart/form-data; boundary=x",
            multipart(b"Content-Type: text/plain\r\n" + NAMED + b"One-Click"),
        ),
        (
            "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            multipart(NAMED + b"One-Click", boundary=b"----WebKitFormBoundary7MA4YWxkTrZu0gW"),
        ),
    ],
)
def test_the_marker_may_come_in_parts(bot: Receiver, kind: str, body: bytes) -> None:
    ana = bot.willing("Ana", external_id="7", email="ana@example.com")

    assert click(bot, link("7", "ana@example.com"), body, kind).status == 200
    assert email_on(bot, ana) is ConsentValue.NO


NESTED = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x--",
        multipart(b""),
        multipart(NAMED + b"Two-Clicks"),
        multipart(NAMED.replace(b"name", b"filename") + b"One-Click"),
        multipart(NESTED * 5_000),
        b"--x\r\n" + NESTED * 10_000,
        multipart(NAMED + NESTED + b"--x\r\n" * 1_000),
        multipart(b"A: b\r\n" * 60_000 + NAMED + b"One-Click"),
        multipart(*[b"\r\n\r\n"] * 20_000),
        b"--x\r\n" * 200_000,
        b"\r\n" * 500_000,
        b"--" * 500_000,
    ],
)
def test_parts_that_are_no_click_are_refused_at_once_also_with_a_link_that_holds(
    bot: Receiver, body: bytes
) -> None:
    ana = bot.willing("Ana", external_id="7", email="ana@example.com")
    target = link("7", "ana@example.com")
    began = time.process_time()
    answer = click(bot, target, body, "multipart/form-data; boundary=x")
    took = time.process_time() - began

    assert answer.status == 401
    assert took < 1.0
    assert email_on(bot, ana) is ConsentValue.YES
    assert click(bot, target).status == 200


@pytest.mark.parametrize(
    ("external_id", "list_", "query"),
    [
        ("a+b", "news", "c=a+b&l=news&t={}"),
        ("a+b", "news", "c=a%2Bb&l=news&t={}"),
        ("a b", "news", "c=a+b&l=news&t={}"),
        ("7", "new+offers", "c=7&l=new+offers&t={}"),
        ("7", "new offers", "c=7&l=new%20offers&t={}"),
        ("7", "news", "c=7&amp;l=news&amp;t={}"),
        ("7", "news", "l=news&utm_source=a&utm_source=b&t={}&c=7"),
        ("7", "news", "c=7&l=news&t={}%0D%0A"),
        ("7", "news", "c=7&l=news&t={}%3D"),
        ("7", "é/ü|x", f"c=7&l={quote('é/ü|x', safe='')}&t={{}}"),
        ("7", "", "c=7&l=&t={}"),
    ],
)
def test_a_link_may_be_encoded_in_several_ways(
    bot: Receiver, external_id: str, list_: str, query: str
) -> None:
    ana = bot.willing("Ana", external_id=external_id, email="ana+news@example.com")
    answer = click(bot, "/u/one-click?" + query.format(token("ana+news@example.com", list_)))

    assert answer.status == 200
    assert email_on(bot, ana) is ConsentValue.NO


@pytest.mark.parametrize("count", [1, 40])
def test_a_link_that_holds_nowhere_costs_a_few_milliseconds(bot: Receiver, count: int) -> None:
    local = "a" * 64
    ana = bot.willing("Ana", external_id="7", email=f"{local}@bücher.example")
    for number in range(count - 1):
        moved(bot, ana, f"{local[:-2]}{number:02}@bücher.example")
    target = link("7", "nobody@example.com")
    click(bot, target)
    began = time.process_time()
    statuses = {click(bot, target).status for _ in range(10)}
    took = (time.process_time() - began) / 10

    assert statuses == {401}
    # Two milliseconds on a machine that has nothing else to do; some more for HTTP.
    assert took < 0.05


def test_a_link_to_a_contact_whom_an_undone_import_took_out_still_works(bot: Receiver) -> None:
    gone = bot.willing("Ana", email="ana@example.com")
    bea = bot.willing("Bea", email="ana@example.com")
    with bot.service.store.transaction() as records:
        contact = records.contacts.get(gone)
        assert contact is not None
        records.contacts.remove(gone)

    assert click(bot, link(gone, "ana@example.com")).status == 200
    assert email_on(bot, bea) is ConsentValue.NO


def test_a_click_long_after_the_mailbox_changed_still_counts(
    bot: Receiver, stopped: clock.Stopped
) -> None:
    ana = bot.willing("Ana", external_id="7", email="ana@old.example")
    moved(bot, ana, "ana@new.example")
    stopped.advance(timedelta(days=3 * 365))
    answer = click(bot, link("7", "ana@old.example"))
    bea = add(bot.service, Details(name="Bea", email="ana@old.example"), OPERATOR)

    assert answer.status == 200
    assert email_on(bot, bea.id) is ConsentValue.NO
    assert bot.log()[-1].address == "ana@old.example"
