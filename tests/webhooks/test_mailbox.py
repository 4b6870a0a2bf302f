"""E-mail addresses as people type and paste them."""

from __future__ import annotations

import pytest

from bot.consent.addresses import key_of
from bot.consent.errors import Invalid
from bot.runtime.read_email import read_email


@pytest.mark.parametrize(
    ("typed", "shown", "key"),
    [
        ("Ana@Example.COM", "Ana@Example.COM", "ana@example.com"),
        ("  ana@example.com\n", "ana@example.com", "ana@example.com"),
        ("ana+news@example.co.uk", "ana+news@example.co.uk", "ana+news@example.co.uk"),
        ("\u202aana@example.com\u202c", "ana@example.com", "ana@example.com"),
        ("ana\u200b@example.com\ufeff", "ana@example.com", "ana@example.com"),
        ("O'Hara@example.com", "O'Hara@example.com", "o'hara@example.com"),
        ("José@example.com", "José@example.com", "josé@example.com"),
        ("jose\u0301@example.com", "josé@example.com", "josé@example.com"),
        ("ana@BÜCHER.example", "ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
        ("ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example"),
        ("agent@company.test", "agent@company.test", "agent@company.test"),
    ],
)
def test_an_address_is_shown_as_it_is_written_and_compared_by_its_key(
    typed: str, shown: str, key: str
) -> None:
    read = read_email(typed)

    assert (read, key_of(read)) == (shown, key)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " \u200b ",
        "ana",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@@example.com",
        "ana@example..com",
        "ana@-example.com",
        "ana smith@example.com",
        "Ana <ana@example.com>",
        "ana@example.com, bo@example.com",
        "ana@[127.0.0.1]",
        '"ana"@example.com',
        "ana@localhost",
        "ana@example.com\x00",
        "ana\n@example.com",
        "a" * 300 + "@example.com",
        "ana@" + "x" * 10_000 + ".com",
        "<!channel>@example.com",
        "=cmd()@example.com\u202e.exe",
    ],
)
def test_what_is_no_address_is_refused_with_a_sentence_about_the_email(typed):
    with pytest.raises(Invalid) as caught:
        read_email(typed)

    assert caught.value.field == "email"
    assert caught.value.sentence.endswith(".")
    assert len(caught.value.sentence) < 300
