"""Names in blocks find what a look at each contact finds, whatever changed in between."""

from __future__ import annotations

import json
import random

import pytest

from bot.consent.parsing import fold
from storage.tinydb.names import Names

FIRST = ("Ana", "Béa", "Carl", "Dora", "Emil", "Zoë")
LAST = ("Gómez", "Smith", "Müller", "O'Brien", "van Dijk")
#: What few or nobody have, two letters, and what spans a name and its company.
TEXTS = ("ana", "mu", "zo vd", "smith 7", "qx", "nobody at all", "z", "ompany 3", "p12@", "0012")


def document(number: int, chance: random.Random) -> bytes:
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)} {number}"
    return json.dumps(
        {
            "name": name,
            "company": f"Company {number % 50}",
            "email": f"p{number}@example.com",
            "phone": f"+1415{number:07}",
        }
    ).encode()


def plain(contacts: dict[str, bytes], text: str) -> set[str]:
    """The ids that a look at each contact finds."""
    whole, found = fold(text), set()
    for id, raw in contacts.items():
        words = json.loads(raw)
        if words.get("erased"):
            continue
        name = f" {fold(words['name'])}"
        digits = words["phone"][1:]
        is_number = bool(text) and text.isdecimal()
        if (
            all(f" {word}" in name for word in whole.split())
            or whole in name
            or whole in fold(words["company"])
            or whole in fold(words["email"])
            or (is_number and (digits.startswith(text) or digits.endswith(text)))
        ):
            found.add(id)
    return found


@pytest.mark.parametrize("learned", [False, True], ids=["blocks unknown", "blocks learned"])
def test_a_search_finds_what_a_look_at_each_contact_finds(learned: bool):
    chance = random.Random(7)
    contacts = {str(number): document(number, chance) for number in range(1_500)}
    names = Names(contacts)

    def compare() -> None:
        while learned and not names.build():
            pass
        for text in TEXTS:
            assert set(names.search(text)) == plain(contacts, text), text

    compare()
    for round in range(4):
        for _ in range(700):  # more than stay loose
            id = str(chance.randrange(1_700))
            match chance.randrange(4):
                case 0:
                    contacts[id] = b'{"erased": true}'
                case 1:
                    contacts.pop(id, None)
                case _:
                    contacts[id] = document(chance.randrange(9_000), chance)
            names.changed(id)
        if round % 2:
            compare()
    compare()


def test_a_name_that_nobody_has_is_looked_for_in_no_block():
    chance = random.Random(8)
    contacts = {str(number): document(number, chance) for number in range(1_500)}
    names = Names(contacts)
    while not names.build():
        pass

    assert [text.blocks_with(b" quux") for text in names._texts] == [0, 0, 0]
    assert names._texts[0].blocks_with(b" ana") != 0
