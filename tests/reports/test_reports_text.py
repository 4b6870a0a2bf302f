"""Public reports of opt-outs that were refused for a character, and of words that were not known: a
reply is never refused for a bad character (rules.md §2a, §5), and an unsubscribe link works as it was
written (docs/providers/setup.md)."""

from __future__ import annotations

import json

import pytest

from tests.support.reports_fixtures import (
    MAILBOX,
    OURS,
    PHONE,
    TEXTS,
    Product,
    Starter,
    gates,
    said_no,
    telnyx,
    twilio,
    vonage_message,
)

JSON = ("telnyx", "vonage", "vonage sms", "twilio streams")


# D03, D04: a character that no storage takes


@pytest.mark.parametrize("by", TEXTS)
@pytest.mark.parametrize("text", ["STOP\0", "\0STOP", "STOP\0\0 "])
def test_a_nul_beside_stop_changes_nothing(launch: Starter, by: str, text: str) -> None:
    product = launch()
    ana = product.add(phone=PHONE)
    product.text(text, by=by)

    assert said_no(product.sms(ana))
    product.check()


@pytest.mark.parametrize("by", JSON)
def test_half_an_emoji_behind_stop_refuses_no_json(product: Product, by: str) -> None:
    ana = product.add(phone=PHONE)
    product.text("STOP \ud83d", by=by)
    sms = product.sms(ana)

    assert sms["answer"] == "no"
    assert said_no(sms) or ("review_hold", "agent") in gates(sms)
    product.check()


@pytest.mark.parametrize("raw", [b"STOP\xed\xa0\xbd", b"STOP \xff\xfe", b"STOP\x00", b"\xc3STOP"])
def test_bytes_that_are_no_text_refuse_no_form(product: Product, raw: bytes) -> None:
    ana = product.add(phone=PHONE)
    # Signed over these very bytes, and so over what a provider reads in them.
    form = {"From": PHONE, "To": OURS, "Body": raw, "MessageSid": "SM1"}
    answer = twilio(product, form)
    sms = product.sms(ana)

    assert answer.status == 200
    assert sms["answer"] == "no"
    assert said_no(sms) or ("review_hold", "agent") in gates(sms)
    product.check()


@pytest.mark.parametrize("by", ["telnyx", "vonage"])
@pytest.mark.parametrize("escaped", [r"STOP\ud83d", r"STOP\u0000", r"\udc00STOP"])
def test_an_escape_that_is_half_a_character_refuses_no_body(
    launch: Starter, by: str, escaped: str
) -> None:
    product = launch()
    ana = product.add(phone=PHONE)
    if by == "telnyx":
        payload = {
            "id": "p1",
            "from": {"phone_number": PHONE},
            "to": [{"phone_number": OURS}],
            "text": "@",
        }
        event = {
            "id": "e1",
            "event_type": "message.received",
            "occurred_at": product.iso,
            "payload": payload,
        }
        body = json.dumps({"data": event}).replace('"@"', f'"{escaped}"').encode()
        answer = telnyx(product, {}, body=body)
    else:
        message = {
            "from": PHONE[1:],
            "to": OURS[1:],
            "channel": "sms",
            "text": "@",
            "message_uuid": "u1",
            "timestamp": product.iso,
        }
        body = json.dumps(message).replace('"@"', f'"{escaped}"').encode()
        answer = vonage_message(product, {}, body=body)
    sms = product.sms(ana)

    assert answer.status == 200
    assert said_no(sms) or ("review_hold", "agent") in gates(sms)
    product.check()


# D24: stop words of languages whose pack is off


WORDS = (
    "СТОП",
    "стоп",
    "Отписаться",
    "wypisz",
    "odhlásit",
    "leiratkozás",
    "dezabonare",
    "διακοπή",
    "iptal",
    "afmelden",
    "avregistrera",
    "lopeta",
    "disiscrivi",
    "退订",
    "停止",
    "수신거부",
    "ยกเลิก",
    "रोकें",
    "توقف",
    "הסר",
    "berhenti",
    "sispann",
    "BAJA",
    "arrêt",
    "sair",
    "stopp",
)


def test_a_stop_word_of_any_language_is_held_at_least(product: Product) -> None:
    routes = list(TEXTS)
    people = {word: f"+1415555{n:04d}" for n, word in enumerate(WORDS, 1000)}
    product.people({word: {"phone": number} for word, number in people.items()})
    product.people({"Bo": {"phone": "+14155559999"}})
    for place, (word, number) in enumerate(people.items()):
        product.text(word, sender=number, by=routes[place % len(routes)])
    product.text("See you tomorrow", sender="+14155559999")

    answers = product.answers()
    for word in WORDS:
        sms = answers[word]["sms"]
        assert sms["answer"] == "no", word
        assert said_no(sms) or ("review_hold", "agent") in gates(sms), word
    assert answers["Bo"]["sms"]["answer"] == "yes"


@pytest.mark.parametrize(
    "quoted", ["\n> Reply STOP to end", "\r\n> Acme: your order.\r\n> Reply STOP to end"]
)
def test_our_own_text_quoted_behind_a_refusal_does_not_hide_it(
    product: Product, quoted: str
) -> None:
    ana = product.add(phone=PHONE)
    product.text(f"Please stop{quoted}")

    assert gates(product.sms(ana)) == [("review_hold", "agent")]


def test_our_own_text_quoted_behind_thanks_is_no_refusal(product: Product) -> None:
    ana = product.add(phone=PHONE)
    product.text("Thanks, see you then\n> Reply STOP to end")

    assert product.sms(ana)["answer"] == "yes"


# D07: links whose mailbox is written with other capitals


@pytest.mark.parametrize(
    ("stored", "made"),
    [
        ("linkcase@example.com", "LinkCase@Example.com"),
        ("LinkCase@Example.com", "linkcase@example.com"),
        ("ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@bücher.example"),
    ],
)
def test_a_link_opts_out_whatever_capitals_its_mailbox_was_written_with(
    product: Product, stored: str, made: str
) -> None:
    ana = product.add(email=stored, external_id="17")
    bo = product.add("Bo", email="bo@example.com")
    by_id = product.click(ana, made)

    assert by_id.status == 200
    assert said_no(product.email(ana))
    assert product.email(bo)["answer"] == "yes"
    assert product.click("17", made, list_="other").status == 200
    # A token of another mailbox opens nothing.
    assert product.click(bo, made).status == 401
    assert product.email(bo)["answer"] == "yes"
    product.check()


@pytest.mark.parametrize(
    "body",
    [
        b"List-Unsubscribe=One-Click\r\n",
        b"List-Unsubscribe=One-Click\n",
        b"\r\nList-Unsubscribe=One-Click",
        b"List-Unsubscribe=One-Click ",
    ],
)
def test_a_line_break_around_the_body_of_a_click_does_not_matter(
    product: Product, body: bytes
) -> None:
    ana = product.add(email=MAILBOX)

    assert product.click(ana, MAILBOX, body=body).status == 200
    assert said_no(product.email(ana))


def test_a_click_as_multipart_counts_like_one_as_a_form(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    body = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
    answer = product.click(ana, MAILBOX, body=body, kind="multipart/form-data; boundary=b")

    assert answer.status == 200
    assert said_no(product.email(ana))


def test_a_link_works_for_its_mailbox_after_the_contact_has_another(product: Product) -> None:
    ana = product.add(email=MAILBOX)
    other = product.add("Other", email=MAILBOX)
    product.done("contact", "set", ana, "--email=new@example.com")

    assert product.click(ana, MAILBOX).status == 200
    assert said_no(product.email(other))
    assert product.email(ana)["on"] == "UNSET"
    late = product.add("Late", email=MAILBOX, yes=False)
    assert said_no(product.email(late))
